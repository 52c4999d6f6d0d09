"""`/scale`: replicas of any workload, read and written as autoscaling/v1 Scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from apimachinery.errors import BadRequest
from apimachinery.meta import Obj
from apimachinery.schema import types
from apiserver.admission.interfaces import Operation
from apiserver.endpoints import body, patching, write
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.registry.catalog import Served
from apiserver.registry.converting import shown_object
from apiserver.registry.resource import Resource
from apiserver.registry.scale import SCALE, scale_of, scaled
from apiserver.registry.strategy import Strategy

# Scales are stored nowhere; this stands for them where a body is read.
_SCALES = Resource(kind=SCALE, plural="scales", strategy=Strategy())


class _ScaleStrategy(Strategy):
    """Replicas alone change; the object's own rules were kept by what is there already."""

    def __init__(self, parent: Strategy) -> None:
        self._parent = parent

    def prepare_for_update(self, new: Obj, old: Obj, ctx: Any) -> None:
        self._parent.prepare_for_update(new, old, ctx)

    def validate_update(self, new: Obj, old: Obj, ctx: Any) -> Any:
        yield from self._parent.validate_update(new, old, ctx)


async def scale(request: ApiRequest) -> Answer:
    """Read or write an object's Scale."""
    resource, info = request.resource, request.info
    paths = resource.subresources[info.subresource].scale_paths
    if info.verb == "get":
        entry = request.api.registry.get(resource, write.key_of(request).namespace, info.name)
        obj = await shown_object(resource, entry.obj())
        return Answer(obj=scale_of(obj, paths), as_is=True)
    change = write.begin(request, Operation.UPDATE)
    change.admission.kind = SCALE
    make_scale = _scaler(request)

    async def make(old: Obj | None) -> Obj:
        if old is None:
            raise AssertionError("a scale never creates")
        before = scale_of(old, paths)
        after = make_scale(before)
        change.admission.object, change.admission.old_object = after, before
        waiting = request.api.admission.admit(change.admission)
        if waiting is not None:
            await waiting
        # Admission is about the Scale, not about the object that it is a part of.
        change.writing.check = lambda _new, _old: change.check(after, before)
        new = scaled(old, after, paths)
        write.track(request, old, new)
        return new

    stored = await request.api.registry.update(
        resource, _ScaleStrategy(resource.strategy), write.key_of(request), make, change.writing
    )
    obj = await shown_object(resource, stored.obj)
    return Answer(obj=scale_of(obj, paths), as_is=True)


def _scaler(request: ApiRequest) -> Callable[[Obj], Obj]:
    """Return what makes the wanted Scale out of the present one."""
    if request.info.verb == "update":
        sent = body.read_object(request, SCALE)
        write.check_name(request, sent)
        return lambda _before: sent
    kind = body.media_type(request)
    if kind not in body.PATCHES:
        raise body.unsupported(body.PATCHES)
    as_scale = _as_scale(request)
    if kind == body.APPLY_PATCH:
        applied = patching.read_applied(as_scale)
        return lambda before: _merged(before, applied)
    instructions = patching.read_patch(request, kind)

    def patched(before: Obj) -> Obj:
        schema = types().type_of(SCALE)
        after = patching.apply(as_scale, kind, instructions, before, schema)
        if after.get("metadata", {}).get("name") != before["metadata"]["name"]:
            raise BadRequest("the name of the object does not match the name on the URL")
        if not (instructions_version := _version(instructions)):
            after["metadata"].pop("resourceVersion", None)
        else:
            after["metadata"]["resourceVersion"] = instructions_version
        return after

    return patched


def _version(instructions: Any) -> str:
    """Return the resourceVersion that a merge patch names."""
    if not isinstance(instructions, dict):
        return ""
    return str((instructions.get("metadata") or {}).get("resourceVersion") or "")


def _merged(before: Obj, applied: Obj) -> Obj:
    wanted = applied.get("spec") or {}
    metadata = {k: v for k, v in before["metadata"].items() if k != "resourceVersion"}
    return {**before, "metadata": metadata, "spec": {**before.get("spec", {}), **wanted}}


def _as_scale(request: ApiRequest) -> ApiRequest:
    """Return the request as one about a Scale, so that bodies are read as such."""
    served = Served(_SCALES, SCALE, request.target.plural)
    return replace(request, served=served)
