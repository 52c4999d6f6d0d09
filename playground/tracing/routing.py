"""Addresses of the trace page's websocket."""

from __future__ import annotations

from typing import Any

from django.urls import path

from playground.tracing.consumer import TraceConsumer

websocket_urlpatterns: list[Any] = [
    path("ws/clusters/<slug:name>/traces/", TraceConsumer.as_asgi()),  # type: ignore[arg-type]
]
