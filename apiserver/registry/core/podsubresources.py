"""`ephemeralcontainers` and `resize`: parts of a pod's spec with a way of their own to change."""

from __future__ import annotations

from collections.abc import Callable

from apimachinery.meta import Obj, annotations_of
from apimachinery.validation.field import FieldErrors, Path, forbidden
from apiserver.registry.core.podresize import resize_errors
from apiserver.registry.podspec.annotations import (
    MIRROR,
    annotation_update_errors,
    pod_annotation_errors,
)
from apiserver.registry.podspec.godiff import diff
from apiserver.registry.podspec.systems import is_windows
from apiserver.registry.strategy import Strategy, StrategyContext

Rule = Callable[[Obj], FieldErrors]
_SPEC, _ANNOTATIONS = Path("spec"), Path("metadata") / "annotations"


class _PartStrategy(Strategy):
    """Everything but one part of the spec comes from the old pod."""

    has_generation = True

    def __init__(self, parent: Strategy, rule: Rule) -> None:
        self.parent = parent
        self.rule = rule

    def default(self, obj: Obj) -> None:
        self.parent.default(obj)

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        self.parent.drop_disabled(obj, old)

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
        annotations = annotations_of(new)
        yield from annotation_update_errors(annotations, annotations_of(old), _ANNOTATIONS)
        yield from pod_annotation_errors(annotations, new["spec"], _ANNOTATIONS)
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
        wanted = new.get("spec") or {}
        if any(
            len(wanted.get(name) or ()) != len(old["spec"].get(name) or ())
            for name in ("containers", "initContainers")
        ):
            # Left as it is for validation, which refuses it.
            return
        spec = dict(old["spec"])
        for name in ("containers", "initContainers"):
            if spec.get(name):
                spec[name] = _resized(spec[name], wanted[name])
        spec.pop("resources", None)
        if wanted.get("resources") is not None:
            spec["resources"] = wanted["resources"]
        self.keep(new, old, spec)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        if MIRROR in annotations_of(old):
            yield forbidden(Path(""), "static pods cannot be resized")
        elif is_windows(old["spec"]):
            yield forbidden(Path(""), "windows pods cannot be resized")
        else:
            yield from self.rule(new)
            yield from resize_errors(new, old)


def _resized(old: list[Obj], wanted: list[Obj]) -> list[Obj]:
    """Return the old containers with new resources; where names or the order differ, the new."""
    if any(one.get("name") != other.get("name") for one, other in zip(old, wanted, strict=True)):
        return wanted
    found = []
    for container, new in zip(old, wanted, strict=True):
        changed = container | {"resources": new.get("resources") or {}}
        changed.pop("resizePolicy", None)
        if new.get("resizePolicy"):
            changed["resizePolicy"] = new["resizePolicy"]
        found.append(changed)
    return found
