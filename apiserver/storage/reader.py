"""A thread that reads what is not in memory: history, and clusters to be opened.

It has a connection of its own, so that a long read does not hold up a write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import DatabaseError, InterfaceError
from django.db.backends.utils import CursorWrapper

from apiserver.storage.connection import Connection
from apiserver.storage.errors import Closed, Unavailable

T = TypeVar("T")


class Reader:
    """Runs one read after another. The thread starts with the first."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="storage-reader")
        self._connection: Connection | None = None
        self._closed = False

    async def read(self, query: Callable[[CursorWrapper], T]) -> T:
        """Run `query` on the reader's connection."""
        if self._closed:
            raise Closed("the storage is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._run, query)

    async def close(self) -> None:
        """Finish what is running, then end the thread."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._threads, self._disconnect)
            self._threads.shutdown()

    def _run(self, query: Callable[[CursorWrapper], T]) -> T:
        connection = self._connection
        if connection is None:
            connection = self._connection = Connection(self._alias)
        try:
            return query(connection.cursor())
        except (DatabaseError, InterfaceError) as error:
            connection.close()  # it may be lost: the next read opens another
            raise Unavailable(str(error)) from error

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
