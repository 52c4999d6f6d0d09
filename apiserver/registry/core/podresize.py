"""What may change when a pod is resized: amounts of CPU and memory, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery import pods
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldError, FieldErrors, Path, forbidden, invalid

_SPEC = Path("spec")
_RESIZED = ("cpu", "memory")
_ONLY = "only cpu and memory resources are mutable"
_ONLY_INIT = "only cpu and memory resources for init or sidecar containers are mutable"
_LISTS = ("containers", "initContainers")


def resize_errors(new: Obj, old: Obj) -> FieldErrors:
    """Yield what a resize changes and may not; both are whole pods with defaults."""
    after, before = new["spec"], old["spec"]
    was = (old.get("status") or {}).get("qosClass") or pods.qos_class(old)
    if was != pods.qos_class(new):
        shown = (new.get("status") or {}).get("qosClass") or ""
        yield invalid(_SPEC, shown, "Pod QOS Class may not change as a result of resizing")
    if not _node_can(old):
        yield forbidden(_SPEC, "Pod running on node without support for resize")
    if _amounts(before) or _amounts(after):
        yield from _pod_level_errors(after, before)
    moved = [error for name in _LISTS for error in _order_errors(after, before, name)]
    yield from moved
    if moved:
        return
    for name in reversed(_LISTS):
        for at, (now, then) in enumerate(_pairs(after, before, name)):
            path = (_SPEC / name)[at] / "resources"
            yield from _removals(now.get("resources"), then.get("resources"), "resource", path)
    wrong = list(_other_errors(after, before))
    yield from wrong
    if not wrong and _rest(after) != _rest(before):
        yield forbidden(_SPEC, _ONLY)


def _node_can(pod: Obj) -> bool:
    """Tell by the first container that runs whether its kubelet reports resources at all."""
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        if (status.get("state") or {}).get("running") is not None:
            return status.get("resources") is not None
    return True


def _pairs(after: Obj, before: Obj, name: str) -> Iterator[tuple[Obj, Obj]]:
    yield from zip(after.get(name) or (), before.get(name) or (), strict=True)


def _amounts(spec: Obj) -> bool:
    resources = spec.get("resources") or {}
    return bool(resources.get("requests") or resources.get("limits"))


def _pod_level_errors(after: Obj, before: Obj) -> FieldErrors:
    now, then = after.get("resources"), before.get("resources")
    path = _SPEC / "resources"
    if then is not None and now is None:
        yield forbidden(path, "pod-level resources cannot be removed")
        return
    if then is not None:
        yield from _removals(now, then, "pod-level resource", path)
    if _unsized(now) != _unsized(then):
        yield forbidden(_SPEC, "only cpu and memory resources are mutable at pod-level")


def _removals(now: Obj | None, then: Obj | None, what: str, path: Path) -> FieldErrors:
    for part in ("requests", "limits"):
        if set((then or {}).get(part) or ()) - set((now or {}).get(part) or ()):
            yield forbidden(path / part, f"{what} {part} cannot be removed")


def _order_errors(after: Obj, before: Obj, name: str) -> FieldErrors:
    now, then = after.get(name) or [], before.get(name) or []
    if len(now) != len(then):
        yield forbidden(_SPEC / name, f"{name} may not be added or removed on resize")
        return
    for at, (one, other) in enumerate(zip(now, then, strict=True)):
        if one.get("name") != other.get("name"):
            why = f"{name} may not be renamed or reordered on resize"
            yield forbidden((_SPEC / name)[at] / "name", why)


def _other_errors(after: Obj, before: Obj) -> Iterator[FieldError]:
    """Yield which containers differ in more than the amounts that a resize may change."""
    for now, then in _pairs(after, before, "containers"):
        if _without_amounts(now) != _without_amounts(then):
            yield forbidden(_SPEC, _ONLY)
    for at, (now, then) in enumerate(_pairs(after, before, "initContainers")):
        path = (_SPEC / "initContainers")[at]
        if _without_amounts(now) != _without_amounts(then):
            yield forbidden(path, _ONLY_INIT)
        if now != then and now.get("restartPolicy") != "Always":
            for policy in now.get("resizePolicy") or ():
                if policy.get("restartPolicy") == "RestartContainer":
                    why = (
                        "non-sidecar init containers with a resize policy of RestartContainer "
                        "cannot be resized"
                    )
                    yield forbidden(path, why)


def _unsized(resources: Obj | None) -> Obj:
    return {
        part: {k: v for k, v in ((resources or {}).get(part) or {}).items() if k not in _RESIZED}
        for part in ("limits", "requests")
    }


def _without_amounts(container: Obj) -> Obj:
    return container | {"resources": _unsized(container.get("resources"))}


def _rest(spec: Obj) -> Obj:
    return {key: value for key, value in spec.items() if key not in (*_LISTS, "resources")}
