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
    work = _Work(doc)
    for operation in operations or ():
        work.step(operation)
    return work.doc


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


class _Work:
    """A document that is being patched.

    What is given is never changed, so a container is copied when it is changed for the first time:
    a patch of many operations costs as much as its parts.
    """

    def __init__(self, doc: Any) -> None:
        self.doc = doc
        # The ids of containers that only this document has.
        self._own: set[int] = set()
        self._copied = 0

    def step(self, operation: Mapping[str, Any]) -> None:
        """Carry out one operation. Raises ApiError where it does not fit."""
        path = _pointer(operation, "path")
        match operation.get("op"):
            case "add":
                self._change(path, _adder(operation.get("value")))
            case "remove":
                self._change(path, _remove)
            case "replace":
                self._replace(path, operation.get("value"))
            case "move":
                source = _pointer(operation, "from")
                value = _read(self.doc, source)
                self._change(source, _remove)
                self._change(path, _adder(value))
            case "copy":
                self._change(path, _adder(self._copy(_pointer(operation, "from"))))
            case "test":
                if not same(_read(self.doc, path) if path else self.doc, operation.get("value")):
                    raise inapplicable()
            case _:
                raise inapplicable()

    def _replace(self, path: tuple[str, ...], value: Any) -> None:
        if path:
            self._change(path, _replacer(value))
        elif isinstance(value, (dict, list)):
            self.doc = value
        else:
            raise inapplicable()

    def _copy(self, source: tuple[str, ...]) -> Any:
        value = _read(self.doc, source)
        self._copied += len(orjson.dumps(value))
        if self._copied > MAX_COPIED:
            raise inapplicable()
        if isinstance(value, (dict, list)):
            # It now stands in two places, and so do its parts.
            self._own.clear()
        return value

    def _change(self, path: tuple[str, ...], change: _Change) -> None:
        """Change the container that the last part of a path names a place in."""
        if not path:
            raise inapplicable()
        self.doc = inside = self._private(self.doc)
        for part in path[:-1]:
            if isinstance(inside, dict):
                if part not in inside:
                    raise inapplicable()
                inside[part] = inside = self._private(inside[part])
            else:
                index = _index(part, len(inside))
                inside[index] = inside = self._private(inside[index])
        change(inside, path[-1])

    def _private(self, value: Any) -> Any:
        if not isinstance(value, (dict, list)):
            raise inapplicable()
        if id(value) in self._own:
            return value
        copied = value.copy()
        self._own.add(id(copied))
        return copied


def _pointer(operation: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """Return the parts of a pointer: what stands before its first slash is not looked at."""
    text = operation.get(field)
    if not isinstance(text, str):
        raise inapplicable()
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


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
