"""What the secure port serves: every cluster's Kubernetes API, and the worker's own control API."""

from __future__ import annotations

from typing import Any

from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.asgi import ApiServer
from playground.cluster import RunningCluster
from playground.control import PREFIX, Control, answer
from playground.fleet import Fleet
from playground.resting import now

# How the site names itself: its requests are not somebody's first.
SITE_AGENT = b"kubeground-site"
_CLUSTERS = "/clusters/"


class Application:
    """The ASGI application of a worker."""

    def __init__(self, fleet: Fleet, token: str, default: str) -> None:
        self._fleet, self._default = fleet, default
        self._server = ApiServer(self._lookup, default)
        self._control = Control(fleet, token, self._server)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._control(scope, receive, send)
            return
        cluster = self._fleet.find(self._named(scope))
        if cluster is not None:
            cluster.used = now()
            if cluster.first_client is None:
                _note_client(cluster, scope)
        elif scope["type"] == "http" and (sleeper := self._fleet.sleeper(self._named(scope))):
            await answer(send, 503, sleeper.refusal().status())
            return
        await self._server(scope, receive, send)

    def _named(self, scope: Any) -> str:
        return _name(scope.get("path", ""), self._default)

    def end_streams(self) -> None:
        """Let watches and followed logs end, so that the process can."""
        self._server.end_streams()
        for cluster in self._fleet:
            cluster.api.traces.close()

    async def _lookup(self, name: str) -> ClusterApi | None:
        cluster = self._fleet.find(name)
        return cluster.api if cluster is not None else None


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
