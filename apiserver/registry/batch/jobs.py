"""Jobs: pods that run to an end; the server makes the selector that keeps them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apimachinery.clock import parse_time
from apimachinery.duration import human_duration
from apimachinery.errors import BadRequest
from apimachinery.gvk import GroupVersionKind
from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj
from apimachinery.schema import types
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.validation.names import is_dns1123_label, is_label_value
from apiserver.registry.apps.replicas import immutable_selector, mismatch
from apiserver.registry.batch.jobspec import INDEXED, job_spec_errors, job_warnings
from apiserver.registry.batch.jobstatus import has_condition, job_status_errors
from apiserver.registry.podspec.checks import IMMUTABLE, immutable
from apiserver.registry.podspec.defaults import default_template
from apiserver.registry.podspec.features import drop_disabled_in_template
from apiserver.registry.podspec.godiff import go_value, shown_metadata, shown_selector
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.podspec.template import name_warnings
from apiserver.registry.podspec.workload import (
    SELECTOR,
    containers,
    generation_changed,
    keep_status,
)
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import MetadataCheck, StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig

_SPEC = Path("spec")
_LABELS = _SPEC / "template" / "metadata" / "labels"
UID_LABEL = "batch.kubernetes.io/controller-uid"
NAME_LABEL = "batch.kubernetes.io/job-name"
# The same labels as they were before labels of Kubernetes had a domain.
_OLD_UID_LABEL, _OLD_NAME_LABEL = "controller-uid", "job-name"
_FROZEN = (
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
)
# Parts of the template that may change while no pod runs.
_DIRECTIVES = ("nodeSelector", "tolerations", "schedulingGates")


_DELETE_WARNING = (
    "child pods are preserved by default when jobs are deleted; set "
    "propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress "
    "this warning"
)


class JobStrategy(Strategy):
    """What a Job runs never changes; how much of it at once may."""

    metadata_checks = (MetadataCheck.WHOLE, MetadataCheck.CHANGES)
    has_generation = True
    default_propagation = "Orphan"

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("parallelism") is None:
            spec["parallelism"] = 1
            if spec.get("completions") is None:
                spec["completions"] = 1
        # Where each index has a limit of its own, the whole has none by default.
        limit = 6 if spec.get("backoffLimitPerIndex") is None else 2**31 - 1
        for name, value in (
            ("backoffLimit", limit),
            ("completionMode", "NonIndexed"),
            ("suspend", False),
            ("manualSelector", False),
        ):
            if spec.get(name) is None:
                spec[name] = value
        if spec.get("podReplacementPolicy") is None:
            limited = spec.get("podFailurePolicy") is not None
            spec["podReplacementPolicy"] = "Failed" if limited else "TerminatingOrFailed"
        default_template(spec.setdefault("template", {}))
        _default_labels(obj)

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}
        if not obj["spec"].get("manualSelector"):
            _make_selector(obj)
            _default_labels(obj)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _own_selector_errors(obj)
        yield from _whole_spec_errors(obj["spec"])
        yield from _host_name_errors(obj)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        spec, before = new["spec"], old["spec"]
        # Once as a Job, once as a change of one: each cause is there twice.
        yield from self.validate(new, ctx)
        yield from _whole_spec_errors(spec)
        yield from _completions_errors(spec, before)
        yield from immutable_selector(spec, before, _SPEC / "selector")
        yield from _template_errors(spec, before, directives=_is_stopped(old))
        for name in _FROZEN:
            yield from immutable(spec.get(name), before.get(name), _SPEC / name)

    def warnings_on_delete(self, obj: Obj) -> list[str]:
        return [_DELETE_WARNING]

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        return name_warnings(obj) + job_warnings(obj["spec"], _SPEC)

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return job_warnings(new["spec"], _SPEC) if generation_changed(new, old) else []

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        drop_disabled_in_template(obj["spec"])


def _default_labels(obj: Obj) -> None:
    """A Job without labels has those of its pods."""
    labels = (obj["spec"]["template"].get("metadata") or {}).get("labels")
    metadata = obj.setdefault("metadata", {})
    # A name that is no label value is refused for the template's labels, and for these but once.
    if labels and not metadata.get("labels") and not is_label_value(metadata.get("name") or ""):
        metadata["labels"] = dict(labels)


def _make_selector(obj: Obj) -> None:
    spec, metadata = obj["spec"], obj["metadata"]
    template = spec["template"]
    name, uid = metadata.get("name") or "", metadata["uid"]
    if not template.get("metadata"):
        template["metadata"] = {}
    labels = template["metadata"].setdefault("labels", {})
    for key, value in (
        (_OLD_NAME_LABEL, name),
        (_OLD_UID_LABEL, uid),
        (NAME_LABEL, name),
        (UID_LABEL, uid),
    ):
        # A label that the user has set otherwise is refused in validation.
        labels.setdefault(key, value)
    if spec.get("selector") is None:
        spec["selector"] = {}
    spec["selector"].setdefault("matchLabels", {}).setdefault(UID_LABEL, uid)


def _own_selector_errors(obj: Obj) -> FieldErrors:
    """Yield that the selector is not what the server has made."""
    spec, metadata = obj["spec"], obj["metadata"]
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    expected = {
        _OLD_UID_LABEL: metadata["uid"],
        _OLD_NAME_LABEL: metadata.get("name") or "",
        UID_LABEL: metadata["uid"],
        NAME_LABEL: metadata.get("name") or "",
    }
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    for key, value in expected.items():
        if key not in labels:
            yield required(_LABELS.key(key), f"must be '{value}'")
        elif labels[key] != value:
            yield invalid(_LABELS.key(key), dict(sorted(labels.items())), f"must be '{value}'")
    if not _selects(spec["selector"], expected):
        shown = shown_selector(spec["selector"])
        yield invalid(_SPEC / "selector", shown, "`selector` not auto-generated")


def _selects(selector: Obj | None, labels: dict[str, str]) -> bool:
    """Tell whether a selector matches; one that is wrong is reported elsewhere."""
    try:
        return from_label_selector(selector).matches(labels)
    except BadRequest:
        return True


def _whole_spec_errors(spec: Obj) -> FieldErrors:
    yield from job_spec_errors(spec, _SPEC)
    selector = spec.get("selector")
    if selector is None:
        yield required(_SPEC / "selector")
    else:
        yield from selector_errors(selector, _SPEC / "selector")
    labels = (spec["template"].get("metadata") or {}).get("labels")
    if not _selects(selector, labels or {}):
        yield mismatch(spec, _SPEC)


def _host_name_errors(obj: Obj) -> FieldErrors:
    """The host names of an indexed Job's pods are made of its name and the index."""
    spec, name = obj["spec"], obj["metadata"].get("name") or ""
    if spec.get("completionMode") != INDEXED or not (spec.get("completions") or 0) > 0:
        return
    longest = f"{name}-{spec['completions'] - 1}"
    if is_dns1123_label(longest):
        why = f"will not able to create pod with invalid DNS label: {longest}"
        yield invalid(Path("metadata") / "name", name, why)


