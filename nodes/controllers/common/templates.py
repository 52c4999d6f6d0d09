"""Pod templates as identities: when are two the same, and a short name for each."""

from __future__ import annotations

import orjson

from apimachinery.meta import Obj

HASH_LABEL = "pod-template-hash"

# Letters and digits of generated names: none that make words, none that look alike.
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
_FNV_OFFSET, _FNV_PRIME = 2166136261, 16777619


def template_hash(template: Obj, collisions: int | None) -> str:
    """Return a name for a template; `collisions` makes another if that one is taken."""
    salt = collisions.to_bytes(8, "little") if collisions is not None else b""
    value = _FNV_OFFSET
    for byte in orjson.dumps(template, option=orjson.OPT_SORT_KEYS) + salt:
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return safe_encode(str(value))


def safe_encode(text: str) -> str:
    """Write a text in the alphabet of generated names."""
    return "".join(_SAFE[ord(letter) % len(_SAFE)] for letter in text)


def same_but_for_hash(one: Obj, other: Obj) -> bool:
    """Tell whether two templates make the same pods, whatever their hash labels."""
    if (one.get("spec") or {}) != (other.get("spec") or {}):
        return False
    return _unhashed(one) == _unhashed(other)


def _unhashed(template: Obj) -> Obj:
    metadata = dict(template.get("metadata") or {})
    labels = metadata.pop("labels", None) or {}
    metadata.pop("creationTimestamp", None)
    left = {key: value for key, value in labels.items() if key != HASH_LABEL}
    return {**metadata, "labels": left}


def with_label(template: Obj, key: str, value: str) -> Obj:
    """Return a copy of a template with one more label."""
    metadata = template.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), key: value}
    return {**template, "metadata": {**metadata, "labels": labels}}
