"""Addresses of the terminals' websockets."""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path

from playground.terminal.consumer import TerminalConsumer


def _application(consumer: type[AsyncWebsocketConsumer]) -> Any:
    return consumer.as_asgi()


# The stubs know views alone; channels routes consumers with the same function.
websocket_urlpatterns: list[Any] = [
    path("ws/clusters/<slug:name>/terminal/<slug:number>/", _application(TerminalConsumer)),
]
