"""`ephemeralcontainers` and `resize`: parts of a pod's spec with a way of their own to change."""

from __future__ import annotations

from collections.abc import Callable

from apimachinery import pods
from apimachinery.meta import Obj, annotations_of
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid
from apiserver.registry.podspec.annotations import MIRROR
from apiserver.registry.podspec.godiff import diff
from apiserver.registry.strategy import Strategy, StrategyContext

Rule = Callable[[Obj], FieldErrors]
_SPEC = Path("spec")
_RESIZED = ("cpu", "memory")


class _PartStrategy(Strategy):
    """Everything but one part of the spec comes from the old pod."""

    has_generation = True

    def __init__(self, parent: Strategy, rule: Rule) -> None:
        self.parent = parent
        self.rule = rule

    def default(self, obj: Obj) -> None:
        self.parent.default(obj)

    def keep(self, new: Obj, old: Obj, spec: Obj) -> None:
        """Make `new` the old pod with another spec."""
        metadata = new.get("metadata") or {}
        kept = {
            key: metadata[key] for key in ("resourceVersion", "managedFields") if key in metadata
        }
        new.clear()
        new.update(old)
        new["metadata"] = old["metadata"] | kept
        new["spec"] = spec


class EphemeralContainersStrategy(_PartStrategy):
    """Containers for a look around: they can be added, never changed or taken away."""

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        wanted = (new.get("spec") or {}).get("ephemeralContainers")
        spec = {k: v for k, v in old["spec"].items() if k != "ephemeralContainers"}
        if wanted:
            spec["ephemeralContainers"] = wanted
        self.keep(new, old, spec)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        if MIRROR in annotations_of(old):
            yield forbidden(Path(""), "static pods do not support ephemeral containers")
            return
        yield from self.rule(new)
        found = {c.get("name"): c for c in new["spec"].get("ephemeralContainers") or ()}
        path = _SPEC / "ephemeralContainers"
        for was in old["spec"].get("ephemeralContainers") or ():
            name = was.get("name")
            if name not in found:
                yield forbidden(
                    path, f'existing ephemeral containers "{name}" may not be removed\n'
                )
            elif found[name] != was:
                changes = diff("EphemeralContainer", was, found[name])
                yield forbidden(
                    path, f'existing ephemeral containers "{name}" may not be changed\n{changes}'
                )


class ResizeStrategy(_PartStrategy):
    """CPU and memory of a pod that runs: never so that its class of quality of service changes."""

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        spec = dict(old["spec"])
        wanted = new.get("spec") or {}
        for name in ("containers", "initContainers"):
            if spec.get(name):
                spec[name] = _resized(spec[name], wanted.get(name) or ())
        self.keep(new, old, spec)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.rule(new)
        after, before = new["spec"], old["spec"]
        if MIRROR in annotations_of(old):
            yield forbidden(Path(""), "static pods cannot be resized")
            return
        if (before.get("os") or {}).get("name") == "windows":
            yield forbidden(Path(""), "windows pods cannot be resized")
            return
        was = (old.get("status") or {}).get("qosClass") or pods.qos_class(old)
        if was != pods.qos_class(new):
            yield invalid(_SPEC, was, "Pod QOS Class may not change as a result of resizing")
        for at, container in enumerate(before.get("initContainers") or ()):
            path = (_SPEC / "initContainers")[at] / "resources"
            now = after["initContainers"][at]
            if container.get("restartPolicy") == "Always":
                yield from _removal_errors(now, container, path)
                yield from _other_errors(
                    now,
                    container,
                    "only cpu and memory resources for sidecar containers are mutable",
                )
            elif now != container:
                yield forbidden(_SPEC, "resources for non-sidecar init containers are immutable")
        for at, container in enumerate(before.get("containers") or ()):
            now = after["containers"][at]
            path = (_SPEC / "containers")[at] / "resources"
            yield from _removal_errors(now, container, path)
            yield from _other_errors(now, container, "only cpu and memory resources are mutable")


def _resized(old: list[Obj], wanted: object) -> list[Obj]:
    by_name = {c.get("name"): c for c in wanted} if isinstance(wanted, list) else {}
    found = []
    for container in old:
        new = by_name.get(container.get("name"))
        if new is None:
            found.append(container)
            continue
        changed = container | {"resources": new.get("resources") or {}}
        if "resizePolicy" in new:
            changed["resizePolicy"] = new["resizePolicy"]
        found.append(changed)
    return found


def _removal_errors(new: Obj, old: Obj, path: Path) -> FieldErrors:
    after, before = new.get("resources") or {}, old.get("resources") or {}
    for part, words in (("requests", "resource requests"), ("limits", "resource limits")):
        if set(before.get(part) or ()) - set(after.get(part) or ()):
            yield forbidden(path / part, f"{words} cannot be removed")
    policies = {
        p.get("resourceName"): p.get("restartPolicy") for p in new.get("resizePolicy") or ()
    }
    limit = (after.get("limits") or {}).get("memory")
    was = (before.get("limits") or {}).get("memory")
    if policies.get("memory") == "RestartContainer" or limit is None:
        return
    if was is None:
        yield forbidden(
            (path / "limits").key("memory"),
            "memory limits cannot be added unless resizePolicy is RestartContainer",
        )


def _other_errors(new: Obj, old: Obj, words: str) -> FieldErrors:
    if _without_resized(new) != _without_resized(old):
        yield forbidden(_SPEC, words)


def _without_resized(container: Obj) -> Obj:
    resources = container.get("resources") or {}
    kept = {
        part: {k: v for k, v in (resources.get(part) or {}).items() if k not in _RESIZED}
        for part in ("limits", "requests")
    }
    return container | {"resources": kept}
