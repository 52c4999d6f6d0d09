"""The REST API of terminals: one's own, in one cluster. The stream is a websocket (consumer.py)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.accounts.models import User
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, gateway
from playground.terminal.client import ShellsDown, ShellsRefused, shells
from playground.terminal.offer import offer
from playground.terminal.opening import ShellProblem, open_terminal
from playground.terminal.serializers import (
    NewTerminalSerializer,
    RecordingSerializer,
    TerminalListSerializer,
    TerminalSerializer,
)


def shown(session: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a terminal."""
    return {name: session[name] for name in map(str, TerminalSerializer().fields)}


def own(user: User, cluster: Cluster, number: str) -> dict[str, Any]:
    """Return a user's own terminal; any other is as missing as one that never was."""
    found = shells().session(number)
    if found is None or (found["owner"], found["uid"]) != (user.get_username(), cluster.uid):
        raise Http404(_("There is no such terminal. It may have ended."))
    return found


class _View(APIView):
    def own(self, request: Request, name: str, number: str) -> dict[str, Any]:
        """Return the caller's own terminal in a cluster that they may see."""
        user = access.signed_in(request.user)
        return own(user, access.find(gateway(), user, name), number)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, (ShellsDown, ShellsRefused)):
            exc = ShellProblem(exc)
        return super().handle_exception(exc)


class Terminals(_View):
    """The caller's terminals in a cluster."""

    @extend_schema(responses=TerminalListSerializer, operation_id="list_terminals")
    def get(self, request: Request, name: str) -> Response:
        """Return the caller's terminals, and what kind is offered."""
        user = access.signed_in(request.user)
        cluster = access.find(gateway(), user, name)
        found = shells().sessions(owner=user.get_username(), cluster=cluster.name)
        offered = offer(user, request.session, shells().state())
        return Response({"offer": asdict(offered), "items": [shown(one) for one in found]})

    @extend_schema(
        request=NewTerminalSerializer,
        responses={201: TerminalSerializer},
        operation_id="open_terminal",
    )
    def post(self, request: Request, name: str) -> Response:
        """Open a terminal: a shell, a container of a pod, or a node."""
        user = access.signed_in(request.user)
        wish = NewTerminalSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        cluster = access.find(gateway(), user, name)
        opened = open_terminal(shells(), user, request.session, cluster, wish.validated_data)
        return Response(shown(opened), status=status.HTTP_201_CREATED)


class OneTerminal(_View):
    """One of the caller's terminals."""

    @extend_schema(responses=TerminalSerializer, operation_id="read_terminal")
    def get(self, request: Request, name: str, number: str) -> Response:
        """Return one terminal."""
        return Response(shown(self.own(request, name, number)))

    @extend_schema(responses=TerminalSerializer, operation_id="end_terminal")
    def delete(self, request: Request, name: str, number: str) -> Response:
        """End a terminal and everything that runs in it."""
        self.own(request, name, number)
        return Response(shown(shells().end(number)))


class Recording(_View):
    """The recording of a terminal."""

    @extend_schema(
        responses={(200, "application/x-asciicast"): OpenApiTypes.BINARY},
        operation_id="read_recording",
    )
    def get(self, request: Request, name: str, number: str) -> HttpResponse:
        """Return what was recorded, as asciicast v2."""
        self.own(request, name, number)
        answer = HttpResponse(shells().recording(number), content_type="application/x-asciicast")
        answer["Content-Disposition"] = f'attachment; filename="{name}-{number[:6]}.cast"'
        return answer

    @extend_schema(
        request=RecordingSerializer, responses=TerminalSerializer, operation_id="record_terminal"
    )
    def post(self, request: Request, name: str, number: str) -> Response:
        """Begin a recording anew, or end it."""
        self.own(request, name, number)
        wish = RecordingSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        return Response(shown(shells().record(number, on=wish.validated_data["on"])))
