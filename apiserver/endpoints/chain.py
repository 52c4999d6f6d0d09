"""The way of every request, from who asks to what they get.

    audit id -> authentication -> impersonation -> priority and limits -> authorization
      -> what is asked for
      read:   storage
      write:  decode -> default -> mutating admission -> default -> prepare -> validate
              -> validating admission -> storage
    -> encode

`serve` is the first line, `write` and `remove` hold the others in this order. Each stage leaves
its time and outcome in the request's trace.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import CoroutineType
from typing import Any, Protocol

from apimachinery.errors import (
    ApiError,
    BadRequest,
    InternalError,
    PathNotFound,
    ServiceUnavailable,
    Timeout,
    TooLarge,
)
from apimachinery.fields import FieldRequirement, parse_fields
from apimachinery.patch.refusals import failed
from apiserver.auth.attributes import Attributes, forbidden
from apiserver.auth.user import User
from apiserver.endpoints import limits, observing, read, remove, subresources, write
from apiserver.endpoints.aggregation.proxying import handler_of
from apiserver.endpoints.negotiation import PROTOBUF, Output, negotiate, not_acceptable
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.registry.catalog import Served
from apiserver.storage import Oversized, StorageError

logger = logging.getLogger(__name__)

# What etcd takes, with room for the request around it.
LARGEST_BODY = 3 * 1024 * 1024

Handler = Callable[[ApiRequest], Awaitable[Answer]]

_VERBS: dict[str, Handler] = {
    "get": read.get,
    "list": read.list_objects,
    "watch": read.watch,
    "create": write.create,
    "update": write.update,
    "patch": write.patch,
    "delete": remove.delete,
    "deletecollection": remove.delete_collection,
}

# The verbs whose requests a field selector narrows down.
_OF_MANY = frozenset({"list", "watch", "deletecollection"})

# Served, and on their way out: clients are told so with every answer.
_DEPRECATED = {
    "componentstatuses": "v1 ComponentStatus is deprecated in v1.19+",
    "endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}


class Door(Protocol):
    """What differs between the ways in: how it is found out who asks, and whether they may."""

    def authenticate(self, request: ApiRequest) -> User | Awaitable[User]:
        """Return who asks, impersonation included; whose keys are far is to be waited for.

        Raises Unauthorized.
        """
        ...

    def authorize(self, request: ApiRequest) -> None:
        """Raise Forbidden where the user may not."""
        ...

    def respond(self, request: ApiRequest, answer: Answer) -> Awaitable[None] | None:
        """Put the answer into the form that goes out; returns what to wait for, if anything."""
        ...


async def serve(request: ApiRequest, door: Door, handler: Handler | None = None) -> Answer:
    """Answer a request, or raise the ApiError that refuses it."""
    trace = request.trace
    answer: Answer | None = None
    refusal: ApiError | None = None
    try:
        limit = limits.time_limit(request)
        if limit is None:
            answer = await _serve(request, door, handler)
        else:
            answer = await _serve_within(limit, request, door, handler)
        trace.code = answer.code
    except Exception as error:
        refusal = as_api_error(error)
        if not isinstance(error, ApiError | StorageError):
            observing.panicked(request, error)
        trace.refused(refusal)
        if refusal is error:
            raise
        raise refusal from error
    finally:
        observing.finish(request, answer, refusal)
    return answer


async def _serve_within(
    limit: float, request: ApiRequest, door: Door, handler: Handler | None
) -> Answer:
    try:
        async with asyncio.timeout(limit) as end:
            return await _serve(request, door, handler)
    except TimeoutError:
        if not end.expired():
            raise
        why = "request did not complete within requested timeout - context deadline exceeded"
        raise Timeout(f"Timeout: {why}", details={}) from None


async def _serve(request: ApiRequest, door: Door, handler: Handler | None) -> Answer:
    """Take a request through the stages; it holds its place until its answer is made."""
    trace = request.trace
    who = door.authenticate(request)
    request.user = who if isinstance(who, User) else await who
    trace.user = request.user.name
    trace.stage("authentication")
    if request.api.trouble:
        await request.api.trouble.meet(request)
    if request.api.audit is not None:
        request.audit = request.api.audit.begin(request, request.real_user or request.user)
    place: Any = limits.enter(request)
    if isinstance(place, CoroutineType):
        place = await place
        trace.stage("priority and fairness", request.flow.label if request.flow else "")
    try:
        door.authorize(request)
        trace.stage("authorization")
        if request.oversized:
            raise too_large()
        elsewhere = handler_of(request) if request.api.remotes and request.past is None else None
        answer = await (elsewhere or handler or route(request))(request)
        waiting = door.respond(request, answer)
        if waiting is not None:
            await waiting
        return answer
    finally:
        if place is not None:
            place.leave()


def too_large() -> TooLarge:
    """Return the refusal of a body that was not read to its end."""
    return TooLarge(f"Request entity too large: limit is {LARGEST_BODY}")


def as_api_error(error: Exception) -> ApiError:
    """Return the refusal that an exception means; what nobody foresaw is logged."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Oversized):
        return failed(str(error))
    if isinstance(error, StorageError):
        return ServiceUnavailable(f"storage: {error}")
    logger.error("a request failed", exc_info=error)
    return InternalError(str(error) or type(error).__name__)


