"""Reading tar archives that nobody vouches for: ustar, with GNU's and pax' long names.

Work and memory are linear in the archive's size, whatever it says of itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = 512
# Names and links may be this long; longer extension headers are no tar that anybody writes.
_LARGEST_EXTENSION = 64 * 1024

FILE, HARD_LINK, LINK, DIRECTORY = "0", "1", "2", "5"
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = "L", "K", "x", "g"
_EXTENSIONS = (_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL)
_OLD_FILES = ("\0", "7")


class BadArchive(ValueError):
    """The bytes are no tar archive, or are cut off."""


@dataclass(slots=True)
class Member:
    """One entry; `data` is a view of the archive."""

    name: str
    kind: str
    mode: int
    size: int
    target: str
    owner: str
    group: str
    data: memoryview

    @property
    def shown(self) -> str:
        return f"{self.name.rstrip('/')}/" if self.kind == DIRECTORY else self.name


def members(archive: bytes) -> Iterator[Member]:
    """Yield the entries of an archive in order. Raises BadArchive."""
    view, at = memoryview(archive), 0
    more: dict[str, str] = {}
    while at + BLOCK <= len(archive):
        head = archive[at : at + BLOCK]
        if not any(head):
            return
        member = _member(head)
        at += BLOCK
        extension = member.kind in _EXTENSIONS
        size = member.size if extension else _pax_size(more, member.size)
        if at + size > len(archive):
            raise BadArchive("short read")
        data = view[at : at + size]
        at += size + -size % BLOCK
        if extension:
            _extend(more, member.kind, data)
            continue
        member.name = more.get("path", member.name)
        member.target = more.get("linkpath", member.target)
        member.size, member.data = size, data
        more = {}
        yield member
    if at < len(archive) or not at:
        raise BadArchive("short read")


def _member(head: bytes) -> Member:
    if _number(head[148:156]) != sum(head[:148]) + 8 * 32 + sum(head[156:]):
        raise BadArchive("invalid tar magic")
    name, prefix = _text(head[:100]), _text(head[345:500])
    kind = chr(head[156])
    if head[257:263] == b"ustar\0" and prefix:
        name = f"{prefix}/{name}"
    if kind in _OLD_FILES:
        # What is older than ustar tells directories by their names.
        kind = DIRECTORY if name.endswith("/") else FILE
    size = _number(head[124:136]) if kind not in (HARD_LINK, LINK, DIRECTORY) else 0
    return Member(
        name=name,
        kind=kind,
        mode=_number(head[100:108]) & 0o7777,
        size=size,
        target=_text(head[157:257]),
        owner=_text(head[265:297]) or str(_number(head[108:116])),
        group=_text(head[297:329]) or str(_number(head[116:124])),
        data=memoryview(b""),
    )


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _number(field: bytes) -> int:
    """Read octal digits, or GNU's binary numbers, which may not be negative here."""
    if field[0] & 0x80:
        if field[0] != 0x80:
            raise BadArchive("invalid tar magic")
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        raise BadArchive("invalid tar magic")
    return int(digits, 8) if digits else 0


def _extend(more: dict[str, str], kind: str, data: memoryview) -> None:
    """Take what an extension header says of the entry behind it."""
    if len(data) > _LARGEST_EXTENSION:
        raise BadArchive("invalid tar magic")
    raw = bytes(data)
    if kind in (_LONG_NAME, _LONG_LINK):
        more["path" if kind == _LONG_NAME else "linkpath"] = _text(raw)
    elif kind == _PAX:
        more.update(_records(raw))


def _records(raw: bytes) -> Iterator[tuple[str, str]]:
    """Yield pax' records: `LENGTH KEY=VALUE` and a line break, LENGTH being that of all of it."""
    at = 0
    while at < len(raw) and raw[at]:
        space = raw.find(b" ", at, at + 12)
        digits = raw[at:space] if space > 0 else b""
        end = at + int(digits) if digits.isdigit() else 0
        key, equals, value = raw[space + 1 : end - 1].partition(b"=")
        if not equals or not space < end <= len(raw):
            raise BadArchive("invalid tar magic")
        yield key.decode("utf-8", "replace"), value.decode("utf-8", "replace")
        at = end


def _pax_size(more: dict[str, str], size: int) -> int:
    given = more.get("size", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 20 else size
