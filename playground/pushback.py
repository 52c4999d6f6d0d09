"""Websockets whose `send` waits: a page that reads slowly is sent no more than it takes.

What is kept for a page is what Twisted holds (`bufferSize`, 64 KB, and the frame that went over
it), 16 KB that the kernel has not sent, and what the other side's kernel takes. Whoever sends goes
on when all of Twisted's has gone, and makes then what the page needs then.

A page is alive while it says something or takes something: a pong stands in line behind all that,
so a late one alone is no sign of death.
"""

from __future__ import annotations

import asyncio
import socket as sockets
from typing import Any

# Daphne must be imported before anything else of Twisted: it installs the reactor.
from daphne.server import Server  # type: ignore[import-untyped]
from daphne.ws_protocol import WebSocketProtocol  # type: ignore[import-untyped]

from playground.breaking import BREAK_OFF

# The kernel would keep megabytes for a page that reads slowly, and it would see old times pass.
# What is on its way is not counted, so that a long line is used as well as ever.
UNSENT = 16 * 1024
# Where the kernel cannot tell what is on its way, all that it keeps is limited.
KERNEL_BUFFER = 256 * 1024


class PatientProtocol(WebSocketProtocol):  # type: ignore[misc]
    """A websocket that is a producer for its own transport."""

    def __init__(self) -> None:
        super().__init__()
        self._room = asyncio.Event()
        self._room.set()
        self._written = self._taken_at_ping = 0

    async def room(self) -> None:
        """Wait until the page has taken what it was sent, or is gone."""
        await self._room.wait()

    # -- what Twisted says -----------------------------------------------------------------------

    def onOpen(self) -> None:  # noqa: N802 - autobahn's name
        limit_kernel(self.transport.getHandle())
        # The HTTP channel before us is registered still, and would do nothing.
        self.unregisterProducer()
        self.registerProducer(self, streaming=True)
        super().onOpen()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._room.clear()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._room.set()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._room.set()

    # -- whether anybody is there ----------------------------------------------------------------

    def sendData(self, data: bytes, *args: Any, **kwargs: Any) -> None:  # noqa: N802 - autobahn's
        self._written += len(data)
        super().sendData(data, *args, **kwargs)

    def _taken(self) -> int:
        """Return how many bytes the kernel has taken: it takes more when the page does."""
        transport = self.transport
        waiting = len(transport.dataBuffer) - transport.offset + transport._tempDataLen  # noqa: SLF001 - no other way to know
        return self._written - int(waiting)

    def _sendAutoPing(self) -> None:  # noqa: N802 - autobahn's name
        # One at a time: autobahn would forget the first one's deadline, but not end it.
        if self.autoPingPending is None:
            super()._sendAutoPing()
            self._taken_at_ping = self._taken()

    def onAutoPingTimeout(self) -> None:  # noqa: N802 - autobahn's name
        """Wait on while the page reads, however slowly."""
        taken = self._taken()
        if taken == self._taken_at_ping:
            super().onAutoPingTimeout()
            return
        self._taken_at_ping = taken
        self.autoPingTimeoutCall = self.factory._batched_timer.call_later(  # noqa: SLF001 - as it does itself
            self.autoPingTimeout, self.onAutoPingTimeout
        )


class PatientServer(Server):  # type: ignore[misc]
    """Daphne, whose applications wait for a page that reads slowly."""

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if message["type"] == BREAK_OFF:
            protocol.loseConnection()
            return
        await super().handle_reply(protocol, message)
        if message["type"] == "websocket.send":
            await protocol.room()


def limit_kernel(socket: sockets.socket) -> None:
    """Have the kernel keep little of what it cannot send."""
    if socket.family == sockets.AF_UNIX:
        return
    if hasattr(sockets, "TCP_NOTSENT_LOWAT"):
        socket.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NOTSENT_LOWAT, UNSENT)
    else:
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, KERNEL_BUFFER)
