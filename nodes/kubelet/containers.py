"""The containers of one pod: which to start, to stop, to start again, and in what order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from apimachinery.duration import format_duration
from apimachinery.meta import Obj
from nodes.kubelet import hooks
from nodes.kubelet.container_config import (
    container_config,
    sandbox_config,
    termination_log,
)
from nodes.kubelet.environment import BadEnvironment, environment
from nodes.kubelet.images import NotReady
from nodes.kubelet.probes import Probe
from nodes.kubelet.records import ContainerRecord
from nodes.kubelet.status import is_restarting
from nodes.runtime.cri import ContainerConfig, RuntimeCallError

if TYPE_CHECKING:
    from nodes.kubelet.pod_worker import PodWorker

_PARTS = (("initContainers", "init"), ("containers", "main"), ("ephemeralContainers", "ephemeral"))
# Of a termination message (or of the log in its place) the last 4 KB are kept.
_MESSAGE_BYTES = 4096
# All containers of a pod start over after so long (seconds), as with a real kubelet's loops.
_START_OVER = 1.0


class Containers:
    """The records of a pod's containers, and the next step for each."""

    def __init__(self, worker: PodWorker) -> None:
        self._worker = worker
        self._host = worker.host
        self._by_name: dict[tuple[str, str], ContainerRecord] = {}
        # All containers are being ended to start over, and when they may at the earliest.
        self.restarting = is_restarting(worker.pod)
        self._anew_at = 0.0
        self.forget()

    def forget(self) -> None:
        """Know nothing of any run."""
        self._by_name.clear()
        self._take_in()
        self._await_turns()

    def _await_turns(self) -> None:
        """Have each container wait for those before it."""
        init = any(record.kind == "init" for record in self.records)
        for record in self.records:
            if (record.kind == "main" and init) or (
                record.kind == "init" and record is not self.records[0]
            ):
                record.waiting = ("PodInitializing", "")
            elif record.kind != "ephemeral":
                record.waiting = ("ContainerCreating", "")

    @property
    def records(self) -> list[ContainerRecord]:
        return list(self._by_name.values())

    def by_id(self, container_id: str) -> ContainerRecord | None:
        return next((r for r in self._by_name.values() if r.id == container_id), None)

    def named(self, name: str) -> ContainerRecord | None:
        return next((r for r in self._by_name.values() if r.name == name), None)

    def any_running(self) -> bool:
        return any(record.running for record in self._by_name.values())

    def all_done(self) -> bool:
        """Tell whether nothing of this pod will ever run again by itself."""
        policy, records = self._policy, self._by_name.values()
        if self.restarting or any(record.restarts_all for record in records):
            return False
        for record in records:
            if record.kind == "init" and not record.sidecar:
                if record.exited and not record.succeeded and not record.comes_back(policy):
                    return True
                continue
            if record.kind == "main" and (not record.exited or record.comes_back(policy)):
                return False
        return True

    @property
    def _policy(self) -> str:
        return self._worker.pod["spec"].get("restartPolicy") or "Always"

    def _take_in(self) -> None:
        """Make records for containers that are new in the pod, and give old ones their text."""
        for part, kind in _PARTS:
            for spec in self._worker.pod["spec"].get(part) or ():
                record = self._by_name.get((kind, spec["name"]))
                if record is None:
                    self._by_name[kind, spec["name"]] = ContainerRecord(spec, kind)
                else:
                    record.spec = spec

    async def refresh(self) -> None:
        """Read from the runtime what has become of the containers that ran."""
        self._take_in()
        for record in self._by_name.values():
            if record.running:
                record.status = await self._host.runtime.container_status(record.id)
                if record.exited:
                    self._on_exit(record)

    def _on_exit(self, record: ContainerRecord) -> None:
        _stop_probes(record)
        record.ready = record.started = False
        record.waiting = ("", "")
        record.stopping = False
        if record.status is not None and not record.status.message:
            record.status.message = self._termination_message(record)

    def _termination_message(self, record: ContainerRecord) -> str:
        path = termination_log(self._worker.pod, record.name, record.restarts)
        found = self._host.files.read(path, _MESSAGE_BYTES)
        return found.decode("utf-8", "replace") if found else ""

    # -- the next step ---------------------------------------------------------------------------

    async def sync(self) -> None:
        """Start what is next: init containers one after another, then all the others."""
        if not await self._started_over():
            return
        for record in [r for r in self.records if r.kind == "init"]:
            if not await self._sync_init(record):
                await self._sync_ephemeral()
                return
        for record in [r for r in self.records if r.kind == "main"]:
            await self._sync_one(record)
        await self._sync_ephemeral()

    async def _started_over(self) -> bool:
        """End all where the end of one asks for it; False until they may begin anew.

        They have no time to end, and no hook is run before; the sandbox and the volumes stay.
        """
        again = [record for record in self.records if record.kind != "ephemeral"]
        now = self._host.clock.seconds()
        if not self.restarting:
            if not any(record.restarts_all for record in again):
                return True
            self.restarting, self._anew_at = True, now + _START_OVER
            self._worker.status_changed()
        for record in again:
            if record.running:
                _stop_probes(record)
                self._worker.report(
                    "Normal", "Killing", f"Stopping container {record.name}", record
                )
                await self._host.runtime.stop_container(record.id, 0.0)
        await self.refresh()
        if now < self._anew_at:
            self._worker.wake_in(self._anew_at - now)
            return False
        for record in again:
            record.begin_anew()
        self._await_turns()
        self.restarting = False
        return True

    async def _sync_ephemeral(self) -> None:
        for record in self.records:
            if record.kind == "ephemeral" and record.status is None:
                await self._start(record)

    async def _sync_init(self, record: ContainerRecord) -> bool:
        """Bring one init container on; True when those behind it may start."""
        if record.sidecar:
            await self._sync_one(record)
            return record.started
        if record.succeeded:
            return True
        if any(r.kind == "main" and r.has_run for r in self.records):
            return True
        await self._sync_one(record)
        return False

    async def _sync_one(self, record: ContainerRecord) -> None:
        if record.running:
            return
        now = self._host.clock.seconds()
        if record.retry_at > now + 1e-6:
            self._worker.wake_in(record.retry_at - now)
            return
        if record.exited and not self._schedule_restart(record):
            return
        await self._start(record)

    def _schedule_restart(self, record: ContainerRecord) -> bool:
        """Tell whether an ended container is to run again now; a later time is noted."""
        if not record.comes_back(self._policy):
            return False
        if record.retry_at:  # it has waited
            record.retry_at = 0.0
            return True
        now = self._host.clock.seconds()
        wait = record.next_backoff(now)
        if wait <= 0:
            return True
        record.retry_at = now + wait
        pod = self._worker.pod
        name = f"{pod['metadata']['name']}_{pod['metadata'].get('namespace')}({self._worker.uid})"
        left = format_duration(round(wait))
        shown = f"back-off {left} restarting failed container={record.name} pod={name}"
        record.last = record.terminated()
        record.waiting = ("CrashLoopBackOff", shown)
        self._worker.report(
            "Warning",
            "BackOff",
            f"Back-off restarting failed container {record.name} in pod {name}",
            record,
        )
        self._worker.wake_in(wait)
        return False

    # -- starting --------------------------------------------------------------------------------

    async def _start(self, record: ContainerRecord) -> None:
        worker, host = self._worker, self._host

        def report(kind: str, reason: str, message: str) -> None:
            worker.report(kind, reason, message, record)

        began = host.clock.seconds()
        image = await host.images.ensure(worker.uid, record.spec, report)
        why = image.message if isinstance(image, NotReady) else ""
        worker.step("image", began, record.name, why)
        if isinstance(image, NotReady):
            self._wait(record, image.reason, image.message, image.retry_in)
            return
        record.image = image.image
        pod = worker.pod
        attempt = record.restarts + (1 if record.status is not None else 0)
        try:
            config = await self._config(record.spec, attempt, image.reference)
        except BadEnvironment as error:
            report("Warning", "Failed", f"Error: {error}")
            self._wait(record, "CreateContainerConfigError", str(error), 10.0)
            return
        sandbox = sandbox_config(pod, 0)
        began = host.clock.seconds()
        try:
            new_id = await host.runtime.create_container(worker.sandbox_id, config, sandbox)
        except RuntimeCallError as error:
            worker.step("create", began, record.name, str(error))
            report("Warning", "Failed", f"Error: {error}")
            self._wait(record, "CreateContainerError", str(error), 10.0)
            return
        worker.step("create", began, record.name)
        report("Normal", "Created", "Container created")
        await self._run(record, new_id, attempt)

    async def _config(self, spec: Obj, attempt: int, image: str) -> ContainerConfig:
        """Return what a container is made of. Raises BadEnvironment."""
        worker, host = self._worker, self._host
        envs = await environment(
            worker.pod, spec, host.sources, host.services.list(), worker.pod_ips, host.node_ip
        )
        return container_config(worker.pod, spec, attempt, image, envs, host.volumes.path)

    async def resume(self) -> None:
        """Let the programs of containers that were found running go on."""
        recovery = self._host.recovery
        for record in self.records:
            if record.running and recovery is not None and record.status is not None:
                image = record.status.image.image
                try:
                    config = await self._config(record.spec, record.restarts, image)
                except BadEnvironment:
                    # What its variables came from is gone; it went on with them.
                    plain = [one for one in record.spec.get("env") or () if "value" in one]
                    spec = {**record.spec, "env": plain, "envFrom": []}
                    config = await self._config(spec, record.restarts, image)
                await recovery.resume(record.id, config)

    async def _run(self, record: ContainerRecord, new_id: str, attempt: int) -> None:
        worker, host = self._worker, self._host
        previous = record.id
        if record.status is not None:
            record.last = record.terminated()
        record.id, record.restarts = new_id, attempt
        began = host.clock.seconds()
        try:
            await host.runtime.start_container(new_id)
        except RuntimeCallError as error:
            worker.step("start", began, record.name, str(error))
            worker.report("Warning", "Failed", f"Error: {error}", record)
            record.status = await host.runtime.container_status(new_id)
            record.waiting = ("", "") if record.exited else ("RunContainerError", str(error))
            worker.wake_in(10.0)
            return
        worker.step("start", began, record.name)
        worker.report("Normal", "Started", "Container started", record)
        record.status = await host.runtime.container_status(new_id)
        record.waiting, record.anew = ("", ""), False
        if previous:
            await self._keep_one_dead(record, previous)
        if record.exited:
            self._on_exit(record)
            worker.wake()
            return
        await hooks.post_start(worker, record)
        self._start_probes(record)

    async def _keep_one_dead(self, record: ContainerRecord, previous: str) -> None:
        """Keep the run before this one, for its logs, and remove the one before that."""
        old = record.previous_id
        record.previous_id = previous
        if old:
            await self._host.runtime.remove_container(old)

    def _wait(
        self, record: ContainerRecord, reason: str, message: str, retry_in: float | None
    ) -> None:
        record.waiting = (reason, message)
        self._worker.status_changed()
        if retry_in is not None:
            self._worker.wake_in(retry_in)

    # -- probes ----------------------------------------------------------------------------------

    def _start_probes(self, record: ContainerRecord) -> None:
        spec, record.probed_since = record.spec, self._host.clock.seconds()
        record.started = "startupProbe" not in spec
        record.ready = record.started and "readinessProbe" not in spec
        if "startupProbe" in spec:
            self._probe(record, "startup", spec["startupProbe"])
        else:
            self._start_other_probes(record)
        self._worker.status_changed()

    def resume_probes(self) -> None:
        """Ask containers that were found running again; what was said of them holds until then."""
        for record in self.records:
            if record.running and record.status is not None:
                record.probed_since = record.status.started_at / 1e9
                if "startupProbe" in record.spec and not record.started:
                    self._probe(record, "startup", record.spec["startupProbe"])
                else:
                    self._start_other_probes(record)
                for probe in record.probes:
                    probe.go_on()

    def _start_other_probes(self, record: ContainerRecord) -> None:
        for kind in ("liveness", "readiness"):
            if found := record.spec.get(f"{kind}Probe"):
                self._probe(record, kind, found)

    def _probe(self, record: ContainerRecord, kind: str, spec: Obj) -> None:
        worker, host = self._worker, self._host
        ip = worker.pod_ips[0] if worker.pod_ips else host.node_ip
        record.probes.append(
            Probe(
                kind,
                spec,
                record,
                ip,
                runtime=host.runtime,
                network=host.network,
                clock=host.clock,
                tasks=host.tasks,
                report=lambda message: worker.report("Warning", "Unhealthy", message, record),
                crossed=lambda kind, good: self._crossed(record, kind, good=good),
            )
        )

    def _crossed(self, record: ContainerRecord, kind: str, *, good: bool) -> None:
        """A probe has changed its mind about a container."""
        if good and kind != "liveness":
            self._worker.step(f"{kind} probe", record.probed_since, record.name)
        if kind == "readiness":
            record.ready = good
            self._worker.status_changed()
        elif not good:
            self._worker.host.tasks.spawn("restart", self._kill_unhealthy(record, kind))
        elif kind == "startup":
            _stop_probes(record)
            record.started = True
            record.ready = "readinessProbe" not in record.spec
            self._start_other_probes(record)
            self._worker.status_changed()
            self._worker.wake()  # a sidecar lets the next container start

    async def _kill_unhealthy(self, record: ContainerRecord, kind: str) -> None:
        _stop_probes(record)
        probe = record.spec.get(f"{kind}Probe") or {}
        grace = probe.get(
            "terminationGracePeriodSeconds",
            self._worker.pod["spec"].get("terminationGracePeriodSeconds", 30),
        )
        what = f"failed {kind} probe"
        message = f"Container {record.name} {what}, will be restarted"
        await self._stop(record, float(grace), message)
        self._worker.wake()

    # -- stopping --------------------------------------------------------------------------------

    async def stop_all(self, grace: float) -> None:
        """Stop the main containers together, then the sidecars, the last to start first."""
        main = [r for r in self.records if r.kind != "init" and r.running]
        first = [r for r in self.records if r.kind == "init" and not r.sidecar and r.running]
        await asyncio.gather(
            *(self._stop(r, grace, f"Stopping container {r.name}") for r in main + first)
        )
        for record in reversed([r for r in self.records if r.sidecar and r.running]):
            await self._stop(record, grace, f"Stopping container {record.name}")

    async def _stop(self, record: ContainerRecord, grace: float, message: str) -> None:
        if record.stopping or not record.running:
            return
        record.stopping = True
        _stop_probes(record)
        self._worker.report("Normal", "Killing", message, record)
        left = await hooks.pre_stop(self._worker, record, grace)
        await self._host.runtime.stop_container(record.id, left)

    def close(self) -> None:
        for record in self.records:
            _stop_probes(record)


def _stop_probes(record: ContainerRecord) -> None:
    for probe in record.probes:
        probe.stop()
    record.probes.clear()
