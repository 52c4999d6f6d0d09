"""Write `apimachinery/data/go_types.json`: what Kubernetes' Go types know and no schema says.

Run by a developer when the Kubernetes version moves, never at set-up:

    python scripts/build_go_types.py --kubectl .venv/bin/kubectl [--also HELM] [--check]

An OpenAPI schema has no protobuf numbers, no `omitempty`, and no Go type names, which the
server's error messages quote. A Go program that speaks Kubernetes carries all of them in the
type descriptors that `reflect` reads; this script reads them out of the ELF file. `--also` adds
types that kubectl does not link (apiextensions is in helm). Only facts are written: names,
numbers, flags.
"""

from __future__ import annotations

import argparse
import json
import mmap
import re
import struct
import sys
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OUTPUT = Path(__file__).resolve().parent.parent / "apimachinery" / "data" / "go_types.json"

# reflect.Kind of the types that an API type may be built of.
KINDS = {
    1: "bool", 2: "int", 3: "int8", 4: "int16", 5: "int32", 6: "int64", 7: "uint", 8: "uint8",
    9: "uint16", 10: "uint32", 11: "uint64", 13: "float32", 14: "float64", 20: "interface",
    24: "string",
}  # fmt: skip
ARRAY, MAP, POINTER, SLICE, STRUCT = 17, 21, 22, 23, 25
# Size of the descriptor in front of the uncommon part, by kind; 48 where the kind adds nothing.
DESCRIPTOR_SIZE = {17: 72, 18: 64, 19: 56, 20: 80, 22: 56, 23: 56, 25: 80}
HAS_UNCOMMON, EXTRA_STAR, NAMED = 1, 2, 4
HAS_TAG, EMBEDDED = 2, 8

ROOTS = re.compile(
    r"k8s\.io/(api/[a-z0-9]+/v\w+|apimachinery/pkg/apis/meta/v\w+|apimachinery/pkg/runtime"
    r"|apiextensions-apiserver/pkg/apis/apiextensions/v1|kube-aggregator/pkg/apis/\w+/v1)\.[A-Z]\w*$"
)
VARINT, FIXED64, BYTES = 0, 1, 2


@dataclass(frozen=True)
class GoField:
    """A field of a struct: its Go name, tags, and a descriptor's address as its type."""

    name: str
    tag: str
    type: int
    embedded: bool


