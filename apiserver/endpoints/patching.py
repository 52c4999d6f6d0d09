"""Patches: from a body of one of the four media types to the object that it makes of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from apimachinery import gotext
from apimachinery.apply import managed
from apimachinery.apply.plans import plan_of
from apimachinery.apply.views import View
from apimachinery.errors import ApiError, BadRequest, Invalid
from apimachinery.gvk import GroupKind, GroupVersion, GroupVersionKind
from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.patch import json as json_patch
from apimachinery.patch import merge, strategic
from apimachinery.patch.refusals import failed, json_type, undecodable
from apimachinery.schema import types
from apimachinery.schema.decode import find_duplicate_fields, no_kind_registered
from apimachinery.schema.restoring import RestoreError, restore
from apimachinery.validation.field import Path, invalid
from apiserver.endpoints import body, depth, yaml
from apiserver.endpoints.jsonerrors import syntax_error
from apiserver.endpoints.request import ApiRequest
from apiserver.endpoints.requestinfo import is_true
from apiserver.registry.resource import Resource

_ONE_VERSION: Mapping[str, View] = {}
# Made once for each of the few kinds that have several versions.
_VIEWS: dict[str, Mapping[str, View]] = {}
_NO_KIND = GroupKind("", "")


class Patch(NamedTuple):
    """A patch as it was sent: its media type, what it says, and what was odd about its text."""

    kind: str
    instructions: Any
    problems: list[str]
    mode: body.Mode


def read_patch(request: ApiRequest, kind: str) -> Patch:
    """Return the patch that a request brings. Raises ApiError."""
    mode = body.field_validation(request)
    strict = mode != "Ignore"
    problems: list[str] = []
    instructions = request.body
    if isinstance(instructions, bytes):
        raw, instructions = instructions, _parsed(instructions, kind, strict=strict)
        if strict:
            problems = find_duplicate_fields(raw, instructions)
    if kind == body.JSON_PATCH:
        problems = [f"json patch {one}" for one in problems]
        problems += json_patch.check(instructions, strict=strict)
    elif kind == body.MERGE_PATCH and strict:
        merge.check(instructions)
    return Patch(kind, instructions, problems, mode)


def _parsed(raw: bytes, kind: str, *, strict: bool) -> Any:
    try:
        return depth.loads(raw)
    except orjson.JSONDecodeError as error:
        why = syntax_error(raw.decode("utf-8", "replace")) or str(error)
        if kind == body.MERGE_PATCH and not strict:
            raise merge.bad_patch() from None
        if kind == body.STRATEGIC_PATCH or not strict:
            raise BadRequest(why) from None
        raise undecodable(why) from None


def apply(request: ApiRequest, patch: Patch, obj: Obj, schema: Any) -> Obj:
    """Return what a patch makes of an object, decoded and private. Raises what refuses it."""
    if patch.kind == body.STRATEGIC_PATCH:
        return _apply_strategic(request, patch, obj, schema)
    if patch.kind == body.JSON_PATCH:
        patched = json_patch.apply(obj, patch.instructions)
    else:
        patched = merge.apply(obj, patch.instructions)
    return decode_patched(request, patched, patch.mode, patch.problems)


def _apply_strategic(request: ApiRequest, patch: Patch, obj: Obj, schema: Any) -> Obj:
    """Merge by the type's rules; what kind the patch says to be of does not count."""
    kind = request.target.kind
    patched = strategic.apply(obj, patch.instructions, schema)
    patched = {**patched, "apiVersion": kind.api_version, "kind": kind.kind}
    try:
        obj = body.decode(request, patched, kind, patch.mode, patch.problems, by_name=True)
    except BadRequest as error:
        shown, why = gotext.plain(patch.instructions), _reason(error, kind)
        if why.startswith("strict decoding error"):
            raise _unreadable(shown, why) from None
        try:
            patched = restore(schema, patched)
        except RestoreError as mismatch:
            raise _unreadable(shown, str(mismatch)) from None
        obj = body.decode(request, patched, kind, patch.mode, patch.problems, by_name=True)
    request.resource.strategy.keep_text(obj, None)
    return obj


def decode_patched(
    request: ApiRequest, patched: Any, mode: body.Mode, problems: Sequence[str] = ()
) -> Obj:
    """Read a patched object by its type: a patch can make anything of it. Raises Invalid."""
    kind = request.target.kind
    try:
        _check_kind(patched, kind, custom=request.resource.custom)
        return body.decode(request, patched, kind, mode, problems)
    except BadRequest as error:
        shown = orjson.dumps(patched).decode()
        raise _unreadable(shown, _reason(error, kind)) from None


def _check_kind(patched: Any, kind: GroupVersionKind, *, custom: bool) -> None:
    """Refuse what a patch has made another kind. Raises BadRequest or Invalid."""
    if patched.__class__ is not dict:
        raise BadRequest(body.no_kind(patched))
    if custom:
        body.check_custom_kind(patched, kind)
    version, name = patched.get("apiVersion"), patched.get("kind")
    if version == kind.api_version and name == kind.kind:
        return
    given = GroupVersion.parse(str(version or kind.api_version)).kind(str(name or kind.kind))
    if types().type_of(given) is None:
        raise no_kind_registered(given, kind.kind)
    if given != kind:
        raise BadRequest(body.unknown_conversion(given, kind))


