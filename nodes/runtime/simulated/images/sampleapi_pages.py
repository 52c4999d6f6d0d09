"""The sample API server's paths: pages, discovery, OpenAPI; and who may ask for what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from apimachinery.errors import ApiError, Forbidden
from apimachinery.gvk import GroupResource, GroupVersion
from nodes.network.http import Headers, HttpRequest, HttpResponse
from nodes.runtime.simulated.images import sampleapi_openapi as openapi
from nodes.runtime.simulated.images.sampleapi_kinds import GROUP, KINDS, VERSIONS, Kind

Obj: TypeAlias = dict[str, Any]
ANONYMOUS = "system:anonymous"
_TEXT = Headers([("Content-Type", "text/plain; charset=utf-8")])
_HEALTH = ("/healthz", "/livez", "/readyz")
_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names."""

    version: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def parse(path: str) -> Target:
    """Read a path of objects. Raises the 404 of a path where nothing is."""
    parts = [part for part in path.split("/") if part]
    if len(parts) < 4 or parts[:2] != ["apis", GROUP]:
        raise no_such_path()
    version, rest = parts[2], parts[3:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3:
        raise no_such_path()
    return Target(version, rest[0], namespace, *rest[1:])


def no_such_path() -> ApiError:
    """Return the refusal of a path where nothing is."""
    why = "the server could not find the requested resource"
    return ApiError(why, code=404, reason="NotFound", details={})


def user_of(request: HttpRequest, front_proxy: str) -> str:
    """Return who asks: whom a front proxy names, else nobody in particular."""
    shown = request.certificates
    if shown and shown[0].subject.rfc4514_string() == front_proxy:
        return request.headers.get("X-Remote-User") or ANONYMOUS
    return ANONYMOUS


def authorize(user: str, method: str, target: Target) -> None:
    """Refuse those whom nobody has authorized. Raises Forbidden."""
    if user != ANONYMOUS:
        return
    verb = _VERBS.get(method, method.lower())
    verb = "list" if verb == "get" and not target.name else verb
    where = " at the cluster scope"
    if target.namespace:
        where = f' in the namespace "{target.namespace}"'
    raise Forbidden(
        GroupResource(GROUP, target.resource),
        target.name,
        f'User "{user}" cannot {verb} resource "{target.resource}" in API group "{GROUP}"{where}',
    )


def page(request: HttpRequest) -> HttpResponse | None:
    """Answer what is about the server itself; None for objects."""
    path = request.path.rstrip("/") or "/"
    if path in _HEALTH:
        return HttpResponse(200, _TEXT, b"ok")
    if path == "/apis":
        if "as=APIGroupDiscoveryList" in request.headers.get("Accept"):
            return _json(_aggregated(), _AGGREGATED)
        return _json({"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group()]})
    if path == f"/apis/{GROUP}":
        return _json({"kind": "APIGroup", "apiVersion": "v1", **_group()})
    if path == "/openapi/v3":
        return _json({"paths": {_path(one): {"serverRelativeURL": _url(one)} for one in VERSIONS}})
    if path == "/openapi/v2":
        return _with_etag(request, openapi.v2())
    for version in VERSIONS:
        if path == f"/apis/{version.api_version}":
            return _json(_resources(version))
        if path == f"/openapi/v3/{_path(version)}":
            return _json(openapi.v3(version))
    return None


def _path(version: GroupVersion) -> str:
    return f"apis/{version.api_version}"


def _url(version: GroupVersion) -> str:
    return f"/openapi/v3/{_path(version)}?hash=1"


def _group() -> Obj:
    shown = [{"groupVersion": one.api_version, "version": one.version} for one in VERSIONS]
    return {"name": GROUP, "versions": shown, "preferredVersion": shown[0]}


def _kinds(version: GroupVersion) -> list[Kind]:
    return [kind for kind in KINDS if kind.version == version]


def _resources(version: GroupVersion) -> Obj:
    rows = []
    for kind in _kinds(version):
        rows.append(kind.row)
        if kind.kind == "Flunder":
            part = {**kind.row, "name": f"{kind.plural}/status", "singularName": ""}
            rows.append({**part, "verbs": ["get", "patch", "update"]})
            rows.append({**part, "name": f"{kind.plural}/connect", "verbs": ["create", "get"]})
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": version.api_version,
        "resources": rows,
    }


def _aggregated() -> Obj:
    versions = [
        {
            "version": version.version,
            "resources": [_aggregated_row(kind) for kind in _kinds(version)],
            "freshness": "Current",
        }
        for version in VERSIONS
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [{"metadata": {"name": GROUP}, "versions": versions}],
    }


def _aggregated_row(kind: Kind) -> Obj:
    response = {"group": GROUP, "version": kind.version.version, "kind": kind.kind}
    row = kind.row
    made: Obj = {
        "resource": kind.plural,
        "responseKind": response,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": row["singularName"],
        "verbs": row["verbs"],
    }
    if kind.kind == "Flunder":
        verbs = ["get", "patch", "update"]
        made["subresources"] = [
            {"subresource": "status", "responseKind": response, "verbs": verbs},
            {"subresource": "connect", "responseKind": response, "verbs": ["create", "get"]},
        ]
    return made


def _with_etag(request: HttpRequest, value: Obj) -> HttpResponse:
    """Answer with a document, or that a client has it already."""
    made = _json(value)
    etag = f'"{hashlib.sha256(made.body).hexdigest().upper()}"'
    made.headers.items.append(("ETag", etag))
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(304, made.headers)
    return made


def _json(value: Obj, media_type: str = "application/json") -> HttpResponse:
    return HttpResponse(200, Headers([("Content-Type", media_type)]), orjson.dumps(value))
