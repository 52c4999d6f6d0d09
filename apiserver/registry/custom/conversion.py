"""Conversion by a webhook: ConversionReview, and what an answer may and may not have changed.

Follows apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go, in its words.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from apimachinery.errors import ApiError
from apimachinery.gvk import GroupVersion, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.structural import defaulting
from apimachinery.structural.pruning import pruned
from apimachinery.validation.field import FieldError, Path, invalid
from apimachinery.validation.metadata import validate_annotations, validate_labels
from apiserver.registry.calling import Address, Call, CallError, ClientError, post
from apiserver.registry.custom.schemas import VersionSchema
from apiserver.storage import Entry

GROUP = "apiextensions.k8s.io"
TIMEOUT = 30.0
# Bytes of converted entries that a cluster keeps.
KEPT = 16 * 1024 * 1024
_REVIEWS = ("v1", "v1beta1")
# What an answer may have changed of the metadata; all else stays as it was.
_FREE = ("labels", "annotations")
_SAME = (("name", "name"), ("namespace", "namespace"), ("uid", "UID"))
Selectable = Mapping[str, Callable[[Obj], str]]


class ConvertedEntries:
    """Entries that were converted lately, so that watchers and repeated reads share one call."""

    def __init__(self, size: int = KEPT) -> None:
        self._most, self._size = size, 0
        self._entries: OrderedDict[Any, Entry] = OrderedDict()

    def get(self, key: Any) -> Entry | None:
        return self._entries.get(key)

    def put(self, key: Any, entry: Entry) -> None:
        """Keep an entry; the oldest are forgotten, and none is kept that is larger than all."""
        before = self._entries.pop(key, None)
        self._size += len(entry.raw) - (0 if before is None else len(before.raw))
        self._entries[key] = entry
        while self._size > self._most:
            _, gone = self._entries.popitem(last=False)
            self._size -= len(gone.raw)


@dataclass(frozen=True, slots=True)
class Converting:
    """What conversions need of their cluster: the way to webhooks, and uids for what they ask."""

    call: Call
    uid: Callable[[], str]
    entries: ConvertedEntries = field(default_factory=ConvertedEntries)


class _Refused(Exception):
    """An answer that is none; the text says why."""


class WebhookConversion:
    """The conversion of one custom kind; keeps apiserver.registry.converting.Conversion."""

    def __init__(
        self,
        conversion: Mapping[str, Any],
        storage: GroupVersionKind,
        schemas: Mapping[str, VersionSchema],
        selectable: Mapping[str, Selectable],
        converting: Converting,
    ) -> None:
        """`schemas` and `selectable` (field selectors) are by version."""
        webhook = conversion.get("webhook") or {}
        self.storage = storage
        self._address = Address.read(webhook.get("clientConfig") or {})
        reviews = webhook.get("conversionReviewVersions") or ()
        self._review = next((each for each in reviews if each in _REVIEWS), "")
        self._schemas, self._selectable = schemas, selectable
        self._call, self._uid, self._entries = converting.call, converting.uid, converting.entries

    async def convert(self, objs: Sequence[Obj], kind: GroupVersionKind) -> list[Obj]:
        """Return objects in a version; only those that are in another one are asked about."""
        found, wanted = list(objs), kind.api_version
        others = [at for at, obj in enumerate(objs) if obj.get("apiVersion") != wanted]
        if not others:
            return found
        first = _kind_of(objs[others[0]])
        if not self._review:
            raise _failed("no supported conversion review versions")
        answers = await self._ask([objs[at] for at in others], wanted, first)
        for at, answer in zip(others, answers, strict=True):
            try:
                found[at] = self._checked(objs[at], answer, kind)
            except _Refused as error:
                raise _failed(f"conversion webhook for {first} {error}") from None
        return found

    async def fields(self, stored: Obj, known: Obj) -> dict[str, str]:
        """Return the selectable fields of an object, of all versions."""
        found: dict[str, str] = {}
        for version, selectable in self._selectable.items():
            if not selectable:
                continue
            kind = GroupVersionKind(self.storage.group, version, self.storage.kind)
            own = next((o for o in (stored, known) if o["apiVersion"] == kind.api_version), None)
            obj = own if own is not None else (await self.convert([stored], kind))[0]
            found |= {path: read(obj) for path, read in selectable.items()}
        return found

    def kept(self, entry: Entry, kind: GroupVersionKind) -> Entry | None:
        return self._entries.get((self, entry.uid, entry.revision, kind.version))

    def keep(self, entry: Entry, kind: GroupVersionKind, shown: Entry) -> None:
        # Its own entries alone: another conversion of the kind makes something else of them.
        self._entries.put((self, entry.uid, entry.revision, kind.version), shown)

    # -- asking ----------------------------------------------------------------------------------

    async def _ask(self, objs: Sequence[Obj], wanted: str, first: GroupVersionKind) -> list[Any]:
        """Return the objects of an answer, as they came. Raises ApiError."""
        uid = self._uid()
        request = {"uid": uid, "desiredAPIVersion": wanted, "objects": list(objs)}
        review = {
            "kind": "ConversionReview",
            "apiVersion": f"{GROUP}/{self._review}",
            "request": request,
        }
        try:
            body = await post(self._call, self._address, orjson.dumps(review), TIMEOUT)
            found = self._read(body, uid)
        except (CallError, ClientError, _Refused) as error:
            raise _failed(f"conversion webhook for {first} failed: {error}") from None
        if len(found) != len(objs):
            raise _failed(
                f"conversion webhook for {first} returned {len(found)} objects, "
                f"expected {len(objs)}"
            )
        return found

    def _read(self, body: bytes, uid: str) -> list[Any]:
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise _Refused(f"couldn't get version/kind; json parse error: {error}") from None
        response = answer.get("response") if isinstance(answer, dict) else None
        if self._review == "v1" and isinstance(answer, dict):
            wanted = f"{GROUP}/v1, Kind=ConversionReview"
            got = f"{answer.get('apiVersion') or ''}, Kind={answer.get('kind') or ''}"
            if got != wanted:
                raise _Refused(f"expected webhook response of {wanted}, got {got}")
        if not isinstance(response, dict):
            raise _Refused("no response provided")
        given = response.get("uid") or ""
        if self._review == "v1" and given != uid:
            raise _Refused(f'expected response.uid="{uid}", got "{given}"')
        result, converted = response.get("result") or {}, response.get("convertedObjects") or []
        if not isinstance(result, dict) or not isinstance(converted, list):
            raise _Refused("the answer is no ConversionReview")
        if result.get("status") != "Success":
            raise _Refused(
                result.get("message")
                or f"response.result.status was '{result.get('status') or ''}', not 'Success'"
            )
        return converted

    # -- what came back --------------------------------------------------------------------------

    def _checked(self, old: Obj, new: Any, kind: GroupVersionKind) -> Obj:
        """Return a converted object, with the metadata that it may not change. Raises _Refused."""
        invalid = "returned invalid object"
        if not isinstance(new, dict) or not new.get("kind"):
            raise _Refused(f"{invalid}: Object 'Kind' is missing")
        got, wanted = new.get("apiVersion") or "", kind.api_version
        if got != wanted:
            said = f"(expected {wanted}, received {got})"
            raise _Refused(f"{invalid} at index 0: invalid groupVersion {said}")
        if new["kind"] != old["kind"]:
            said = f"(expected {old['kind']}, received {new['kind']})"
            raise _Refused(f"{invalid} at index 0: invalid kind {said}")
        before, after = old["metadata"], new.get("metadata")
        meta = after if isinstance(after, dict) else {}
        for name, shown in _SAME:
            have, want = meta.get(name) or "", before.get(name) or ""
            if have != want:
                raise _Refused(f"{invalid}: must have the same {shown}: {want} != {have}")
        wrong = list(_meta_errors(meta))
        if wrong:
            raise _Refused(f"returned invalid metadata: {_joined(wrong)}")
        kept = {key: value for key, value in before.items() if key not in _FREE}
        free = {key: meta[key] for key in _FREE if meta.get(key)}
        return self._fitted({**new, "metadata": {**kept, **free}}, kind)

    def _fitted(self, obj: Obj, kind: GroupVersionKind) -> Obj:
        """Return an object as the schema of its version has it."""
        schema = self._schemas[kind.version].structural
        found: Obj
        found, _ = pruned(obj, schema)
        defaulting.fill(found, schema)
        return found


def _meta_errors(meta: Obj) -> Iterator[FieldError]:
    path = Path("metadata")
    for name in _FREE:
        found = meta.get(name) or {}
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            yield invalid(path / name, found, "must be a map of strings")
            return
    yield from validate_labels(meta.get("labels") or {}, path / "labels")
    yield from validate_annotations(meta.get("annotations") or {}, path / "annotations")


def _joined(errors: Sequence[FieldError]) -> str:
    texts = [str(error) for error in errors]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _kind_of(obj: Obj) -> GroupVersionKind:
    return GroupVersion.parse(obj.get("apiVersion") or "").kind(obj.get("kind") or "")


def _failed(message: str) -> ApiError:
    """Return the error of a failed conversion: one without a reason, as of anything unforeseen."""
    return ApiError(message, code=500, reason="", details={})