def _reason(error: BadRequest, kind: GroupVersionKind) -> str:
    """Return why a body was refused, without what it was taken for."""
    return error.message.partition(f"cannot be handled as a {kind.kind}: ")[2] or error.message


def _unreadable(shown: str, why: str) -> ApiError:
    return Invalid(_NO_KIND, "", [invalid(Path("patch"), shown, why)])


class Applied(NamedTuple):
    """The configuration that an apply sends, and what was odd about its text."""

    obj: Obj
    doubled: list[str]


def read_applied(request: ApiRequest) -> Applied:
    """Return the configuration that an apply sends. Raises BadRequest."""
    applied, doubled = request.body, list[str]()
    if isinstance(applied, bytes):
        applied = _load_applied(applied, doubled)
    version, name = applied.get("apiVersion"), applied.get("kind")
    kind = request.target.kind
    if (version, name) != (kind.api_version, kind.kind):
        raise BadRequest(f"invalid object type: {_kind_of(version, name)}")
    return Applied(applied, doubled)


def _kind_of(version: Any, name: Any) -> GroupVersionKind:
    version = version if isinstance(version, str) else ""
    if version.count("/") > 1:
        return GroupVersionKind("", "", "")
    return GroupVersion.parse(version).kind(name if isinstance(name, str) else "")


def _load_applied(raw: bytes, doubled: list[str]) -> Obj:
    try:
        applied = body.load_yaml(raw, doubled)
    except yaml.YAMLError as error:
        why = f"error converting YAML to JSON: {yaml.words(error)}"
        raise BadRequest(f"error decoding YAML: {why}") from None
    if applied is None:
        return {}
    if not isinstance(applied, dict):
        raise BadRequest(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot "
            f"unmarshal {json_type(applied)} into Go value of type map[string]interface {{}}"
        )
    return applied


def check_text(request: ApiRequest, doubled: list[str]) -> None:
    """Warn of keys that an applied text has twice, or refuse it. Raises BadRequest."""
    mode = body.field_validation(request)
    if not doubled or mode == "Ignore":
        return
    problems = body.yaml_problems(doubled, mode)
    if mode == "Strict":
        why = f"error converting YAML to JSON: {problems[0]}"
        raise BadRequest(f"error strict decoding YAML: {why}")
    request.warn(problems)


def views_of(resource: Resource) -> Mapping[str, View]:
    """Return all versions of a built-in kind that has several, nothing for all others."""
    if resource.custom or not resource.versions:
        return _ONE_VERSION
    found = _VIEWS.get(resource.key)
    if found is None:
        found = _VIEWS[resource.key] = _views(resource)
    return found


def _views(resource: Resource) -> Mapping[str, View]:
    def as_it_is(obj: Obj) -> Obj:
        return obj

    stored = View(plan_of(types().type_of(resource.kind)), as_it_is, as_it_is)
    return {resource.kind.api_version: stored} | {
        one.kind.api_version: View(
            plan_of(types().type_of(one.kind)), one.from_storage, one.to_storage
        )
        for one in resource.versions
    }


def merge_applied(
    request: ApiRequest,
    live: Obj | None,
    applied: Applied,
    schema: Any,
    manager: str,
    reset: Mapping[str, Any] | None,
) -> Obj:
    """Return the live object with an applied configuration merged in, decoded and private.

    `reset` are the fields that are taken from elsewhere; see `Strategy.reset_fields`.
    """
    merged = managed.apply_patch(
        live,
        applied.obj,
        schema,
        manager,
        force=is_true(request.params.get("force")),
        now=request.api.clock.timestamp(),
        api_version=request.target.kind.api_version,
        subresource=request.info.subresource,
        reset=reset,
        others=views_of(request.resource),
    )
    check_text(request, applied.doubled)
    return _restored(request, applied.obj, merged, schema)


def _restored(request: ApiRequest, applied: Obj, merged: Obj, schema: Any) -> Obj:
    """Read a merged object by its type. Raises ApiError where a value does not fit its field."""
    kind = request.target.kind
    managers = (merged.get("metadata") or {}).get("managedFields")
    try:
        obj = body.decode(request, merged, kind, "Ignore")
    except BadRequest as error:
        why = _reason(error, kind)
        try:
            merged = restore(schema, merged)
        except RestoreError as mismatch:
            why = str(mismatch)
        who = f"{namespace_of(applied)}/{name_of(applied)}"
        raise failed(
            f"failed to convert new object ({who}; {kind}) to proper version: "
            f"unable to convert unstructured object to {kind}: {why}"
        ) from None
    if managers:
        obj["metadata"]["managedFields"] = managers
    request.resource.strategy.keep_text(obj, None)
    return obj
