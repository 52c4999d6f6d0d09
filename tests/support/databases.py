"""Databases for tests: each test has one of its own, with tables and no rows."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from apimachinery.clock import ManualClock
from apiserver.storage import ClusterRecord, ClusterStore, Storage
from apiserver.watch.hub import WatchHub
from playground.databases import sqlite_settings


@contextmanager
def database(alias: str, settings: dict[str, Any], *, migrate: bool = True) -> Iterator[str]:
    """Make a database known to Django under an alias, and make its tables."""
    connections.settings = connections.configure_settings({**connections.settings, alias: settings})
    try:
        if migrate:
            call_command("migrate", database=alias, verbosity=0)
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]


@pytest.fixture
def blocker(django_db_blocker: Any) -> Iterator[None]:
    """Let the storage's threads use databases that pytest-django knows nothing of."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Path:
    """A SQLite database with tables and no rows, to be copied: migrations outlast most tests."""
    path: Path = tmp_path_factory.mktemp("migrated") / "db.sqlite3"
    with django_db_blocker.unblock(), database("sqlite-migrated", sqlite_settings(path)):
        return path


@pytest.fixture
def sqlite(tmp_path: Path, migrated: Path, blocker: None) -> Iterator[str]:
    """The alias of an empty SQLite database with tables."""
    path = tmp_path / "db.sqlite3"
    shutil.copyfile(migrated, path)
    with database("sqlite-test", sqlite_settings(path), migrate=False) as alias:
        yield alias


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def storage(sqlite: str, clock: ManualClock) -> AsyncIterator[Storage]:
    """Storage on SQLite, without a cluster."""
    opened = Storage(clock=clock, hub=WatchHub, alias=sqlite)
    yield opened
    await opened.close()


@pytest.fixture
async def cluster(storage: Storage) -> ClusterStore:
    """An open, empty cluster on SQLite."""
    return await storage.create_cluster(ClusterRecord("test"))
