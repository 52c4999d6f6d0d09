"""A parent's children: started again when they end, and when they cannot be started."""

import asyncio
import errno
import socket
from contextlib import suppress

import pytest

from playground.supervisor import Child

pytestmark = pytest.mark.looptime


class Flaky(Child):
    """A child whose runs are a list: how long it lives, or why it cannot start."""

    def __init__(self, *runs):
        super().__init__("child", "module", socket.socket())
        self.runs = list(runs)
        self.starts: list[float] = []

    async def _run_once(self):
        self.starts.append(asyncio.get_running_loop().time())
        if not self.runs:
            await asyncio.Event().wait()
        how = self.runs.pop(0)
        if isinstance(how, Exception):
            raise how
        await asyncio.sleep(how)
        return 1


async def started(*runs):
    """Return when the child was started, in seconds."""
    child = Flaky(*runs)
    with suppress(TimeoutError):
        await asyncio.wait_for(child.run(), 200)
    child.listener.close()
    return [pytest.approx(moment, abs=0.01) for moment in child.starts]


async def test_a_child_that_keeps_dying_waits_longer_each_time(caplog):
    assert await started(0, 0, 0) == [0, 0.1, 0.3, 0.7]
    assert "child ended with 1; starting it again in 0.4 s" in caplog.text


async def test_a_child_that_lived_starts_at_once_again():
    assert await started(0, 0, 100, 0) == [0, 0.1, 0.3, 100.4, 100.6]


async def test_a_child_that_cannot_start_is_tried_again(caplog):
    assert await started(OSError(errno.ENOMEM, "no memory")) == [0, 0.1]
    assert "child could not be started" in caplog.text
