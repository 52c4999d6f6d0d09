"""An object as a text to edit: what the API server writes by itself is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.objects.details import to_yaml

Object = Mapping[str, Any]
# What nobody can set. resourceVersion is added when the text is sent.
_SERVERS = (
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)


def editable(item: Object) -> str:
    """Return the object without status and without what the server counts."""
    metadata = {k: v for k, v in (item.get("metadata") or {}).items() if k not in _SERVERS}
    shown = {key: value for key, value in item.items() if key != "status"}
    return to_yaml({**shown, "metadata": metadata})


def described(item: Object, writer: tuple[str, str]) -> dict[str, Any]:
    """Return what the editor wants to know of an object; `writer` wrote it last, and when."""
    metadata = item.get("metadata") or {}
    manager, at = writer
    return {
        "text": editable(item),
        "live": to_yaml(item),
        "uid": str(metadata.get("uid") or ""),
        "revision": str(metadata.get("resourceVersion") or ""),
        "manager": manager,
        "at": at,
    }
