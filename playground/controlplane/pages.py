"""What the ports of a component answer: health, metrics, configuration; and who may ask.

The secure port asks the cluster who somebody is and what they may do, as a component that delegates
both to the API server. Its health is anybody's to know. The plain one asks nobody, and is on the
node's loopback alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import isawaitable
from typing import Any
from urllib.parse import parse_qsl

import orjson
from cryptography.hazmat.primitives.serialization import Encoding

from apimachinery.clock import Clock
from apimachinery.errors import ApiError
from apimachinery.exposition import MEDIA_TYPE, Family, Histograms, text_of
from apiserver.auth.attributes import Attributes, forbidden
from apiserver.auth.cluster import ClusterAuth
from nodes.network.http import Headers, HttpRequest, HttpResponse, serve_http
from nodes.network.tls import KeyPair, serve_tls
from playground.controlplane.programs import Door

TEXT, JSON = "text/plain; charset=utf-8", "application/json"
Page = Callable[[HttpRequest], HttpResponse]
Pages = Mapping[str, Page]
Metrics = Callable[[], Iterable[Family | Histograms]]
_NOT_FOUND = b"404 page not found\n"
# What anybody may read: --authorization-always-allow-paths.
_OPEN = ("/healthz", "/livez", "/readyz")


class Server:
    """The pages of one component, on its ports."""

    def __init__(self, name: str, pages: Pages, auth: ClusterAuth, clock: Clock) -> None:
        self._name, self._pages, self._auth, self._clock = name, pages, auth, clock

    def secure(self, port: int) -> Door:
        """Serve a port under TLS, for whom the cluster lets read them."""
        handler = serve_tls(serve_http(self._guarded), self._pair, ask_client=True)
        return Door(port, handler)

    def plain(self, port: int) -> Door:
        """Serve a port of the loopback for everybody."""
        return Door(port, serve_http(self._open), local=True)

    def _pair(self) -> KeyPair:
        return KeyPair.self_signed("localhost", self._clock.now())

    async def _open(self, request: HttpRequest) -> HttpResponse:
        page = self._pages.get(request.path)
        if page is None:
            found = next((one for one in _OPEN if request.path.startswith(f"{one}/")), "")
            page = self._pages.get(found)
        return page(request) if page is not None else answer(_NOT_FOUND, TEXT, 404)

    async def _guarded(self, request: HttpRequest) -> HttpResponse:
        try:
            user = await self._who(request)
        except ApiError as error:
            return _refusal(error)
        if request.path not in _OPEN:
            asked = Attributes(
                user, request.method.lower(), path=request.path, resource_request=False
            )
            decision = self._auth.authorize(asked)
            if not decision.allowed:
                return _refusal(forbidden(asked, decision.reason))
        return await self._open(request)

    async def _who(self, request: HttpRequest) -> Any:
        """Return who asks. Raises Unauthorized."""
        headers = {name.lower(): value for name, value in request.headers.items}
        shown = [one.public_bytes(Encoding.DER) for one in request.certificates]
        found = self._auth.authenticate(headers, shown, request.path)
        return await found if isawaitable(found) else found


def health(root: str, checks: Callable[[], Mapping[str, bool]]) -> Page:
    """Answer with the checks of a root: all at once, with `?verbose`, or one by its name."""

    def page(request: HttpRequest) -> HttpResponse:
        found = checks()
        name = request.path.removeprefix(root).strip("/")
        if name:
            if name not in found:
                return answer(_NOT_FOUND, TEXT, 404)
            found = {name: found[name]}
        failed = not all(found.values())
        asked = {key for key, _ in parse_qsl(request.query, keep_blank_values=True)}
        if not failed and (name or "verbose" not in asked):
            return answer(b"ok", TEXT)
        lines = [
            f"[+]{one} ok" if well else f"[-]{one} failed: reason withheld"
            for one, well in found.items()
        ]
        lines.append(f"{root[1:]} check {'failed' if failed else 'passed'}\n")
        return answer("\n".join(lines).encode(), TEXT, 500 if failed else 200)

    return page


def metrics(families: Metrics) -> Page:
    """Answer with metrics, read when they are asked for."""
    return lambda _: answer(text_of(sorted(families(), key=_name)).encode(), MEDIA_TYPE)


def configz(key: str, configuration: Callable[[], Any]) -> Page:
    """Answer with what a component is configured by."""
    return lambda _: answer(orjson.dumps({key: configuration()}), JSON)


def answer(body: bytes, content_type: str, code: int = 200) -> HttpResponse:
    """Return an answer."""
    fields = [("Content-Type", content_type), ("X-Content-Type-Options", "nosniff")]
    return HttpResponse(code, Headers(fields), body)


def _name(family: Family | Histograms) -> str:
    return family.name


def _refusal(error: ApiError) -> HttpResponse:
    return answer(orjson.dumps(error.status()), JSON, error.code)
