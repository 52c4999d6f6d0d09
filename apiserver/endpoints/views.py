"""REST framework views whose whole dispatch is one coroutine, without threads.

A view holds the policies; `chain.serve` holds the order. One view answers for all resources:
which kind a path means is data, not code.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any, ClassVar

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.views import APIView

from apimachinery.errors import ApiError, Overloaded
from apiserver.auth.user import User
from apiserver.endpoints import chain, compression, encode, info_pages, past, warnings
from apiserver.endpoints.drf import (
    PARSERS,
    ClusterAuthentication,
    ClusterPermission,
    DiscoveryNegotiation,
    JSONRenderer,
    KubernetesNegotiation,
    ResourceRequest,
    YAMLRenderer,
    exception_status,
)
from apiserver.endpoints.negotiation import prettily
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.scope import request_of_scope

logger = logging.getLogger(__name__)

_TEXT = "text/plain; charset=utf-8"
_NOT_KEPT = (b"cache-control", b"no-cache, private")


class ApiView(APIView):
    """Everything under one cluster's address; subclasses say what answers."""

    view_is_async = True
    authentication_classes = (ClusterAuthentication,)
    permission_classes = (ClusterPermission,)
    parser_classes = PARSERS
    renderer_classes = (JSONRenderer, YAMLRenderer)
    content_negotiation_class = KubernetesNegotiation
    throttle_classes = ()
    schema = None
    # None: the path names a resource, and the verb decides.
    handler: ClassVar[Any] = None
    # What answers of the past, where that is another.
    past: ClassVar[Any] = None

    # Pages have media types of their own, so Accept is theirs to read.
    negotiates = True
    # One of each serves all requests: they hold nothing.
    authenticators: ClassVar[tuple[ClusterAuthentication, ...]] = (ClusterAuthentication(),)
    permissions: ClassVar[tuple[ClusterPermission, ...]] = (ClusterPermission(),)
    negotiator: ClassVar[KubernetesNegotiation] = KubernetesNegotiation()

    async def dispatch(  # type: ignore[override]  # awaited by our own handler alone
        self, request: Any, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Take a request through the chain; every refusal becomes a Status here."""
        del args, kwargs
        asked = request_of_scope(request.scope, request.method or "GET")
        wrapped = ResourceRequest(request, asked, self.negotiator)
        self.request = wrapped
        door = ViewDoor(self, wrapped)
        kind = type(self)
        handler = kind.handler if asked.past is None else kind.past or kind.handler
        try:
            await chain.serve(asked, door, handler)
        except Exception as error:
            return refusal_of(asked, exception_status(error))
        return door.response


class ViewDoor:
    """The view's policies, as the chain asks them, and the response in the end."""

    response: HttpResponseBase

    def __init__(self, view: ApiView, request: ResourceRequest) -> None:
        self._view = view
        self._request = request
        self._not_acceptable: ApiError | None = None
        asked = request.asked
        if view.negotiates:
            try:
                # Refusals have the form that was asked for, too, so it is read first.
                asked.output = view.negotiator.output(asked.headers.get("accept", ""))
            except ApiError as error:
                self._not_acceptable = error
        asked.output = prettily(asked.output, asked.params, asked.user_agent)

    def authenticate(self, request: ApiRequest) -> User | Awaitable[User]:
        """Ask the first authenticator: it knows every credential there is."""
        del request
        user, _ = self._view.authenticators[0].authenticate(self._request)
        return user

    def authorize(self, request: ApiRequest) -> None:
        """Ask every permission class; each raises its own refusal."""
        del request
        for permission in self._view.permissions:
            permission.has_permission(self._request, self._view)
        if self._not_acceptable is not None:
            raise self._not_acceptable

    async def respond(self, request: ApiRequest, answer: Answer) -> None:
        """Encode the answer."""
        self.response = await response_of(request, answer)


def refusal_of(asked: ApiRequest, error: ApiError) -> HttpResponseBase:
    """Return the Status of a refusal over HTTP; one of the filters before it says it in a line."""
    if isinstance(error, Overloaded):
        response = HttpResponse(f"{error.message}\n", content_type=_TEXT, status=error.code)
        response["X-Content-Type-Options"] = "nosniff"
    else:
        body, content_type = encode.status_body(error, asked.output)
        response = HttpResponse(body, content_type=content_type, status=error.code)
    if error.retry_after:
        response["Retry-After"] = str(error.retry_after)
    return with_headers(asked, response)


async def response_of(request: ApiRequest, answer: Answer) -> HttpResponseBase:
    """Return an answer over HTTP."""
    if answer.stream is not None:
        kind = answer.content_type or "application/json"
        streaming = StreamingHttpResponse(answer.stream, content_type=kind, status=answer.code)
        streaming.asked = request  # type: ignore[attr-defined]  # its end is told to the request
        return with_headers(request, streaming, answer.headers)
    body, content_type = await encode.body_of(request, answer)
    request.size = len(body)
    request.trace.stage("encode", f"{request.size} bytes")
    headers = answer.headers
    if compression.wanted(body, request.headers):
        body = await compression.compressed(body)
        headers = headers | compression.HEADERS
        request.trace.stage("compress", f"{len(body)} bytes")
    response = HttpResponse(body, content_type=content_type)
    # Set afterwards: Django refuses codes from 600 on, which a proxied server may answer.
    response.status_code = answer.code
    return with_headers(request, response, headers)


def with_headers(
    request: ApiRequest, response: HttpResponseBase, more: dict[str, str] | None = None
) -> HttpResponseBase:
    """Add the headers that every answer has."""
    for name, value in (more or {}).items():
        response[name] = value
    # As bytes, the form in which the handler sends them: Django would look at each again.
    headers = [(b"audit-id", request.trace.audit_id.encode("latin-1"))]
    if not response.has_header("Cache-Control"):
        headers.append(_NOT_KEPT)
    if request.warnings:
        headers += warnings.headers(request.warnings)
    if request.flow is not None:
        headers += request.flow.headers
    response.more_headers = headers  # type: ignore[attr-defined]
    return response


class ResourceView(ApiView):
    """Objects of every kind."""

    past = staticmethod(past.read)


class DiscoveryView(ApiView):
    """What is served: groups, versions, resources."""

    content_negotiation_class = DiscoveryNegotiation
    negotiator = DiscoveryNegotiation()
    handler = staticmethod(info_pages.discovery_page)


class PageView(ApiView):
    """Everything that is no object: version, health, metrics, OpenAPI, keys."""

    negotiates = False
    handler = staticmethod(info_pages.page)
