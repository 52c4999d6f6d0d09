"""The stream of a pod's logs, of one container or of all.

The address names `ns`, `pod`, `container` (none: the pod's default; `*`: all), `previous`, `tail`,
and where to begin: `since` (seconds), `since_time` (RFC 3339) or `rev` (a revision of the cluster).

Site to browser:
    containers {items, chosen, since}   [name, "init" | "main" | "ephemeral"] of each; whose logs
                                follow, and from when on if that was asked for
    log {container, text}       lines with their times, as the API sends them
    waiting {container, reason, text}   it has not started yet; its lines come when it does
    ended {container, code, again}      it ended; `again`: it is started once more, and followed
    again {container}           its lines follow from some moment on: some may have come before
    end {}                      nothing more will come
    error {code, text}          the API refuses; the stream ends
    beat {rev}                  every five seconds
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote

import httpx
import orjson

from playground.accounts.models import User
from playground.objects import facts
from playground.objects.facts import Object
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, Refused, gateway, refusal
from playground.topology import protocol
from playground.topology.consumer import ClusterConsumer
from playground.topology.protocol import Close
from playground.topology.upstream import UPSTREAMS, Upstreams

STREAM_TIMEOUT = httpx.Timeout(10.0, read=None)
TAIL_LINES = 1000
# Lines are sent together: at most this much text at a time, as soon as it is there.
LONGEST_FRAME = 64 * 1024
# A container that has not started, or is to be started again, is looked at this often.
LOOK_EVERY = 1.0
EVERY_CONTAINER = "*"
_GROUPS = (("initContainers", "init"), ("containers", "main"), ("ephemeralContainers", "ephemeral"))
_WAITING = re.compile(r"is waiting to start: (.+)$")
_UNPLACED = "does not have a host assigned"
_DEFAULT = "kubectl.kubernetes.io/default-container"


def containers(pod: Object) -> list[tuple[str, str]]:
    """Return a pod's containers in the order in which they start, each with what it is."""
    spec = facts.spec(pod)
    return [(str(one["name"]), what) for field, what in _GROUPS for one in spec.get(field) or ()]


def default_container(pod: Object) -> str:
    """Return the container that kubectl takes when one names none."""
    named = (facts.meta(pod).get("annotations") or {}).get(_DEFAULT)
    return str(named or next(name for name, what in containers(pod) if what == "main"))


def waits_for(error: Refused) -> str:
    """Return what a container waits for that has no log yet; empty for other refusals."""
    if found := _WAITING.search(error.message):
        return found[1]
    return "Pending" if _UNPLACED in error.message else ""


def state_of(pod: Object, container: str) -> Mapping[str, Any]:
    """Return a container's status."""
    status = facts.status(pod)
    for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for one in status.get(field) or ():
            if one.get("name") == container:
                return dict(one)
    return {}


def starts_again(pod: Object, container: str) -> bool:
    """Tell whether a container that has ended is started once more."""
    if facts.meta(pod).get("deletionTimestamp") or facts.ended(pod):
        return False
    kinds = dict(containers(pod))
    ended = _ended(state_of(pod, container))
    failed = bool(ended.get("exitCode", 1))
    policy = facts.spec(pod).get("restartPolicy") or "Always"
    if kinds.get(container) == "init":
        return failed and policy != "Never"
    return kinds.get(container) == "main" and (policy == "Always" or (policy != "Never" and failed))


def _ended(status: Mapping[str, Any]) -> Mapping[str, Any]:
    for field in ("state", "lastState"):
        if ended := (status.get(field) or {}).get("terminated"):
            return dict(ended)
    return {}


