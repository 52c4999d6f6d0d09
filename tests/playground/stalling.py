"""A page that does not read for a while, as far as what serves it can tell."""

from __future__ import annotations

import asyncio
from typing import Any


class Stalling:
    """An application whose `send` returns while the page reads; a frame that was sent is there."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.reading = asyncio.Event()
        self.reading.set()
        # Set once changes wait for the page.
        self.full = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def patient(message: Any) -> None:
            await send(message)
            if not self.reading.is_set():
                if message.get("text", "").startswith('{"op":"batch"'):
                    self.full.set()
                await self.reading.wait()

        await self._application(scope, receive, patient)
