"""The REST API of placement: /api/clusters/NAME/decisions/UID and .../scheduling."""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.placement.reading import decisions, overview, pod, what_if
from playground.placement.serializers import (
    DecisionsSerializer,
    SchedulingSerializer,
    TriedSerializer,
    WhatIfSerializer,
)
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway


class Decisions(APIView):
    """Why a pod stands where it stands."""

    @extend_schema(responses=DecisionsSerializer, operation_id="list_decisions")
    def get(self, request: Request, name: str, uid: str) -> Response:
        """Return the attempts to place a pod, by its uid, to whoever may get the pod."""
        _user, cluster, identity = access.asked(request.user, name)
        return Response(decisions(gateway(), cluster.name, identity, uid))


class PodScheduling(APIView):
    """Every attempt at a pod."""

    @extend_schema(responses=DecisionsSerializer, operation_id="list_attempts")
    def get(self, request: Request, name: str, uid: str) -> Response:
        """Return the same as of decisions, with the scores of up to 100 nodes."""
        _user, cluster, identity = access.asked(request.user, name)
        return Response(pod(gateway(), cluster.name, identity, uid))


class Scheduling(APIView):
    """The schedulers of a cluster."""

    @extend_schema(
        parameters=[OpenApiParameter("limit", int)],
        responses=SchedulingSerializer,
        operation_id="read_scheduling",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the schedulers with their plugins, the pods that wait, and the latest attempts."""
        limit = request.GET.get("limit", "50")
        if not (limit.isascii() and limit.isdigit()) or len(limit) > 9:
            raise ValidationError({"limit": [_("This is no whole number.")]})
        _user, cluster, identity = access.asked(request.user, name)
        return Response(overview(gateway(), cluster.name, identity, limit))


class WhatIf(APIView):
    """An attempt that is not made."""

    @extend_schema(
        request=WhatIfSerializer, responses=TriedSerializer, operation_id="try_scheduling"
    )
    def post(self, request: Request, name: str) -> Response:
        """Return how the scheduler would decide if a pod or nodes were other; nothing is written.

        It is a POST because of its body; docs/scheduling.md has examples.
        """
        _user, cluster, identity = access.asked(request.user, name)
        return Response(what_if(gateway(), cluster.name, identity, request.data))
