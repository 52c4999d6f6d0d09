"""Fixtures that every test may use: a clock, storage on a database of its own, a playground."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.contracts")

from tests.support.databases import (  # noqa: E402
    blocker,
    clock,
    cluster,
    migrated,
    sqlite,
    storage,
)
from tests.support.postgres import postgres_server, postgresql  # noqa: E402
from tests.support.server import playground  # noqa: E402

# The same examples each time, and however slow the machine is. HYPOTHESIS_PROFILE=explore looks
# for others.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

__all__ = [
    "blocker",
    "clock",
    "cluster",
    "migrated",
    "playground",
    "postgres_server",
    "postgresql",
    "sqlite",
    "storage",
]
