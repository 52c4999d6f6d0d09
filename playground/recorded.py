"""Reads a recording that somebody has sent. Nothing in it is believed.

The file is unpacked piece by piece and read line by line: what is too large is known before it is
in memory. Every object is read and checked as one of its kind (`recorded_kinds`), and every change
has to fit what was there.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from apimachinery.errors import ApiError, BadRequest
from apimachinery.meta import Obj, labels_of
from apimachinery.validation.names import is_dns1123_label, is_path_segment
from apiserver.registry.apiextensions.customresourcedefinitions import (
    CUSTOMRESOURCEDEFINITIONS as DEFINITIONS,
)
from apiserver.registry.catalog import Catalog
from apiserver.registry.resource import Resource
from apiserver.storage import Imported, Key, imported
from apiserver.storage.staging import LARGEST as LARGEST_OBJECT
from playground.cluster_templates import DEFAULT, TEMPLATES
from playground.failures import carrying
from playground.machines import LARGEST as MOST_NODES
from playground.recorded_kinds import RecordedKinds

# Of what the file unpacks to.
LARGEST_UNPACKED = 256 * 1024 * 1024
MOST_CHANGES, MOST_OBJECTS = 100_000, 25_000
# One object may be written with escapes, which its stored form has not.
_LARGEST_LINE = 2 * LARGEST_OBJECT
_PIECE = 64 * 1024
# What one transaction takes: some 10 ms.
_BATCH, _BATCH_BYTES = 250, 2 * 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_OPEN = b',"changes":['
_DEFINITION = DEFINITIONS.key.encode()
_YEAR = 366 * 86400.0
_UID = re.compile(r"[0-9A-Za-z-]{1,64}")
_NAME = re.compile(r"[^\x00-\x20\x7f]{1,253}")
_TEXT = re.compile(r"[^\x00]{0,512}")
# Without these nothing in a cluster works: the file is no recording of one.
_NEEDED = (
    Key("namespaces", "", "default"),
    Key("namespaces", "", "kube-system"),
    Key("clusterroles.rbac.authorization.k8s.io", "", "cluster-admin"),
)


class Recorded:
    """A recording. Methods raise BadRequest, with the line that is wrong. For a thread."""

    def __init__(self, data: bytes, now: float, catalog: Catalog) -> None:
        self._latest = now + _YEAR
        self._lines = enumerate(_lines(data), start=1)
        self._alive: dict[Key, str] = {}
        self._revision = 0
        self.changes = 0
        self.skipped: Counter[str] = Counter()
        self._read_head()
        self._kinds = RecordedKinds(catalog, secrets=self.secrets)
        if self.oldest:
            self._learn_kinds_left(data)

    def batch(self) -> list[Imported]:
        """Return the next changes; none at the end of a file in which all was well."""
        found: list[Imported] = []
        size = 0
        while len(found) < _BATCH and size < _BATCH_BYTES:
            number, line = next(self._lines, (0, b""))
            if not number:
                raise BadRequest("the recording ends before its last line")
            if line == b"]}":
                self._check_end(number)
                break
            with self._at(number):
                change = self._change(orjson.loads(line.removesuffix(b",")))
            if change is not None:
                found.append(change)
                size += len(change.raw)
        return found

    def _read_head(self) -> None:
        _, line = next(self._lines, (0, b""))
        head = None
        if line.endswith(_OPEN):
            try:
                head = orjson.loads(line.removesuffix(_OPEN) + b"}")
            except ValueError:
                head = None
        if not isinstance(head, dict) or head.get("kind") != "Recording":
            raise BadRequest("line 1: this is not the beginning of a recording")
        if head.get("apiVersion") != "kubeground.io/v1":
            raise BadRequest("line 1: apiVersion must be kubeground.io/v1")
        self.oldest, self.newest = _whole(head, "oldest"), _whole(head, "newest")
        if self.oldest > self.newest:
            raise BadRequest("line 1: oldest is after newest")
        cluster = head.get("cluster")
        about = cluster if isinstance(cluster, dict) else {}
        self.nodes = _whole(about, "nodes", MOST_NODES)
        template = about.get("template")
        self.template = template if isinstance(template, str) and template in TEMPLATES else DEFAULT
        self.secrets = head.get("secrets") is True
        with self._at(1):
            self.moments = carrying.read(head.get("failures", []), self.newest)

    def _learn_kinds_left(self, data: bytes) -> None:
        """Learn the kinds of what compaction left: a definition may have been written last."""
        for number, line in enumerate(_lines(data), start=1):
            if _DEFINITION not in line:
                continue
            with self._at(number):
                given = orjson.loads(line.removesuffix(b","))
                if given.get("resource") == DEFINITIONS.key and given["revision"] <= self.oldest:
                    self._read_object(given, DEFINITIONS)

    @contextmanager
    def _at(self, number: int) -> Iterator[None]:
        """Say of what goes wrong in which line it did."""
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError):
            raise BadRequest(f"line {number}: this is not the JSON of one change") from None
        except ApiError as error:
            raise BadRequest(f"line {number}: {error}") from None

    def _check_end(self, number: int) -> None:
        if any(line for _, line in self._lines):
            raise BadRequest(f"line {number + 1}: something follows the end of the recording")
        for key in _NEEDED:
            if key not in self._alive:
                kind = key.resource.partition(".")[0]
                raise BadRequest(f"this is no whole cluster: {kind} “{key.name}” is missing")
        # Whoever asks once more is at the end again.
        self._lines = enumerate([b"]}"], start=number)

    def _change(self, given: Any) -> Imported | None:
        if not isinstance(given, dict):
            raise BadRequest("a change is a JSON object")
        self.changes += 1
        if self.changes > MOST_CHANGES:
            raise BadRequest(f"there are more than {MOST_CHANGES} changes")
        revision = _whole(given, "revision")
        if not self._revision < revision <= self.newest:
            raise BadRequest(f"revision {revision} is out of order")
        self._revision = revision
        named = _text(given, "resource")
        resource = self._kinds.get(named)
        if resource is None:
            self._skip(named)
            return None
        key, obj = self._read_object(given, resource)
        self._follow(key, obj["metadata"]["uid"], given.get("type"), revision)
        fields = {
            path: read(obj) for path, read in (resource.indexed or resource.selectable).items()
        }
        about = (self._moment(given.get("at")), _text(given, "actor"), _text(given, "trace"))
        change = imported(key, given["type"], revision, obj, (labels_of(obj), fields), about)
        if len(change.raw) > LARGEST_OBJECT:
            raise BadRequest(f"the object is larger than {LARGEST_OBJECT} bytes")
        return change

    def _read_object(self, given: dict[str, Any], resource: Resource) -> tuple[Key, Obj]:
        """Return an object of a change, sound by all that is known of its kind."""
        obj = self._kinds.read(given.get("object"), resource)
        key = _key(given, obj, resource)
        uid = obj["metadata"].get("uid")
        if not isinstance(uid, str) or not _UID.fullmatch(uid):
            raise BadRequest("metadata.uid is not a uid")
        self._kinds.check(resource, key, obj, self._moment(given.get("at")))
        if resource is DEFINITIONS:
            self._kinds.learn(str(given.get("type")), obj, orjson.dumps(obj))
        return key, obj

    def _skip(self, resource: str) -> None:
        if len(self.skipped) >= 100 and resource not in self.skipped:
            raise BadRequest("there are more than 100 kinds that nothing defines")
        self.skipped[resource] += 1

    def _follow(self, key: Key, uid: str, type_: Any, revision: int) -> None:
        """Keep account of what is there. What compaction left begins with any change."""
        there = self._alive.get(key)
        match type_:
            case "ADDED" if there is None:
                self._alive[key] = uid
            case "MODIFIED" if there == uid or (there is None and revision <= self.oldest):
                self._alive[key] = uid
            case "DELETED" if there == uid:
                del self._alive[key]
            case "ADDED" | "MODIFIED" | "DELETED":
                raise BadRequest(f"{type_} does not fit what was there of “{key.name}”")
            case _:
                raise BadRequest("type must be ADDED, MODIFIED or DELETED")
        if len(self._alive) > MOST_OBJECTS:
            raise BadRequest(f"there are more than {MOST_OBJECTS} objects at once")

    def _moment(self, at: Any) -> float:
        number = isinstance(at, int | float) and not isinstance(at, bool)
        if not number or not 0 <= at <= self._latest:
            raise BadRequest("at must be seconds since 1970, and no more than a year ahead")
        return float(at)


def _key(given: dict[str, Any], obj: Obj, resource: Resource) -> Key:
    meta = obj["metadata"]
    name, namespace = meta.get("name", ""), meta.get("namespace", "")
    if (name, namespace) != (given.get("name"), given.get("namespace", "")):
        raise BadRequest("name and namespace are not those of the object")
    if not _NAME.fullmatch(name) or is_path_segment(name):
        raise BadRequest("metadata.name is not a name")
    if is_dns1123_label(namespace) if resource.namespaced else namespace:
        raise BadRequest("metadata.namespace is not a namespace that the object can have")
    return Key(resource.key, namespace, name)


def _whole(given: dict[str, Any], name: str, most: int = 2**53) -> int:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise BadRequest(f"{name} must be a whole number from 0 to {most}")
    return value


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise BadRequest(f"{name} must be a text of up to 512 characters")
    return value


def _lines(data: bytes) -> Iterator[bytes]:
    """Unpack, and yield the lines that are not empty. Raises BadRequest."""
    buffer = bytearray()
    for piece in _unpacked(data):
        first = piece.find(b"\n")
        if first >= 0:
            *lines, rest = (buffer + piece).split(b"\n")
            yield from (bytes(line) for line in lines if line)
            buffer = bytearray(rest)
        else:
            buffer += piece
        if len(buffer) > _LARGEST_LINE:
            raise BadRequest(f"a line of the recording is longer than {_LARGEST_LINE} bytes")
    if buffer:
        yield bytes(buffer)


def _unpacked(data: bytes) -> Iterator[bytes]:
    unpack = zlib.decompressobj(_GZIP)
    size, at = 0, 0
    try:
        while not unpack.eof:
            fresh = unpack.unconsumed_tail
            if not fresh:
                fresh, at = data[at : at + _PIECE], at + _PIECE
            piece = unpack.decompress(fresh, _PIECE)
            if not piece and not fresh:
                raise BadRequest("the file ends too early: it was cut off")
            size += len(piece)
            if size > LARGEST_UNPACKED:
                most = LARGEST_UNPACKED // 1024**2
                raise BadRequest(f"the recording unpacks to more than {most} MiB")
            yield piece
    except zlib.error:
        raise BadRequest("this is not a gzip file, or it is damaged") from None
    if unpack.unused_data or at < len(data):
        raise BadRequest("something follows the end of the gzip file")
