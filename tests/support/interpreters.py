"""Interpreters of shells in the test's own loop: scripts keep virtual time and start at once.

Nothing holds a hostile script here: tests of those use processes, as the product does.
"""

from __future__ import annotations

import asyncio

from nodes.runtime.simulated.shell.hosted import Host


async def same_loop(receive, lost):
    """Interpret in this process. It keeps virtual time, but nothing holds hostile scripts."""
    return _Local(receive, lost)


class _Local:
    def __init__(self, receive, lost):
        self._loop = asyncio.get_running_loop()
        self._host = Host(lambda head, body: self._deliver(receive, head, body))

    def send(self, head, body):
        self._deliver(self._host.receive, head, body)

    def end(self):
        """Nothing to do: what was cancelled ends by itself, and no time passes meanwhile."""

    async def settle(self):
        await self._host.settle()

    def _deliver(self, receive, head, body):
        self._loop.call_soon(receive, head, body)
