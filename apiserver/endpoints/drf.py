"""REST framework's policies, as the API has them: who asks, whether they may, and in what form.

The classes are what REST framework expects to be configured with; the rules are in `auth`,
`chain` and `negotiation`, which know nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

import orjson
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from apimachinery.errors import ApiError
from apiserver.auth.user import User
from apiserver.endpoints import body, chain, yaml
from apiserver.endpoints.negotiation import (
    JSON,
    YAML,
    Output,
    negotiate,
    not_acceptable,
)
from apiserver.endpoints.request import ApiRequest
from apiserver.endpoints.scope import user_of_scope


class ResourceRequest(Request):
    """REST framework's request, with the same thing in the terms of the API beside it."""

    def __init__(self, request: Any, asked: ApiRequest, negotiator: Any) -> None:
        super().__init__(request, parsers=(), authenticators=(), negotiator=negotiator)
        self.asked = asked
        self.scope: Mapping[str, Any] = request.scope


class ClusterAuthentication(BaseAuthentication):
    """Client certificates, bearer tokens of every kind, anonymous; then impersonation."""

    def authenticate(self, request: Request) -> tuple[User | Awaitable[User], None]:
        """Return who asks. Raises Unauthorized, or Forbidden where they may not be another."""
        if not isinstance(request, ResourceRequest):
            raise TypeError("not a request of the API")
        return user_of_scope(request.asked, request.scope), None


class ClusterPermission(BasePermission):
    """The node authorizer and RBAC. Raises Forbidden itself, since it knows why."""

    def has_permission(self, request: Request, view: Any) -> bool:
        del view
        if isinstance(request, ResourceRequest):
            chain.authorize(request.asked)
            return True
        return False


class _Parser(BaseParser):
    """Hands the bytes on: what they mean depends on the kind, which is known only later."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        del media_type, parser_context
        return stream.read()


class JSONParser(_Parser):
    media_type = body.JSON


class YAMLParser(_Parser):
    media_type = body.YAML


class ProtobufParser(_Parser):
    media_type = body.PROTOBUF


class JSONPatchParser(_Parser):
    media_type = body.JSON_PATCH


class MergePatchParser(_Parser):
    media_type = body.MERGE_PATCH


class StrategicMergePatchParser(_Parser):
    media_type = body.STRATEGIC_PATCH


class ApplyPatchParser(_Parser):
    media_type = body.APPLY_PATCH


PARSERS = (
    JSONParser,
    YAMLParser,
    ProtobufParser,
    JSONPatchParser,
    MergePatchParser,
    StrategicMergePatchParser,
    ApplyPatchParser,
)


class JSONRenderer(BaseRenderer):
    """Stored bytes as they are; anything else by orjson."""

    media_type = JSON
    format = "json"

    def render(
        self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
    ) -> Any:
        del accepted_media_type, renderer_context
        return data if isinstance(data, bytes) else orjson.dumps(data)


class YAMLRenderer(BaseRenderer):
    """YAML, keys in order."""

    media_type = YAML
    format = "yaml"

    def render(
        self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
    ) -> Any:
        del accepted_media_type, renderer_context
        return yaml.dump(orjson.loads(data) if isinstance(data, bytes) else data)


class KubernetesNegotiation(BaseContentNegotiation):
    """Picks by media type, and by the `as`, `g` and `v` parameters that Kubernetes adds."""

    discovery = False

    def output(self, accept: str) -> Output:
        """Return the form of the answer. Raises NotAcceptable."""
        found = negotiate(accept, discovery=self.discovery)
        if found is None:
            raise not_acceptable()
        return found

    def select_parser(self, request: Request, parsers: Any) -> Any:
        kind = request.content_type.partition(";")[0].strip() or JSON
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        del format_suffix
        output = self.output(request.headers.get("accept", ""))
        chosen = next(one for one in renderers if one.media_type == output.media_type)
        return chosen, output.media_type


class DiscoveryNegotiation(KubernetesNegotiation):
    """Discovery knows the aggregated form instead of tables."""

    discovery = True


def exception_status(error: Exception) -> ApiError:
    """Return the refusal that an exception means: the only place where one becomes a Status."""
    return chain.as_api_error(error)
