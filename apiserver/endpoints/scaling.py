"""`/scale`: replicas of any workload, read and written as autoscaling/v1 Scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from apimachinery.apply import managed
from apimachinery.apply import scale as owners
from apimachinery.errors import NotFound
from apimachinery.gvk import GroupResource
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

# Where an object keeps its replicas if nobody says otherwise.
_REPLICAS = ("spec", "replicas")
# Scales take no fields from elsewhere.
_NOTHING: dict[str, Any] = {}


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


# What is not there is called by these names, but for StatefulSets that are read.
_ABSENT = {
    "deployments.apps": GroupResource("apps", "deployments/scale"),
    "replicasets.apps": GroupResource("apps", "replicasets/scale"),
    "statefulsets.apps": GroupResource("apps", "statefulsets/scale"),
    "replicationcontrollers": GroupResource("autoscaling", "replicationcontrollers/scale"),
}


async def scale(request: ApiRequest) -> Answer:
    """Read or write an object's Scale."""
    resource, reads = request.resource, request.info.verb == "get"
    try:
        return await _scale(request)
    except NotFound:
        absent = _ABSENT.get(resource.key)
        if absent is None or (reads and resource.key == "statefulsets.apps"):
            raise
        raise NotFound(absent, request.info.name) from None


async def _scale(request: ApiRequest) -> Answer:
    resource, info = request.resource, request.info
    paths = resource.subresources[info.subresource].scale_paths
    if info.verb == "get":
        entry = request.api.registry.get(resource, write.key_of(request).namespace, info.name)
        obj = await shown_object(resource, entry.obj())
        return Answer(obj=scale_of(obj, paths), as_is=True)
    change = write.begin(request, Operation.UPDATE)
    change.admission.kind = SCALE
    make_scale = _scaler(request)

    path = paths.spec.split(".") if paths is not None else _REPLICAS
    version = request.target.kind.api_version

    async def make(old: Obj | None) -> Obj:
        if old is None:
            raise AssertionError("a scale never creates")
        entries = old["metadata"].get("managedFields") or []
        before = scale_of(old, paths, changing=True)
        owned = owners.to_scale(entries, path, SCALE.api_version)
        if owned:
            before["metadata"]["managedFields"] = owned
        after = make_scale(before)
        write.check_name(request, after)
        change.admission.object, change.admission.old_object = after, before
        waiting = request.api.admission.admit(change.admission)
        if waiting is not None:
            await waiting
        # Admission is about the Scale, not about the object that it is a part of.
        change.writing.check = lambda _new, _old: change.check(after, before)
        new = scaled(old, after, paths)
        left = owners.to_parent(
            entries, after["metadata"].get("managedFields") or [], path, version
        )
        _put(new, left)
        return new

    stored = await request.api.registry.update(
        resource,
        _ScaleStrategy(resource.strategy),
        write.key_of(request),
        make,
        change.writing,
        carried=info.verb == "patch",
    )
    obj = await shown_object(resource, stored.obj)
    return Answer(obj=scale_of(obj, paths), as_is=True)


def _put(obj: Obj, entries: list[Obj] | None) -> None:
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def _scaler(request: ApiRequest) -> Callable[[Obj], Obj]:
    """Return what makes the wanted Scale out of the present one, with its managers."""
    schema = types().type_of(SCALE)
    manager = write.manager_of(request)

    def tracked(before: Obj, after: Obj) -> Obj:
        entries = managed.update_managers(
            before,
            after,
            schema,
            manager,
            now=request.api.clock.timestamp(),
            api_version=SCALE.api_version,
            subresource=request.info.subresource,
            reset=_NOTHING,
        )
        _put(after, entries)
        return after

    if request.info.verb == "update":
        sent = body.read_object(request, SCALE)
        return lambda before: tracked(before, {**sent, "metadata": dict(sent["metadata"])})
    kind = body.media_type(request)
    if kind not in body.PATCHES:
        raise body.unsupported(body.PATCHES)
    as_scale = _as_scale(request)
    if kind == body.APPLY_PATCH:
        applied = patching.read_applied(as_scale)
        return lambda before: patching.merge_applied(
            as_scale, before, applied, schema, manager, _NOTHING
        )
    patch = patching.read_patch(as_scale, kind)
    return lambda before: tracked(before, patching.apply(as_scale, patch, before, schema))


def _as_scale(request: ApiRequest) -> ApiRequest:
    """Return the request as one about a Scale, so that bodies are read as such."""
    served = Served(_SCALES, SCALE, request.target.plural)
    return replace(request, served=served)
