"""From a browser to its shell: frames pass both ways as they are, once it is clear whose they are.

The protocol is that of playground/shells/service.py. Close codes are those of the other streams;
4410 says that there is no such shell (any more).
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import Http404
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from playground.accounts.models import User
from playground.sandboxes import access
from playground.sandboxes.gateway import GatewayError, gateway
from playground.tasks import Tasks
from playground.terminal.api import own
from playground.terminal.client import ShellsError, look_at
from playground.terminal.keeper import KEEPER
from playground.topology.protocol import Close

GONE = 4410
# Somebody who pastes more at once has it cut into frames by the page.
LARGEST_INPUT = 64 * 1024


class TerminalConsumer(AsyncWebsocketConsumer):
    """One page that looks at one shell."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tasks = Tasks(failed=self._broken)
        self._shell: ClientConnection | None = None

    async def connect(self) -> None:
        """Let the owner in, and nobody else."""
        await self.accept()
        user: object = self.scope.get("user")
        if not isinstance(user, User) or not user.is_active:
            await self.close(int(Close.SIGNED_OUT))
            return
        code = await self._begin(user)
        if code is not None:
            await self.close(code)

    async def _begin(self, user: User) -> int | None:
        """Connect the two ends; return a close code where that cannot be."""
        named = self.scope["url_route"]["kwargs"]
        try:
            cluster = await asyncio.to_thread(access.find, gateway(), user, named["name"])
        except Http404:
            return int(Close.CLUSTER_GONE)
        except GatewayError:
            return int(Close.UNREACHABLE)
        try:
            await asyncio.to_thread(own, user, cluster, named["number"])
            self._shell = await look_at(named["number"], self._seen())
        except Http404:
            return GONE
        except (ShellsError, OSError, ConnectionClosed):
            return int(Close.UNREACHABLE)
        KEEPER.wake()
        self._tasks.start(self._relay(self._shell), "terminal")
        return None

    def _broken(self) -> None:
        self._tasks.start(self.close(int(Close.BROKEN)), "end of a broken terminal")

    def _seen(self) -> int | None:
        text = (parse_qs(self.scope["query_string"].decode()).get("seq") or [""])[0]
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None

    async def _relay(self, shell: ClientConnection) -> None:
        try:
            async for frame in shell:
                if isinstance(frame, bytes):
                    await self.send(bytes_data=frame)
                else:
                    await self.send(text_data=frame)
        except ConnectionClosed:
            pass
        await self.close(GONE if shell.close_code == GONE else int(Close.UNREACHABLE))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pass on what was typed, and what the page has shown."""
        if self._shell is None:
            return
        if text_data is not None and _is_ping(text_data):
            await self.send(text_data='{"op":"pong"}')
            return
        data: str | bytes = (bytes_data or b"")[:LARGEST_INPUT] if text_data is None else text_data
        try:
            await self._shell.send(data)
        except ConnectionClosed:
            return  # the relay tells the page

    async def disconnect(self, code: int) -> None:
        """Leave the shell running."""
        await self._tasks.stop()
        if self._shell is not None:
            await self._shell.close()


def _is_ping(text: str) -> bool:
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(frame, dict) and frame.get("op") == "ping"
