"""/openapi/v2 and /openapi/v3: the documents, made in a thread when they are first asked for."""

from __future__ import annotations

import asyncio
import hashlib

import orjson

from apimachinery.schema import openapi
from apimachinery.schema.openapi import ServedResource
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.negotiation import JSON
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.registry.catalog import Served

_TEXT = "text/plain; charset=utf-8"
_V2_ACCEPT = "proto-openapi.spec.v2"


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
    made = api.document("openapi/v3", lambda: orjson.dumps(openapi.index(served_resources(api))))
    return _cached(request, made, JSON)


async def v3_document(request: ApiRequest) -> Answer:
    """Return the document of one group and version."""
    path = request.info.path.removeprefix("/openapi/v3/").strip("/")
    served = served_resources(request.api)
    made = await asyncio.to_thread(openapi.document, path, served)
    if made is None:
        return Answer(404, text=b"404 page not found\n", content_type=_TEXT)
    return _cached(request, made, JSON)


async def v2(request: ApiRequest) -> Answer:
    """Return the document of everything, in JSON or protobuf."""
    served = served_resources(request.api)
    if _V2_ACCEPT in request.headers.get("accept", ""):
        made = await asyncio.to_thread(openapi.v2_protobuf, served)
        return _cached(request, made, openapi.V2_MEDIA_TYPE)
    return _cached(request, await asyncio.to_thread(openapi.v2, served), JSON)


def _cached(request: ApiRequest, made: bytes, kind: str) -> Answer:
    etag = f'"{hashlib.sha512(made).hexdigest().upper()}"'
    headers = {"ETag": etag, "Vary": "Accept"}
    if request.headers.get("if-none-match") == etag:
        return Answer(304, text=b"", content_type=kind, headers=headers)
    return Answer(text=made, content_type=kind, headers=headers)
