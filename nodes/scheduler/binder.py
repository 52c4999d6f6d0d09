"""From a chosen node to a binding: what permit and preBind plugins want done, and the writing."""

from __future__ import annotations

import asyncio
import time

from apimachinery.errors import ApiError, NotFound
from nodes.client import resources
from nodes.client.rest import Client
from nodes.scheduler import binding
from nodes.scheduler.attempt import Attempt
from nodes.scheduler.cycle import Outcome
from nodes.scheduler.extenders import ExtenderError, Extenders
from nodes.scheduler.framework import CycleState
from nodes.scheduler.groups import Groups
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.profile import Profile
from nodes.scheduler.status import Patcher


class Binder:
    """Binds pods that stand on their nodes already, as the scheduler sees it.

    `slots` limits how many are bound together; who waits for something else leaves its slot
    to others meanwhile.
    """

    def __init__(
        self,
        client: Client,
        writer: binding.Writer,
        waiters: binding.Waiters,
        groups: Groups | None,
        slots: asyncio.Semaphore,
        patcher: Patcher,
    ) -> None:
        self._client, self._writer, self._waiters = client, writer, waiters
        self._groups, self._slots, self._patcher = groups, slots, patcher
        self.extenders = Extenders()
        # Pods for which something is being done before they are bound.
        self._prepared: dict[str, asyncio.Task[binding.Failure | None]] = {}

    def interrupt(self, uid: str) -> str:
        """Give a pod up that is not about to be bound yet: it goes back to the queue.

        Return at which extension point it was; "" where there is no such pod.
        """
        if self._waiters.preempt(uid):
            return binding.PERMIT
        preparing = self._prepared.get(uid)
        return binding.PRE_BIND if preparing is not None and preparing.cancel() else ""

    async def bind(
        self, profile: Profile, pod: PodInfo, outcome: Outcome, attempt: Attempt
    ) -> binding.Failure | None:
        """Do all that comes before a pod is bound, and bind it; or undo what was reserved."""
        state, node = outcome.state, outcome.node
        failure = None
        if state is not None:
            failure = await self._prepare(profile, state, pod, node, attempt)
        began = time.perf_counter()
        if failure is None:
            failure = await self._write_binding(pod, node)
        if failure is None:
            attempt.seconds["bind"] = time.perf_counter() - began
        elif state is not None:
            binding.unreserve(profile, state, pod, node)
        return failure

    async def _prepare(
        self, profile: Profile, state: CycleState, pod: PodInfo, node: str, attempt: Attempt
    ) -> binding.Failure | None:
        """Ask the permit and preBind plugins. Others are bound meanwhile."""
        failure, plugin, seconds = binding.permit(profile, state, pod, node)
        if failure is None and not plugin and pod.group and self._groups is not None:
            for uid in self._groups.members(pod.group):
                self._waiters.allow(uid)
        if failure is not None or not (plugin or binding.has_work(profile, state, pod)):
            return failure
        began = time.perf_counter()
        self._slots.release()
        try:
            # Said in the pod, since it may take a while (NominatedNodeNameForExpectation).
            told = asyncio.ensure_future(self._patcher.tried(pod, nominated=node))
            why = await self._waiters.wait(pod, plugin, seconds) if plugin else ""
            await told
            if plugin:
                attempt.seconds[binding.PERMIT] = time.perf_counter() - began
            if why == binding.PREEMPTED:
                return binding.Failure(why, plugin, rejected=False)
            if why:
                return binding.refused(plugin, [why])
            began = time.perf_counter()
            failure = await self._pre_bind(profile, state, pod, node)
            attempt.seconds[binding.PRE_BIND] = time.perf_counter() - began
        finally:
            await self._slots.acquire()
        return failure

    async def _pre_bind(
        self, profile: Profile, state: CycleState, pod: PodInfo, node: str
    ) -> binding.Failure | None:
        """Do what has to be done before a pod is bound, unless it is given up meanwhile."""
        work = binding.pre_bind(profile, state, pod, node, self._writer)
        task = self._prepared[pod.uid] = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            self._prepared.pop(pod.uid, None)
        if task.cancelled():
            return binding.Failure("preempted by DefaultPreemption", "", rejected=False)
        return task.result()

    async def _write_binding(self, pod: PodInfo, node: str) -> binding.Failure | None:
        try:
            if await self.extenders.bind(pod, node):
                return None
        except ExtenderError as error:
            return binding.Failure(str(error), "Extender", rejected=False)
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
            "target": {"kind": "Node", "name": node},
        }
        try:
            await self._client.create(body, resources.PODS, subresource="binding", name=pod.name)
        except NotFound:
            return binding.Failure("", "", rejected=False)
        except ApiError as error:
            why = f'running Bind plugin "DefaultBinder": {error.message}'
            return binding.Failure(why, "DefaultBinder", rejected=False)
        return None
