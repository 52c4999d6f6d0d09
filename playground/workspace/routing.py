"""Addresses of the frame's websocket."""

from __future__ import annotations

from typing import Any

from django.urls import path

from playground.workspace.pulse import PulseConsumer

websocket_urlpatterns: list[Any] = [
    path("ws/clusters/<slug:name>/pulse/", PulseConsumer.as_asgi()),  # type: ignore[arg-type]
]
