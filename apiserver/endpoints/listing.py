"""Which objects of a resource a list or a watch is about, and as of when.

Selectors, pages, and the rules for resourceVersion and resourceVersionMatch, with the words of
k8s.io/apimachinery apis/meta/internalversion/validation and k8s.io/apiserver storage.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from apimachinery.caching import kept_if_short
from apimachinery.errors import ApiError, BadRequest, Expired, Invalid, Timeout
from apimachinery.fields import EVERY_FIELD, FieldRequirement, FieldSelector, parse_fields
from apimachinery.gvk import GroupKind
from apimachinery.labels import EVERYTHING, Selector, parse_selector
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, not_supported
from apiserver.endpoints.request import Listing
from apiserver.endpoints.requestinfo import is_true
from apiserver.registry.resource import Resource
from apiserver.storage import ClusterStore, Compacted, Entry, Key

_EVERYWHERE = ("metadata.name", "metadata.namespace")
# Kinds that read field labels themselves; all others leave it to what is common to all.
_OWN_WORDS = frozenset(
    {
        "certificatesigningrequests.certificates.k8s.io",
        "events",
        "namespaces",
        "nodes",
        "pods",
        "replicationcontrollers",
        "secrets",
        "services",
    }
)
_MATCH = Path("resourceVersionMatch")
_LIST_OPTIONS = GroupKind("meta.k8s.io", "ListOptions")
_TOKEN_VERSION = "meta.k8s.io/v1"
_INCONSISTENT = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)

# Digits and a sign of 64 bits, with room for leading zeros.
_LONGEST_NUMBER = 40
_WHOLE = re.compile(r"[+-]?[0-9]+")
_labels = kept_if_short(512)(parse_selector)
_fields = kept_if_short(512)(parse_fields)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What selectors leave of a resource."""

    resource: Resource
    namespace: str | None
    labels: Selector
    fields: FieldSelector

    @classmethod
    def read(cls, resource: Resource, namespace: str, params: Mapping[str, str]) -> Chosen:
        """Read the selectors of a query. Raises BadRequest."""
        within = namespace or None if resource.namespaced else None
        if not params:
            return cls(resource, within, EVERYTHING, EVERY_FIELD)
        labels = _labels(params.get("labelSelector", ""))
        fields = _fields(params.get("fieldSelector", ""))
        return cls(resource, within, labels, _named(resource, fields))

    def named(self, name: str) -> Chosen:
        """Return what is left with a name from the path. Raises BadRequest where both differ."""
        if not self.fields.requirements:
            only = FieldSelector((FieldRequirement("metadata.name", "=", name),))
            return replace(self, fields=only)
        if self.fields.exact("metadata.name") != name:
            raise BadRequest("fieldSelector metadata.name doesn't match requested name")
        return self

    @property
    def everything(self) -> bool:
        return self.labels.empty and not self.fields.requirements

    @property
    def selector(self) -> Callable[[Entry], bool] | None:
        """Return the test for an entry, None where all of them pass."""
        return None if self.everything else self._matches

    @property
    def exact(self) -> tuple[str, str] | None:
        """Return one field that has to have a certain value: a watch can be routed by it."""
        for requirement in self.fields.requirements:
            if requirement.operator == "=":
                return requirement.field, requirement.value
        return None

    def select(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return those of the entries that the selectors leave."""
        if self.everything:
            return entries
        return [entry for entry in entries if self._matches(entry)]

    def now(self, store: ClusterStore) -> Sequence[Entry]:
        """Return what there is; a single name is looked up, not searched for."""
        name = self.fields.exact("metadata.name")
        if name and (self.namespace is not None or not self.resource.namespaced):
            entry = store.get(Key(self.resource.key, self.namespace or "", name))
            return self.select([entry]) if entry is not None else []
        if self.resource.key == "pods" and (node := self.fields.exact("spec.nodeName")):
            found = store.on_node(node)
            return self.select([e for e in found if self.namespace in (None, e.key.namespace)])
        return self.select(store.list(self.resource.key, self.namespace))

    def takes(self, obj: Obj) -> bool:
        """Tell whether the selectors leave an object of which nothing is stored."""
        meta = obj["metadata"]
        if not self.labels.matches(meta.get("labels") or {}):
            return False
        known = {"metadata.name": meta["name"], "metadata.namespace": meta.get("namespace") or ""}
        return all(
            (known.get(one.field, "") == one.value) == (one.operator == "=")
            for one in self.fields.requirements
        )

    def _matches(self, entry: Entry) -> bool:
        if not self.labels.matches(entry.labels):
            return False
        for one in self.fields.requirements:
            if (entry.field(one.field) == one.value) != (one.operator == "="):
                return False
        return True


def _named(resource: Resource, fields: FieldSelector) -> FieldSelector:
    """Return a selector with the fields' own names for what it calls them. Raises BadRequest."""
    if not fields.requirements:
        return fields
    # Kinds with words of their own take no namespace where they are in none.
    own = resource.key in _OWN_WORDS and not resource.namespaced
    common = _EVERYWHERE[:1] if own else _EVERYWHERE
    labels = resource.field_labels
    for one in fields.requirements:
        known = resource.selectable if labels is None else labels
        if one.field not in common and one.field not in known:
            raise _unknown_field(resource, one.field)
    if labels is None:
        return fields
    renamed = [one._replace(field=labels.get(one.field, one.field)) for one in fields.requirements]
    return FieldSelector(tuple(renamed))


def _unknown_field(resource: Resource, name: str) -> BadRequest:
    """Refuse a field in the words of the kind's own conversion, where it has one."""
    if resource.key == "jobs.batch":
        return BadRequest(f'field label "{name}" not supported for Job')
    if resource.key == "resourceslices.resource.k8s.io":
        return BadRequest(f"field label not supported for {resource.kind}: {name}")
    if resource.key in _OWN_WORDS or (resource.custom and resource.selectable):
        return BadRequest(f"field label not supported: {name}")
    known = ", ".join(f'"{one}"' for one in _EVERYWHERE)
    return BadRequest(f'"{name}" is not a known field selector: only {known}')


def check_options(params: Mapping[str, str], *, watch: bool) -> None:
    """Refuse options that contradict each other. Raises Invalid."""
    errors = list(_watch_errors(params) if watch else _list_errors(params))
    if errors:
        raise Invalid(_LIST_OPTIONS, "", errors)


def _list_errors(params: Mapping[str, str]) -> FieldErrors:
    match, version = params.get("resourceVersionMatch", ""), params.get("resourceVersion", "")
    if match:
        if not version:
            why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
            yield forbidden(_MATCH, why)
        if params.get("continue"):
            yield forbidden(_MATCH, "resourceVersionMatch is forbidden when continue is provided")
        if match not in ("Exact", "NotOlderThan"):
            yield not_supported(_MATCH, match, ("Exact", "NotOlderThan", ""))
        if match == "Exact" and version == "0":
            why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
            yield forbidden(_MATCH, why)
    if "sendInitialEvents" in params:
        yield forbidden(Path("sendInitialEvents"), "sendInitialEvents is forbidden for list")


def _watch_errors(params: Mapping[str, str]) -> FieldErrors:
    match, initial = params.get("resourceVersionMatch", ""), "sendInitialEvents" in params
    if initial and match != "NotOlderThan":
        why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        yield forbidden(_MATCH, why)
    if match:
        if not initial:
            why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            yield forbidden(_MATCH, why)
        if match != "NotOlderThan":
            yield not_supported(_MATCH, match, ("NotOlderThan",))
        if params.get("continue"):
            yield forbidden(_MATCH, "resourceVersionMatch is forbidden when continue is provided")


async def list_page(store: ClusterStore, chosen: Chosen, params: Mapping[str, str]) -> Listing:
    """Return a list, or a page of it. Raises BadRequest, Expired or Timeout."""
    if not params:
        return Listing(chosen.now(store), store.revision)
    check_options(params, watch=False)
    limit = number(params, "limit")
    if token := params.get("continue"):
        return await _next_page(store, chosen, params, token, limit)
    revision = _wanted(store, params, paged=bool(limit))
    if revision is None:
        # "Anything will do" is answered from the cache, which knows no pages.
        limit = 0 if params.get("resourceVersion") == "0" else limit
        return _page(chosen.now(store), store.revision, limit, count=chosen.everything)
    try:
        found = await store.list_at(chosen.resource.key, chosen.namespace, revision)
    except Compacted:
        raise Expired("The resourceVersion for the provided list is too old.") from None
    return _page(chosen.select(found), revision, limit, count=chosen.everything)


def _wanted(store: ClusterStore, params: Mapping[str, str], *, paged: bool) -> int | None:
    """Return the past revision to show, None for the present."""
    text = params.get("resourceVersion", "")
    if not text or text == "0":
        return None
    try:
        revision = parse_revision(text)
    except ApiError as error:
        raise BadRequest(f"invalid resource version: {error.message}") from None
    if revision > store.revision:
        raise too_large(revision, store.revision)
    match = params.get("resourceVersionMatch", "")
    exact = match == "Exact" or (not match and paged)
    return revision if exact and revision < store.revision else None


def check_fresh(store: ClusterStore, params: Mapping[str, str]) -> None:
    """Refuse a resourceVersion that has not come yet, or is none."""
    text = params.get("resourceVersion", "")
    if text and (revision := parse_revision(text)) > store.revision:
        raise too_large(revision, store.revision)


def too_large(revision: int, current: int) -> ApiError:
    """Return the answer to a revision that has not come yet."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return Timeout(
        f"Timeout: Too large resource version: {revision}, current: {current}",
        details={"causes": [cause], "retryAfterSeconds": 1},
    )


def parse_revision(text: str) -> int:
    """Read a resourceVersion. Raises the error of a field without a class, as the storage does."""
    problem = "invalid syntax"
    if text.isascii() and text.isdigit():
        if len(text) <= _LONGEST_NUMBER and (revision := int(text)) < 2**64:
            return revision
        problem = "value out of range"
    why = f'strconv.ParseUint: parsing "{text}": {problem}'
    raise ApiError(f'resourceVersion: Invalid value: "{text}": {why}', code=500, reason="")


def number(params: Mapping[str, str], name: str) -> int:
    """Return a query's whole number, 0 where it has none. Raises BadRequest."""
    text = params.get(name, "")
    if not text:
        return 0
    if not _WHOLE.fullmatch(text):
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if len(text) > _LONGEST_NUMBER or not -(2**63) <= (number := int(text)) < 2**63:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": value out of range')
    return number


def _page(
    entries: Sequence[Entry], revision: int, limit: int, *, count: bool, keep: bool = True
) -> Listing:
    if limit <= 0 or len(entries) <= limit:
        return Listing(entries, revision)
    page = entries[:limit]
    left = len(entries) - limit if count else None
    token = _token(page[-1].key, revision if keep else -1)
    return Listing(page, revision, token, left)


def _token(last: Key, revision: int) -> str:
    start = f"{last.namespace}/{last.name}"
    raw = orjson.dumps({"v": _TOKEN_VERSION, "rv": revision, "start": start + "\x00"})
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def _next_page(
    store: ClusterStore, chosen: Chosen, params: Mapping[str, str], token: str, limit: int
) -> Listing:
    if params.get("resourceVersion") not in (None, "", "0"):
        raise BadRequest("specifying resource version is not allowed when using continue")
    revision, namespace, name = _read_token(token)
    last = Key(chosen.resource.key, namespace, name)
    consistent = revision > 0
    if not consistent:
        revision = store.revision
    try:
        found = await store.list_at(chosen.resource.key, chosen.namespace, revision)
    except Compacted:
        raise PageExpired(_token(last, -1)) from None
    rest = [entry for entry in chosen.select(found) if entry.key.path > last.path]
    return _page(rest, revision, limit, count=chosen.everything, keep=consistent)


def _read_token(token: str) -> tuple[int, str, str]:
    try:
        padded = token + "=" * (-len(token) % 4)
        parsed: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(padded))
        namespace, _, name = parsed["start"].rstrip("\x00").partition("/")
        return int(parsed["rv"]), namespace, name
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadRequest(f"continue key is not valid: {error}") from None


class PageExpired(Expired):
    """A page of a list as it was is no longer there; the list can go on as it is now."""

    def __init__(self, proceed: str) -> None:
        super().__init__(_INCONSISTENT)
        self._proceed = proceed

    def status(self) -> dict[str, Any]:
        return super().status() | {"metadata": {"continue": self._proceed}}


def wants_initial(params: Mapping[str, str]) -> tuple[bool, int | None]:
    """Return whether a watch begins with what there is, and after which revision it goes on."""
    text = params.get("resourceVersion", "")
    revision = parse_revision(text) if text else 0
    if "sendInitialEvents" in params:
        if is_true(params["sendInitialEvents"]):
            return True, None
        return False, revision or None
    return revision == 0, revision or None
