"""Lists and names of this group: how long they may be, and what may not come twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    invalid,
    required,
    too_long,
    too_many,
)
from apimachinery.validation.names import (
    is_c_identifier,
    is_dns1123_subdomain,
    is_label_value,
    is_qualified_name,
)
from apiserver.registry.podspec.checks import obey
from apiserver.registry.storage.parameters import driver_name_errors

T = TypeVar("T")

_LONGEST_ID = 32
_LONGEST_POOL = 253
_uuid_re = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# The shapes besides that which Go's uuid.Validate accepts: bare digits, a URN, braces.
_LENGTHS = (32, 36, 38, 45)


def each(
    items: Sequence[T], most: int, path: Path, rule: Callable[[T, Path], FieldErrors]
) -> FieldErrors:
    """Yield that a list is too long, or else what is wrong with its items; -1: any length."""
    if 0 <= most < len(items):
        yield too_many(path, len(items), most)
        return
    for at, item in enumerate(items):
        yield from rule(item, path[at])


def each_once(
    items: Sequence[T],
    most: int,
    path: Path,
    rule: Callable[[T, Path], FieldErrors],
    key: Callable[[T], Hashable],
) -> FieldErrors:
    """As `each`, and then which items come again."""
    yield from each(items, most, path, rule)
    if 0 <= most < len(items):
        return
    seen: set[Hashable] = set()
    for at, item in enumerate(items):
        if (name := key(item)) in seen:
            yield duplicate(path[at], name)
        seen.add(name)


def each_value(
    items: Mapping[str, T],
    most: int,
    path: Path,
    key_rule: Callable[[str, Path], FieldErrors],
    rule: Callable[[T, Path], FieldErrors],
) -> FieldErrors:
    """Yield that a map is too large, or else what is wrong with its keys and values."""
    if 0 <= most < len(items):
        yield too_many(path, len(items), most)
        return
    for key in sorted(items):
        yield from key_rule(key, path)
        yield from rule(items[key], path.key(key))


def named(item: Mapping[str, Any]) -> str:
    """Return the name of an item, as a key."""
    return item.get("name") or ""


def pool_name_errors(name: str, path: Path) -> FieldErrors:
    if not name:
        yield required(path)
        return
    if len(name) > _LONGEST_POOL:
        yield too_long(path, name, _LONGEST_POOL)
    for part in name.split("/"):
        yield from obey(is_dns1123_subdomain, part, path)


def qualified_name_errors(name: str, path: Path) -> FieldErrors:
    """Yield what is wrong with the name of an attribute or a capacity: `domain/name`, `name`."""
    domain, slash, rest = name.partition("/")
    if "/" in rest:
        yield invalid(path, name, "must not contain more than one slash")
        return
    if not slash:
        yield from _identifier_errors(name, path)
        return
    if domain:
        yield from driver_name_errors(domain, path)
    else:
        yield invalid(path, "", "the domain must not be empty")
    if rest:
        yield from _identifier_errors(rest, path)
    else:
        yield invalid(path, "", "the name must not be empty")


def fully_qualified_name_errors(name: str, path: Path) -> FieldErrors:
    """Yield what is wrong with a name that has to have a domain."""
    yield from qualified_name_errors(name, path)
    if "/" not in name:
        why = "a fully qualified name must be a domain and a name separated by a slash"
        yield invalid(path, name, why)


def _identifier_errors(name: str, path: Path) -> FieldErrors:
    if len(name) > _LONGEST_ID:
        yield too_long(path, name, _LONGEST_ID)
    yield from obey(is_c_identifier, name, path)


def uid_errors(uid: str, path: Path) -> FieldErrors:
    bare = uid.removeprefix("urn:uuid:").strip("{}")
    if len(uid) not in _LENGTHS:
        yield invalid(path, uid, f"error validating uid: invalid UUID length: {len(uid)}")
    elif not _uuid_re.fullmatch(bare) and not re.fullmatch("[0-9a-fA-F]{32}", uid):
        yield invalid(path, uid, "error validating uid: invalid UUID format")
    elif len(uid) != 36 or uid != uid.lower():
        why = (
            "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` "
            "with lowercase hexadecimal characters"
        )
        yield invalid(path, uid, why)


def label_name_errors(name: str, path: Path) -> FieldErrors:
    yield from obey(is_qualified_name, name, path)


def label_value_errors(value: str, path: Path) -> FieldErrors:
    yield from obey(is_label_value, value, path)
