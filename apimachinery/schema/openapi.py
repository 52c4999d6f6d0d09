"""OpenAPI documents of what a cluster serves: v3 for each group and version, and v2 in one.

A document is a pure function of the served resources, so clusters that serve the same share its
bytes. Nothing is built until somebody asks; then it is kept. `kubectl explain` reads the
descriptions, `kubectl apply` looks for the `fieldValidation` parameter, old clients read v2.

Building takes some 10 ms for a group and 150 ms for v2: an event loop should hand it to a thread.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from typing import Any

import orjson

from apimachinery.schema import builder, openapi_merging, openapi_paths, openapi_schemas, openapi_v2
from apimachinery.schema.openapi_served import ServedResource

__all__ = ["V2_MEDIA_TYPE", "ServedResource", "document", "index", "paths_of", "v2", "v2_protobuf"]

VERSION = "v1.36.2"
# What the answer of v2 in protobuf is called; with an "@" in it, kubectl cannot read it.
V2_MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_INFO = {"title": "Kubernetes", "version": VERSION}
_BEARER = {
    "type": "apiKey",
    "name": "authorization",
    "in": "header",
    "description": "Bearer Token authentication",
}


def paths_of(resources: Iterable[ServedResource]) -> list[str]:
    """Return the documents there are: "api/v1", "apis/apps/v1"..., sorted."""
    return sorted({resource.document for resource in resources})


def index(resources: Iterable[ServedResource]) -> dict[str, Any]:
    """Return the answer of `/openapi/v3`: where each document is, with its hash."""
    served = tuple(resources)
    return {
        "paths": {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={_hash(path, _of(path, served))}"}
            for path in paths_of(served)
        }
    }


def document(path: str, resources: Iterable[ServedResource]) -> bytes | None:
    """Return the v3 document of "apis/apps/v1" as JSON, None where nothing is served there."""
    served = _of(path, resources)
    return _document(path, served) if served else None


def document_hash(path: str, resources: Iterable[ServedResource]) -> str:
    """Return the hash that the index gives for a document: for `?hash=` and ETag."""
    return _hash(path, _of(path, resources))


def v2(resources: Iterable[ServedResource], parts: Iterable[bytes] = ()) -> bytes:
    """Return the v2 document ("swagger.json") as JSON.

    `parts` are of extension API servers, as `openapi_merging.part_of` returns them.
    """
    return _v2(_sorted(resources), tuple(parts))


def v2_protobuf(resources: Iterable[ServedResource], parts: Iterable[bytes] = ()) -> bytes:
    """Return the v2 document as gnostic's protobuf message."""
    return _v2_protobuf(_sorted(resources), tuple(parts))


def _of(path: str, resources: Iterable[ServedResource]) -> tuple[ServedResource, ...]:
    return _sorted(r for r in resources if r.document == path)


def _sorted(resources: Iterable[ServedResource]) -> tuple[ServedResource, ...]:
    return tuple(sorted(resources, key=lambda r: (r.gvk, r.plural)))


@functools.lru_cache(maxsize=512)
def _hash(path: str, resources: tuple[ServedResource, ...]) -> str:
    """Hash what the document is made of, so that the index need not build it."""
    made_of = f"{VERSION} {builder.stamp_of_output()} {path} {resources!r}"
    return hashlib.sha512(made_of.encode()).hexdigest().upper()


@functools.lru_cache(maxsize=128)
def _document(path: str, resources: tuple[ServedResource, ...]) -> bytes:
    paths: dict[str, Any] = {}
    used: set[str] = set()
    for resource in resources:
        for operation in openapi_paths.operations(resource):
            item = paths.setdefault(operation.path, openapi_paths.path_item_v3(operation))
            item[operation.method] = openapi_paths.render_v3(operation)
            used |= operation.definitions()
    schemas = openapi_schemas.v3(used, resources)
    return orjson.dumps(
        {
            "openapi": "3.0.0",
            "info": _INFO,
            "paths": dict(sorted(paths.items())),
            "components": {"schemas": schemas, "securitySchemes": {"BearerToken": _BEARER}},
        }
    )


@functools.lru_cache(maxsize=8)
def _v2(resources: tuple[ServedResource, ...], parts: tuple[bytes, ...]) -> bytes:
    return orjson.dumps(_v2_document(resources, parts))


@functools.lru_cache(maxsize=8)
def _v2_protobuf(resources: tuple[ServedResource, ...], parts: tuple[bytes, ...]) -> bytes:
    return openapi_v2.encode(_v2_document(resources, parts))


def _v2_document(resources: tuple[ServedResource, ...], parts: tuple[bytes, ...]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for resource in resources:
        for operation in openapi_paths.operations(resource):
            item = paths.setdefault(operation.path, openapi_paths.path_item_v2(operation))
            item[operation.method] = openapi_paths.render_v2(operation)
    document: dict[str, Any] = {
        "swagger": "2.0",
        "info": _INFO,
        "paths": paths,
        "definitions": openapi_schemas.v2(resources),
        "securityDefinitions": {"BearerToken": _BEARER},
        "security": [{"BearerToken": []}],
    }
    openapi_merging.merge(document, parts)
    return {**document, "paths": dict(sorted(document["paths"].items()))}
