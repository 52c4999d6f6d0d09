"""A PostgreSQL server for the test session: its own directory, its own socket, no TCP.

The server refuses to run as root, so root's tests start it as an unprivileged user.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from playground.databases import database_settings
from tests.support.databases import database

_START_SECONDS = 30
_TEMPLATE = "tables"
_numbers = itertools.count()


@dataclass(frozen=True)
class Server:
    """A running server and how to reach it."""

    directory: Path

    def url(self, name: str) -> str:
        return f"postgres://kubeground@/{name}?host={self.directory}"

    def settings(self, name: str) -> dict[str, Any]:
        return database_settings(self.url(name), self.directory)

    def execute(self, statement: str) -> None:
        where = f"host={self.directory} user=kubeground dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())

    def fresh(self) -> str:
        """Make a database that has the tables; return its name."""
        name = f"test{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return name


def _binaries() -> Path | None:
    if found := shutil.which("postgres"):
        return Path(found).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    return newest.parent if newest else None


def _demoted() -> dict[str, Any]:
    """Return how to run a program as somebody other than root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.fail("PostgreSQL will not run as root, and there is no user for it")


def _start(binaries: Path, directory: Path) -> subprocess.Popen[bytes]:
    who = _demoted()
    if who:
        os.chown(directory, who["user"], who["group"])
    data = directory / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "kubeground", "-A", "trust", "-E", "UTF8", "-N"],
        check=True,
        cwd=directory,
        stdout=subprocess.DEVNULL,
        **who,
    )
    # Tests kill clients, never the server: nothing needs to reach the disk.
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=32MB"]
    return subprocess.Popen(
        [binaries / "postgres", "-D", data, "-k", directory, *options],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **who,
    )


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("PostgreSQL did not start")


@pytest.fixture(scope="session")
def postgres_server(django_db_blocker: Any) -> Iterator[Server]:
    """A server whose template database has the tables."""
    binaries = _binaries()
    if binaries is None:
        reason = "PostgreSQL's server programs are not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    # Not below pytest's own directory, which only root may enter.
    directory = Path(tempfile.mkdtemp(prefix="kubeground-pg-"))
    process = _start(binaries, directory)
    try:
        server = Server(directory)
        _wait(server, process)
        server.execute(f"CREATE DATABASE {_TEMPLATE}")
        with django_db_blocker.unblock(), database("template", server.settings(_TEMPLATE)):
            pass
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_START_SECONDS)
        shutil.rmtree(directory)


@pytest.fixture
def postgresql(postgres_server: Server, blocker: None) -> Iterator[str]:
    """The alias of an empty PostgreSQL database with tables."""
    settings = postgres_server.settings(postgres_server.fresh())
    with database("postgresql-test", settings, migrate=False) as alias:
        yield alias
