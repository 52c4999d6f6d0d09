"""Static files, as they are now: built files that are new are found, and those that went are 404.

What is served is looked up in a table. `node build.mjs` under a running site makes files with new
names and takes the old ones away: what is not on the disk any more is taken out of the table, and a
name that is not in it has the directory read again, once a second at most.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from servestatic import ServeStaticASGI  # type: ignore[import-untyped]

BUILT = "/static/dist/"
AGAIN = 1.0


class Files(ServeStaticASGI):  # type: ignore[misc]
    """Serves files, then the application."""

    def __init__(self, *args: Any, built: Path, **kwargs: Any) -> None:
        """`built` is the directory whose content changes."""
        super().__init__(*args, **kwargs)
        self._built = built
        self._read = float("-inf")
        self._reading: asyncio.Future[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(BUILT):
            file = self.files.get(scope["path"])
            if file is not None and not _there(file):
                file = None
                self.files.pop(scope["path"], None)
            if file is None:
                await self._read_again()
        await super().__call__(scope, receive, send)

    async def _read_again(self) -> None:
        """Bring the table up to date; requests that come meanwhile wait for the same."""
        if self._reading is None and time.monotonic() - self._read > AGAIN:
            self._reading = asyncio.ensure_future(asyncio.to_thread(self._scan))
            self._reading.add_done_callback(self._have_read)
        if self._reading is not None:
            await asyncio.shield(self._reading)

    def _scan(self) -> None:
        if self._built.is_dir():
            self.update_files_dictionary(f"{self._built}/", BUILT)

    def _have_read(self, reading: asyncio.Future[None]) -> None:
        self._read, self._reading = time.monotonic(), None


def _there(file: Any) -> bool:
    """Tell whether a file of the table is on the disk still."""
    return Path(file.alternatives[-1][1]).exists()
