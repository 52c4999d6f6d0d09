"""Storage without threads, for tests on virtual time.

Virtual time leaps ahead whenever the loop has nothing to do, and a thread that commits is nothing
to the loop. Here each write is committed on the spot, so no time passes meanwhile.
"""

from __future__ import annotations

from typing import Any

from apiserver.storage import Storage
from apiserver.storage.connection import Connection
from apiserver.storage.reader import Reader
from apiserver.storage.writer import Writer


class InlineWriter(Writer):
    """The writer's own code, called instead of queued for."""

    def __init__(self, alias: str, loop: Any) -> None:
        super().__init__(alias, loop, connect=Connection)

    def start(self) -> None:
        self._connection = self._connect(self._alias)

    def write(self, head: Any, prepared: Any, *, together: bool = False) -> Any:
        future = super().write(head, prepared, together=together)
        self._turn(self._queue.get())
        return future

    def do(self, call: Any) -> Any:
        future = super().do(call)
        self._turn(self._queue.get())
        return future

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._connection.close()


class InlineReader(Reader):
    """Reads on the spot."""

    async def read(self, query: Any) -> Any:
        return self._run(query)

    async def close(self) -> None:
        self._disconnect()


class InlineStorage(Storage):
    """Storage on the event loop's own thread."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, writer=InlineWriter)
        self._reader = InlineReader(given.get("alias", "default"))
