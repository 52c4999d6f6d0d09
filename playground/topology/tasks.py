"""Tasks that nobody awaits: held, logged when they fail, and cancelled together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger("kubeground.site")

# Changes are sent at most this often: 20 frames a second is more than one can follow.
BATCH_SECONDS = 0.05


async def announce(some: asyncio.Event, wake: Callable[[], None]) -> None:
    """Call `wake` when something has changed, at most every BATCH_SECONDS, until cancelled."""
    while True:
        await some.wait()
        some.clear()
        wake()
        await asyncio.sleep(BATCH_SECONDS)


class Tasks:
    """A set of running tasks; one that fails is logged, and the others go on."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run in the background."""
        task = asyncio.ensure_future(work)
        task.set_name(name)
        self._running.add(task)
        task.add_done_callback(self._ended)

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
