"""How the server reaches a webhook: a URL, or a Service of the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, repeats, required
from apimachinery.validation.names import is_dns1035_label, is_dns1123_subdomain, is_port_number
from apiserver.registry.podspec.checks import obey

REVIEW_VERSIONS = ("v1", "v1beta1")
_FORM = "; desired format: https://host[/path]"


def default_client_config(config: Obj | None) -> None:
    """Fill in the port of a webhook's Service."""
    service = (config or {}).get("service")
    if service is not None and service.get("port") is None:
        service["port"] = 443


def client_config_errors(config: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with the address of a webhook."""
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield required(path, "exactly one of url or service is required")
    elif url is not None:
        yield from _url_errors(url, path / "url")
    elif service is not None:
        yield from _service_errors(service, path / "service")


def _url_errors(url: str, path: Path) -> FieldErrors:
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError as error:
        yield required(path, f"url must be a valid URL: {error}{_FORM}")
        return
    if parts.scheme != "https":
        yield invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}")
    if not host:
        yield invalid(path, host, f"host must be specified{_FORM}")
    if "@" in parts.netloc:
        who = parts.netloc.rpartition("@")[0]
        yield invalid(path, who, "user information is not permitted in the URL")
    if parts.fragment:
        yield invalid(path, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        yield invalid(path, parts.query, "query parameters are not permitted in the URL")


def _service_errors(service: Obj, path: Path) -> FieldErrors:
    if not service.get("name"):
        yield required(path / "name", "service name is required")
    if not service.get("namespace"):
        yield required(path / "namespace", "service namespace is required")
    port = service.get("port") or 0
    if wrong := is_port_number(port):
        yield invalid(path / "port", port, "port is not valid: " + ",".join(wrong))
    yield from _service_path_errors(service.get("path") or "", path / "path")


def _service_path_errors(text: str, path: Path) -> FieldErrors:
    if text in ("", "/"):
        return
    if text == "//":
        yield invalid(path, text, "segment[0] may not be empty")
        return
    if not text.startswith("/"):
        yield invalid(path, text, "must start with a '/'")
    for at, step in enumerate(text[1:].removesuffix("/").split("/")):
        if not step:
            yield invalid(path, text, f"segment[{at}] may not be empty")
            continue
        for message in is_dns1123_subdomain(step):
            yield invalid(path, text, f"segment[{at}]: {message}")


def review_version_errors(versions: Sequence[str], path: Path, *, named: bool) -> FieldErrors:
    """Yield what is wrong with the versions of reviews that a webhook understands.

    `named`: a missing list says which versions there are (admission does, conversion does not).
    """
    known = ", ".join(REVIEW_VERSIONS)
    if not versions:
        yield required(path, f"must specify one of {known}" if named else "")
        return
    again = repeats(versions)
    for at, version in enumerate(versions):
        if at in again:
            yield invalid(path[at], version, "duplicate version")
        else:
            yield from obey(is_dns1035_label, version, path[at])
    if not set(versions) & set(REVIEW_VERSIONS):
        yield invalid(path, list(versions), f"must include at least one of {known}")
