"""Patches: from a body of one of the four media types to the object that it makes of another."""

from __future__ import annotations

from typing import Any

import orjson

from apimachinery.apply import managed
from apimachinery.errors import ApiError, BadRequest, Invalid
from apimachinery.gvk import GroupKind, GroupVersion
from apimachinery.meta import Obj
from apimachinery.patch import json as json_patch
from apimachinery.patch import merge, strategic
from apimachinery.schema.decode import no_kind_registered
from apimachinery.validation.field import Path, invalid
from apiserver.endpoints import body, depth
from apiserver.endpoints.jsonerrors import syntax_error
from apiserver.endpoints.request import ApiRequest
from apiserver.endpoints.requestinfo import is_true

_NO_KIND = GroupKind("", "")


def read_patch(request: ApiRequest, kind: str) -> Any:
    """Return a patch's instructions. Raises BadRequest."""
    del kind
    if not isinstance(request.body, bytes):
        return request.body
    try:
        return depth.loads(request.body)
    except orjson.JSONDecodeError as error:
        why = syntax_error(request.body.decode("utf-8", "replace")) or str(error)
        raise BadRequest(f"error decoding patch: {why}") from None


def apply(request: ApiRequest, kind: str, instructions: Any, obj: Obj, schema: Any) -> Obj:
    """Return what a patch makes of an object, decoded and private. Raises what refuses it."""
    if kind == body.JSON_PATCH:
        patched = json_patch.apply(obj, instructions)
    elif kind == body.MERGE_PATCH:
        patched = merge.apply(obj, instructions)
    else:
        patched = strategic.apply(obj, instructions, schema)
    return decode_patched(request, patched, body.field_validation(request))


def decode_patched(request: ApiRequest, patched: Any, mode: body.Mode) -> Obj:
    """Read a patched object by its type: a patch can make anything of it. Raises Invalid."""
    kind = request.target.kind
    if patched.__class__ is not dict:
        raise _unreadable(patched, "json: cannot unmarshal into Go value of type " + kind.kind)
    given = f"{patched.get('apiVersion')}/{patched.get('kind')}"
    if given != f"{kind.api_version}/{kind.kind}":
        shown = GroupVersion.parse(str(patched.get("apiVersion") or ""))
        raise BadRequest(f"invalid object type: {shown}, Kind={patched.get('kind') or ''}")
    try:
        return body.decode(request, patched, kind, mode, [])
    except BadRequest as error:
        why = error.message.partition(f"cannot be handled as a {kind.kind}: ")[2] or error.message
        raise _unreadable(patched, why) from None


def _unreadable(patched: Any, why: str) -> ApiError:
    text = orjson.dumps(patched).decode()
    return Invalid(_NO_KIND, "", [invalid(Path("patch"), text, why)])


def read_applied(request: ApiRequest) -> Obj:
    """Return the configuration that an apply sends. Raises BadRequest."""
    applied = request.body
    kind = request.target.kind
    if isinstance(applied, bytes):
        applied = body.parse_yaml(applied, kind.kind)
    version, name = applied.get("apiVersion") or "", applied.get("kind") or ""
    if not version or not name:
        group_version = GroupVersion.parse(version)
        shown = f"{group_version.group}/{group_version.version}"
        raise BadRequest(f"invalid object type: {shown}, Kind={name}")
    if name != kind.kind:
        raise no_kind_registered(GroupVersion.parse(version).kind(name), kind.kind)
    found: Obj = applied
    return found


def merge_applied(
    request: ApiRequest, live: Obj | None, applied: Obj, schema: Any, manager: str
) -> Obj:
    """Return the live object with an applied configuration merged in."""
    merged = managed.apply_patch(
        live,
        applied,
        schema,
        manager,
        force=is_true(request.params.get("force")),
        now=request.api.clock.timestamp(),
        api_version=request.target.kind.api_version,
        subresource=request.info.subresource,
        reset=request.resource.strategy.reset_fields(request.info.subresource),
    )
    merged.setdefault("metadata", {})
    return merged
