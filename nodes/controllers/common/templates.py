"""Pod templates with more on them than their owner gave them."""

from __future__ import annotations

from apimachinery.meta import Obj


def with_label(template: Obj, key: str, value: str) -> Obj:
    """Return a copy of a template with one more label."""
    metadata = template.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), key: value}
    return {**template, "metadata": {**metadata, "labels": labels}}