def _completions_errors(spec: Obj, before: Obj) -> FieldErrors:
    path, wanted = _SPEC / "completions", spec.get("completions")
    if spec.get("completionMode") != INDEXED:
        yield from immutable(wanted, before.get("completions"), path)
    elif wanted not in (None, before.get("completions"), spec.get("parallelism")):
        yield invalid(path, wanted, "can only be modified in tandem with spec.parallelism")


def _is_stopped(job: Obj) -> bool:
    """Tell whether no pod of a suspended Job runs: then where and how they run may change."""
    status = job.get("status") or {}
    if not job["spec"].get("suspend"):
        return False
    return not status.get("startTime") or (
        has_condition(job, "Suspended") and not status.get("active")
    )


def _template_errors(spec: Obj, before: Obj, *, directives: bool) -> FieldErrors:
    template, old = spec["template"], before["template"]
    if directives:
        old = _with_directives(template, old)
    if _bare(template) != _bare(old):
        yield invalid(_SPEC / "template", _go_template(template), IMMUTABLE)


def _go_template(template: Obj) -> Obj:
    """Print a template with the names of Go's fields, as messages show it."""
    pod = types().definition("io.k8s.api.core.v1.PodSpec")
    metadata = shown_metadata(template.get("metadata"))
    return {**metadata, "Spec": go_value(pod, template.get("spec") or {})}


