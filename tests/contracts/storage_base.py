"""What each part of the storage contract begins with, and ways to look beside the storage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from apimachinery.clock import ManualClock
from apiserver.storage import (
    ClusterRecord,
    ClusterStore,
    Storage,
)
from apiserver.storage.connection import Connection
from apiserver.watch.hub import WatchHub


class StorageCase:
    """Subclasses name the database by overriding `alias`, and its environment by `environment`."""

    @pytest.fixture
    def alias(self) -> str:
        raise AssertionError("name a database")

    @pytest.fixture
    def environment(self) -> dict[str, str]:
        raise AssertionError("say how another process finds the database")

    @pytest.fixture
    async def storage(self, alias: str, clock: ManualClock) -> AsyncIterator[Storage]:
        opened = Storage(clock=clock, hub=WatchHub, alias=alias)
        yield opened
        await opened.close()

    @pytest.fixture
    async def store(self, storage: Storage) -> ClusterStore:
        return await storage.create_cluster(ClusterRecord("one"))


async def execute(alias: str, statement: str, *parameters: Any) -> list[Any]:
    """Run a statement beside the storage, on a connection and a thread of its own."""

    def run() -> list[Any]:
        connection = Connection(alias)
        try:
            cursor = connection.cursor()
            cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    return await asyncio.to_thread(run)


async def count(alias: str, table: str) -> int:
    ((count,),) = await execute(alias, f'SELECT COUNT(*) FROM "{table}"')
    return int(count)
