"""Fixtures that every test may use: a clock, storage on a database of its own, a playground."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.contracts")

from tests.support.databases import blocker, clock, cluster, sqlite, storage  # noqa: E402
from tests.support.postgres import postgres_server, postgresql  # noqa: E402
from tests.support.server import playground  # noqa: E402

__all__ = [
    "blocker",
    "clock",
    "cluster",
    "playground",
    "postgres_server",
    "postgresql",
    "sqlite",
    "storage",
]
