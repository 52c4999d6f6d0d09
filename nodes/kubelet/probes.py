"""Probes: startup, liveness and readiness, each on timers of the cluster's clock.

A probe that waits is one timer, not a task. Results reach the pod only when the threshold is
crossed, so a healthy pod costs its checks and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from zlib import crc32

from apimachinery.clock import Clock, Timer
from apimachinery.meta import Obj
from nodes.client.supervise import TaskSet
from nodes.kubelet.records import ContainerRecord
from nodes.runtime.cri import RuntimeCallError, RuntimeService

# How much of an answer is shown in an event (maxRespBodyLength, 10 KB, is more than fits one).
_SHOWN = 512


class ProbeNetwork(Protocol):
    """How a kubelet reaches its pods. Failures come as (False, what happened)."""

    async def http_get(
        self,
        ip: str,
        port: int,
        path: str,
        headers: list[tuple[str, str]],
        *,
        tls: bool,
        timeout: float,
    ) -> tuple[bool, str]: ...

    async def tcp(self, ip: str, port: int, timeout: float) -> tuple[bool, str]: ...


class Probe:
    """One probe of one container's run."""

    def __init__(
        self,
        kind: str,
        spec: Obj,
        record: ContainerRecord,
        pod_ip: str,
        *,
        runtime: RuntimeService,
        network: ProbeNetwork,
        clock: Clock,
        tasks: TaskSet,
        report: Callable[[str], None],
        crossed: Callable[[str, bool], None],
    ) -> None:
        """`report(message)` tells of a failure; `crossed(kind, good)` of a change of mind."""
        self.kind, self.spec, self._record, self._pod_ip = kind, spec, record, pod_ip
        self._runtime, self._network = runtime, network
        self._clock, self._tasks = clock, tasks
        self._report, self._crossed = report, crossed
        self._run = 0
        self._last: bool | None = None
        self._told: bool | None = None
        self._stopped = False
        self._timer: Timer | None = clock.call_later(
            float(spec.get("initialDelaySeconds") or 0), self._check
        )

    def go_on(self) -> None:
        """Ask a container that was found running: what was said of it holds until then.

        It is asked somewhere within the period, so that hundreds are not asked at once.
        """
        self._told = self.kind == "liveness" or self._record.ready or None
        share = crc32(self._record.id.encode()) % 997 / 997
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_later(self._period * share, self._check)

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        self._timer = None
        if not self._stopped:
            self._tasks.spawn(f"{self.kind} probe", self._once())

    async def _once(self) -> None:
        good, said = await self._ask()
        if self._stopped:
            return
        self._take(good=good, said=said)
        if not self._stopped:
            self._timer = self._clock.call_later(self._period, self._check)

    @property
    def _period(self) -> float:
        return float(self.spec.get("periodSeconds") or 10)

    def _take(self, *, good: bool, said: str) -> None:
        self._run = self._run + 1 if good == self._last else 1
        self._last = good
        if not good:
            self._report(f"{self.kind.capitalize()} probe failed: {said}")
        threshold = self.spec.get("successThreshold" if good else "failureThreshold")
        if self._run >= (threshold or (1 if good else 3)) and self._told != good:
            self._told = good
            self._crossed(self.kind, good)

    async def _ask(self) -> tuple[bool, str]:
        spec, timeout = self.spec, float(self.spec.get("timeoutSeconds") or 1)
        if "exec" in spec:
            return await self._exec(tuple(spec["exec"].get("command") or ()), timeout)
        if "httpGet" in spec:
            get = spec["httpGet"]
            port = resolve_port(get.get("port"), self._record.spec)
            headers = [(h["name"], h["value"]) for h in get.get("httpHeaders") or ()]
            return await self._network.http_get(
                get.get("host") or self._pod_ip,
                port,
                get.get("path") or "/",
                headers,
                tls=get.get("scheme") == "HTTPS",
                timeout=timeout,
            )
        if "tcpSocket" in spec:
            socket = spec["tcpSocket"]
            port = resolve_port(socket.get("port"), self._record.spec)
            return await self._network.tcp(socket.get("host") or self._pod_ip, port, timeout)
        if "grpc" in spec:
            return await self._network.tcp(self._pod_ip, spec["grpc"]["port"], timeout)
        return True, ""

    async def _exec(self, command: tuple[str, ...], timeout: float) -> tuple[bool, str]:
        try:
            answer = await self._runtime.exec_sync(self._record.id, command, timeout)
        except RuntimeCallError as error:
            if "deadline" in str(error).lower():
                shown = f'command timed out: "{" ".join(command)}" timed out after {timeout:g}s'
                return False, shown
            return False, str(error)
        said = (answer.stdout + answer.stderr)[:_SHOWN].decode("utf-8", "replace")
        return answer.exit_code == 0, said


def resolve_port(port: object, container: Obj) -> int:
    """Return a port's number; a name is looked up among the container's ports, 0 if unknown."""
    if isinstance(port, int):
        return port
    for declared in container.get("ports") or ():
        if declared.get("name") == port:
            return int(declared["containerPort"])
    text = str(port)
    return int(text) if text.isdigit() else 0
