"""Reading nginx's configuration: the blocks and directives that the simulated nginx follows.

Grammar first (words, blocks), meaning second (`Server`, `Location`). A directive that is not known
is an error, as with the real one; one that is known but has no meaning here is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*|(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<mark>[;{}])|(?P<word>(?:\$\{\w+\}|\\.|[^\s;{}\#"'])(?:\$\{\w+\}|\\.|[^\s;{}])*))"""
)
_LISTEN_WORDS = ("default_server", "ssl", "http2", "reuseport", "backlog", "ipv6only", "quic")
_MAX_TOKENS = 20_000
_MAX_DEPTH = 8

_PASSED_OVER = frozenset(
    [
        *("user", "worker_processes", "worker_connections", "pid", "events", "sendfile"),
        *("tcp_nopush", "tcp_nodelay", "keepalive_timeout", "keepalive_requests", "gzip"),
        *("gzip_types", "gzip_min_length", "gzip_proxied", "gzip_vary", "gzip_comp_level"),
        *("default_type", "log_format", "error_log", "charset", "client_max_body_size"),
        *("server_tokens", "proxy_http_version", "proxy_buffering", "proxy_redirect", "expires"),
        *("proxy_connect_timeout", "proxy_read_timeout", "proxy_send_timeout", "proxy_buffers"),
        *("proxy_cache_bypass", "types", "types_hash_max_size", "autoindex"),
        *("ssl_protocols", "ssl_session_cache", "ssl_session_timeout", "ssl_prefer_server_ciphers"),
        *("ssl_session_tickets", "ssl_ciphers", "resolver", "internal", "deny"),
        *("allow", "limit_except", "multi_accept", "worker_rlimit_nofile", "proxy_buffer_size"),
        *("client_body_buffer_size", "send_timeout", "server_names_hash_bucket_size", "etag"),
        *("access_log", "reset_timedout_connection", "map", "sub_filter", "sub_filter_once"),
        *("proxy_intercept_errors", "proxy_next_upstream", "keepalive", "least_conn", "ip_hash"),
        *("fastcgi_pass", "fastcgi_param", "fastcgi_index", "load_module", "daemon", "zone"),
    ]
)


class ConfigError(Exception):
    """The configuration is refused; the text is nginx's, without the file's name."""


@dataclass(slots=True)
class Directive:
    name: str
    args: list[str]
    block: list[Directive] | None
    line: int


@dataclass(slots=True)
class Location:
    """One `location`, or the server's own level. code 0: no `return`."""

    modifier: str = ""
    pattern: str = ""
    root: str = ""
    alias: str = ""
    index: list[str] = field(default_factory=list)
    try_files: list[str] = field(default_factory=list)
    proxy_pass: str = ""
    proxy_headers: list[tuple[str, str]] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    code: int = 0
    text: str = ""
    stub_status: bool = False
    log: bool = True
    regex: re.Pattern[str] | None = None
    rewrites: list[tuple[re.Pattern[str], str, str]] = field(default_factory=list)
    default_type: str = ""
    certificate: str = ""
    certificate_key: str = ""


@dataclass(slots=True)
class ServerBlock:
    ports: list[tuple[int, bool]] = field(default_factory=list)
    # Those under TLS, and the line of the directive that says so.
    secure: dict[int, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    base: Location = field(default_factory=Location)
    locations: list[Location] = field(default_factory=list)
    error_pages: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Config:
    servers: list[ServerBlock] = field(default_factory=list)
    upstreams: dict[str, list[str]] = field(default_factory=dict)


def parse(text: str) -> list[Directive]:
    """Read directives and blocks. ConfigError with nginx's words."""
    tokens = _tokens(text)
    found, at = _block(tokens, 0, 0)
    if at < len(tokens):
        raise ConfigError(f'unexpected "}}" in {{file}}:{tokens[at][1]}')
    return found


def _tokens(text: str) -> list[tuple[str, int, bool]]:
    found: list[tuple[str, int, bool]] = []
    at = 0
    line = 1
    while at < len(text) and len(found) < _MAX_TOKENS:
        match = _TOKEN.match(text, at)
        if match is None:
            break
        line += match[0].count("\n")
        at = match.end()
        if match["quoted"]:
            found.append((_unquoted(match["quoted"]), line, True))
        elif match["mark"] or match["word"]:
            found.append((match["mark"] or match["word"], line, False))
    return found


def _unquoted(text: str) -> str:
    named = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda match: named.get(match[1], match[1]), text[1:-1])


