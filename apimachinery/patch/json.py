"""JSON Patch (RFC 6902) with the habits of Kubernetes' library.

`replace` sets an object's key that is not there, negative indexes count from the end, and every
operation that does not fit is refused in the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from apimachinery.errors import TooLarge
from apimachinery.meta import Obj
from apimachinery.patch.refusals import inapplicable, json_type, undecodable

MAX_OPERATIONS = 10_000

# What is done to the container that a pointer's last part names a place in.
_Change: TypeAlias = Callable[[Any, str], None]


def apply(doc: Obj, operations: Any) -> Any:
    """Return `doc` with the operations carried out in order, or none of them at all."""
    for operation in _decoded(operations):
        doc = _step(doc, operation)
    return doc


def _decoded(operations: Any) -> list[dict[str, Any]]:
    if not isinstance(operations, list):
        kind = json_type(operations)
        raise undecodable(
            f"json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
        )
    if len(operations) > MAX_OPERATIONS:
        raise TooLarge(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, "
            f"got {len(operations)}"
        )
    for operation in operations:
        if not isinstance(operation, dict):
            kind = json_type(operation)
            raise undecodable(
                f"json: cannot unmarshal {kind} into Go value of type handlers.jsonPatchOp"
            )
        for field in ("op", "from", "path"):
            given = operation.get(field, "")
            if given is not None and not isinstance(given, str):
                raise undecodable(
                    f"json: cannot unmarshal {json_type(given)} into Go struct field "
                    f"jsonPatchOp.{field} of type string"
                )
    return operations


def _step(doc: Any, operation: Mapping[str, Any]) -> Any:
    path = _pointer(operation, "path")
    match operation.get("op"):
        case "add":
            return _at(doc, path, _adder(operation.get("value")))
        case "remove":
            return _at(doc, path, _remove)
        case "replace":
            value = operation.get("value")
            return _at(doc, path, _replacer(value)) if path else value
        case "move":
            source = _pointer(operation, "from")
            value = _read(doc, source)
            return _at(_at(doc, source, _remove), path, _adder(value))
        case "copy":
            return _at(doc, path, _adder(_read(doc, _pointer(operation, "from"))))
        case "test":
            _test(doc, path, operation.get("value"))
            return doc
        case _:
            raise inapplicable()


def _pointer(operation: Mapping[str, Any], field: str) -> tuple[str, ...]:
    text = operation.get(field)
    if text is None or (text and not text.startswith("/")):
        raise inapplicable()
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def _at(value: Any, path: tuple[str, ...], change: _Change) -> Any:
    """Return a copy of `value` changed at `path`; only the containers on the way are copied."""
    if not path or not isinstance(value, (dict, list)):
        raise inapplicable()
    copied = value.copy()
    if len(path) == 1:
        change(copied, path[0])
        return copied
    if isinstance(copied, dict):
        if path[0] not in copied:
            raise inapplicable()
        copied[path[0]] = _at(copied[path[0]], path[1:], change)
    else:
        index = _index(path[0], len(copied))
        copied[index] = _at(copied[index], path[1:], change)
    return copied


def _index(text: str, size: int) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise inapplicable()
    index = int(text)
    if not -size <= index < size:
        raise inapplicable()
    return index % size


def _adder(value: Any) -> _Change:
    def add(container: Any, key: str) -> None:
        if isinstance(container, dict):
            container[key] = value
        elif key == "-":
            container.append(value)
        else:
            container.insert(_index(key, len(container) + 1), value)

    return add


def _replacer(value: Any) -> _Change:
    def replace(container: Any, key: str) -> None:
        container[key if isinstance(container, dict) else _index(key, len(container))] = value

    return replace


def _remove(container: Any, key: str) -> None:
    if isinstance(container, list):
        del container[_index(key, len(container))]
    elif key in container:
        del container[key]
    else:
        raise inapplicable()


def _read(value: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list):
            value = value[_index(part, len(value))]
        else:
            raise inapplicable()
    return value


def _test(doc: Any, path: tuple[str, ...], expected: Any) -> None:
    parent = _read(doc, path[:-1])
    # An absent key passes for null.
    absent = bool(path) and isinstance(parent, dict) and path[-1] not in parent
    if not same(None if absent else _read(doc, path), expected):
        raise inapplicable()


def same(one: Any, other: Any) -> bool:
    """Compare as JSON: unlike Python, true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
