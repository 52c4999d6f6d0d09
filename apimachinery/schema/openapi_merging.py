"""OpenAPI v2 documents of others, merged into ours: as kube-aggregator does it.

Of a document that an extension API server serves, the paths of its own group and version are
taken, and what these refer to. A definition with a name that is taken already gets another one,
unless both say the same; the kinds that it stands for may differ.

Who serves such a document may send anything. `part_of` lets nothing through that the finished
document could not be written with, in either form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import orjson

from apimachinery.schema import openapi_v2

Obj: TypeAlias = dict[str, Any]
# Bytes of a part; one of metrics.k8s.io has 200 KB.
MAX_PART = 2 * 1024 * 1024
# Values inside of values: the finished document has some more around them, and Python has an end.
MAX_DEPTH = 100
_GVK = "x-kubernetes-group-version-kind"
# What operations refer to, and where it stands.
_SHARED = ("definitions", "parameters")


def part_of(raw: bytes, prefix: str) -> bytes | None:
    """Return what a document says of the paths below `prefix`, None where it is no document.

    Parsing 4 MiB takes some 50 ms.
    """
    try:
        part = _filtered(orjson.loads(raw), prefix)
        # Whatever cannot be written later is noticed now, whoever wrote it.
        openapi_v2.encode({"swagger": "2.0", "info": {"title": "", "version": ""}, **part})
        made = orjson.dumps(part)
    except (ValueError, TypeError, LookupError, AttributeError):
        return None
    return made if len(made) <= MAX_PART else None


def merge(document: Obj, parts: Iterable[bytes]) -> None:
    """Add parts to a document, the first one first."""
    for raw in parts:
        part = orjson.loads(raw)
        names = {kind: _renamed(document.get(kind) or {}, part[kind]) for kind in _SHARED}
        _rename(part, names)
        for kind in _SHARED:
            if part[kind]:
                _add(document.setdefault(kind, {}), part[kind])
        for path, item in part["paths"].items():
            document["paths"].setdefault(path, item)


# -- taking a part ---------------------------------------------------------------------------------


def _filtered(document: Any, prefix: str) -> Obj:
    """Return the paths below a prefix, and all that they refer to. Raises ValueError."""
    paths = {path: item for path, item in document["paths"].items() if path.startswith(prefix)}
    found: Obj = {"paths": paths, "definitions": {}, "parameters": {}}
    pending: list[Any] = [paths]
    while pending:
        for kind, name in _references(pending.pop()):
            shared = document.get(kind) or {}
            if name in shared and name not in found[kind]:
                found[kind][name] = shared[name]
                pending.append(shared[name])
    return found


def _references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield what a value refers to. Raises ValueError where it is nested too deep."""
    for node in _nodes(value):
        reference = node.get("$ref")
        if isinstance(reference, str):
            _, _, rest = reference.partition("#/")
            kind, _, name = rest.partition("/")
            if kind in _SHARED:
                yield kind, _unescaped(name)


def _nodes(value: Any) -> Iterator[Obj]:
    """Yield all objects in a value. Raises ValueError where it is nested too deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level, above = [], level
        for one in above:
            if isinstance(one, dict):
                yield one
                level += one.values()
            elif isinstance(one, list):
                level += one
        if not level:
            return
    raise ValueError("nested too deep")


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


# -- adding it -------------------------------------------------------------------------------------


def _renamed(known: Obj, added: Obj) -> dict[str, str]:
    """Return the new names of what has a name that stands for something else already."""
    used = set(known) | set(added)
    names = {}
    for name, one in added.items():
        if name not in known or _same(known[name], one):
            continue
        number, new = 2, f"{name}_v2"
        while new in used and not (new in known and _same(known[new], one)):
            number += 1
            new = f"{name}_v{number}"
        used.add(new)
        names[name] = new
    return names


def _same(one: Obj, other: Obj) -> bool:
    """Tell whether two definitions differ at most in the kinds that they stand for."""
    return {**one, _GVK: None} == {**other, _GVK: None}


def _rename(part: Obj, names: dict[str, dict[str, str]]) -> None:
    """Give what is shared its new names, wherever it is referred to."""
    if not any(names.values()):
        return
    new = {
        f"#/{kind}/{_escaped(old)}": f"#/{kind}/{_escaped(name)}"
        for kind, renamed in names.items()
        for old, name in renamed.items()
    }
    for node in _nodes(part):
        if isinstance(reference := node.get("$ref"), str):
            node["$ref"] = new.get(reference, reference)
    for kind, renamed in names.items():
        part[kind] = {renamed.get(name, name): one for name, one in part[kind].items()}


def _add(known: Obj, added: Obj) -> None:
    for name, one in added.items():
        if name not in known:
            known[name] = one
        elif added_kinds := _kinds(one):
            known[name] = {
                **known[name],
                _GVK: list({**_kinds(known[name]), **added_kinds}.values()),
            }


def _kinds(definition: Obj) -> dict[bytes, Any]:
    """Return the kinds that a definition stands for, by what tells them apart."""
    found = definition.get(_GVK)
    kinds = found if isinstance(found, list) else []
    return {orjson.dumps(kind, option=orjson.OPT_SORT_KEYS): kind for kind in kinds}
