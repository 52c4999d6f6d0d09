"""The objects that priority and fairness does not go without: their specs are fixed."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj, name_of
from apimachinery.validation.field import FieldErrors, Path, invalid

_ALL = {
    "resourceRules": [
        {
            "verbs": ["*"],
            "apiGroups": ["*"],
            "resources": ["*"],
            "clusterScope": True,
            "namespaces": ["*"],
        }
    ],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}


def _groups(*names: str) -> list[Obj]:
    return [{"kind": "Group", "group": {"name": f"system:{name}"}} for name in names]


_SCHEMAS: dict[str, Obj] = {
    "exempt": {
        "priorityLevelConfiguration": {"name": "exempt"},
        "matchingPrecedence": 1,
        "rules": [{"subjects": _groups("masters"), **_ALL}],
    },
    "catch-all": {
        "priorityLevelConfiguration": {"name": "catch-all"},
        "matchingPrecedence": 10000,
        "distinguisherMethod": {"type": "ByUser"},
        "rules": [{"subjects": _groups("unauthenticated", "authenticated"), **_ALL}],
    },
}
_LEVELS: dict[str, Obj] = {
    # How many seats the exempt level has may be changed.
    "exempt": {"type": "Exempt"},
    "catch-all": {
        "type": "Limited",
        "limited": {
            "nominalConcurrencyShares": 5,
            "limitResponse": {"type": "Reject"},
            "lendablePercent": 0,
        },
    },
}
# Go's names of the fields, and what stands where a field is not set, in Go's order.
_ORDER: dict[str, tuple[tuple[str, str, Any], ...]] = {
    "schema": (
        ("PriorityLevelConfiguration", "priorityLevelConfiguration", {}),
        ("MatchingPrecedence", "matchingPrecedence", 0),
        ("DistinguisherMethod", "distinguisherMethod", None),
        ("Rules", "rules", None),
    ),
    "rule": (
        ("Subjects", "subjects", None),
        ("ResourceRules", "resourceRules", None),
        ("NonResourceRules", "nonResourceRules", None),
    ),
    "subject": (
        ("Kind", "kind", ""),
        ("User", "user", None),
        ("Group", "group", None),
        ("ServiceAccount", "serviceAccount", None),
    ),
    "resources": (
        ("Verbs", "verbs", None),
        ("APIGroups", "apiGroups", None),
        ("Resources", "resources", None),
        ("ClusterScope", "clusterScope", False),
        ("Namespaces", "namespaces", None),
    ),
    "urls": (("Verbs", "verbs", None), ("NonResourceURLs", "nonResourceURLs", None)),
    "level": (("Type", "type", ""), ("Limited", "limited", None), ("Exempt", "exempt", None)),
    "limited": (
        ("NominalConcurrencyShares", "nominalConcurrencyShares", 0),
        ("LimitResponse", "limitResponse", {}),
        ("LendablePercent", "lendablePercent", None),
        ("BorrowingLimitPercent", "borrowingLimitPercent", None),
    ),
    "response": (("Type", "type", ""), ("Queuing", "queuing", None)),
    "queuing": (
        ("Queues", "queues", 0),
        ("HandSize", "handSize", 0),
        ("QueueLengthLimit", "queueLengthLimit", 0),
    ),
    "account": (("Namespace", "namespace", ""), ("Name", "name", "")),
}
_PARTS = {
    "rules": "rule",
    "subjects": "subject",
    "resourceRules": "resources",
    "nonResourceRules": "urls",
    "limited": "limited",
    "exempt": "limited",
    "limitResponse": "response",
    "queuing": "queuing",
    "serviceAccount": "account",
}


def schema_errors(schema: Obj) -> FieldErrors:
    """Yield that a FlowSchema is one of the fixed ones and is not as it has to be."""
    yield from _fixed_errors(schema, _SCHEMAS, "schema")


def level_errors(level: Obj) -> FieldErrors:
    """Yield that a level is one of the fixed ones and is not as it has to be."""
    spec = level.get("spec") or {}
    if name_of(level) == "exempt":
        spec = {key: value for key, value in spec.items() if key != "exempt"}
    yield from _fixed_errors({**level, "spec": spec}, _LEVELS, "level", shown=level.get("spec"))


def _fixed_errors(
    obj: Obj, fixed: dict[str, Obj], part: str, shown: Obj | None = None
) -> FieldErrors:
    name, spec = name_of(obj), obj.get("spec") or {}
    if name in fixed and spec != fixed[name]:
        why = f"spec of '{name}' must equal the fixed value"
        yield invalid(Path("spec"), _go(shown or spec, part), why)


def _go(value: Obj, part: str) -> Obj:
    """Print an object with the names of Go's fields, as messages show it."""
    printed = {}
    for shown, name, empty in _ORDER[part]:
        found, inner = value.get(name, empty), _PARTS.get(name)
        if inner is not None and isinstance(found, list):
            found = [_go(one, inner) for one in found]
        elif inner is not None and found is not None:
            if part == "level" and name == "exempt":
                kept = ("NominalConcurrencyShares", "LendablePercent")
                found = {key: one for key, one in _go(found, inner).items() if key in kept}
            else:
                found = _go(found, inner)
        elif isinstance(found, dict):
            found = {key[0].upper() + key[1:]: one for key, one in found.items()}
        printed[shown] = found
    return printed
