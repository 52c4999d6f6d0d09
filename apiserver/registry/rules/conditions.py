"""metav1 Conditions, as generators of field errors."""

from __future__ import annotations

import re
from collections.abc import Iterable

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, duplicate, invalid, required, too_long
from apimachinery.validation.names import is_qualified_name, regex_error
from apiserver.registry.podspec.checks import obey, one_of

_STATUSES = ("False", "True", "Unknown")
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_reason_re = re.compile(_REASON)
_LONGEST_REASON, _LONGEST_MESSAGE = 1024, 32 * 1024


def condition_errors(conditions: Iterable[Obj], path: Path) -> FieldErrors:
    """Yield what is wrong with a list of conditions."""
    seen: set[str] = set()
    for at, condition in enumerate(conditions):
        kind = condition.get("type") or ""
        if kind in seen:
            yield duplicate(path[at] / "type", kind)
        seen.add(kind)
        yield from obey(is_qualified_name, kind, path[at] / "type")
        yield from _state_errors(condition, path[at])


def _state_errors(condition: Obj, path: Path) -> FieldErrors:
    yield from one_of(condition.get("status") or "", _STATUSES, path / "status")
    generation = condition.get("observedGeneration") or 0
    if generation < 0:
        why = "must be greater than or equal to zero"
        yield invalid(path / "observedGeneration", generation, why)
    if not condition.get("lastTransitionTime"):
        yield required(path / "lastTransitionTime", "must be set")
    reason = condition.get("reason") or ""
    if not reason:
        yield required(path / "reason", "must be set")
    elif not _reason_re.fullmatch(reason):
        words = (
            "a condition reason must start with alphabetic character, optionally followed by a "
            "string of alphanumeric characters or '_,:', and must end with an alphanumeric "
            "character or '_'"
        )
        examples = ("my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB")
        yield invalid(path / "reason", reason, regex_error(words, _REASON, *examples))
    if len(reason) > _LONGEST_REASON:
        yield too_long(path / "reason", reason, _LONGEST_REASON)
    if len(condition.get("message") or "") > _LONGEST_MESSAGE:
        yield too_long(path / "message", "", _LONGEST_MESSAGE)
