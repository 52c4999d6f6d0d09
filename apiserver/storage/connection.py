"""A thread's own connection, and the few things that SQLite and PostgreSQL do differently."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper


@dataclass(frozen=True, slots=True)
class Dialect:
    """The statements that have no common form."""

    begin: str


# IMMEDIATE takes the write lock at once: a transaction that reads first could fail when it writes.
SQLITE = Dialect(begin="BEGIN IMMEDIATE")
POSTGRESQL = Dialect(begin="BEGIN")


class Connection:
    """A connection for one thread, opened again when it was lost."""

    def __init__(self, alias: str) -> None:
        self._django: BaseDatabaseWrapper = connections.create_connection(alias)
        if self._django.vendor == "postgresql":
            self.dialect = POSTGRESQL
            settings = copy.deepcopy(self._django.settings_dict)
            # Statements are few and repeated: prepared on the server, and batches pipelined.
            settings["OPTIONS"] = {**settings.get("OPTIONS", {}), "server_side_binding": True}
            self._django.settings_dict = settings
        else:
            self.dialect = SQLITE

    def cursor(self) -> CursorWrapper:
        cursor = self._django.cursor()
        if self.dialect is POSTGRESQL:
            # Rows in binary: bodies come as they are, not as twice their length in hexadecimal.
            cursor.cursor.format = 1
        return cursor

    def close(self) -> None:
        self._django.close()
