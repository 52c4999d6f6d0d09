"""Rules that every controller of replicas obeys: selectors, templates, counts in status."""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.errors import BadRequest
from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apiserver.registry.podspec.checks import immutable, nonnegative_fields
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.podspec.template import template_warnings
from apiserver.registry.strategy import Strategy, StrategyContext

_SPEC = Path("spec")
_MISMATCH = "`selector` does not match template `labels`"
_COUNTS = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas")


class WorkloadStrategy(Strategy):
    """What runs pods of one template: its selector, which says whose pods are its own, stays."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        yield from immutable(
            new["spec"].get("selector"), old["spec"].get("selector"), _SPEC / "selector"
        )

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        return template_warnings(obj["spec"]["template"], _SPEC / "template")

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        if new["spec"]["template"] == old["spec"]["template"]:
            return []
        return self.warnings_on_create(new, ctx)


def workload_selector_errors(spec: Obj, path: Path, kind: str) -> FieldErrors:
    """Yield that a selector is missing, wrong, or empty (it would own every pod)."""
    selector = spec.get("selector")
    if selector is None:
        yield required(path / "selector")
        return
    yield from selector_errors(selector, path / "selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid(path / "selector", selector, f"empty selector is invalid for {kind}")


def template_label_errors(spec: Obj, path: Path) -> FieldErrors:
    """Yield that the pods of the template would not be those of the selector."""
    selector = spec.get("selector")
    if not selector:
        return
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    try:
        matches = from_label_selector(selector).matches(labels)
    except BadRequest:
        yield invalid(path / "selector", selector, "invalid label selector")
        return
    if not matches:
        yield invalid(path / "template" / "metadata" / "labels", labels or None, _MISMATCH)


def replica_status_errors(status: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with the counts of a ReplicaSet or a ReplicationController."""
    yield from nonnegative_fields(status, _COUNTS, path)
    yield from nonnegative_fields(status, ("observedGeneration",), path)
    replicas = status.get("replicas") or 0
    yield from not_more(status, _COUNTS[1:], replicas, "status.replicas", path)
    ready = status.get("readyReplicas") or 0
    yield from not_more(status, ("availableReplicas",), ready, "readyReplicas", path)


def not_more(
    status: Obj, names: Iterable[str], limit: int, limit_name: str, path: Path
) -> FieldErrors:
    """Yield which of some counts exceed another one."""
    for name in names:
        value = status.get(name) or 0
        if value > limit:
            yield invalid(path / name, value, f"cannot be greater than {limit_name}")
