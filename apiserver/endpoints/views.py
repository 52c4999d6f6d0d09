"""REST framework views whose whole dispatch is one coroutine, without threads.

A view holds the policies; `chain.serve` holds the order. One view answers for all resources:
which kind a path means is data, not code.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from apiserver.auth.user import User
from apiserver.endpoints import chain, encode, info_pages
from apiserver.endpoints.drf import (
    PARSERS,
    ClusterAuthentication,
    ClusterPermission,
    DiscoveryNegotiation,
    JSONRenderer,
    KubernetesNegotiation,
    YAMLRenderer,
    exception_status,
)
from apiserver.endpoints.negotiation import DEFAULT
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.scope import request_of_scope

logger = logging.getLogger(__name__)


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

    _authenticators: ClassVar[Any] = (ClusterAuthentication(),)
    _permissions: ClassVar[Any] = (ClusterPermission(),)
    _negotiator: ClassVar[Any] = KubernetesNegotiation()

    async def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Take a request through the chain; every refusal becomes a Status here."""
        del args, kwargs
        asked = request_of_scope(request.scope, request.method or "GET")
        drf_request = Request(request, authenticators=(), negotiator=self._negotiator)
        drf_request.api = asked
        self.request = drf_request
        try:
            asked.output = self._negotiator.output(asked.headers.get("accept", ""))
            handler = type(self).handler
            answer = await chain.serve(asked, self, handler)
            return response_of(asked, answer)
        except Exception as error:  # the one exception handler of the API
            return self.handle_exception(error)

    def authenticate(self, request: ApiRequest) -> User:
        """Ask the authenticators in turn, as REST framework does."""
        del request
        for authenticator in self._authenticators:
            user, _ = authenticator.authenticate(self.request)
            return user
        raise AssertionError("no authenticators")

    def authorize(self, request: ApiRequest) -> None:
        """Ask every permission class; each raises its own refusal."""
        del request
        for permission in self._permissions:
            permission.has_permission(self.request, self)

    def handle_exception(self, exc: Exception) -> HttpResponseBase:  # type: ignore[override]
        """Return the Status of a refusal."""
        asked: ApiRequest = self.request.api
        error = exception_status(exc)
        body, content_type = encode.status_body(error, asked.output or DEFAULT)
        response = HttpResponse(body, content_type=content_type, status=error.code)
        if error.retry_after:
            response["Retry-After"] = str(error.retry_after)
        if error.code == 401:
            response["WWW-Authenticate"] = "Bearer"
        return with_headers(asked, response)


def response_of(request: ApiRequest, answer: Answer) -> HttpResponseBase:
    """Return an answer over HTTP."""
    if answer.stream is not None:
        kind = answer.content_type or "application/json"
        streaming = StreamingHttpResponse(answer.stream, content_type=kind, status=answer.code)
        return with_headers(request, streaming, answer.headers)
    body, content_type = encode.body_of(request, answer)
    request.trace.stage("encode", f"{len(body)} bytes")
    response = HttpResponse(body, content_type=content_type, status=answer.code)
    return with_headers(request, response, answer.headers)


def with_headers(
    request: ApiRequest, response: HttpResponseBase, more: dict[str, str] | None = None
) -> HttpResponseBase:
    """Add the headers that every answer has."""
    response["Audit-Id"] = request.trace.audit_id
    response["Cache-Control"] = "no-cache, private"
    for name, value in (more or {}).items():
        response[name] = value
    if request.warnings:
        # Header values have no line breaks, and quotes are escaped (RFC 7234).
        response["Warning"] = ", ".join(f"299 - {_quoted(text)}" for text in request.warnings)
    return response


def _quoted(text: str) -> str:
    flat = " ".join(text.splitlines())
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'


class ResourceView(ApiView):
    """Objects of every kind."""


class DiscoveryView(ApiView):
    """What is served: groups, versions, resources."""

    content_negotiation_class = DiscoveryNegotiation
    _negotiator = DiscoveryNegotiation()
    handler = staticmethod(info_pages.discovery_page)


class PageView(ApiView):
    """Everything that is no object: version, health, metrics, OpenAPI, keys."""

    _negotiator = KubernetesNegotiation()
    handler = staticmethod(info_pages.page)

    async def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Pages have their own media types, so Accept is theirs to read."""
        return await _dispatch_page(self, request)


async def _dispatch_page(view: ApiView, request: Any) -> HttpResponseBase:
    asked = request_of_scope(request.scope, request.method or "GET")
    view.request = Request(request, authenticators=(), negotiator=None)
    view.request.api = asked
    try:
        answer = await chain.serve(asked, view, type(view).handler)
        return response_of(asked, answer)
    except Exception as error:
        return view.handle_exception(error)
