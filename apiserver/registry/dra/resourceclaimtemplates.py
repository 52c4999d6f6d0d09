"""ResourceClaimTemplates: a claim for each pod that names the template."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path
from apimachinery.validation.metadata import validate_annotations, validate_labels
from apiserver.registry.dra.admin import asking_errors
from apiserver.registry.dra.requests import claim_spec_errors, default_claim_spec
from apiserver.registry.podspec.checks import immutable
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig

_SPEC = Path("spec")


class ResourceClaimTemplateStrategy(Strategy):
    """A template never changes."""

    has_generation = True
    returns_deleted = True

    def default(self, obj: Obj) -> None:
        default_claim_spec(dig(obj, ("spec", "spec")))

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = dig(obj, ("spec", "spec")) or {}
        yield from asking_errors(spec, ctx)
        metadata = dig(obj, ("spec", "metadata")) or {}
        path = _SPEC / "metadata"
        yield from validate_annotations(metadata.get("annotations"), path / "annotations")
        yield from validate_labels(metadata.get("labels"), path / "labels")
        yield from claim_spec_errors(spec, _SPEC / "spec")

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from immutable(new.get("spec"), old.get("spec"), _SPEC)


RESOURCECLAIMTEMPLATES = Resource(
    kind=GroupVersionKind("resource.k8s.io", "v1", "ResourceClaimTemplate"),
    plural="resourceclaimtemplates",
    singular="resourceclaimtemplate",
    strategy=ResourceClaimTemplateStrategy(),
    columns=(NAME, AGE),
)
