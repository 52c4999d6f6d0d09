"""REST API of failures and clocks, for who may change a cluster and looks as nobody else."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.lab.serializers import (
    ClockChangeSerializer,
    ClockSerializer,
    FailureSerializer,
    FailuresSerializer,
    MendedSerializer,
    NewFailureSerializer,
)
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway


class Failures(APIView):
    """What is broken in a cluster."""

    @extend_schema(responses=FailuresSerializer, operation_id="list_failures")
    def get(self, request: Request, name: str) -> Response:
        """Return what is broken, what was, and what can be."""
        cluster = access.find(gateway(), access.signed_in(request.user), name)
        return Response(gateway().page("GET", cluster.name, "failures"))

    @extend_schema(
        request=NewFailureSerializer,
        responses={201: FailureSerializer},
        operation_id="create_failure",
    )
    def post(self, request: Request, name: str) -> Response:
        """Break something."""
        user = access.signed_in(request.user)
        cluster = access.find_to_break(gateway(), user, name)
        wanted = NewFailureSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        body = {**wanted.validated_data, "by": user.get_username()}
        made = gateway().page("POST", cluster.name, "failures", body)
        return Response(made, status=status.HTTP_201_CREATED)

    @extend_schema(responses=MendedSerializer, operation_id="delete_failures")
    def delete(self, request: Request, name: str) -> Response:
        """Mend everything."""
        cluster = access.find_to_break(gateway(), access.signed_in(request.user), name)
        return Response(gateway().page("DELETE", cluster.name, "failures"))


class OneFailure(APIView):
    """Something that is broken."""

    @extend_schema(responses=FailureSerializer, operation_id="delete_failure")
    def delete(self, request: Request, name: str, failure: str) -> Response:
        """Undo it."""
        cluster = access.find_to_break(gateway(), access.signed_in(request.user), name)
        return Response(gateway().page("DELETE", cluster.name, f"failures/{failure}"))


class Clock(APIView):
    """The clock of a cluster."""

    @extend_schema(responses=ClockSerializer, operation_id="read_clock")
    def get(self, request: Request, name: str) -> Response:
        """Return how late it is in the cluster, and how fast its time runs."""
        cluster = access.find(gateway(), access.signed_in(request.user), name)
        return Response(gateway().page("GET", cluster.name, "clock"))

    @extend_schema(
        request=ClockChangeSerializer, responses=ClockSerializer, operation_id="change_clock"
    )
    def post(self, request: Request, name: str) -> Response:
        """Stop it, let it go on, move it, or change its rate."""
        cluster = access.find_to_break(gateway(), access.signed_in(request.user), name)
        wanted = ClockChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return Response(gateway().page("POST", cluster.name, "clock", wanted.validated_data))