def _block(tokens: list[tuple[str, int, bool]], at: int, depth: int) -> tuple[list[Directive], int]:
    found: list[Directive] = []
    words: list[str] = []
    while at < len(tokens):
        text, line, quoted = tokens[at]
        if quoted or text not in ";{}":
            words.append(text)
            at += 1
            continue
        if text == "}":
            if words or not depth:
                raise ConfigError(f'unexpected "}}" in {{file}}:{line}')
            return found, at
        if not words:
            raise ConfigError(f'unexpected "{text}" in {{file}}:{line}')
        block = None
        if text == "{":
            if depth >= _MAX_DEPTH:
                raise ConfigError(f"too many nested blocks in {{file}}:{line}")
            block, at = _block(tokens, at + 1, depth + 1)
            if at >= len(tokens):
                raise ConfigError(f'unexpected end of file, expecting "}}" in {{file}}:{line}')
        found.append(Directive(words[0], words[1:], block, line))
        words = []
        at += 1
    if words:
        line = tokens[-1][1]
        raise ConfigError(f'unexpected end of file, expecting ";" or "}}" in {{file}}:{line}')
    return found, at


# --- meaning ------------------------------------------------------------------------------------


def read_config(directives: list[Directive], include: Callable[[str], list[Directive]]) -> Config:
    """Give the directives of nginx.conf their meaning. `include` reads other files."""
    config = Config()
    for directive in _expanded(directives, include, 0):
        if directive.name == "http":
            _http(config, _expanded(directive.block or [], include, 0), include)
        elif directive.name not in _PASSED_OVER and directive.name != "stream":
            raise _unknown(directive)
    return config


def _http(
    config: Config, block: list[Directive], include: Callable[[str], list[Directive]]
) -> None:
    base = Location(root="/etc/nginx/html", index=["index.html"])
    servers: list[Directive] = []
    for directive in block:
        if directive.name == "server":
            servers.append(directive)
        elif directive.name == "upstream":
            config.upstreams[directive.args[0]] = [
                inner.args[0] for inner in directive.block or [] if inner.name == "server"
            ]
        elif not _location_directive(base, directive):
            raise _unknown(directive)
    for directive in servers:
        config.servers.append(_server(_expanded(directive.block or [], include, 0), base, include))


def _server(
    block: list[Directive], base: Location, include: Callable[[str], list[Directive]]
) -> ServerBlock:
    server = ServerBlock(base=_inherit(base))
    locations: list[Directive] = []
    for directive in block:
        if directive.name == "listen":
            _listen(server, directive)
        elif directive.name == "server_name":
            server.names += directive.args
        elif directive.name == "error_page" and len(directive.args) > 1:
            codes = [int(code) for code in directive.args[:-1] if code.isdigit()]
            server.error_pages.update(dict.fromkeys(codes, directive.args[-1]))
        elif directive.name == "location":
            locations.append(directive)
        elif directive.name != "if" and not _location_directive(server.base, directive):
            raise _unknown(directive)
    for directive in locations:
        server.locations.append(_location(directive, server.base, include))
    if not server.ports:
        server.ports.append((80, False))
    return server


def _listen(server: ServerBlock, directive: Directive) -> None:
    for word in directive.args[1:]:
        if word.partition("=")[0] not in _LISTEN_WORDS:
            raise ConfigError(f'invalid parameter "{word}" in {{file}}:{directive.line}')
    where = directive.args[0] if directive.args else ""
    port = where.rpartition(":")[2] if ":" in where else where
    if where.startswith(("[", "unix:")):
        return  # IPv6 and sockets: nothing comes that way
    if not port.isdigit():
        port = "80"
    if not 0 < int(port) < 65536:
        raise ConfigError(
            f'invalid port in "{where}" of the "listen" directive in {{file}}:{directive.line}'
        )
    server.ports.append((int(port), "default_server" in directive.args))
    if "ssl" in directive.args:
        server.secure[int(port)] = directive.line


