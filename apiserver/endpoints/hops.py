"""Header fields between a client and a server of the cluster's network, as a proxy hands them on.

Clusters share a host, with each other and with the site, and a cookie knows neither ports nor
paths that somebody else has chosen. So cookies go no way through the API server: not to who serves
a port, nor back from there. The same holds for the client's own credentials.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Between two hops these have a meaning of their own (RFC 9110, 7.6.1).
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"})
# Made anew for the next hop, or for the API server alone: a WebSocket's protocols may hold a token.
_OWN = frozenset(
    {
        *("accept-encoding", "authorization", "content-length", "cookie", "host"),
        "sec-websocket-protocol",
    }
)
_IMPERSONATION = "impersonate-"
# Whose pages may read an answer is for the API server to say.
_CORS = ("credentials", "headers", "methods", "origin")
_NOT_BACK = frozenset(
    {"set-cookie", "content-length", "content-type", *(f"access-control-allow-{x}" for x in _CORS)}
)
# A header field as HTTP has it (RFC 9110, 5.5); a server in a container may send anything.
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*")


def onward(headers: Mapping[str, str]) -> dict[str, str]:
    """Return which of a client's header fields go on; names are in lower case."""
    return {
        name: value
        for name, value in headers.items()
        if name not in _HOP and name not in _OWN and not name.startswith(_IMPERSONATION)
    }


def content_type(fields: Iterable[tuple[str, str]], default: str) -> str:
    """Return the type of an answer's body."""
    for name, value in fields:
        if name.lower() == "content-type" and _FIELD.fullmatch(f"{name}:{value}"):
            return value
    return default


def back(fields: Iterable[tuple[str, str]], but: Iterable[str] = ()) -> dict[str, str]:
    """Return which fields of an answer go back, but the type and length of its body.

    `but` are more that do not, in lower case.
    """
    left_out = _HOP | _NOT_BACK | frozenset(but)
    return {
        name: value
        for name, value in fields
        if name.lower() not in left_out and _FIELD.fullmatch(f"{name}:{value}")
    }
