"""Workloads: what the PodGroups of an application are made after."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, duplicate, required, too_many
from apimachinery.validation.names import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_path_segment,
)
from apiserver.registry.podspec.checks import immutable, name_or_required, obey
from apiserver.registry.resource import Resource
from apiserver.registry.scheduling.groups import drop_disabled, group_errors, set_defaults
from apiserver.registry.strategy import Strategy, StrategyContext

_SPEC = Path("spec")
_CONTROLLER, _TEMPLATES = _SPEC / "controllerRef", _SPEC / "podGroupTemplates"
_MOST_TEMPLATES = 8


class WorkloadStrategy(Strategy):
    """Templates of groups, for good; nothing of it runs."""

    name_rule = staticmethod(is_dns1123_subdomain)
    has_generation = True

    def default(self, obj: Obj) -> None:
        for template in _templates(obj):
            set_defaults(template)

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        before = {one.get("name"): one for one in _templates(old or {})}
        for template in _templates(obj):
            drop_disabled(template, before.get(template.get("name")))

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        controller, templates = (obj.get("spec") or {}).get("controllerRef"), _templates(obj)
        if controller is not None:
            yield from _controller_errors(controller)
        if not templates:
            yield required(_TEMPLATES)
        if len(templates) > _MOST_TEMPLATES:
            yield too_many(_TEMPLATES, len(templates), _MOST_TEMPLATES)
        seen: set[str] = set()
        for at, template in enumerate(templates):
            path, name = _TEMPLATES[at], template.get("name") or ""
            yield from name_or_required(is_dns1123_label, name, path / "name")
            if name in seen:
                yield duplicate(path, {"name": name})
            seen.add(name)
            yield from group_errors(template, path)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        after, before = new.get("spec") or {}, old.get("spec") or {}
        for field, path in (("controllerRef", _CONTROLLER), ("podGroupTemplates", _TEMPLATES)):
            yield from immutable(after.get(field), before.get(field), path)


def _templates(obj: Obj) -> list[Obj]:
    found: list[Obj] = (obj.get("spec") or {}).get("podGroupTemplates") or []
    return found


def _controller_errors(controller: Obj) -> FieldErrors:
    if group := controller.get("apiGroup"):
        yield from obey(is_dns1123_subdomain, group, _CONTROLLER / "apiGroup")
    for field in ("kind", "name"):
        yield from name_or_required(
            is_path_segment, controller.get(field) or "", _CONTROLLER / field
        )


WORKLOADS = Resource(
    kind=GroupVersionKind("scheduling.k8s.io", "v1alpha2", "Workload"),
    plural="workloads",
    singular="workload",
    strategy=WorkloadStrategy(),
)
