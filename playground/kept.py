"""What an instance keeps of each cluster beside the database: small documents, replaced whole.

DATA/clusters/UID/failures.json   what is broken on purpose, and what was
DATA/clusters/UID/clock.json      how far ahead its clock is, how fast, whether it stands still
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import orjson

from playground.instance import write_private


class Kept:
    """The documents of one cluster; without a directory nothing is kept."""

    def __init__(self, data_dir: Path | None = None, uid: str = "") -> None:
        self._directory = data_dir / "clusters" / uid if data_dir is not None else None

    async def read(self, name: str) -> dict[str, Any]:
        """Return a document; one that is not there, or makes no sense, is empty."""
        if self._directory is None:
            return {}
        try:
            found = orjson.loads(await asyncio.to_thread((self._directory / name).read_bytes))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    async def write(self, name: str, document: dict[str, Any]) -> None:
        """Keep a document in place of the one before."""
        if self._directory is not None:
            text = orjson.dumps(document).decode()
            await asyncio.to_thread(_replace, self._directory / name, text)

    async def discard(self) -> None:
        """Forget them all: the cluster is gone."""
        if self._directory is not None:
            await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, text)
