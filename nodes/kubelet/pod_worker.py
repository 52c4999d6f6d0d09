"""One pod on this node: brought, step by step, to where its spec wants it.

`wake` may be called from anywhere, at any time; one `sync` runs at a time, and a wake during it
makes it run again. A sync reads the whole state (the pod, the records of its containers) and does
what is next; nothing is carried from one to the other but the records.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from apimachinery.clock import Timer, parse_time
from apimachinery.errors import ApiError
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of, uid_of
from apimachinery.pods import is_terminal
from nodes.client.cause import CAUSE
from nodes.kubelet import status as statuses
from nodes.kubelet.admission import asks_of
from nodes.kubelet.claims import MountFailed, NotAttached
from nodes.kubelet.container_config import sandbox_config
from nodes.kubelet.containers import Containers
from nodes.kubelet.host import RETRY, Host
from nodes.kubelet.records import ContainerRecord
from nodes.kubelet.sources import references
from nodes.kubelet.steps import LONGEST_OUTCOME, Step
from nodes.runtime.cri import ContainerEventType, RuntimeCallError

if TYPE_CHECKING:
    from nodes.kubelet.adoption import Sleep

log = logging.getLogger(__name__)

# A hard eviction: what it is called, and what it gives a pod's containers to end.
EVICTED, HARD_GRACE = "Evicted", 1.0
# One that makes room for a critical pod: what it is called, in which words, and how long that pod
# waits for it at least (pkg/kubelet/preemption, killPodNow).
_PREEMPTING = "Preempting"
_PREEMPTED = "Preempted in order to admit critical pod"
_DISRUPTED = "Pod was preempted by Kubelet to accommodate a critical pod."
_SHORTEST_WAIT = 10.0
# A rejected pod fails after so long, as with a real kubelet's loops: whoever makes another one at
# once would keep the cluster busy otherwise.
REJECTION = 1.0
# Writes of status that come within this time go out as one.
_STATUS_DELAY = 0.02
# A pod that runs by then is not told of before: of a thousand that come at once two thirds are
# spared a write.
_FIRST_STATUS_DELAY = 0.3
# A real kubelet waits as long for volumes before it complains (seconds).
ATTACH = 123.0


class PodWorker:
    """The life of one pod on its node."""

    # It may not begin yet: those before it are not decided on.
    held = False
    # How long its containers have to end, where the kubelet does not let them have their own time.
    _hurry: float | None = None
    _ended: asyncio.Event | None = None

    def __init__(self, pod: Obj, host: Host) -> None:
        self.pod = pod
        self.host = host
        self.uid = uid_of(pod)
        self.asks = asks_of(pod)
        self.sandbox_id = ""
        self.pod_ips: tuple[str, ...] = ()
        self.finished = False
        self._verdict: tuple[str, str, str] | None = None
        self._terminated = False
        # Why the kubelet itself takes the pod away, for the pod's DisruptionTarget condition.
        self._disrupted = ""
        self._start_time = (pod.get("status") or {}).get("startTime") or host.clock.timestamp()
        self._attempt = 0
        self._syncing = self._again = False
        self._cause = CAUSE.get()
        self._volumes_dirty = True
        self._attach_by = 0.0  # when to complain of a volume that is not attached
        # Set for a pod that was found running.
        self._sleep: Sleep | None = None
        self._timer: Timer | None = None
        self._timer_due = 0.0
        self._status_timer: Timer | None = None
        self._status_at = 0.0
        self._written: Obj | None = None
        self._writing = self._write_again = False
        # One write at a time: an earlier status must not arrive after the last one.
        self._status_turn = asyncio.Lock()
        self.containers = Containers(self)
        host.sources.use(pod, references(pod))

    # -- what happens to it ----------------------------------------------------------------------

    def update(self, pod: Obj) -> None:
        """Take the newer object. Its own status coming back changes nothing."""
        old, self.pod = self.pod, pod
        if old["spec"] is not pod["spec"] and old["spec"] != pod["spec"]:
            self.host.sources.use(pod, references(pod))
            self.wake()
        elif is_deleting(pod) != is_deleting(old) or (
            old["metadata"].get("deletionGracePeriodSeconds")
            != pod["metadata"].get("deletionGracePeriodSeconds")
        ):
            self.wake()
        elif old["metadata"].get("labels") != pod["metadata"].get("labels") or old["metadata"].get(
            "annotations"
        ) != pod["metadata"].get("annotations"):
            self.source_changed()
        if self._contradicted():
            self._written = None
            self.status_changed()

    def _contradicted(self) -> bool:
        """Tell whether others said in our place that the pod is not ready, as of a silent node."""
        written = self._written
        if written is None or self._writing or self._status_timer is not None:
            return False
        return _is_ready(written) and not _is_ready(self.pod.get("status") or {})

    def mirrored_by(self, pod: Obj) -> None:
        """Stand for another object from now on: the mirror pod of a static pod was made again."""
        self.host.sources.release(self.pod)
        self.host.images.forget(self.uid)
        self.pod, self.uid, self._written = pod, uid_of(pod), None
        self.host.sources.use(pod, references(pod))
        self.status_changed()

    def source_changed(self) -> None:
        """Something that a volume or the environment is made from has changed."""
        self._volumes_dirty = True
        if self._sleep is None or self._sleep.over:
            self.wake()

    def adopted(self, sandbox_id: str, pod_ips: tuple[str, ...], sleep: Sleep) -> None:
        """Be in the sandbox that was found, with the status that the API has already."""
        self.sandbox_id, self.pod_ips, self._sleep = sandbox_id, pod_ips, sleep
        self.host.sandboxes[sandbox_id] = self
        self._written = self.pod["status"]
        if recall := self.host.volumes.recall(self.pod):
            self.host.tasks.spawn("recall volumes", self._recall_volumes(recall))

    def container_event(self, container_id: str, kind: ContainerEventType) -> None:
        """The runtime says that a container has stopped (starts are our own doing)."""
        if kind is ContainerEventType.STOPPED and self.containers.by_id(container_id) is not None:
            self.wake()

    def wake(self) -> None:
        if self.finished:
            return
        if cause := CAUSE.get():
            self._cause = cause
        if self._syncing:
            self._again = True
            return
        self._syncing = True
        self.host.tasks.spawn(f"pod {self.uid}", self._sync_until_quiet())

    @property
    def ends(self) -> bool:
        """Tell whether it is being taken off the node."""
        return self._verdict is not None or is_deleting(self.pod)

    @property
    def over(self) -> bool:
        """Tell whether it uses nothing of the node any more, or is about to."""
        ended = self.finished or self._terminated or is_terminal(self.pod)
        return ended or self._verdict is not None

    def evict(self, message: str) -> None:
        """End the pod, since the node needs what it uses."""
        self._disrupted, self._hurry = message, HARD_GRACE
        self._fail(EVICTED, message, message)

    async def preempt(self) -> None:
        """End the pod for a critical one; return when it has, or has taken too long."""
        self._disrupted, self._ended = _DISRUPTED, asyncio.Event()
        self._fail(_PREEMPTING, _PREEMPTED, _PREEMPTED)
        wait = max(1.5 * self._grace(), _SHORTEST_WAIT)
        timer = self.host.clock.call_later(wait, self._ended.set)
        await self._ended.wait()
        timer.cancel()

    def reject(self, reason: str, message: str) -> None:
        """Let the pod fail before it has begun: it may not run here."""
        self._fail(reason, message, f"Pod was rejected: {message}", REJECTION)

    def _fail(self, reason: str, told: str, message: str, delay: float = 0.0) -> None:
        self.report("Warning", reason, told)
        self._verdict = ("Failed", reason, message)
        self.wake_in(delay)

    def wake_in(self, delay: float) -> None:
        """Look again in `delay` seconds; of several wishes the earliest holds."""
        due = self.host.clock.seconds() + delay
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._timer.cancel()
        self._timer_due = due
        self._timer = self.host.clock.call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.wake()

    # -- the sync --------------------------------------------------------------------------------

    async def _sync_until_quiet(self) -> None:
        try:
            while True:
                self._again = False
                CAUSE.set(self._cause)
                try:
                    await self._sync()
                except RuntimeCallError as error:
                    log.warning("runtime refused: %s/%s: %s", *self.key, error)
                    self.wake_in(RETRY)
                except ApiError as error:
                    log.warning("sync refused: %s/%s: %s", *self.key, error.message)
                    self.wake_in(RETRY)
                except Exception:
                    log.exception("sync failed: %s/%s", *self.key)
                    self.wake_in(RETRY)
                if not self._again or self.finished:
                    return
        finally:
            self._syncing = False

    @property
    def key(self) -> tuple[str, str]:
        return namespace_of(self.pod), name_of(self.pod)

    async def _sync(self) -> None:
        await self.containers.refresh()
        if is_deleting(self.pod) or self._verdict is not None or self._all_ended():
            await self._terminate()
            return
        if self.held or self._past_deadline():
            return
        self.status_changed(_STATUS_DELAY if self._written else _FIRST_STATUS_DELAY)
        if not await self._prepare():
            return
        if self._sleep is not None:
            await self._sleep.end()
        await self.containers.sync()
        self.status_changed()
        if self._all_ended():
            await self._terminate()

    def _all_ended(self) -> bool:
        """Tell whether all containers have ended for good."""
        if is_terminal(self.pod) and not self.containers.any_running():
            return True
        return self.containers.all_done()

    def _past_deadline(self) -> bool:
        limit = self.pod["spec"].get("activeDeadlineSeconds")
        if limit is None:
            return False
        left = parse_time(self._start_time).timestamp() + limit - self.host.clock.seconds()
        if left > 0:
            self.wake_in(left)
            return False
        message = "Pod was active on the node longer than the specified deadline"
        self.report("Normal", "DeadlineExceeded", message)
        self._verdict = ("Failed", "DeadlineExceeded", message)
        self._again = True
        return True

    async def _prepare(self) -> bool:
        """Have the sandbox and the volumes; False if that has to be tried again later."""
        began = self.host.clock.seconds()
        if not self.sandbox_id:
            try:
                config = sandbox_config(self.pod, self._attempt)
                self.sandbox_id = await self.host.runtime.run_pod_sandbox(config)
            except RuntimeCallError as error:
                self.step("sandbox", began, outcome=str(error))
                self.report(
                    "Warning",
                    "FailedCreatePodSandBox",
                    f"Failed to create pod sandbox: {error}",
                )
                self.wake_in(RETRY)
                return False
            found = await self.host.runtime.pod_sandbox_status(self.sandbox_id)
            ip = found.network.ip or self.host.node_ip
            self.pod_ips = (ip, *found.network.additional_ips)
            self.host.sandboxes[self.sandbox_id] = self
            self.step("sandbox", began)
            began = self.host.clock.seconds()
        if self._volumes_dirty:
            try:
                await self.mount()
            except NotAttached as error:
                self._await_attachment(error)
                return False
            except MountFailed as error:
                self.step("volumes", began, outcome=str(error))
                self.report("Warning", "FailedMount", str(error))
                self.wake_in(RETRY)
                return False
            self._attach_by = 0.0
            self.step("volumes", began)
        return True

    def _await_attachment(self, error: NotAttached) -> None:
        """Wait to be woken; every two minutes say what for."""
        now = self.host.clock.seconds()
        if self._attach_by and now >= self._attach_by:
            self.step("volumes", self._attach_by - ATTACH, outcome=str(error))
            self.report("Warning", "FailedMount", str(error))
            self._attach_by = 0.0
        self._attach_by = self._attach_by or now + ATTACH
        self.wake_in(self._attach_by - now)

    async def mount(self) -> None:
        """Have the volumes as they should be now. Raises MountFailed."""
        if not self._volumes_dirty:
            return
        self._volumes_dirty = False
        try:
            await self.host.volumes.mount(self.pod, self.pod_ips)
        except Exception:
            self._volumes_dirty = True
            raise

    async def _terminate(self) -> None:
        """Stop everything, write the last status, and let the API forget the pod."""
        grace = self._grace()
        self.status_changed()
        await self.containers.stop_all(grace)
        await self.containers.refresh()
        self._terminated = True
        if self._ended is not None:
            self._ended.set()
        if self.sandbox_id:
            await self.host.runtime.stop_pod_sandbox(self.sandbox_id)
        await self._write_status()
        if not is_deleting(self.pod):
            return
        self.finished = True
        self.cancel_timers()
        await self.clean_up()
        await self.host.forget_in_api(self.pod)

    def _grace(self) -> float:
        if self._hurry is not None:
            return self._hurry
        metadata = self.pod["metadata"]
        grace = metadata.get("deletionGracePeriodSeconds")
        if grace is None:
            grace = self.pod["spec"].get("terminationGracePeriodSeconds", 30)
        return float(grace)

    async def clean_up(self) -> None:
        """Remove the pod from the runtime and from the node's disk."""
        self.cancel_timers()
        self.containers.close()
        try:
            if self.sandbox_id:
                await self.host.runtime.stop_pod_sandbox(self.sandbox_id)
                await self.host.runtime.remove_pod_sandbox(self.sandbox_id)
        except RuntimeCallError as error:
            log.warning("cannot remove the sandbox of %s/%s: %s", *self.key, error)
        self.host.sandboxes.pop(self.sandbox_id, None)
        self.host.sources.release(self.pod)
        await self._release_volumes()
        self.host.volumes.unmount(self.pod)
        self.host.images.forget(self.uid)

    async def _release_volumes(self) -> None:
        """Say what is let go of: other nodes wait for what this one knows of volumes."""
        host = self.host
        await host.until_heard(
            "release of volumes", self.pod, lambda: host.volumes.release(self.pod)
        )

    async def _recall_volumes(self, recall: Callable[[], Awaitable[None]]) -> None:
        await self.host.until_heard("recall of volumes", self.pod, recall)
        if self.finished:
            await self._release_volumes()

    def cancel_timers(self) -> None:
        for timer in (self._timer, self._status_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._status_timer = None

    # -- what it says ----------------------------------------------------------------------------

    def report(
        self, kind: str, reason: str, message: str, record: ContainerRecord | None = None
    ) -> None:
        """Write an event about the pod, or about one of its containers."""
        path = record.field_path if record is not None else ""
        self.host.recorder.event(self.pod, kind, reason, message, field_path=path)

    def step(
        self, what: str, began: float, container: str = "", outcome: str = "", revision: int = 0
    ) -> None:
        """Note what was done for the pod, since when, and what came of it."""
        host = self.host
        host.steps.add(
            Step(
                what,
                self.uid,
                *self.key,
                host.node_name,
                container,
                began,
                host.clock.seconds(),
                outcome[:LONGEST_OUTCOME],
                CAUSE.get(),
                revision,
            )
        )

    def status_changed(self, delay: float = _STATUS_DELAY) -> None:
        """See to it that the status is written soon; changes that come together go as one."""
        due = self.host.clock.seconds() + delay
        if self._status_timer is not None:
            if self._status_at <= due:
                return
            self._status_timer.cancel()
        if not self.finished:
            self._status_at = due
            self._status_timer = self.host.clock.call_later(delay, self._status_due)

    def _status_due(self) -> None:
        self._status_timer = None
        if self._writing:
            self._write_again = True
        else:
            self._writing = True
            self.host.tasks.spawn(f"status {self.uid}", self._write_until_quiet())

    async def _write_until_quiet(self) -> None:
        try:
            while True:
                self._write_again = False
                try:
                    await self._write_status()
                except ApiError as error:
                    log.warning("status not written: %s/%s: %s", *self.key, error.message)
                    self.status_changed(RETRY)
                    return
                if not self._write_again:
                    return
        finally:
            self._writing = False

    async def _write_status(self) -> None:
        async with self._status_turn, self.host.status_turns:
            await self._write_changed()

    async def _write_changed(self) -> None:
        status = statuses.pod_status(self.pod, self._facts())
        if status == self._written:
            return
        began = self.host.clock.seconds()
        before = self._written or self.pod.get("status") or {}
        revision = await self.host.write_status(self.pod, self._written, status)
        if not revision:
            return
        self._written = status
        if before.get("phase") != status["phase"]:
            self.step("phase", began, outcome=status["phase"], revision=revision)

    def _facts(self) -> statuses.PodFacts:
        return statuses.PodFacts(
            self.containers.records,
            host_ip=self.host.node_ip,
            start_time=self._start_time,
            now=self.host.clock.timestamp(),
            pod_ips=self.pod_ips,
            sandbox_ready=bool(self.sandbox_id) and not self._terminated,
            verdict=self._verdict,
            disrupted=self._disrupted,
            terminated=self._terminated,
            restarting=self.containers.restarting,
        )


def _is_ready(status: Obj) -> bool:
    conditions = status.get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
