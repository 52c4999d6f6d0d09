"""The storage contract, on each database that is supported."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connections

from tests.contracts.storage import StorageContract
from tests.support.postgres import Server


class TestSQLite(StorageContract):
    @pytest.fixture
    def alias(self, sqlite: str) -> str:
        return sqlite

    @pytest.fixture
    def environment(self, sqlite: str, tmp_path: Path) -> dict[str, str]:
        return {"KUBEGROUND_DATA_DIR": str(tmp_path)}


class TestPostgreSQL(StorageContract):
    @pytest.fixture
    def alias(self, postgresql: str) -> str:
        return postgresql

    @pytest.fixture
    def environment(
        self, postgresql: str, postgres_server: Server, tmp_path: Path
    ) -> dict[str, str]:
        name = str(connections.settings[postgresql]["NAME"])
        return {
            "DATABASE_URL": postgres_server.url(name),
            "KUBEGROUND_DATA_DIR": str(tmp_path),
        }
