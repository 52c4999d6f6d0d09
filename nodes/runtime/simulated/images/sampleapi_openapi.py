"""The OpenAPI documents of the sample API server: v3 for each version, and v2 of all.

PATCH has no `fieldValidation` in them, since the server does not look at fields: clients do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from apimachinery.gvk import GroupVersion
from nodes.runtime.simulated.images.sampleapi_kinds import GROUP, KINDS, V1ALPHA1, VERSIONS, Kind

Obj: TypeAlias = dict[str, Any]
INFO = {"title": "wardle-server", "version": "0.1"}
_V2, _V3 = "#/definitions/", "#/components/schemas/"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_GVK = "x-kubernetes-group-version-kind"
_JSON = ["application/json"]
_PATCHES = [
    *("application/json-patch+json", "application/merge-patch+json"),
    "application/apply-patch+yaml",
]
_TEXT = {"type": "string"}
_MAP = {"type": "object", "additionalProperties": _TEXT}
_REFERENCE_TYPE = {"type": "string", "description": "The kind of the reference."}
_OBJECT_META = {
    "type": "object",
    "description": "What every object says of itself.",
    "properties": {
        **dict.fromkeys(("name", "namespace", "generateName", "uid", "resourceVersion"), _TEXT),
        **dict.fromkeys(("labels", "annotations"), _MAP),
        "creationTimestamp": {"type": "string", "format": "date-time"},
        "deletionTimestamp": {"type": "string", "format": "date-time"},
        "deletionGracePeriodSeconds": {"type": "integer", "format": "int64"},
        "generation": {"type": "integer", "format": "int64"},
        "finalizers": {"type": "array", "items": _TEXT},
        "managedFields": {"type": "array", "items": {"type": "object"}},
        "ownerReferences": {"type": "array", "items": {"type": "object"}},
        "selfLink": _TEXT,
    },
}


def v2() -> Obj:
    """Return the document of everything."""
    return {
        "swagger": "2.0",
        "info": INFO,
        "paths": dict(item for version in VERSIONS for item in _paths(version, _v2_operation)),
        "definitions": _schemas(VERSIONS, _V2),
        "parameters": {
            name: {"name": name, "in": "path", "required": True, "type": "string"}
            for name in ("name", "namespace")
        },
    }


def v3(version: GroupVersion) -> Obj:
    """Return the document of one version."""
    return {
        "openapi": "3.0.0",
        "info": INFO,
        "paths": dict(_paths(version, _v3_operation)),
        "components": {"schemas": _schemas([version], _V3)},
    }


def _schemas(versions: Sequence[GroupVersion], base: str) -> Obj:
    kinds = [kind for kind in KINDS if kind.version in versions]
    return {_META: _OBJECT_META} | {_name(kind): _schema(kind, base) for kind in kinds}


def _name(kind: Kind) -> str:
    return f"com.example.wardle.{kind.version.version}.{kind.kind}"


def _schema(kind: Kind, base: str) -> Obj:
    return {
        "type": "object",
        "description": f"{kind.kind} is a kind of the sample API server.",
        "properties": {
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "metadata": {"$ref": f"{base}{_META}"},
            **_own(kind),
        },
        _GVK: [_about(kind)],
    }


def _own(kind: Kind) -> Obj:
    """Return the fields that a kind has besides those of all."""
    if kind.kind == "Fischer":
        return {"disallowedFlunders": {"type": "array", "items": _TEXT}}
    texts = {
        name: {"type": "string", "description": "The name of another."} for name in _names(kind)
    }
    spec = {"type": "object", "properties": {**texts, "referenceType": _REFERENCE_TYPE}}
    return {"spec": spec, "status": {"type": "object"}}


def _names(kind: Kind) -> tuple[str, ...]:
    if kind.version == V1ALPHA1:
        return ("reference",)
    return ("flunderReference", "fischerReference")


def _about(kind: Kind) -> Obj:
    return {"group": GROUP, "version": kind.version.version, "kind": kind.kind}


# -- paths -----------------------------------------------------------------------------------------


def _paths(version: GroupVersion, operation: Any) -> Iterator[tuple[str, Obj]]:
    """Yield the paths of a version's objects, by which clients find the schemas of kinds."""
    for kind in [kind for kind in KINDS if kind.version == version]:
        scope = "/namespaces/{namespace}" if kind.namespaced else ""
        many = f"/apis/{version.api_version}{scope}/{kind.plural}"
        yield many, {"get": operation(kind, "list"), "post": operation(kind, "post")}
        one = {method: operation(kind, method) for method in ("get", "put", "patch", "delete")}
        yield f"{many}/{{name}}", one


def _operation(kind: Kind, action: str) -> Obj:
    where = "Namespaced" if kind.namespaced else ""
    return {
        "tags": [f"wardleExampleCom_{kind.version.version}"],
        "description": f"{action} {kind.kind}",
        "operationId": f"{action}WardleExampleCom{kind.version.version.title()}{where}{kind.kind}",
        "x-kubernetes-action": action,
        _GVK: _about(kind),
    }


def _v3_operation(kind: Kind, action: str) -> Obj:
    return {**_operation(kind, action), "responses": {"200": {"description": "OK"}}}


def _v2_operation(kind: Kind, action: str) -> Obj:
    schema = {"$ref": f"{_V2}{_name(kind)}"}
    shared = ["namespace"] if kind.namespaced else []
    shared += ["name"] if action not in ("list", "post") else []
    parameters: list[Obj] = [{"$ref": f"#/parameters/{name}"} for name in shared]
    if action in ("post", "put", "patch"):
        body = {"type": "object"} if action == "patch" else schema
        parameters.append({"name": "body", "in": "body", "required": True, "schema": body})
    return {
        **_operation(kind, action),
        "consumes": _PATCHES if action == "patch" else ["*/*"],
        "produces": _JSON,
        "schemes": ["https"],
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "schema": schema}},
    }
