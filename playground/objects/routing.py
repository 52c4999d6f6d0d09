"""Addresses of the streams about lists and logs."""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path

from playground.objects.consumer import LogConsumer
from playground.objects.listing import ListConsumer


def _application(consumer: type[AsyncWebsocketConsumer]) -> Any:
    return consumer.as_asgi()


# The stubs know views alone; channels routes consumers with the same function.
websocket_urlpatterns: list[Any] = [
    path("ws/clusters/<slug:name>/list/", _application(ListConsumer)),
    path("ws/clusters/<slug:name>/logs/", _application(LogConsumer)),
]
