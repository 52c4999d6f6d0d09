"""PodTemplates: a template on its own, which nothing of Kubernetes itself uses."""

from __future__ import annotations

from apimachinery.gvk import CORE_V1
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path
from apiserver.registry.podspec.defaults import default_template
from apiserver.registry.podspec.features import drop_disabled_in_template
from apiserver.registry.podspec.template import template_errors, template_warnings
from apiserver.registry.podspec.workload import containers, format_labels, generation_changed
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import NAME, dig


class PodTemplateStrategy(Strategy):
    """Checked as the templates of workloads are."""

    has_generation = True
    returns_deleted = True

    def default(self, obj: Obj) -> None:
        default_template(obj.setdefault("template", {}))

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from template_errors(obj["template"], Path("template"))

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        drop_disabled_in_template(obj)

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        return template_warnings(obj["template"], Path("template"))

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return self.warnings_on_create(new, ctx) if generation_changed(new, old) else []


def _labels(obj: Obj, now: float) -> str:
    return format_labels(dig(obj, ("template", "metadata", "labels")))


_NAMES, _IMAGES = containers("template.spec.containers")
PODTEMPLATES = Resource(
    kind=CORE_V1.kind("PodTemplate"),
    plural="podtemplates",
    strategy=PodTemplateStrategy(),
    columns=(
        NAME,
        Column(_NAMES.name, _NAMES.value),
        Column(_IMAGES.name, _IMAGES.value),
        Column("Pod Labels", _labels),
    ),
)
