"""Tasks that cannot die unseen: a failure is logged, a service is started again, all end at close.

A worker that is idle has no task here: tasks are started when there is something to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from apimachinery.clock import Clock

log = logging.getLogger(__name__)

# 0.1 s doubled nine times is more than 30 s: a service that cannot live costs two tries a minute.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0


class TaskSet:
    """The tasks of one cluster (or one node), which live and end together."""

    def __init__(self, clock: Clock, name: str = "") -> None:
        self._clock = clock
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` once. If it fails, that is logged."""
        if self._closed:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def serve(self, name: str, service: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `service`, and again after a pause whenever it fails, until it returns."""
        self.spawn(name, self._keep(name, service))

    async def close(self) -> None:
        """Cancel what runs, and wait until it has ended."""
        self._closed = True
        mine = asyncio.current_task()
        running = [task for task in self._tasks if task is not mine]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _keep(self, name: str, service: Callable[[], Coroutine[Any, Any, None]]) -> None:
        pause = _FIRST_PAUSE
        while True:
            started = self._clock.seconds()
            try:
                await service()
            except Exception:
                log.exception("service failed, starting again: %s %s", self._name, name)
            else:
                return
            if self._clock.seconds() - started > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            await self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task failed: %s %s", self._name, task.get_name(), exc_info=error)
