"""JSON Merge Patch (RFC 7386): objects merge, null removes, all else replaces.

Kubernetes' library also drops nulls from objects inside of lists that are new.
"""

from __future__ import annotations

from typing import Any

from apimachinery.errors import ApiError, BadRequest
from apimachinery.meta import Obj
from apimachinery.patch.refusals import json_type, undecodable


def apply(doc: Obj, patch: Any) -> Any:
    """Return `doc` with the patch merged in; a list replaces it. Raises ApiError."""
    if isinstance(patch, dict):
        return _merge(doc, patch)
    if isinstance(patch, list):
        return _without_nulls(patch)
    raise bad_patch()


def check(patch: Any) -> None:
    """Refuse what is no object, as the API server does unless fields are not to be validated."""
    if patch is not None and not isinstance(patch, dict):
        raise undecodable(
            f"json: cannot unmarshal {json_type(patch)} into Go value of type "
            "map[string]interface {}"
        )


def bad_patch() -> ApiError:
    """Return the library's own refusal of what is no patch."""
    return BadRequest("Invalid JSON Patch")


def _merge(doc: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    merged = dict(doc)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
            continue
        before = merged.get(key)
        if not isinstance(before, dict):
            merged[key] = _without_nulls(value)
        elif isinstance(value, dict):
            merged[key] = _merge(before, value)
        else:
            merged[key] = value
    return merged


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value]
    return value
