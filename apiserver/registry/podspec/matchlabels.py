"""matchLabelKeys: rules of a pod about "pods like me" become plain selectors when it is made."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.meta import Obj, labels_of

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def merge_match_label_keys(pod: Obj) -> None:
    """Add the pod's own values of the keys to the selectors of affinity and spreading."""
    labels = labels_of(pod)
    spec = pod["spec"]
    for term in _terms(spec.get("affinity") or {}):
        selector = term.get("labelSelector")
        if selector is None:
            continue
        _add(selector, "In", term.get("matchLabelKeys"), labels)
        _add(selector, "NotIn", term.get("mismatchLabelKeys"), labels)
    for constraint in spec.get("topologySpreadConstraints") or ():
        selector = constraint.get("labelSelector")
        if selector is not None:
            _add(selector, "In", constraint.get("matchLabelKeys"), labels)


def _terms(affinity: Obj) -> Iterator[Obj]:
    for name in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(name) or {}
        yield from rules.get(_REQUIRED) or ()
        for weighted in rules.get(_PREFERRED) or ():
            if (term := weighted.get("podAffinityTerm")) is not None:
                yield term


def _add(selector: Obj, operator: str, keys: list[str] | None, labels: dict[str, str]) -> None:
    for key in keys or ():
        if key in labels:
            found = selector.get("matchExpressions") or []
            added = {"key": key, "operator": operator, "values": [labels[key]]}
            selector["matchExpressions"] = [*found, added]