class LogConsumer(ClusterConsumer):
    """Follows the logs of one pod, as its user."""

    upstreams: Upstreams = UPSTREAMS

    def _asked(self, name: str, default: str = "") -> str:
        values = parse_qs(self.scope["query_string"].decode()).get(name)
        return values[0] if values else default

    async def begin(self, user: User, cluster: Cluster) -> None:
        """Stream as the user."""
        self._headers = httpx.Headers(access.identity(user, cluster).headers)
        namespace, pod = quote(self._asked("ns"), ""), quote(self._asked("pod"), "")
        self._pod = f"/clusters/{quote(cluster.name)}/api/v1/namespaces/{namespace}/pods/{pod}"
        self.tasks.start(self._run(cluster), "logs")
        self.tasks.start(self.beat(lambda: 0), "beat of logs")

    async def _run(self, cluster: Cluster) -> None:
        try:
            start = await self._start(cluster)
            names = await self._choose(start)
            await asyncio.gather(*(self._follow(name, start) for name in names))
        except Refused as error:
            await self._say("error", code=error.reason or "Refused", text=error.message)
            await self.end(Close.FORBIDDEN if error.code == 403 else Close.REFUSED)
        except httpx.HTTPError as error:
            await self._say("error", code="unreachable", text=str(error))
            await self.end(Close.UNREACHABLE)
        else:
            await self._say("end")
            await self.close(1000)

    async def _say(self, op: str, **fields: Any) -> None:
        await self.send(protocol.encode(op, **fields))

    async def _start(self, cluster: Cluster) -> dict[str, str]:
        """Return from where on lines are asked for."""
        rev = self._asked("rev")
        if rev.isascii() and rev.isdigit() and len(rev) <= 18:
            found = await asyncio.to_thread(gateway().moment, cluster.name, int(rev))
            return {"sinceTime": datetime.fromtimestamp(float(found["at"]), UTC).isoformat()}
        if moment := self._asked("since_time"):
            return {"sinceTime": moment}
        tail = {"tailLines": self._asked("tail", str(TAIL_LINES))}
        since = self._asked("since")
        return {**tail, "sinceSeconds": since} if since else tail

    async def _choose(self, start: Mapping[str, str]) -> list[str]:
        """Tell which containers there are, and from when on; return those that are wanted."""
        pod = await self._read()
        found = containers(pod)
        wanted = self._asked("container") or default_container(pod)
        items = [list(one) for one in found]
        since = start.get("sinceTime", "") if self._asked("rev") else ""
        await self._say("containers", items=items, chosen=wanted, since=since)
        return [name for name, _ in found] if wanted == EVERY_CONTAINER else [wanted]

    async def _read(self) -> dict[str, Any]:
        response = await self.upstreams.client().get(self._pod, headers=self._headers)
        if response.is_error:
            raise refusal(response.status_code, response.content)
        return dict(orjson.loads(response.content))

    async def _follow(self, container: str, start: Mapping[str, str]) -> None:
        """Send a container's lines, run after run, until there is nothing more to come."""
        told = ""
        asked = dict(start)
        while True:
            try:
                await self._relay(container, asked)
            except Refused as error:
                reason = waits_for(error)
                if not reason or self._asked("previous"):
                    if self._asked("container") == EVERY_CONTAINER and error.code == 400:
                        return  # an init container that never ran, a run before that never was
                    raise
                if reason != told:
                    told = reason
                    text = error.message
                    await self._say("waiting", container=container, reason=reason, text=text)
                await asyncio.sleep(LOOK_EVERY)
                continue
            if not (again := await self._next_run(container)):
                return
            told, asked = "", {"sinceTime": again}
            await self._say("again", container=container)

    async def _next_run(self, container: str) -> str:
        """Wait for the next run of a container; return when it began, empty if there is none."""
        if self._asked("previous"):
            return ""
        told = False
        while True:
            # A kubelet needs a moment to tell that a container has ended.
            await asyncio.sleep(LOOK_EVERY)
            try:
                pod = await self._read()
            except Refused:
                return ""  # the pod is gone
            status = state_of(pod, container)
            running = (status.get("state") or {}).get("running")
            if running:
                return str(running.get("startedAt") or "")
            again = starts_again(pod, container)
            if not told:
                code = _ended(status).get("exitCode")
                await self._say("ended", container=container, code=code, again=again)
                told = True
            if not again:
                return ""

    async def _relay(self, container: str, start: Mapping[str, str]) -> None:
        params = {"container": container, "timestamps": "true", **start}
        params["previous" if self._asked("previous") else "follow"] = "true"
        async with self.upstreams.client().stream(
            "GET",
            f"{self._pod}/log",
            params=params,
            headers=self._headers,
            timeout=STREAM_TIMEOUT,
        ) as response:
            if response.is_error:
                raise refusal(response.status_code, await response.aread())
            async for text in response.aiter_text():
                for part in _parts(text):
                    await self._say("log", container=container, text=part)


def _parts(text: str) -> Iterator[str]:
    for start in range(0, len(text), LONGEST_FRAME):
        yield text[start : start + LONGEST_FRAME]
