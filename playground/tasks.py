"""Tasks that nobody awaits: held, logged when they fail, and cancelled together.

What is done once is started; what has to go on is served: it is run again when it fails. Those who
cannot go on without a task hear of its failure.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

log = logging.getLogger("kubeground.tasks")

# Changes are sent at most this often: 20 frames a second is more than one can follow.
BATCH_SECONDS = 0.05
# As of the tasks of a cluster (nodes/client/supervise.py).
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0

Work: TypeAlias = Coroutine[Any, Any, None]


async def announce(some: asyncio.Event, wake: Callable[[], None]) -> None:
    """Call `wake` when something has changed, at most every BATCH_SECONDS, until cancelled."""
    while True:
        await some.wait()
        some.clear()
        wake()
        await asyncio.sleep(BATCH_SECONDS)


class Tasks:
    """A set of running tasks; one that fails is logged, and the others go on."""

    def __init__(self, failed: Callable[[], None] | None = None) -> None:
        """`failed` is called when one has failed that is not started again."""
        self._failed = failed
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Work, name: str) -> None:
        """Run once, in the background."""
        _ = self.begin(work, name)

    def begin(self, work: Work, name: str) -> asyncio.Task[None]:
        """Run once, in the background; return the task to those who wait for it, or end it."""
        task = asyncio.ensure_future(work)
        task.set_name(name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def serve(self, service: Callable[[], Work], name: str) -> None:
        """Run `service`, and again after a pause whenever it fails, until it returns."""
        self.start(_keep(service, name), name)

    async def stop(self) -> None:
        """Cancel all and wait until they have ended."""
        here = asyncio.current_task()
        ending = [task for task in self._running if task is not here]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task %s failed", task.get_name(), exc_info=error)
            if self._failed is not None:
                self._failed()


async def _keep(service: Callable[[], Work], name: str) -> None:
    pause, now = _FIRST_PAUSE, asyncio.get_running_loop().time
    while True:
        began = now()
        try:
            await service()
        except Exception:
            log.exception("task %s failed, starting it again", name)
        else:
            return
        if now() - began > _LONGEST_PAUSE:
            pause = _FIRST_PAUSE
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
