"""Reading: one object, a list, a watch."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial

from apimachinery.errors import NotFound, TooManyRequests
from apimachinery.meta import Obj
from apiserver.endpoints import listing
from apiserver.endpoints.api import Read
from apiserver.endpoints.frames import watch_format
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.requestinfo import is_true
from apiserver.registry.converting import shown
from apiserver.watch.stream import Watch, WatchOptions, open_watch


async def get(request: ApiRequest) -> Answer:
    """Return one object."""
    info, resource = request.info, request.resource
    computed = request.api.computed.get(resource.key)
    if computed is not None:
        found = await _computed(request, computed)
        if not found:
            raise NotFound(resource.group_resource, info.name)
        return Answer(obj=found[0])
    listing.check_fresh(request.api.store, request.params)
    namespace = info.namespace if resource.namespaced else ""
    entry = request.api.registry.get(resource, namespace, info.name)
    request.trace.stage("storage")
    if resource.conversion is not None:
        (entry,) = await shown(resource, [entry])
        request.trace.stage("conversion")
    return Answer(entry=entry)


async def _computed(request: ApiRequest, read: Read) -> list[Obj]:
    """Return the objects of which nothing is stored, as the selectors leave them."""
    info, resource = request.info, request.resource
    chosen = listing.Chosen.read(resource, info.namespace, request.params)
    # A list's name is that of its field selector: what it leaves may be nothing.
    found = await read(chosen.namespace or "", info.name if info.verb == "get" else "")
    request.trace.stage("computed", f"{len(found)} objects")
    return [obj for obj in found if chosen.takes(obj)]


async def list_objects(request: ApiRequest) -> Answer:
    """Return the objects that the selectors leave, or a page of them."""
    resource = request.resource
    computed = request.api.computed.get(resource.key)
    if computed is not None:
        return Answer(objs=await _computed(request, computed))
    chosen = listing.Chosen.read(resource, request.info.namespace, request.params)
    found = await listing.list_page(request.api.store, chosen, request.params)
    request.trace.stage("storage", f"{len(found.entries)} objects")
    if resource.conversion is not None:
        found = replace(found, entries=await shown(resource, found.entries))
        request.trace.stage("conversion")
    return Answer(listing=found)


async def watch(request: ApiRequest) -> Answer:
    """Return a stream of events. Raises TooManyRequests where too many are open already."""
    api = request.api
    if api.watches >= api.options.max_watches:
        raise TooManyRequests("too many watches are open, please try again later", 1)
    stream = await open_stream(request)
    if stream.failure is not None:
        request.trace.ended_by(stream.failure)
    else:
        request.trace.stage("watch opened")
    return Answer(stream=stream, close=stream.close, content_type=stream.content_type)


async def open_stream(request: ApiRequest) -> Watch:
    """Open the watch that a request asks for."""
    params, resource, api = request.params, request.resource, request.api
    listing.check_options(params, watch=True)
    initial, after = listing.wants_initial(params)
    chosen = listing.Chosen.read(resource, request.info.namespace, params)
    if request.info.name:
        chosen = chosen.named(request.info.name)
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
        who=request.username,
    )
    show = None if resource.conversion is None else partial(shown, resource)
    return await open_watch(api.store, options, watch_format(request), api.wall, show)


def _timeout(request: ApiRequest) -> float:
    """Return how long a watch may last; one that asks for less than nothing ends at once."""
    if asked := listing.number(request.params, "timeoutSeconds"):
        return max(float(asked), 0.0)
    shortest = request.api.options.min_request_timeout
    return shortest * (1 + random.random())  # noqa: S311 - spreads load, hides nothing
