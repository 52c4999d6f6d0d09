"""The names of a custom kind: what they may be, and which of them it gets.

A kind is served once its names are accepted: nothing else of its group may have them.
"""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.meta import Obj, name_of
from apimachinery.validation.field import FieldErrors, Path, invalid
from apimachinery.validation.names import is_dns1035_label
from apiserver.registry.apiextensions.approval import approval_of

_MIXED = "may have mixed case, but should otherwise match: "


def name_errors(names: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with the names that are there."""
    for field in ("plural", "singular"):
        value = names.get(field) or ""
        if value and (wrong := is_dns1035_label(value)):
            yield invalid(path / field, value, ",".join(wrong))
    for field in ("kind", "listKind"):
        value = names.get(field) or ""
        if value and (wrong := is_dns1035_label(value.lower())):
            yield invalid(path / field, value, _MIXED + ",".join(wrong))
    yield from _list_errors(names, "shortNames", path)
    if names.get("kind") and names["kind"] == names.get("listKind"):
        why = "kind and listKind may not be the same"
        yield invalid(path / "listKind", names["listKind"], why)
    yield from _list_errors(names, "categories", path)


def _list_errors(names: Obj, field: str, path: Path) -> FieldErrors:
    for at, value in enumerate(names.get(field) or ()):
        if wrong := is_dns1035_label(value):
            yield invalid((path / field)[at], value, ",".join(wrong))


def status_after_naming(crd: Obj, others: Iterable[Obj], now: str) -> Obj:
    """Return the status of a definition once its names have been looked at.

    `others` are the definitions of the cluster; those of other groups do not count. The result
    equals the old status where nothing is to be changed.
    """
    spec, status = crd["spec"], dict(crd.get("status") or {})
    taken_resources, taken_kinds = _taken(crd, others)
    wanted, accepted = spec["names"], dict(status.get("acceptedNames") or {})
    problem = _conflict(wanted, taken_resources, taken_kinds)
    if not problem:
        accepted = dict(wanted)
    conditions = list(status.get("conditions") or ())
    approval = approval_of(crd)
    if approval is not None:
        what = (approval.status, approval.reason, approval.message)
        _set(conditions, "KubernetesAPIApprovalPolicyConformant", what, now)
    named = ("False", *problem) if problem else ("True", "NoConflicts", "no conflicts found")
    _set(conditions, "NamesAccepted", named, now)
    established = any(
        one["type"] == "Established" and one["status"] == "True" for one in conditions
    )
    if not problem:
        what = ("True", "InitialNamesAccepted", "the initial names have been accepted")
        _set(conditions, "Established", what, now)
    elif not established:
        _set(conditions, "Established", ("False", "NotAccepted", "not all names are accepted"), now)
    return status | {"acceptedNames": accepted, "conditions": conditions}


def _taken(crd: Obj, others: Iterable[Obj]) -> tuple[set[str], set[str]]:
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        if name_of(other) == name_of(crd) or other["spec"]["group"] != crd["spec"]["group"]:
            continue
        names = (other.get("status") or {}).get("acceptedNames") or {}
        found = [names.get("plural"), names.get("singular"), *(names.get("shortNames") or ())]
        resources |= {name for name in found if name}
        kinds |= {name for name in (names.get("kind"), names.get("listKind")) if name}
    return resources, kinds


def _conflict(names: Obj, resources: set[str], kinds: set[str]) -> tuple[str, str] | None:
    """Return the reason and the message of the first name that another kind has."""
    for field, reason in (("plural", "PluralConflict"), ("singular", "SingularConflict")):
        if names.get(field) in resources:
            return reason, f'"{names[field]}" is already in use'
    for name in names.get("shortNames") or ():
        if name in resources:
            return "ShortNamesConflict", f'"{name}" is already in use'
    for field, reason in (("kind", "KindConflict"), ("listKind", "ListKindConflict")):
        if names.get(field) in kinds:
            return reason, f'"{names[field]}" is already in use'
    return None


def _set(conditions: list[Obj], kind: str, what: tuple[str, str, str], now: str) -> None:
    """Put a condition in its place; its time changes with its status alone."""
    status, reason, message = what
    for at, one in enumerate(conditions):
        if one["type"] != kind:
            continue
        since = one.get("lastTransitionTime") if one["status"] == status else now
        conditions[at] = _condition(kind, status, since or now, reason, message)
        return
    conditions.append(_condition(kind, status, now, reason, message))


def _condition(kind: str, status: str, since: str, reason: str, message: str) -> Obj:
    return {
        "lastTransitionTime": since,
        "message": message,
        "reason": reason,
        "status": status,
        "type": kind,
    }
