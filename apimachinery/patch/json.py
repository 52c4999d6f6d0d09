"""JSON Patch (RFC 6902) with the habits of Kubernetes' library.

An object's key that is not there has the value null, so that it can be replaced, tested and
copied. Negative indexes count from the end. Whatever does not fit is refused in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import orjson

from apimachinery.errors import ApiError, BadRequest, TooLarge
from apimachinery.meta import Obj
from apimachinery.patch.refusals import inapplicable, json_type, undecodable

MAX_OPERATIONS = 10_000
# Bytes that the copies of one patch may add to an object.
MAX_COPIED = 3 * 1024 * 1024
# An index as Go's Atoi reads it, long ones left out.
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII).fullmatch

# What is done to the container that a pointer's last part names a place in.
_Change: TypeAlias = Callable[[Any, str], None]


def apply(doc: Obj, operations: Any) -> Any:
    """Return `doc` with the operations carried out in order, or none of them at all."""
    copied = 0
    for operation in operations or ():
        if operation.get("op") == "copy":
            copied += len(orjson.dumps(_read(doc, _pointer(operation, "from"))))
            if copied > MAX_COPIED:
                raise inapplicable()
        doc = _step(doc, operation)
    return doc


def check(operations: Any, *, strict: bool = True) -> list[str]:
    """Refuse what is no list of operations; return the fields that operations do not have.

    `strict` is how the API server reads patches unless fields are not to be validated: then
    the library reads them alone, and says it in its own words.
    """
    list_type, item_type = (
        ("[]handlers.jsonPatchOp", "handlers.jsonPatchOp")
        if strict
        else ("jsonpatch.Patch", "jsonpatch.Operation")
    )
    if operations is not None and not isinstance(operations, list):
        raise _mismatch(operations, f"value of type {list_type}", strict=strict)
    found: list[str] = []
    given = operations or []
    for index, operation in enumerate(given):
        if not isinstance(operation, dict):
            raise _mismatch(operation, f"value of type {item_type}", strict=strict)
        if strict:
            found += _unknown_fields(operation, index)
    if len(given) > MAX_OPERATIONS:
        raise TooLarge(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(given)}"
        )
    return found


def _unknown_fields(operation: Mapping[str, Any], index: int) -> Iterator[str]:
    for field, given in operation.items():
        if field in ("op", "path", "from"):
            if given is not None and not isinstance(given, str):
                raise _mismatch(given, f"struct field jsonPatchOp.{field} of type string")
        elif field != "value":
            yield f'json patch unknown field "[{index}].{field}"'


def _mismatch(value: Any, into: str, *, strict: bool = True) -> ApiError:
    why = f"json: cannot unmarshal {json_type(value)} into Go {into}"
    return undecodable(why) if strict else BadRequest(why)


def _step(doc: Any, operation: Mapping[str, Any]) -> Any:
    path = _pointer(operation, "path")
    match operation.get("op"):
        case "add":
            return _at(doc, path, _adder(operation.get("value")))
        case "remove":
            return _at(doc, path, _remove)
        case "replace":
            return _replace(doc, path, operation.get("value"))
        case "move":
            source = _pointer(operation, "from")
            value = _read(doc, source)
            return _at(_at(doc, source, _remove), path, _adder(value))
        case "copy":
            return _at(doc, path, _adder(_read(doc, _pointer(operation, "from"))))
        case "test":
            if not same(_read(doc, path) if path else doc, operation.get("value")):
                raise inapplicable()
            return doc
        case _:
            raise inapplicable()


def _pointer(operation: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """Return the parts of a pointer: what stands before its first slash is not looked at."""
    text = operation.get(field)
    if not isinstance(text, str):
        raise inapplicable()
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def _replace(doc: Any, path: tuple[str, ...], value: Any) -> Any:
    if path:
        return _at(doc, path, _replacer(value))
    if not isinstance(value, (dict, list)):
        raise inapplicable()
    return value


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
    if not _NUMBER(text):
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
    """Return what stands at a path; a key that is not there has the value null."""
    if not path:
        raise inapplicable()
    for part in path[:-1]:
        value = _child(value, part)
    return _child(value, path[-1])


def _child(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list):
        return value[_index(part, len(value))]
    raise inapplicable()


def same(one: Any, other: Any) -> bool:
    """Compare as JSON texts: unlike in Python, 1 is neither true nor 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one.__class__ is other.__class__ and bool(one == other)
