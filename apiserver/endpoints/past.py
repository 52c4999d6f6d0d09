"""Reads of the past: objects and lists as they were at a revision.

The code that serves the present answers them. What is asked for is fetched from the log before
the present's own handler looks for it, in a view of the store that holds nothing else. Ages are
counted to the time of the revision. Custom kinds are as they were defined then; discovery is the
present's. The user's rights are those of now.

    write                       405, in words
    watch, logs, exec, proxies  405: the past does not change, and nothing runs in it
    before what the log keeps   410 Expired, as a watch that asks for it
    after the present           504 with the cause ResourceVersionTooLarge
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from apimachinery.clock import ManualClock
from apimachinery.errors import ApiError, Expired, PathNotFound
from apiserver.endpoints import chain, listing
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.registry.apiextensions.customresourcedefinitions import CUSTOMRESOURCEDEFINITIONS
from apiserver.registry.catalog import Catalog
from apiserver.registry.custom.restating import restated_entry
from apiserver.registry.resource import Resource
from apiserver.storage import ClusterStore, Compacted, Entry, Key, past
from apiserver.storage.cache import ResourceCache

if TYPE_CHECKING:
    from apiserver.endpoints.api import ClusterApi

_READS = ("get", "list")
_PARTS = ("", "status", "scale")


class PastStore:
    """What a store held of one resource at a revision, as far as it was fetched."""

    def __init__(self, store: ClusterStore, revision: int) -> None:
        self._store = store
        self.revision = revision
        self._fetched = ResourceCache()

    def hold(self, entries: Sequence[Entry]) -> None:
        self._fetched = ResourceCache(entries)

    def get(self, key: Key) -> Entry | None:
        return self._fetched.get(key)

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Entry]:
        del resource
        return self._fetched.list(namespace)

    def on_node(self, node: str) -> Sequence[Entry]:
        return [one for one in self._fetched.list(None) if one.field("spec.nodeName") == node]

    async def list_at(self, resource: str, namespace: str | None, revision: int) -> Sequence[Entry]:
        """Return an even earlier list: a query may name a resourceVersion of its own."""
        if revision >= self.revision:
            return self.list(resource, namespace)
        return await self._store.list_at(resource, namespace, revision)


async def read(request: ApiRequest) -> Answer:
    """Answer a GET or LIST as of `request.past`."""
    api, revision = request.api, cast(int, request.past)
    _check_verb(request)
    try:
        request.api = view = await _view(api, revision)
        view.catalog = await _catalog(request, api, revision)
        handler = chain.route(request)
        if request.resource.key not in api.computed:
            entries = await _fetch(request, api.store, revision)
            cast(PastStore, view.store).hold(entries)
    except Compacted as gone:
        raise Expired(str(gone)) from None
    return await handler(request)


def require(store: ClusterStore, revision: int) -> None:
    """Refuse a revision that has not come yet, or is forgotten. Raises Timeout or Expired."""
    if revision > store.revision:
        raise listing.too_large(revision, store.revision)
    if revision < store.oldest:
        raise Expired(str(Compacted(revision, store.oldest)))


def refusal(revision: int, what: str) -> ApiError:
    """Return the refusal of what the past does not have."""
    return ApiError(
        f"this is the cluster as it was at revision {revision}: {what}",
        code=405,
        reason="MethodNotAllowed",
        details={},
    )


def _check_verb(request: ApiRequest) -> None:
    info, revision = request.info, cast(int, request.past)
    if info.subresource not in _PARTS:
        raise refusal(revision, f"{info.subresource} can be had of the present only")
    if info.verb == "watch":
        raise refusal(revision, "it does not change, so there is nothing to watch")
    if info.verb not in _READS:
        raise refusal(revision, "nothing can be changed there")
    if request.api.remotes and request.api.remotes.find(info.path):
        raise refusal(revision, "what extension API servers serve can be had of the present only")
    require(request.api.store, revision)


async def _view(api: ClusterApi, revision: int) -> ClusterApi:
    """Return the API with nothing in its store, and its clock at the time of the revision."""
    store = cast(ClusterStore, PastStore(api.store, revision))  # all that reading asks of one
    view = copy.copy(api)
    view.store = store
    view.registry = copy.copy(api.registry)
    view.registry.store = store
    moments = await api.store.ask(
        revision, lambda cursor, cluster: past.moments(cursor, cluster, [revision])
    )
    view.clock = ManualClock(moments[0][1] if moments else api.clock.seconds())
    return view


async def _catalog(request: ApiRequest, api: ClusterApi, revision: int) -> Catalog:
    """Return what was served: of custom kinds, as they were defined then. Raises PathNotFound."""
    info = request.info
    now = api.catalog.find(info.group, info.version, info.resource)
    if (now is not None and not now.resource.custom) or api.custom_kind is None:
        return api.catalog
    key = Key(CUSTOMRESOURCEDEFINITIONS.key, "", f"{info.resource}.{info.group}")
    entry = await api.store.get_at(key, revision)
    if now is not None and entry is not None and entry is api.store.get(key):
        return api.catalog
    resource = api.custom_kind(entry) if entry is not None else None
    if resource is None:
        raise PathNotFound
    then = Catalog(())
    then.add(resource)
    return then


async def _fetch(request: ApiRequest, store: ClusterStore, revision: int) -> Sequence[Entry]:
    resource, info = request.resource, request.info
    namespace = info.namespace if resource.namespaced else ""
    if info.verb == "get":
        entry = await store.get_at(Key(resource.key, namespace, info.name), revision)
        found: Sequence[Entry] = [] if entry is None else [entry]
    else:
        found = await store.list_at(resource.key, namespace or None, revision)
    request.trace.stage("log", f"{len(found)} objects")
    return _as_then(resource, found)


def _as_then(resource: Resource, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return objects of a custom kind in the version and by the schema that it had."""
    if not resource.custom:
        return entries
    return [restated_entry(resource, entry) for entry in entries]
