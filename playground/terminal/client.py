"""The way to the process of shells: HTTP and websockets over its local socket.

ShellsError
 ├─ ShellsDown     nothing answered: the process restarts, or never started
 └─ ShellsRefused  it answered with an error: its status and its words
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson
from django.conf import settings
from websockets.asyncio.client import ClientConnection, unix_connect

# A shell on a node waits for a pod.
_TIMEOUT = httpx.Timeout(90.0, connect=3.0)
_LARGEST_FRAME = 1 << 20


class ShellsError(Exception):
    """The process of shells did not do what was asked."""


class ShellsDown(ShellsError):
    """Nothing answered."""


class ShellsRefused(ShellsError):
    """The answer was an error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Shells:
    """Calls of views and of the keeper; each blocks its thread until the answer is there."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def state(self) -> dict[str, Any]:
        """Return whether there are sandboxes, or why not."""
        return self._json("GET", "/state")

    def sessions(self, **wanted: str) -> list[dict[str, Any]]:
        """Return all shells of which these fields are so, running or remembered."""
        return list(self._json("GET", "/sessions", params=wanted)["items"])

    def session(self, number: str) -> dict[str, Any] | None:
        """Return one, None where there is no such."""
        try:
            return self._json("GET", f"/sessions/{quote(number, safe='')}")
        except ShellsRefused as error:
            if error.code == 404:
                return None
            raise

    def open(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Start a shell."""
        return self._json("POST", "/sessions", json=dict(wish))

    def end(self, number: str, why: str = "") -> dict[str, Any]:
        """End one."""
        path = f"/sessions/{quote(number, safe='')}"
        return self._json("DELETE", path, params={"why": why})

    def end_all(self, why: str, **wanted: str) -> None:
        """End all of which these fields are so."""
        self._json("DELETE", "/sessions", params={"why": why, **wanted})

    def record(self, number: str, *, on: bool) -> dict[str, Any]:
        """Begin a recording, or end it."""
        path = f"/sessions/{quote(number, safe='')}/recording"
        return self._json("POST", path, json={"on": on})

    def recording(self, number: str) -> bytes:
        """Return what was recorded, as asciicast v2."""
        return self._send("GET", f"/sessions/{quote(number, safe='')}/recording").content

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        return dict(orjson.loads(self._send(method, path, **options).content))

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        if not Path(settings.SHELLS_SOCKET).exists():
            # httpx would leave a socket behind that has connected to nothing.
            raise ShellsDown("The process of terminals does not run.")
        try:
            response = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise ShellsDown(f"The process of terminals does not answer: {error}") from error
        if response.is_error:
            raise ShellsRefused(response.status_code, _words(response.content))
        return response


def _words(body: bytes) -> str:
    try:
        return str(orjson.loads(body)["error"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "The process of terminals refused."


@cache
def shells() -> Shells:
    """Return the process's way to the shells."""
    transport = httpx.HTTPTransport(uds=settings.SHELLS_SOCKET, limits=httpx.Limits())
    return Shells(
        httpx.Client(
            transport=transport, base_url="http://shells", timeout=_TIMEOUT, trust_env=False
        )
    )


async def look_at(number: str, seq: int | None) -> ClientConnection:
    """Return the websocket of a shell. Raises OSError where the process is away."""
    asked = "" if seq is None else f"?seq={seq}"
    return await unix_connect(
        settings.SHELLS_SOCKET,
        f"ws://shells/sessions/{quote(number, safe='')}{asked}",
        compression=None,
        max_size=_LARGEST_FRAME,
        open_timeout=5,
    )
