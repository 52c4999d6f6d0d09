"""The answers that are about the API server itself, not about objects: by path.

`page` and `discovery_page` are the handlers behind the chain; what a path means is looked up in
the literal tables below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apiserver.auth.tokens import openid_configuration
from apiserver.endpoints import discovery, health, metrics_page, openapi_pages, zpages
from apiserver.endpoints.aggregation.ordering import group_versions
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.chain import not_allowed
from apiserver.endpoints.negotiation import JSON, YAML
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.version import VERSION

_NOT_FOUND = b"404 page not found\n"
_TEXT = "text/plain; charset=utf-8"
Page = Callable[[ApiRequest], Awaitable[Answer]]


def not_found() -> Answer:
    """Return the page of a path where nothing is."""
    headers = {"X-Content-Type-Options": "nosniff"}
    return Answer(404, text=_NOT_FOUND, content_type=_TEXT, headers=headers)


async def page(request: ApiRequest) -> Answer:
    """Answer a path outside of /api and /apis."""
    path = request.info.path
    found = _PAGES.get(path.rstrip("/") or "/")
    if found is not None:
        return await found(request)
    for prefix, under in _PREFIXES:
        if path.startswith(prefix):
            return await under(request)
    return not_found()


def _json(value: Any) -> Answer:
    """Answer in several lines, whoever asks: people read these pages."""
    return Answer(text=orjson.dumps(value, option=orjson.OPT_INDENT_2), content_type=JSON)


async def _root(request: ApiRequest) -> Answer:
    """List the paths that there are."""
    return _json({"paths": _paths(request.api)})


def _paths(api: ClusterApi) -> list[str]:
    paths = {"/api", "/apis", "/openapi/v3/", *_PAGES, *health.paths()}
    for group, versions in _groups(api).items():
        root = f"/apis/{group}" if group else "/api"
        paths |= {root, *(f"{root}/{version}" for version in versions)}
    paths.discard("/")
    return sorted(paths)


async def _version(request: ApiRequest) -> Answer:
    if request.method != "GET":
        raise not_allowed()
    return _json(VERSION)


async def _flagz(request: ApiRequest) -> Answer:
    return zpages.flagz(request)


async def _statusz(request: ApiRequest) -> Answer:
    return zpages.statusz(request, _paths(request.api))


async def _jwks(request: ApiRequest) -> Answer:
    keys = request.api.auth.tokens.jwks()
    return Answer(text=orjson.dumps(keys), content_type="application/jwk-set+json")


async def _openid(request: ApiRequest) -> Answer:
    auth = request.api.auth
    host = request.headers.get("host", "kubernetes.default.svc")
    uri = auth.options.jwks_uri or f"https://{host}{request.root}/openid/v1/jwks"
    return _json(openid_configuration(auth.tokens.issuer, uri))


_PAGES: dict[str, Page] = {
    "/": _root,
    "/.well-known/openid-configuration": _openid,
    "/flagz": _flagz,
    "/healthz": health.page,
    "/livez": health.page,
    "/metrics": metrics_page.page,
    "/metrics/slis": metrics_page.slis,
    "/openapi/v2": openapi_pages.v2,
    "/openapi/v3": openapi_pages.v3_index,
    "/openid/v1/jwks": _jwks,
    "/readyz": health.page,
    "/statusz": _statusz,
    "/version": _version,
}
_PREFIXES: tuple[tuple[str, Page], ...] = (
    ("/healthz/", health.page),
    ("/livez/", health.page),
    ("/readyz/", health.page),
    ("/openapi/v3/", openapi_pages.v3_document),
)


async def discovery_page(request: ApiRequest) -> Answer:
    """Answer /api, /apis and what lies one or two names below."""
    parts = [part for part in request.info.path.split("/") if part]
    if request.method != "GET":
        raise not_allowed()
    output = request.output
    if len(parts) == 1 and output.transform:
        return _aggregated(request, core=parts[0] == "api")
    api = request.api
    if parts == ["api"]:
        # It names the host that was asked, so it is made for each who asks.
        made: Obj | None = discovery.api_versions(request.headers.get("host", ""))
    else:
        made = api.document(("discovery", *parts), lambda: _legacy(api, parts))
    if made is None:
        return not_found()
    if output.media_type == YAML or output.pretty:
        return Answer(obj=made, as_is=True)
    return Answer(text=orjson.dumps(made), content_type=JSON)


def _groups(api: ClusterApi) -> dict[str, list[str]]:
    found: dict[str, list[str]] = api.document("groups", lambda: group_versions(api))
    return found


def _legacy(api: ClusterApi, parts: list[str]) -> Obj | None:
    """Return the document of a path, None where nothing is served."""
    if parts == ["apis"]:
        return discovery.group_list(_groups(api))
    if parts[0] == "api":
        version = GroupVersion("", parts[1])
        return discovery.resource_list(api.catalog, version) if len(parts) == 2 else None
    if len(parts) == 2:
        return discovery.group(_groups(api), parts[1])
    version = GroupVersion(parts[1], parts[2])
    return discovery.resource_list(api.catalog, version) if len(parts) == 3 else None


def _aggregated(request: ApiRequest, *, core: bool) -> Answer:
    version = request.output.version

    def make() -> tuple[bytes, str]:
        document = discovery.aggregated(
            request.api.catalog,
            _groups(request.api),
            request.api.remotes,
            core=core,
            version=version,
        )
        raw = orjson.dumps(document)
        return raw, f'"{hashlib.sha512(raw).hexdigest().upper()}"'

    raw, etag = request.api.document(("aggregated", core, version), make)
    kind = f"{JSON};g={discovery.AGGREGATED};v={version};as=APIGroupDiscoveryList"
    headers = {"ETag": etag, "Vary": "Accept", "Cache-Control": "public"}
    if request.headers.get("if-none-match") == etag:
        return Answer(304, text=b"", content_type=kind, headers=headers)
    return Answer(text=raw, content_type=kind, headers=headers)
