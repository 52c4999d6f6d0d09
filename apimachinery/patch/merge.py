"""JSON Merge Patch (RFC 7386): objects merge, null removes, all else replaces."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apimachinery.patch.refusals import json_type, undecodable


def apply(doc: Obj, patch: Any) -> Obj:
    """Return `doc` with the patch merged in."""
    if not isinstance(patch, dict):
        raise undecodable(
            f"json: cannot unmarshal {json_type(patch)} into Go value of type "
            "map[string]interface {}"
        )
    return _merge(doc, patch)


def _merge(doc: Any, patch: dict[str, Any]) -> dict[str, Any]:
    merged = dict(doc) if isinstance(doc, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merge(merged.get(key), value)
        else:
            merged[key] = value
    return merged
