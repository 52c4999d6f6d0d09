"""The REST API of requests: lists, one with what came of it, what stages do, the audit log."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, gateway
from playground.tracing.restricting import only_of
from playground.tracing.serializers import DetailsKeptSerializer

_TEXTS = {
    "who": 'Whose requests: "people", "workers" or "all".',
    "user": 'A user name, a short one ("deployment-controller"), or a place ("kubelet").',
    "verb": 'A verb of the API ("create").',
    "resource": 'A plural ("pods").',
    "namespace": "A namespace.",
    "object": 'What was asked about or written: "pods/default/web-1", "nodes/n1", "web-1".',
    "terminal": "The id of a terminal: what was typed in it.",
    "session": "The Kubectl-Session of a run of kubectl: all that it asked for.",
    "code": 'A status code: "403", "4xx", or "refused" for all from 400 on.',
}
_NUMBERS = {
    "limit": "How many at most, up to 500.",
    "after": "Only those whose number is larger.",
}
FILTERS = (*_TEXTS, *_NUMBERS)
_PARAMETERS = [
    *(OpenApiParameter(name, str, description=text) for name, text in _TEXTS.items()),
    *(OpenApiParameter(name, int, description=text) for name, text in _NUMBERS.items()),
]


def _cluster(request: Request, name: str) -> Cluster:
    return access.find(gateway(), access.signed_in(request.user), name)


class Traces(APIView):
    """The last requests of a cluster."""

    @extend_schema(
        parameters=_PARAMETERS, responses=OpenApiTypes.OBJECT, operation_id="list_traces"
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the last requests, the newest first; of one who is viewed as, their own alone."""
        cluster = _cluster(request, name)
        given = {key: request.query_params[key] for key in FILTERS if key in request.query_params}
        given |= only_of(access.signed_in(request.user), cluster)
        return Response(gateway().control(cluster.name, "traces", params=given))


class OneTrace(APIView):
    """One request."""

    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="read_trace")
    def get(self, request: Request, name: str, audit_id: str) -> Response:
        """Return a request by its Audit-ID, and all that came of it."""
        cluster = _cluster(request, name)
        only = only_of(access.signed_in(request.user), cluster)
        return Response(gateway().control(cluster.name, "traces", audit_id, params=only))


class Details(APIView):
    """Whether it is noted what stages do."""

    @extend_schema(
        request=DetailsKeptSerializer,
        responses=OpenApiTypes.OBJECT,
        operation_id="record_trace_details",
    )
    def put(self, request: Request, name: str) -> Response:
        """Note for so many seconds what the stages of writes change; 0 ends it."""
        cluster = _cluster(request, name)
        wanted = DetailsKeptSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        body: dict[str, Any] = dict(wanted.validated_data)
        return Response(
            gateway().control(cluster.name, "traces", "details", method="PUT", json=body)
        )


class Audit(APIView):
    """The last events of the audit log."""

    @extend_schema(
        parameters=[OpenApiParameter("limit", int, description="How many at most.")],
        responses=OpenApiTypes.OBJECT,
        operation_id="list_audit_events",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the last events, the newest first; none where the operator keeps no audit log."""
        user = access.signed_in(request.user)
        # Events may hold what was sent and answered: not for those who only look.
        cluster = access.find_to_change(gateway(), user, name)
        given = {"limit": request.query_params.get("limit", "100")}
        found = gateway().control(cluster.name, "audit", params=given)
        if only := only_of(user, cluster):
            found["items"] = [one for one in found["items"] if _who(one) == only["only"]]
        return Response(found)


def _who(event: dict[str, Any]) -> str:
    """Return as whom a request was made that an audit event tells of."""
    acting = event.get("impersonatedUser") or event.get("user") or {}
    return str(acting.get("username") or "")