def _location(
    directive: Directive, base: Location, include: Callable[[str], list[Directive]]
) -> Location:
    location = _inherit(base)
    if not directive.args:
        raise ConfigError(
            f'invalid number of arguments in "location" directive in {{file}}:{directive.line}'
        )
    location.pattern = directive.args[-1]
    location.modifier = directive.args[0] if len(directive.args) > 1 else ""
    if location.modifier in ("~", "~*"):
        flags = re.IGNORECASE if location.modifier == "~*" else 0
        location.regex = _compile(location.pattern, flags, directive)
    for inner in _expanded(directive.block or [], include, 0):
        if inner.name in ("if", "location", "error_page"):
            continue
        if not _location_directive(location, inner):
            raise _unknown(inner)
    return location


def _inherit(base: Location) -> Location:
    return Location(
        root=base.root,
        index=list(base.index),
        try_files=list(base.try_files),
        proxy_headers=list(base.proxy_headers),
        headers=list(base.headers),
        log=base.log,
        certificate=base.certificate,
        certificate_key=base.certificate_key,
    )


def _location_directive(location: Location, directive: Directive) -> bool:
    """Apply a directive that a location may have. Whether it is known."""
    name, args = directive.name, directive.args
    setter = _SETTERS.get(name)
    if setter is not None:
        if not args and name not in ("return", "stub_status"):
            raise ConfigError(
                f'invalid number of arguments in "{name}" directive in {{file}}:{directive.line}'
            )
        setter(location, args)
        return True
    if name == "rewrite" and len(args) > 1:
        pattern = _compile(args[0], 0, directive)
        location.rewrites.append((pattern, args[1], args[2] if len(args) > 2 else ""))
        return True
    return name in _PASSED_OVER or name == "set"


def _set_return(location: Location, args: list[str]) -> None:
    if args and args[0].isdigit():
        location.code, location.text = int(args[0]), " ".join(args[1:])
    else:
        location.code, location.text = 302, args[0] if args else ""


def _set_stub_status(location: Location, args: list[str]) -> None:
    location.stub_status = True


def _set_access_log(location: Location, args: list[str]) -> None:
    location.log = args[0] != "off"


_SETTERS: dict[str, Callable[[Location, list[str]], None]] = {
    "root": lambda location, args: setattr(location, "root", args[0]),
    "alias": lambda location, args: setattr(location, "alias", args[0]),
    "index": lambda location, args: setattr(location, "index", args),
    "try_files": lambda location, args: setattr(location, "try_files", args),
    "proxy_pass": lambda location, args: setattr(location, "proxy_pass", args[0]),
    "ssl_certificate": lambda location, args: setattr(location, "certificate", args[0]),
    "ssl_certificate_key": lambda location, args: setattr(location, "certificate_key", args[0]),
    "default_type": lambda location, args: setattr(location, "default_type", args[0]),
    "proxy_set_header": lambda location, args: location.proxy_headers.append(
        (args[0], args[1] if len(args) > 1 else "")
    ),
    "add_header": lambda location, args: location.headers.append(
        (args[0], args[1] if len(args) > 1 else "")
    ),
    "return": _set_return,
    "stub_status": _set_stub_status,
    "access_log": _set_access_log,
}


def _expanded(
    block: list[Directive], include: Callable[[str], list[Directive]], depth: int
) -> list[Directive]:
    found: list[Directive] = []
    for directive in block:
        if directive.name == "include" and directive.args and depth < _MAX_DEPTH:
            found += _expanded(include(directive.args[0]), include, depth + 1)
        else:
            found.append(directive)
    return found


def _compile(pattern: str, flags: int, directive: Directive) -> re.Pattern[str]:
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        raise ConfigError(
            f'pcre2_compile() failed: {error} in "{pattern}" in {{file}}:{directive.line}'
        ) from error


def _unknown(directive: Directive) -> ConfigError:
    return ConfigError(f'unknown directive "{directive.name}" in {{file}}:{directive.line}')
