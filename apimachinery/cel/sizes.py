"""How large the values of a schema may become, at most, in a request that is not too large.

Kubernetes reckons with these when it estimates what a rule may cost: what a schema does not bound
is bounded by the largest request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apimachinery.cel.schema import is_root, with_implicit
from apimachinery.cel.schema_names import written

REQUEST = 3 * 1024 * 1024
_LONGEST_TEXT = REQUEST - 2
# format -> (the fewest bytes in JSON, the longest text)
_FORMATS: Mapping[str, tuple[int, int]] = {
    "duration": (3, 32),
    "date": (12, 12),
    "date-time": (21, 32),
}
_UTF8 = 4
_SCALARS = {"boolean": 4, "number": 1, "integer": 1}


@dataclass(slots=True)
class Sized:
    """Values of one place: `most` characters or elements, at least `least` bytes in JSON."""

    least: int
    most: int = 0
    fields: dict[str, Sized] = field(default_factory=dict)
    element: Sized | None = None
    key: Sized | None = None
    # Elements are also found under their keys, as fields.
    named: bool = False

    def at(self, path: tuple[str, ...]) -> Sized | None:
        """Return what stands at a path of fields, "@items", "@values" and "@keys"."""
        found: Sized | None = self
        for name in path:
            if found is None:
                return None
            if name in ("@items", "@values"):
                found = found.element
            elif name == "@keys":
                found = found.key
            else:
                found = found.fields.get(name) or (found.element if found.named else None)
        return found

    @property
    def cardinality(self) -> int:
        """How many such values one request may hold."""
        return REQUEST // (self.least + 1)


_KEY = Sized(2)


def sized(node: Mapping[str, Any], *, root: bool = False) -> Sized | None:
    """Return the sizes of values of a schema, None where expressions cannot see them."""
    if node.get("x-kubernetes-int-or-string"):
        return Sized(1, _LONGEST_TEXT)
    if root:
        node = with_implicit(node)
    kind = node.get("type") or ""
    if kind in _SCALARS:
        return Sized(_SCALARS[kind])
    if kind == "string":
        return _string(node)
    if kind == "array":
        return _list(node)
    return _object(node) if kind == "object" else None


def _string(node: Mapping[str, Any]) -> Sized:
    form, longest = node.get("format") or "", node.get("maxLength")
    if form in _FORMATS:
        return Sized(*_FORMATS[form])
    if longest is not None:
        # Lengths of schemas are in characters, sizes of bytes in bytes.
        return Sized(2, max(0, longest) * (1 if form == "byte" else _UTF8))
    words = [word for word in node.get("enum") or () if isinstance(word, str)]
    if node.get("enum") and form != "byte":
        return Sized(2, max((len(word.encode()) for word in words), default=0))
    return Sized(2, _LONGEST_TEXT)


def _list(node: Mapping[str, Any]) -> Sized | None:
    items = node.get("items")
    element = sized(items, root=is_root(items)) if isinstance(items, dict) else None
    if element is None:
        return None
    most = node.get("maxItems")
    bound = (REQUEST - 2) // (element.least + 1) if most is None else max(0, most)
    return Sized(2, bound, element=element)


def _object(node: Mapping[str, Any]) -> Sized | None:
    additional = node.get("additionalProperties")
    if isinstance(additional, dict):
        value = sized(additional, root=is_root(additional))
        if value is None:
            return None
        most = node.get("maxProperties")
        # A key of no characters, its quotes, a colon and a comma stand beside each value.
        bound = (REQUEST - 2) // (value.least + 6) if most is None else max(0, most)
        return Sized(2, bound, element=value, key=_KEY)
    needed = node.get("required") or ()
    fields: dict[str, Sized] = {}
    least = 2
    for name, part in (node.get("properties") or {}).items():
        found = sized(part, root=is_root(part))
        if found is None:
            continue
        fields.update(dict.fromkeys(written(name), found))
        if name in needed and part.get("default") is None:
            least += len(name) + found.least + 4
    return Sized(least, fields=fields)
