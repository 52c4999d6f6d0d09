"""What the secure port serves: every cluster's Kubernetes API, and the worker's own control API."""

from __future__ import annotations

from typing import Any

from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.asgi import ApiServer
from playground.cluster import RunningCluster
from playground.control import PREFIX, Control
from playground.fleet import Fleet

# How the site names itself: its requests are not somebody's first.
SITE_AGENT = b"kubeground-site"
_CLUSTERS = "/clusters/"


def application(fleet: Fleet, token: str, default: str) -> Any:
    """Return the ASGI application of a worker."""

    async def lookup(name: str) -> ClusterApi | None:
        cluster = fleet.find(name)
        return cluster.api if cluster is not None else None

    server = ApiServer(lookup, default)
    control = Control(fleet, token)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await control(scope, receive, send)
            return
        cluster = fleet.find(_name(scope.get("path", ""), default))
        if cluster is not None and cluster.first_client is None:
            _note_client(cluster, scope)
        await server(scope, receive, send)

    return app


def _name(path: str, default: str) -> str:
    if path.startswith(_CLUSTERS):
        return path[len(_CLUSTERS) :].partition("/")[0]
    return default


def _note_client(cluster: RunningCluster, scope: Any) -> None:
    """Remember the first request of a client from outside."""
    agent = next((v for k, v in scope.get("headers", ()) if k == b"user-agent"), b"")
    if agent.startswith(SITE_AGENT):
        return
    cluster.first_client = {
        "at": cluster.clock.timestamp(),
        "method": scope.get("method", "GET"),
        "path": "/" + scope["path"].removeprefix(f"{_CLUSTERS}{cluster.name}").lstrip("/"),
        "userAgent": agent.decode("latin-1"),
    }
