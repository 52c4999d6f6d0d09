"""Builds the type table from the installed schema package, as `make setup` asks it to.

Two sources are joined by the name of the type. The schema package has the structure as
Kubernetes publishes it, with list types, merge keys and descriptions; `go_types.json` has what
only Go knows. The result is two files that are not kept in version control:

    apimachinery/data/types.jsonl              a line for each type, read one by one on demand
    apimachinery/data/types.descriptions.json  the published definitions, for OpenAPI alone

A build that finds its inputs unchanged does nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Any

import orjson

from apimachinery.schema import gotypes

DATA = Path(__file__).resolve().parent.parent / "data"
TYPES = DATA / "types.jsonl"
DEFINITIONS = DATA / "types.descriptions.json"
SOURCES = (DATA / "go_types.json", DATA / "go_types_extra.json")
# Raise when the form of the output changes, so that files of an older form are made anew.
FORMAT = 1
VERSION = "v1.36."
_META = "k8s.io/apimachinery/pkg/apis/meta/v1."
_EXTENSIONS = {
    "x-kubernetes-list-type": "lt",
    "x-kubernetes-list-map-keys": "lk",
    "x-kubernetes-map-type": "mt",
    "x-kubernetes-patch-strategy": "ps",
    "x-kubernetes-patch-merge-key": "pk",
}


def definitions_file() -> Path:
    """Find the schema of our Kubernetes version in the installed `kubernetes-validate`."""
    spec = importlib.util.find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package kubernetes-validate is not installed")
    folder = Path(spec.origin).parent / "kubernetes-json-schema"
    found = sorted(folder.glob(f"{VERSION}*-local/_definitions.json"))
    if not found:
        raise FileNotFoundError(f"kubernetes-validate has no schema for {VERSION}x in {folder}")
    return found[-1]


def build(*, force: bool = False) -> bool:
    """Make the files where they are missing or old. Return whether anything was written."""
    schema = definitions_file()
    stamp = _stamp(schema)
    if not force and stamp_of_output() == stamp:
        return False
    definitions: dict[str, Any] = orjson.loads(schema.read_bytes())["$defs"]
    lines = [orjson.dumps({"stamp": stamp})]
    lines += [
        name.encode() + b"\t" + orjson.dumps(record)
        for name, record in sorted(records(definitions).items())
    ]
    _replace(DEFINITIONS, orjson.dumps(definitions))
    _replace(TYPES, b"\n".join(lines))
    return True


def records(definitions: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Join both sources: definition name -> record, as `TypeTable` reads it."""
    structs: dict[str, list[gotypes.Row]] = {}
    named: dict[str, str] = {}
    for source in SOURCES:
        more_structs, more_named = gotypes.read(source)
        structs |= more_structs
        named |= more_named
    groups = _groups(definitions)
    found = {}
    for go_name, rows in structs.items():
        name = gotypes.definition_name(go_name)
        found[name] = _record(go_name, rows, named, definitions.get(name, {}))
        if "gvk" not in found[name] and any(row[2] == _META + "TypeMeta" for row in rows):
            package, _, kind = name.rpartition(".")
            if package in groups:
                found[name]["gvk"] = [[*groups[package], kind]]
    return found


def _record(
    go_name: str, rows: list[gotypes.Row], named: dict[str, str], definition: dict[str, Any]
) -> dict[str, Any]:
    properties = definition.get("properties", {})
    record: dict[str, Any] = {
        "go": go_name,
        "f": [
            [row[0], row[1], gotypes.resolve(row[2], named), row[3]]
            + [x for x in [_extensions(properties.get(row[0], {}))] if x]
            for row in rows
        ],
    }
    if required := definition.get("required"):
        record["req"] = required
    if extensions := _extensions(definition):
        record["x"] = extensions
    if kinds := definition.get("x-kubernetes-group-version-kind"):
        record["gvk"] = [[k["group"], k["version"], k["kind"]] for k in kinds]
    return record


def _extensions(schema: dict[str, Any]) -> dict[str, Any]:
    return {short: schema[long] for long, short in _EXTENSIONS.items() if long in schema}


def _groups(definitions: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return package -> (group, version), as the kinds that are published tell it.

    Kinds such as PodExecOptions are never published, and belong to their package's group.
    """
    groups: dict[str, tuple[str, str]] = {}
    for name, definition in definitions.items():
        kinds = definition.get("x-kubernetes-group-version-kind", ())
        if len(kinds) == 1:
            groups[name.rpartition(".")[0]] = (kinds[0]["group"], kinds[0]["version"])
    groups["io.k8s.apimachinery.pkg.apis.meta.v1"] = ("meta.k8s.io", "v1")
    return groups


def _stamp(schema: Path) -> str:
    digest = hashlib.sha256(f"{FORMAT} {schema.parent.name}".encode())
    for path in (schema, *SOURCES):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def stamp_of_output() -> str:
    """Return what the present files were made from, "" where there are none."""
    if not TYPES.exists() or not DEFINITIONS.exists():
        return ""
    with TYPES.open("rb") as file:
        try:
            return str(orjson.loads(file.readline()).get("stamp"))
        except orjson.JSONDecodeError:
            return ""


def _replace(path: Path, content: bytes) -> None:
    """Write beside and rename, so that a reader never sees half a file."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    beside.replace(path)
