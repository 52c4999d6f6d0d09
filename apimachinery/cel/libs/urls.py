"""URLs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from apimachinery.cel.errors import EvalError
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.values import Opaque

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*(?=:)")
_BAD_HOST = re.compile(r"[\s<>\"\\^`{}|]|%(?![0-9A-Fa-f]{2})")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})(.{0,2})")
_PATH_SAFE = "/:@!$&'()*+,;=-._~%[]"


@dataclass(frozen=True, slots=True)
class Url(Opaque):
    """An absolute URL or an absolute path, in parts."""

    text: str
    scheme: str = ""
    host: str = ""
    path: str = ""
    query: dict[str, list[str]] = field(default_factory=dict, compare=False)

    type_name = "kubernetes.URL"

    @property
    def hostname(self) -> str:
        if self.host.startswith("["):
            return self.host[1:].partition("]")[0]
        return self.host.partition(":")[0]

    @property
    def port(self) -> str:
        rest = self.host.rpartition("]")[2] if self.host.startswith("[") else self.host
        return rest.partition(":")[2]


def _refused(text: str, why: str) -> EvalError:
    return EvalError(f'URL parse error during conversion from string: parse "{text}": {why}')


def parse_url(text: str) -> Url:
    """Read a URL as Go's ParseRequestURI does. Raises EvalError."""
    if not text:
        raise _refused(text, "empty url")
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        raise _refused(text, "net/url: invalid control character in URL")
    match = _SCHEME.match(text)
    scheme = match[0].lower() if match else ""
    rest = text[match.end() + 1 :] if match else text
    if not scheme and not rest.startswith("/"):
        raise _refused(text, "invalid URI for request")
    rest, _, query = rest.partition("?")
    if scheme and not rest.startswith("/"):
        raise _refused(text, "invalid URI for request")
    host = ""
    if scheme and rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        host, rest = authority.rpartition("@")[2], f"{slash}{path}"
        _check_host(text, host)
    wrong = _BAD_ESCAPE.search(rest)
    if wrong:
        raise _refused(text, f'invalid URL escape "{wrong[0]}"')
    return Url(text, scheme, host, rest, _query(query))


def _check_host(text: str, host: str) -> None:
    wrong = _BAD_HOST.search(host)
    if wrong:
        raise _refused(text, f'invalid character "{wrong[0]}" in host name')
    name, colon, port = host.rpartition(":")
    if host.startswith("["):
        if "]" not in host:
            raise _refused(text, "missing ']' in host")
        name, colon, port = host.rpartition("]")[0], "", host.rpartition("]")[2].lstrip(":")
        colon = ":" if port else ""
    if colon and port and not port.isdigit():
        raise _refused(text, f'invalid port ":{port}" after host')
    del name


def _query(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in filter(None, text.split("&")):
        if ";" in part:
            continue
        name, _, value = part.partition("=")
        found.setdefault(unquote(name.replace("+", " ")), []).append(
            unquote(value.replace("+", " "))
        )
    return found


def _is_url(text: str) -> bool:
    try:
        parse_url(text)
    except EvalError:
        return False
    return True


URLS: list[Overload] = [
    function("url(string) -> URL", parse_url),
    function("isURL(string) -> bool", _is_url),
    function("URL.getScheme() -> string", lambda url: url.scheme),
    function("URL.getHost() -> string", lambda url: url.host),
    function("URL.getHostname() -> string", lambda url: url.hostname),
    function("URL.getPort() -> string", lambda url: url.port),
    function("URL.getEscapedPath() -> string", lambda url: quote(url.path, safe=_PATH_SAFE)),
    function("URL.getQuery() -> map(string, list(string))", lambda url: url.query),
]