class Binary:
    """The type descriptors of one ELF file made by Go, by virtual address."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if self._data[:4] != b"\x7fELF":
            raise SystemExit(f"{path} is not an ELF file")
        self._segments = list(self._loaded_segments())
        structs = self._struct_candidates()
        self._base = self._find_base(structs)
        self.structs = [at for at in structs if self._plausible_name(at)]

    def _loaded_segments(self) -> Iterator[tuple[int, int, int]]:
        (offset,) = struct.unpack_from("<Q", self._data, 32)
        size, count = struct.unpack_from("<HH", self._data, 54)
        for index in range(count):
            kind, _, at, address, _, length = struct.unpack_from(
                "<IIQQQQ", self._data, offset + index * size
            )
            if kind == 1 and length:
                yield address, at, length

    def _offset(self, address: int) -> int:
        for start, at, length in self._segments:
            if start <= address < start + length:
                return at + address - start
        raise ValueError(f"address {address:#x} is not in the file")

    def _word(self, address: int) -> int:
        return int(struct.unpack_from("<Q", self._data, self._offset(address))[0])

    def _struct_candidates(self) -> list[int]:
        """Return addresses that look like descriptors of structs with fields.

        A descriptor has the kind in byte 23 and a slice of fields at 56: a pointer, and a length
        that equals the capacity. Few other words look so, and names weed those out.
        """
        found = []
        for start, at, length in self._segments:
            words = array("Q", self._data[at : at + length // 8 * 8])
            found += [
                start + index * 8
                for index in range(len(words) - 9)
                if words[index + 8] == words[index + 9]
                and 0 < words[index + 8] < 300
                and words[index + 2] >> 56 & 31 == STRUCT
            ]
        return found

    def _find_base(self, structs: list[int]) -> int:
        """Return the address that name offsets count from: the start of read-only data.

        Several segments and sections start near it, so the one wins under which most
        descriptors get a name like "*v1.Pod".
        """
        names = re.compile(rb"[\x00-\x0f]([\x02-\x60])\*\w+\.\w+")
        offsets = [struct.unpack_from("<i", self._data, self._offset(a) + 40)[0] for a in structs]
        votes: Counter[int] = Counter()
        for base in self._section_starts():
            try:
                at = self._offset(base)
            except ValueError:
                continue
            votes[base] = sum(
                1 for o in offsets if o > 0 and names.match(self._data[at + o : at + o + 100])
            )
        return votes.most_common(1)[0][0]

    def _section_starts(self) -> Iterator[int]:
        (offset,) = struct.unpack_from("<Q", self._data, 40)
        size, count = struct.unpack_from("<HH", self._data, 58)
        for index in range(count):
            address, _, length = struct.unpack_from("<QQQ", self._data, offset + index * size + 16)
            if address and length:
                yield address
                # The linker may put other read-only data in front of the types.
                yield from (address + 32, address + 64)

    def _name(self, address: int) -> tuple[int, str, str]:
        at = self._offset(address)
        flags = self._data[at]
        name, at = self._text(at + 1)
        tag = self._text(at)[0] if flags & HAS_TAG else ""
        return flags, name, tag

    def _text(self, at: int) -> tuple[str, int]:
        length = shift = 0
        while True:
            byte = self._data[at]
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        return self._data[at : at + length].decode(), at + length

    def _plausible_name(self, address: int) -> bool:
        try:
            name = self.full_name(address)
            return bool(ROOTS.match(name) or "/" in name) and all(
                f.name.isidentifier() for f in self.fields(address)
            )
        except (ValueError, IndexError, UnicodeDecodeError, struct.error):
            return False

    def kind(self, address: int) -> int:
        return self._data[self._offset(address) + 23] & 31

    def full_name(self, address: int) -> str:
        """Return "k8s.io/api/core/v1.Pod" for a named type, "" for any other."""
        at = self._offset(address)
        flags = self._data[at + 20]
        if not flags & NAMED:
            return ""
        (name_offset,) = struct.unpack_from("<i", self._data, at + 40)
        name = self._name(self._base + name_offset)[1]
        name = name[1:] if flags & EXTRA_STAR else name
        if not flags & HAS_UNCOMMON:
            return name
        size = DESCRIPTOR_SIZE.get(self.kind(address), 48)
        if self.kind(address) == MAP:
            return name
        (package,) = struct.unpack_from("<i", self._data, at + size)
        if package <= 0:
            return name
        return f"{self._name(self._base + package)[1]}.{name.rpartition('.')[2]}"

    def element(self, address: int) -> int:
        return self._word(address + 48)

    def map_types(self, address: int) -> tuple[int, int]:
        return self._word(address + 48), self._word(address + 56)

    def fields(self, address: int) -> list[GoField]:
        start, count = self._word(address + 56), self._word(address + 64)
        found = []
        for at in range(start, start + 24 * count, 24):
            flags, name, tag = self._name(self._word(at))
            found.append(GoField(name, tag, self._word(at + 8), bool(flags & EMBEDDED)))
        return found


class Extractor:
    """Collects the API types of one binary, and every type that they are made of."""

    def __init__(self, binary: Binary) -> None:
        self._binary = binary
        self.structs: dict[str, list[list[object]]] = {}
        self.named: dict[str, str] = {}

    def run(self) -> None:
        for address in self._binary.structs:
            if ROOTS.match(self._binary.full_name(address)):
                self._struct(address)

    def _struct(self, address: int) -> str:
        name = self._binary.full_name(address)
        if not name:
            return "struct"
        if name in self.structs or not name.startswith("k8s.io/"):
            return name
        rows: list[list[object]] = []
        self.structs[name] = rows
        rows += filter(None, map(self._field, self._binary.fields(address)))
        return name

    def _field(self, field: GoField) -> list[object] | None:
        json_tag = re.search(r'json:"([^"]*)"', field.tag)
        proto = re.search(r'protobuf:"([^"-]+)"', field.tag)
        name, *options = (json_tag[1] if json_tag else "-").split(",")
        if (name == "-" or not json_tag) and not proto:
            return None
        go_type = self._type(field.type)
        key = int(proto[1].split(",")[1]) << 3 | self._wire(go_type) if proto else 0
        inline = "inline" in options or (field.embedded and not name)
        flags = "".join(
            letter
            for letter, present in (
                ("e", "omitempty" in options),
                ("z", "omitzero" in options),
                ("i", inline),
            )
            if present
        )
        return ["" if inline else name or field.name, key, go_type, flags]

    def _wire(self, go_type: str) -> int:
        """Return the wire type. The tags have it too, but some call a number "bytes"."""
        if go_type == "[]uint8" or go_type.startswith("map["):
            return BYTES
        bare = go_type.removeprefix("*").removeprefix("[]").removeprefix("*")
        bare = self.named.get(bare, bare)
        if bare in ("float32", "float64"):
            return FIXED64
        return VARINT if bare in KINDS.values() and bare not in ("string", "interface") else BYTES

    def _type(self, address: int) -> str:
        """Return the type as Go writes it, with whole package paths."""
        kind, name = self._binary.kind(address), self._binary.full_name(address)
        if kind == STRUCT:
            return self._struct(address)
        if "." in name:
            if name not in self.named:
                self.named[name] = ""
                self.named[name] = self._composite(address, kind)
            return name
        return self._composite(address, kind)

    def _composite(self, address: int, kind: int) -> str:
        if kind == POINTER:
            return "*" + self._type(self._binary.element(address))
        if kind in (SLICE, ARRAY):
            return "[]" + self._type(self._binary.element(address))
        if kind == MAP:
            key, value = self._binary.map_types(address)
            return f"map[{self._type(key)}]{self._type(value)}"
        return KINDS.get(kind, "other")


def only_reached(structs: dict[str, list[list[object]]]) -> dict[str, list[list[object]]]:
    """Return the types of the API packages and what they use, without machinery."""
    keep: dict[str, list[list[object]]] = {}
    pending = [name for name in structs if ROOTS.match(name)]
    while pending:
        name = pending.pop()
        if name in keep or name not in structs:
            continue
        keep[name] = structs[name]
        for row in structs[name]:
            pending += re.findall(r"[\w.\-/]+\.\w+", str(row[2]))
    return {name: keep[name] for name in sorted(keep)}


def render(structs: dict[str, list[list[object]]], named: dict[str, str]) -> str:
    """Write one type a line, so that a new version shows as a diff of the types that changed."""
    packages = sorted({name.rpartition(".")[0] for name in (*structs, *named)})
    short = {package: f"${index}" for index, package in enumerate(packages)}

    def brief(text: str) -> str:
        return re.sub(
            r"([\w.\-/]+)\.(\w+)",
            lambda m: f"{short[m[1]]}.{m[2]}" if m[1] in short else m[0],
            text,
        )

    def line(name: str, rows: list[list[object]]) -> str:
        brief_rows = [[row[0], row[1], brief(str(row[2])), row[3]] for row in rows]
        return f"{json.dumps(brief(name))}:{json.dumps(brief_rows, separators=(',', ':'))}"

    lines = [line(name, rows) for name, rows in structs.items()]
    others = [f"{json.dumps(brief(k))}:{json.dumps(brief(v))}" for k, v in sorted(named.items())]
    return (
        '{"packages":' + json.dumps(packages, separators=(",\n", ":"))
        + ',\n"named":{' + ",\n".join(others)
        + '},\n"structs":{' + ",\n".join(lines) + "}}\n"
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kubectl", type=Path, required=True)
    parser.add_argument("--also", type=Path, action="append", default=[])
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    options = parser.parse_args()
    structs: dict[str, list[list[object]]] = {}
    named: dict[str, str] = {}
    for path in (options.kubectl, *options.also):
        extractor = Extractor(Binary(path))
        extractor.run()
        structs = extractor.structs | structs
        named = extractor.named | named
    structs = only_reached(structs)
    used = " ".join(str(row[2]) for rows in structs.values() for row in rows)
    reached = set(re.findall(r"[\w.\-/]+\.\w+", used))
    named = {name: text for name, text in named.items() if name in reached}
    text = render(structs, named)
    if options.check:
        return 0 if text == OUTPUT.read_text() else 1
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(text)
    sys.stdout.write(f"{len(structs)} structs, {len(named)} other types, {len(text)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
