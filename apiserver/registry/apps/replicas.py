"""Rules that every controller of replicas obeys: selectors, templates, counts in status."""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.errors import BadRequest
from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldError, FieldErrors, Path, invalid, required
from apiserver.registry.podspec.checks import IMMUTABLE, nonnegative_fields
from apiserver.registry.podspec.features import drop_disabled_in_template
from apiserver.registry.podspec.godiff import shown_selector
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.podspec.template import (
    name_warnings,
    replicated_template_errors,
    template_warnings,
)
from apiserver.registry.podspec.workload import generation_changed
from apiserver.registry.strategy import Strategy, StrategyContext

_SPEC = Path("spec")
_COUNTS = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas")


class WorkloadStrategy(Strategy):
    """What runs pods of one template: its selector, which says whose pods are its own, stays."""

    # Kubernetes checks some kinds twice in an update: each cause is then there twice, too.
    checked_twice = False
    # May the name be no DNS label without a warning?
    warns_of_name = True

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        if self.checked_twice:
            yield from self.validate(new, ctx)
        yield from immutable_selector(new["spec"], old["spec"], _SPEC / "selector")

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        drop_disabled_in_template(obj["spec"])

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        found = name_warnings(obj) if self.warns_of_name else []
        return found + template_warnings(obj["spec"]["template"], _SPEC / "template")

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        if not generation_changed(new, old):
            return []
        return template_warnings(new["spec"]["template"], _SPEC / "template")


def workload_selector_errors(spec: Obj, path: Path, kind: str) -> FieldErrors:
    """Yield that a selector is missing, wrong, or empty (it would own every pod)."""
    selector = spec.get("selector")
    if selector is None:
        yield required(path / "selector")
        return
    yield from selector_errors(selector, path / "selector")
    yield from empty_selector_errors(selector, path, kind)


def empty_selector_errors(selector: Obj, path: Path, kind: str) -> FieldErrors:
    """Yield that a selector is there and says nothing."""
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        shown = shown_selector(selector)
        yield invalid(path / "selector", shown, f"empty selector is invalid for {kind}")


def selected_template_errors(spec: Obj, path: Path, owner: str, *, words: str) -> FieldErrors:
    """Yield what is wrong with a template, and that its pods are not those of the selector.

    A selector that cannot be read is wrong in these `words`; then the template does not count.
    """
    selects = reads_selector(spec)
    if selects is None:
        yield invalid(path / "selector", shown_selector(spec.get("selector")), words)
        return
    if not selects:
        yield mismatch(spec, path)
    yield from replicated_template_errors(spec["template"], owner, path / "template")


def reads_selector(spec: Obj) -> bool | None:
    """Tell whether the selector is that of the template's pods; None: it cannot be read.

    No selector at all selects nothing, an empty one everything.
    """
    try:
        return from_label_selector(spec.get("selector")).matches(_labels(spec) or {})
    except BadRequest:
        return None


def _labels(spec: Obj) -> dict[str, str] | None:
    labels: dict[str, str] | None
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    return labels


def mismatch(spec: Obj, path: Path) -> FieldError:
    """Return the error of a template whose pods are not those of the selector."""
    why = "`selector` does not match template `labels`"
    labels = _labels(spec)
    shown = dict(sorted(labels.items())) if labels else labels
    return invalid(path / "template" / "metadata" / "labels", shown, why)


def immutable_selector(spec: Obj, before: Obj, path: Path) -> FieldErrors:
    """Yield that a selector has changed."""
    if spec.get("selector") != before.get("selector"):
        yield invalid(path, shown_selector(spec.get("selector")), IMMUTABLE)


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
