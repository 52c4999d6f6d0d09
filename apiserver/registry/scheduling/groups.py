"""What Workloads and PodGroups have in common: the policy by which a group is scheduled."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid

_POLICIES = ("basic", "gang")
_ALL = ", ".join(f"`{name}`" for name in _POLICIES)
# Fields of features that v1.36 has off, beside the one that has these kinds served.
_DISABLED = (
    *("schedulingConstraints", "resourceClaims", "disruptionMode"),
    *("priorityClassName", "priority"),
)


def drop_disabled(group: Obj) -> None:
    """Remove what belongs to features that are off, of a PodGroup's spec or a template."""
    for name in _DISABLED:
        group.pop(name, None)


def policy_errors(policy: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a policy: one of two, a gang with at least one pod."""
    given = [name for name in _POLICIES if policy.get(name) is not None]
    if not given:
        yield invalid(path, "", f"must specify one of: {_ALL}")
    elif len(given) > 1:
        yield invalid(path, f"{{{', '.join(given)}}}", f"must specify exactly one of: {_ALL}")
    gang = policy.get("gang")
    if gang is not None and (count := gang.get("minCount") or 0) < 1:
        yield invalid(path / "gang" / "minCount", count, "must be greater than or equal to 1")
