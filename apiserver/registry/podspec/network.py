"""Names and addresses of a pod: DNS, host aliases, host networking."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.validation.names import (
    is_dns1123_subdomain,
    is_dns1123_subdomain_with_underscore,
    is_ip,
)
from apiserver.registry.podspec.checks import obey

_MAX_NAMESERVERS = 3
_MAX_SEARCHES = 32
_MAX_SEARCH_CHARACTERS = 2048


def dns_errors(config: Obj | None, policy: str, path: Path) -> FieldErrors:
    """Yield what is wrong with spec.dnsConfig, or that it is missing."""
    servers = (config or {}).get("nameservers") or []
    if policy == "None":
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not servers:
            yield required(
                path / "nameservers",
                "must provide at least one DNS nameserver when `dnsPolicy` is None",
            )
            return
    if config is None:
        return
    if len(servers) > _MAX_NAMESERVERS:
        yield invalid(
            path / "nameservers", servers, f"must not have more than {_MAX_NAMESERVERS} nameservers"
        )
    for at, server in enumerate(servers):
        yield from obey(is_ip, server, (path / "nameservers")[at])
    yield from _search_errors(config.get("searches") or [], path / "searches")
    for at, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield required((path / "options")[at], "must not be empty")


def _search_errors(searches: list[str], path: Path) -> FieldErrors:
    if len(searches) > _MAX_SEARCHES:
        yield invalid(path, searches, f"must not have more than {_MAX_SEARCHES} search paths")
    if len(" ".join(searches)) > _MAX_SEARCH_CHARACTERS:
        yield invalid(
            path,
            searches,
            f"must not have more than {_MAX_SEARCH_CHARACTERS} characters (including spaces) "
            "in the search list",
        )
    for at, search in enumerate(searches):
        if search != ".":
            yield from obey(
                is_dns1123_subdomain_with_underscore, search.removesuffix("."), path[at]
            )


def host_alias_errors(aliases: list[Obj], path: Path) -> FieldErrors:
    """Yield what is wrong with spec.hostAliases."""
    for at, alias in enumerate(aliases):
        yield from obey(is_ip, alias.get("ip") or "", path[at] / "ip")
        for index, name in enumerate(alias.get("hostnames") or ()):
            yield from obey(is_dns1123_subdomain, name, (path[at] / "hostnames")[index])


def host_network_errors(spec: Obj, path: Path, *, in_pod: bool) -> FieldErrors:
    """On the host's network a port of the container is that port of the host."""
    for at, container in enumerate(spec.get("containers") or ()):
        for index, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort") or 0
            if (in_pod or host) and host != port.get("containerPort"):
                yield invalid(
                    ((path / "containers")[at] / "ports")[index] / "hostPort",
                    host,
                    "must match `containerPort` when `hostNetwork` is true",
                )
