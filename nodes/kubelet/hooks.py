"""Lifecycle hooks: postStart beside the container's start, preStop before it is told to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from apimachinery.meta import Obj
from nodes.kubelet.probes import resolve_port
from nodes.kubelet.records import ContainerRecord
from nodes.runtime.cri import RuntimeCallError

if TYPE_CHECKING:
    from nodes.kubelet.pod_worker import PodWorker

# A container is given this long at the least after its preStop hook (minimumGracePeriodInSeconds).
_LEAST = 2.0


async def post_start(worker: PodWorker, record: ContainerRecord) -> None:
    """Run the hook; a failure stops the container, which then restarts by its policy."""
    hook = (record.spec.get("lifecycle") or {}).get("postStart")
    if not hook:
        return
    failure = await _run(worker, record, hook)
    if failure:
        worker.report("Warning", "FailedPostStartHook", f"PostStartHook failed: {failure}", record)
        await worker.host.runtime.stop_container(record.id, 0)


async def pre_stop(worker: PodWorker, record: ContainerRecord, grace: float) -> float:
    """Run the hook within the grace period; return what is left of it."""
    hook = (record.spec.get("lifecycle") or {}).get("preStop")
    if not hook or grace <= 0:
        return grace
    clock = worker.host.clock
    began = clock.seconds()
    running = asyncio.ensure_future(_run(worker, record, hook))
    timeout = asyncio.ensure_future(clock.sleep(grace))
    await asyncio.wait((running, timeout), return_when=asyncio.FIRST_COMPLETED)
    timeout.cancel()
    if not running.done():
        running.cancel()
    elif failure := running.result():
        worker.report("Warning", "FailedPreStopHook", f"PreStopHook failed: {failure}", record)
    return max(grace - (clock.seconds() - began), _LEAST)


async def _run(worker: PodWorker, record: ContainerRecord, hook: Obj) -> str:
    """Run one handler; return what went wrong, "" if nothing did."""
    if "sleep" in hook:
        await worker.host.clock.sleep(float(hook["sleep"].get("seconds") or 0))
        return ""
    if "exec" in hook:
        command = tuple(hook["exec"].get("command") or ())
        try:
            answer = await worker.host.runtime.exec_sync(record.id, command)
        except RuntimeCallError as error:
            return str(error)
        if answer.exit_code:
            said = (answer.stdout + answer.stderr).decode("utf-8", "replace").strip()
            return f"command '{' '.join(command)}' exited with {answer.exit_code}: {said}"
        return ""
    if "httpGet" in hook:
        get = hook["httpGet"]
        good, said = await worker.host.network.http_get(
            get.get("host") or worker.pod_ips[0],
            resolve_port(get.get("port"), record.spec),
            get.get("path") or "/",
            [(h["name"], h["value"]) for h in get.get("httpHeaders") or ()],
            tls=get.get("scheme") == "HTTPS",
            timeout=30.0,
        )
        return "" if good else said
    return ""
