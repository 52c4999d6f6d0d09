"""The part of a cluster's own OpenAPI that describes one kind, custom kinds included.

A document of a group is up to 860 KB; what one kind refers to is a quarter of that or less. The
part is kept under the document's hash, so a change of a CustomResourceDefinition is seen at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock
from typing import Any

import orjson

from playground.objects.reading import Reader

INDEX = "/openapi/v3"
_PREFIX = "#/components/schemas/"
_MOST = 64


class Parts:
    """Parts of documents that were asked for lately."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, address: str, kind: str) -> bytes | None:
        """Return a part that is kept, and keep it longer."""
        with self._lock:
            found = self._kept.get((address, kind))
            if found is not None:
                self._kept.move_to_end((address, kind))
            return found

    def put(self, address: str, kind: str, part: bytes) -> None:
        """Keep a part; the one that was not asked for the longest goes."""
        with self._lock:
            self._kept[address, kind] = part
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


PARTS = Parts()


def address_of(reader: Reader, api_version: str) -> str | None:
    """Return where the document of a group and version is, with its hash; None if there is none."""
    key = f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
    found = (reader.get(INDEX).get("paths") or {}).get(key)
    return str(found["serverRelativeURL"]) if found else None


def part_of(reader: Reader, address: str, api_version: str, kind: str) -> bytes:
    """Return {"root", "schemas"} of a kind as JSON; root is empty where nothing describes it."""
    kept = PARTS.get(address, kind)
    if kept is None:
        path, _question, query = address.partition("?")
        hash_ = query.removeprefix("hash=")
        # The address is relative to the server's root, which for this cluster is not "/".
        path = path[path.index(INDEX) :]
        document = reader.get(path, **({"hash": hash_} if hash_ else {}))
        kept = orjson.dumps(cut(document, api_version, kind))
        PARTS.put(address, kind, kept)
    return kept


def cut(document: dict[str, Any], api_version: str, kind: str) -> dict[str, Any]:
    """Return the schema of a kind and all that it refers to."""
    schemas = (document.get("components") or {}).get("schemas") or {}
    root = next((key for key, one in schemas.items() if _is(one, api_version, kind)), "")
    found: dict[str, Any] = {}
    waiting = [root] if root else []
    while waiting:
        key = waiting.pop()
        if key in found or key not in schemas:
            continue
        found[key] = schemas[key]
        waiting.extend(_references(schemas[key]))
    return {"root": root, "schemas": found}


def _is(schema: dict[str, Any], api_version: str, kind: str) -> bool:
    group, _slash, version = api_version.rpartition("/")
    wanted = {"group": group, "version": version, "kind": kind}
    return wanted in (schema.get("x-kubernetes-group-version-kind") or ())


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "$ref" and isinstance(one, str):
                yield one.removeprefix(_PREFIX)
            else:
                yield from _references(one)
