"""Reading: one object, a list, a watch."""

from __future__ import annotations

import random

from apimachinery.errors import NotFound
from apimachinery.meta import Obj
from apiserver.endpoints import listing
from apiserver.endpoints.frames import watch_format
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.requestinfo import is_true
from apiserver.registry.core.componentstatuses import computed as component_statuses
from apiserver.watch.stream import Watch, WatchOptions, open_watch

# Kubernetes ends watches without a timeout after 30 to 60 minutes, so that they spread out.
SHORTEST_WATCH = 1800
# Kinds of which nothing is stored: what there is, is computed.
_COMPUTED = {"componentstatuses": component_statuses}


async def get(request: ApiRequest) -> Answer:
    """Return one object."""
    info, resource = request.info, request.resource
    if resource.key in _COMPUTED:
        return Answer(obj=_computed(request, info.name))
    namespace = info.namespace if resource.namespaced else ""
    entry = request.api.registry.get(resource, namespace, info.name)
    request.trace.stage("storage")
    return Answer(entry=entry)


def _computed(request: ApiRequest, name: str) -> Obj:
    for obj in _COMPUTED[request.resource.key]():
        if obj["metadata"]["name"] == name:
            return obj
    raise NotFound(request.resource.group_resource, name)


async def list_objects(request: ApiRequest) -> Answer:
    """Return the objects that the selectors leave, or a page of them."""
    resource = request.resource
    if resource.key in _COMPUTED:
        return Answer(objs=_COMPUTED[resource.key]())
    chosen = listing.Chosen.read(resource, request.info.namespace, request.params)
    found = await listing.list_page(request.api.store, chosen, request.params)
    request.trace.stage("storage", f"{len(found.entries)} objects")
    return Answer(listing=found)


async def watch(request: ApiRequest) -> Answer:
    """Return a stream of events."""
    stream = await open_stream(request)
    request.trace.stage("watch opened")
    return Answer(stream=stream, close=stream.close)


async def open_stream(request: ApiRequest) -> Watch:
    """Open the watch that a request asks for."""
    params, resource, api = request.params, request.resource, request.api
    listing.check_options(params, watch=True)
    initial, after = listing.wants_initial(params)
    chosen = listing.Chosen.read(resource, request.info.namespace, params)
    bookmarks = is_true(params.get("allowWatchBookmarks"))
    options = WatchOptions(
        resource=resource.key,
        namespace=chosen.namespace,
        selector=chosen.selector,
        exact=chosen.exact,
        after=after,
        initial=initial,
        initial_end=initial and bookmarks and "sendInitialEvents" in params,
        bookmarks=bookmarks,
        timeout=_timeout(request),
    )
    return await open_watch(api.store, options, watch_format(request), api.clock)


def _timeout(request: ApiRequest) -> float:
    text = request.params.get("timeoutSeconds", "")
    if text.isascii() and text.isdigit() and int(text):
        return float(text)
    return SHORTEST_WATCH * (1 + random.random())  # noqa: S311 - spreads load, hides nothing
