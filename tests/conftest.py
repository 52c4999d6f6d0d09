"""Fixtures that every test may use: a clock, and storage on a database of its own."""

from __future__ import annotations

from tests.support.databases import blocker, clock, cluster, sqlite, storage

__all__ = ["blocker", "clock", "cluster", "sqlite", "storage"]