def authorize(request: ApiRequest) -> None:
    """Ask the cluster's authorizers. Raises Forbidden."""
    attributes = attributes_of(request, request.user or User(""))
    decision = request.api.auth.authorize(attributes)
    request.trace.decision = decision
    if not decision.allowed:
        raise forbidden(attributes, decision.reason)


def attributes_of(request: ApiRequest, user: User) -> Attributes:
    """Return a request as authorization sees it."""
    info = request.info
    selector = request.params.get("fieldSelector", "") if info.verb in _OF_MANY else ""
    return info.asked_by(user, fields=_requirements(selector) if selector else ())


def _requirements(selector: str) -> tuple[FieldRequirement, ...]:
    """Return what a selector demands; one that nobody can read narrows nothing down."""
    try:
        return parse_fields(selector).requirements
    except BadRequest:
        return ()


def route(request: ApiRequest) -> Handler:
    """Return what answers a request for a resource. Raises PathNotFound or MethodNotAllowed."""
    info, resource = request.info, _find(request).resource
    if resource.deprecation:
        _deprecated(request, resource.deprecation)
    _check_scope(request)
    if not info.subresource:
        if info.verb not in resource.verbs:
            raise not_allowed()
        if resource.key in _DEPRECATED:
            _deprecated(request, _DEPRECATED[resource.key])
        if resource.verbs == ("create",):
            return subresources.review
        return _VERBS[info.verb]
    part = resource.subresources.get(info.subresource)
    if part is None:
        raise PathNotFound
    handler = subresources.HANDLERS.get(info.subresource)
    # What a proxy hands on is for who listens there to allow.
    if info.verb not in part.verbs and info.subresource != "proxy":
        raise not_allowed()
    if handler is not None and part.strategy is None:
        return handler
    return _VERBS[info.verb]


def _find(request: ApiRequest) -> Served:
    """Find what the path names. Raises PathNotFound, or NotAcceptable where it has no message."""
    info = request.info
    served = request.api.catalog.find(info.group, info.version, info.resource)
    if served is None:
        raise PathNotFound
    request.served = served
    if served.resource.custom and request.output.media_type == PROTOBUF:
        raise not_acceptable()
    if request.output.transform == "Table" and served.resource.verbs == ("create",):
        # Nothing of a review is kept, so it has no columns: another form, if the client takes one.
        request.output = _without_tables(request)
    return served


def _without_tables(request: ApiRequest) -> Output:
    found = negotiate(request.headers.get("accept", ""), tables=False)
    if found is None:
        raise not_acceptable()
    return found


def _check_scope(request: ApiRequest) -> None:
    """Refuse paths that look right but are not: a name too many, a namespace too few."""
    info, resource = request.info, request.resource
    if request.method == "HEAD" and info.subresource != "proxy":
        raise not_allowed()
    collection = info.verb in ("list", "watch", "deletecollection")
    if resource.namespaced:
        if not info.namespace and info.verb not in ("list", "watch"):
            # All of them can be listed, and nothing else; one of them has no such path.
            one = info.name and info.verb != "deletecollection"
            raise PathNotFound() if one else not_allowed()
    elif info.namespace and resource.plural != "namespaces":
        raise PathNotFound
    if not collection and not info.subresource:
        if (info.verb == "create") == bool(info.name):
            raise not_allowed()
    elif not info.verb and info.subresource != "proxy":
        raise not_allowed()


def _deprecated(request: ApiRequest, text: str) -> None:
    """Tell that what is asked for is on its way out, and count that it was asked for."""
    info = request.info
    request.warn([text])
    request.trace.notes["k8s.io/deprecated"] = "true"
    request.api.metrics.deprecated.add(
        (info.group, info.version, info.resource, info.subresource, "")
    )


def not_allowed() -> ApiError:
    """Return the refusal of a method that a path does not have."""
    return ApiError(
        "the server does not allow this method on the requested resource",
        code=405,
        reason="MethodNotAllowed",
        details={},
    )
