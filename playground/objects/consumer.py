"""The stream of a container's log."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote

import httpx

from playground.accounts.models import User
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, Identity, refusal
from playground.topology import protocol
from playground.topology.consumer import ClusterConsumer
from playground.topology.protocol import Close
from playground.topology.upstream import UPSTREAMS, Upstreams

STREAM_TIMEOUT = httpx.Timeout(10.0, read=None)
TAIL_LINES = 1000
# Lines are sent together: at most this much text at a time, as soon as it is there.
LONGEST_FRAME = 64 * 1024


class _StreamConsumer(ClusterConsumer):
    upstreams: Upstreams = UPSTREAMS

    def _asked(self, name: str, default: str = "") -> str:
        values = parse_qs(self.scope["query_string"].decode()).get(name)
        return values[0] if values else default

    async def begin(self, user: User, cluster: Cluster) -> None:
        """Stream as the user."""
        self.tasks.start(self._run(cluster, access.identity(user, cluster)), type(self).__name__)

    async def _run(self, cluster: Cluster, identity: Identity) -> None:
        try:
            await self._stream(cluster, identity)
        except httpx.HTTPError as error:
            await self.send(protocol.encode("error", code="unreachable", text=str(error)))
            await self.end(Close.UNREACHABLE)

    async def _stream(self, cluster: Cluster, identity: Identity) -> None:
        """Send until there is nothing more; each kind of stream says how."""
        url, params = self._target(cluster)
        headers = httpx.Headers(identity.headers)
        client = self.upstreams.client()
        async with client.stream(
            "GET", url, params=params, headers=headers, timeout=STREAM_TIMEOUT
        ) as response:
            if response.is_error:
                error = refusal(response.status_code, await response.aread())
                text = error.message
                await self.send(protocol.encode("error", code=error.reason or "Refused", text=text))
                await self.end(Close.FORBIDDEN if error.code == 403 else Close.REFUSED)
                return
            await self._relay(response)
        await self.send(protocol.encode("end"))
        await self.close(1000)

    def _target(self, cluster: Cluster) -> tuple[str, dict[str, str]]:
        return f"/clusters/{quote(cluster.name)}", {}

    async def _relay(self, response: httpx.Response) -> None:
        """Pass on what the API sends."""


class LogConsumer(_StreamConsumer):
    """Follows the log of one container."""

    def _target(self, cluster: Cluster) -> tuple[str, dict[str, str]]:
        namespace, pod = quote(self._asked("ns")), quote(self._asked("pod"))
        params = {"tailLines": self._asked("tail", str(TAIL_LINES)), "timestamps": "true"}
        if since := self._asked("since"):
            params["sinceSeconds"] = since
        if container := self._asked("container"):
            params["container"] = container
        if self._asked("previous"):
            params["previous"] = "true"
        else:
            params["follow"] = "true"
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        return f"/clusters/{quote(cluster.name)}{path}", params

    async def _relay(self, response: httpx.Response) -> None:
        async for text in response.aiter_text():
            for start in range(0, len(text), LONGEST_FRAME):
                part: dict[str, Any] = {"text": text[start : start + LONGEST_FRAME]}
                await self.send(protocol.encode("log", **part))
