"""Which database, and how it is opened: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# WAL lets readers and the one writer go on side by side. FULL makes a commit durable before it is
# acknowledged. A checkpoint every 4,000 pages (16 MB) keeps it out of most transactions.
SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000"
# The site and the cluster worker write the same file; each transaction takes milliseconds.
SQLITE_BUSY_SECONDS = 20


def database_settings(url: str, data_dir: Path) -> dict[str, Any]:
    """Return Django's settings of the database at `url`, or of SQLite under `data_dir`."""
    parts = urlsplit(url)
    if not url:
        return sqlite_settings(data_dir / "db.sqlite3")
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(f"DATABASE_URL: unknown scheme {parts.scheme!r}; use postgres://")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A directory (the socket's) comes in ?host=, as libpq has it.
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": options.pop("port", str(parts.port or "")),
        "OPTIONS": options,
    }


def sqlite_settings(path: Path) -> dict[str, Any]:
    """Return Django's settings of the SQLite file `path`, whose directory is made if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": SQLITE_BUSY_SECONDS,
            "init_command": SQLITE_PRAGMAS,
        },
    }
