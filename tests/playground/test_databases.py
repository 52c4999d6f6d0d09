"""Which database an environment means."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.databases import database_settings


def test_without_a_url_it_is_sqlite_in_the_data_directory(tmp_path: Path):
    settings = database_settings("", tmp_path / "new")
    assert settings["NAME"] == str(tmp_path / "new" / "db.sqlite3")
    assert (tmp_path / "new").is_dir()
    assert "synchronous=FULL" in settings["OPTIONS"]["init_command"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p%40ss@db:5433/k", ("k", "u", "p@ss", "db", "5433", {})),
        ("postgresql://db/k?sslmode=require", ("k", "", "", "db", "", {"sslmode": "require"})),
        ("postgres://u@/k?host=/run/pg&port=5", ("k", "u", "", "/run/pg", "5", {})),
    ],
)
def test_a_url_is_postgresql(url: str, expected: tuple[object, ...], tmp_path: Path):
    settings = database_settings(url, tmp_path)
    names = ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
    assert tuple(settings[name] for name in names) == expected


def test_another_scheme_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="mysql"):
        database_settings("mysql://db/k", tmp_path)
