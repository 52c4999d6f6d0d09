"""/openapi/v2 and /openapi/v3: the documents, made in a thread when they are first asked for."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import orjson

from apimachinery.schema import openapi
from apimachinery.schema.openapi import ServedResource
from apiserver.endpoints.aggregation.ordering import group_versions
from apiserver.endpoints.aggregation.proxying import hand_on
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.negotiation import JSON
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.registry.catalog import Served

_TEXT = "text/plain; charset=utf-8"
_V2_ACCEPT = "proto-openapi.spec.v2"
_YEAR = timedelta(days=365)


class _Document(NamedTuple):
    """A document, and the hash that stands for it in its address and its ETag."""

    raw: bytes
    hash: str


def served_resources(api: ClusterApi) -> tuple[ServedResource, ...]:
    """Return what a cluster serves, as documents are made of it."""

    def make() -> tuple[ServedResource, ...]:
        return tuple(map(_served, api.catalog.served()))

    found: tuple[ServedResource, ...] = api.document("openapi", make)
    return found


def _served(one: Served) -> ServedResource:
    resource = one.resource
    parts = tuple(
        (name, part.kind or one.kind, tuple(part.verbs))
        for name, part in sorted(resource.subresources.items())
    )
    schema = resource.strategy.openapi(one.kind) if resource.custom else b""
    singular = resource.singular or resource.kind.kind.lower()
    return ServedResource(
        one.kind, one.plural, singular, resource.namespaced, resource.verbs, parts, schema
    )


async def v3_index(request: ApiRequest) -> Answer:
    """List the documents of /openapi/v3 with their hashes."""
    api = request.api

    def make() -> _Document:
        index = openapi.index(served_resources(api))
        for remote in api.remotes:
            if remote.openapi is not None:
                index["paths"][f"apis/{remote.version.api_version}"] = remote.openapi
        raw = orjson.dumps(index)
        return _Document(raw, _hash(raw))

    return _cached(request, api.document("openapi/v3", make), JSON)


async def v3_document(request: ApiRequest) -> Answer:
    """Return the document of one group and version.

    A client that names the document's hash may keep it for good; one that names an older hash is
    sent to the newer document.
    """
    api = request.api
    path = request.info.path.removeprefix("/openapi/v3/").strip("/")
    remote = api.remotes.find(f"/{path}") if api.remotes else None
    if remote is not None:
        return await hand_on(request, api.remotes, remote)
    served = served_resources(api)

    def make() -> _Document | None:
        made = openapi.document(path, served)
        return None if made is None else _Document(made, openapi.document_hash(path, served))

    found = await _made(api, ("openapi/v3", path), make)
    if found is None:
        headers = {"X-Content-Type-Options": "nosniff"}
        return Answer(404, text=b"404 page not found\n", content_type=_TEXT, headers=headers)
    wanted = request.params.get("hash", "")
    if wanted and wanted != found.hash:
        where = f"/openapi/v3/{path}?hash={found.hash}"
        return Answer(301, text=b"", content_type=_TEXT, headers={"Location": where})
    answer = _cached(request, found, JSON)
    if wanted:
        expires = request.api.clock.now() + _YEAR
        answer.headers["Cache-Control"] = "public, immutable"
        answer.headers["Expires"] = expires.strftime("%a, %d %b %Y %H:%M:%S UTC")
    return answer


async def v2(request: ApiRequest) -> Answer:
    """Return the document of everything, in JSON or protobuf."""
    api = request.api
    served, parts = served_resources(api), _parts(api)
    protobuf = _V2_ACCEPT in request.headers.get("accept", "")

    def make() -> _Document:
        made = (openapi.v2_protobuf if protobuf else openapi.v2)(served, parts)
        return _Document(made, _hash(made))

    found = await _made(api, ("openapi/v2", protobuf), make)
    kind = openapi.V2_MEDIA_TYPE if protobuf else JSON
    return Answer(404) if found is None else _cached(request, found, kind)


def _parts(api: ClusterApi) -> tuple[bytes, ...]:
    """Return what extension servers say of what they serve, in the order of their priorities."""
    remotes: dict[tuple[str, str], bytes] = {
        (one.version.group, one.version.version): one.openapi_v2.part for one in api.remotes
    }
    if not remotes:
        return ()
    order = [(group, one) for group, versions in group_versions(api).items() for one in versions]
    return tuple(part for place in order if (part := remotes.get(place)))


async def _made(
    api: ClusterApi, key: tuple[Any, ...], make: Callable[[], _Document | None]
) -> _Document | None:
    """Return a document of the catalog as it is now; made in a thread, once."""
    found: _Document | None = api.document(key, lambda: None)
    if found is not None:
        return found
    generation = api.catalog.generation
    made = await asyncio.to_thread(make)
    if api.catalog.generation == generation:
        api.document(key, lambda: made)
    return made


def _hash(raw: bytes) -> str:
    return hashlib.sha512(raw).hexdigest().upper()


def _cached(request: ApiRequest, document: _Document, kind: str) -> Answer:
    etag = f'"{document.hash}"'
    headers = {"ETag": etag, "Vary": "Accept"}
    if request.headers.get("if-none-match") == etag:
        return Answer(304, text=b"", content_type=kind, headers=headers)
    return Answer(text=document.raw, content_type=kind, headers=headers)
