"""What may change in a pod that exists: images, deadlines, more tolerations, fewer gates."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj, annotations_of
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, required
from apimachinery.validation.names import inclusive_range
from apiserver.registry.podspec.annotations import (
    annotation_update_errors,
    pod_annotation_errors,
)
from apiserver.registry.podspec.checks import INT32_MAX
from apiserver.registry.podspec.godiff import diff
from apiserver.registry.podspec.scheduling import toleration_errors

_SPEC = Path("spec")
_FIELDS = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)
_FROZEN = f"pod updates may not change fields other than {','.join(_FIELDS)}\n"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def update_errors(new: Obj, old: Obj) -> FieldErrors:
    """Yield what an update of a pod changes and may not."""
    annotations, path = annotations_of(new), Path("metadata") / "annotations"
    yield from annotation_update_errors(annotations, annotations_of(old), path)
    # What is wrong with annotations and tolerations is said once more, after what has changed.
    yield from pod_annotation_errors(annotations, new["spec"], path)
    after, before = new["spec"], old["spec"]
    for name in ("containers", "initContainers"):
        now, was = after.get(name) or [], before.get(name) or []
        if len(now) != len(was):
            yield forbidden(_SPEC / name, "pod updates may not add or remove containers")
            return
        yield from _image_errors(now, _SPEC / name)
    deadline = list(_deadline_errors(after, before))
    yield from deadline
    if deadline and after.get("activeDeadlineSeconds") is not None:
        return
    yield from _toleration_errors(after, before)
    yield from _gate_errors(after, before)
    if after == before:
        return
    munged = _munged(after, before)
    if before.get("schedulingGates"):
        yield from _gated_errors(munged, before)
    if _present(munged) != _present(before):
        yield forbidden(_SPEC, _FROZEN + diff("PodSpec", before, munged))


def _image_errors(containers: list[Obj], path: Path) -> FieldErrors:
    for at, container in enumerate(containers):
        image = container.get("image") or ""
        if not image:
            yield required(path[at] / "image")
        if image.strip() != image:
            yield invalid(path[at] / "image", image, "must not have leading or trailing whitespace")


def _deadline_errors(after: Obj, before: Obj) -> FieldErrors:
    now, was = after.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    path = _SPEC / "activeDeadlineSeconds"
    if now is not None:
        if not 0 <= now <= INT32_MAX:
            yield invalid(path, now, inclusive_range(0, INT32_MAX))
        elif was is not None and was < now:
            yield invalid(path, now, "must be less than or equal to previous value")
    elif was is not None:
        yield invalid(path, None, "must not update from a positive integer to nil value")


def _toleration_errors(after: Obj, before: Obj) -> FieldErrors:
    now = [_without_seconds(t) for t in after.get("tolerations") or ()]
    for toleration in before.get("tolerations") or ():
        if _without_seconds(toleration) not in now:
            yield forbidden(
                _SPEC / "tolerations",
                "existing toleration can not be modified except its tolerationSeconds",
            )
            return
    yield from toleration_errors(after.get("tolerations") or [], _SPEC / "tolerations")


def _without_seconds(toleration: Obj) -> Obj:
    return {k: v for k, v in toleration.items() if k != "tolerationSeconds" and v}


def _gate_errors(after: Obj, before: Obj) -> FieldErrors:
    known = {gate.get("name") for gate in before.get("schedulingGates") or ()}
    for at, gate in enumerate(after.get("schedulingGates") or ()):
        if gate.get("name") not in known:
            yield forbidden(
                (_SPEC / "schedulingGates")[at] / "name",
                f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'",
            )


def _munged(after: Obj, before: Obj) -> Obj:
    """Return the new spec with the old values of everything that may change."""
    munged = dict(after)
    for name in ("containers", "initContainers"):
        if now := after.get(name):
            munged[name] = [
                one | {"image": other.get("image")}
                for one, other in zip(now, before[name], strict=True)
            ]
    for name in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        munged[name] = before.get(name)
    grace = before.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0 and munged.get("terminationGracePeriodSeconds") == 1:
        munged["terminationGracePeriodSeconds"] = grace
    return munged


def _present(spec: Obj) -> dict[str, Any]:
    """Drop what Go's semantic comparison does not tell apart: nothing, and empty."""
    return {key: value for key, value in spec.items() if value not in (None, "", [], {}, False)}


def _gated_errors(munged: Obj, before: Obj) -> FieldErrors:
    """While a pod is gated, its node selector and affinity may become stricter."""
    now, was = munged.get("nodeSelector") or {}, before.get("nodeSelector") or {}
    if now != was:
        if any(now.get(key) != value for key, value in was.items()):
            yield invalid(
                _SPEC / "nodeSelector",
                now or None,
                "only additions to spec.nodeSelector are allowed (no mutations or deletions)",
            )
        munged["nodeSelector"] = before.get("nodeSelector")
    affinity, old = munged.get("affinity") or {}, before.get("affinity") or {}
    node, old_node = affinity.get("nodeAffinity"), old.get("nodeAffinity")
    if node == old_node:
        return
    yield from _affinity_errors(node, old_node, _SPEC / "affinity" / "nodeAffinity")
    kept = {k: v for k, v in affinity.items() if k != "nodeAffinity"}
    if old_node is not None:
        kept["nodeAffinity"] = old_node
    munged["affinity"] = kept or before.get("affinity")


def _affinity_errors(node: Obj | None, old: Obj | None, path: Path) -> FieldErrors:
    before = ((old or {}).get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    after = ((node or {}).get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    path = path / _REQUIRED / "nodeSelectorTerms"
    if not before:
        return
    if len(before) != len(after):
        yield invalid(
            path,
            after or None,
            "no additions/deletions to non-empty NodeSelectorTerms list are allowed",
        )
        return
    for at, (now, was) in enumerate(zip(after, before, strict=True)):
        if not _only_adds(now, was):
            yield invalid(path[at], now, "only additions are allowed (no mutations or deletions)")


def _only_adds(now: Obj, was: Obj) -> bool:
    names = ("matchExpressions", "matchFields")
    if not any(was.get(name) for name in names):
        return not any(now.get(name) for name in names)
    return all((now.get(n) or [])[: len(was.get(n) or ())] == (was.get(n) or []) for n in names)