def _with_directives(template: Obj, old: Obj) -> Obj:
    """Return the old template with what the new one says of where its pods run."""
    pod, before = template.get("spec") or {}, dict(old.get("spec") or {})
    for name in _DIRECTIVES:
        before.pop(name, None)
        if name in pod:
            before[name] = pod[name]
    affinity = dict(before.pop("affinity", None) or {})
    affinity.pop("nodeAffinity", None)
    if (pod.get("affinity") or {}).get("nodeAffinity") is not None:
        affinity["nodeAffinity"] = pod["affinity"]["nodeAffinity"]
    if affinity or pod.get("affinity") is not None:
        before["affinity"] = affinity
    for name in ("containers", "initContainers"):
        if name in before:
            before[name] = _with_resources(before[name], pod.get(name) or ())
    metadata = {k: v for k, v in (old.get("metadata") or {}).items() if k not in _LABELLING}
    own = template.get("metadata") or {}
    return {
        **old,
        "spec": before,
        "metadata": metadata | {key: own[key] for key in _LABELLING if key in own},
    }


def _with_resources(old: list[Obj], new: Sequence[Obj]) -> list[Obj]:
    """Return containers with what the new ones ask for, as far as they are the same ones."""
    if len(old) != len(new):
        return old
    return [
        one | {"resources": other.get("resources") or {}}
        for one, other in zip(old, new, strict=True)
    ]


_LABELLING = ("labels", "annotations")


def _bare(template: Obj) -> Obj:
    """Return a template without empty metadata, which is the same as none."""
    return template if template.get("metadata") else template | {"metadata": {}}


class JobStatusStrategy(StatusStrategy):
    """Whoever manages the Job counts; the counts must agree with each other and the past."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from job_status_errors(new, old)


def _state(obj: Obj, now: float) -> str:
    for kind in ("Complete", "Failed"):
        if has_condition(obj, kind):
            return kind
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    if has_condition(obj, "Suspended"):
        return "Suspended"
    if has_condition(obj, "FailureTarget"):
        return "FailureTarget"
    return "SuccessCriteriaMet" if has_condition(obj, "SuccessCriteriaMet") else "Running"


def _completions(obj: Obj, now: float) -> str:
    spec = obj["spec"]
    succeeded = (obj.get("status") or {}).get("succeeded") or 0
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(obj: Obj, now: float) -> str:
    status: dict[str, Any] = obj.get("status") or {}
    start, end = status.get("startTime"), status.get("completionTime")
    if not start:
        return ""
    ends = parse_time(end).timestamp() if end else now
    return human_duration(ends - parse_time(start).timestamp())


def _successful(obj: Obj) -> str:
    return str(dig(obj, ("status", "succeeded")) or 0)


_STRATEGY = JobStrategy()
JOBS = Resource(
    kind=GroupVersionKind("batch", "v1", "Job"),
    plural="jobs",
    singular="job",
    categories=("all",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=JobStatusStrategy(_STRATEGY))},
    selectable={"status.successful": _successful},
    columns=(
        NAME,
        Column("Status", _state),
        Column("Completions", _completions),
        Column("Duration", _duration),
        AGE,
        *containers(),
        SELECTOR,
    ),
)
