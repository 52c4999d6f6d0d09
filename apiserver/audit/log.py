"""The audit log of a process: lines that a thread writes, so that no request waits for a disk.

What cannot be written, because the disk is slower than the requests for long, is dropped and
counted; the log says so in the server's own log.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson

from apimachinery.clock import Clock
from apimachinery.gotext import quoted as quote
from apiserver.audit.files import Keeping, RotatingFile

logger = logging.getLogger(__name__)

FORMATS = ("legacy", "json")
# Events that may wait to be written, as many as kube-apiserver's buffer holds.
LONGEST_QUEUE = 10_000
# And their bytes: with whole objects in them, so many would not fit into memory.
LARGEST_QUEUE = 64 * 1024 * 1024
_STDOUT = "-"


class Output(Protocol):
    """Where lines go."""

    def write(self, data: bytes, /) -> Any: ...

    def close(self) -> None: ...


class _Stdout:
    """Standard output, which stays open."""

    def write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()

    def close(self) -> None:
        sys.stdout.flush()


class AuditLog:
    """Writes events as they come, in their order, from a thread of its own."""

    def __init__(self, output: Output, form: str = "json") -> None:
        self._output, self.form = output, form
        self._queue: queue.Queue[bytes | None] = queue.Queue(LONGEST_QUEUE)
        self.dropped = 0
        # Bytes that have come, counted by who puts them, and that have gone, counted by the thread.
        self._came = self._went = 0
        self._thread = threading.Thread(target=self._write, name="audit log", daemon=True)
        self._thread.start()

    def put(self, event: Mapping[str, Any], encoded: bytes) -> None:
        """Take an event; `encoded` is the same as JSON."""
        line = encoded if self.form == "json" else legacy_line(event).encode()
        waiting = self._came - self._went
        try:
            if waiting and waiting + len(line) > LARGEST_QUEUE:
                raise queue.Full  # noqa: TRY301 - one way out for both bounds
            self._queue.put_nowait(line + b"\n")
            self._came += len(line) + 1
        except queue.Full:
            self._drop("were dropped, it is too slow")

    def close(self) -> None:
        """Write what has come, and end."""
        self._queue.put(None)
        self._thread.join()
        self._output.close()

    def _drop(self, why: str, *, exc_info: bool = False) -> None:
        """Count an event that is lost; told when there are 1, 2, 4, 8... of them."""
        self.dropped += 1
        if self.dropped & (self.dropped - 1) == 0:
            logger.warning("audit log: %d events %s", self.dropped, why, exc_info=exc_info)

    def _write(self) -> None:
        while True:
            line = self._queue.get()
            if line is None:
                return
            try:
                self._output.write(line)
            except Exception:
                # A full disk or a closed pipe may be well again by the next one.
                self._drop("could not be written", exc_info=True)
            self._went += len(line)


def open_log(path: str, form: str, keeping: Keeping, clock: Clock) -> AuditLog:
    """Return the log at a path; "-" is standard output."""
    if path == _STDOUT:
        return AuditLog(_Stdout(), form)
    return AuditLog(RotatingFile(Path(path), keeping, clock), form)


def encode(event: Mapping[str, Any]) -> bytes:
    """Return an event as JSON."""
    return orjson.dumps(event)


def legacy_line(event: Mapping[str, Any]) -> str:
    """Return an event in the form of one line that kube-apiserver calls legacy."""
    user, other = event.get("user") or {}, event.get("impersonatedUser")
    name = user.get("username") or "<none>"
    groups = _quoted(user["groups"]) if user.get("username") and user.get("groups") else "<none>"
    as_user = other["username"] if other else "<self>"
    as_groups = _quoted(other["groups"]) if other and "groups" in other else "<lookup>"
    namespace = (event.get("objectRef") or {}).get("namespace") or "<none>"
    status = event.get("responseStatus")
    response = str(status.get("code", 0)) if status is not None else "<deferred>"
    address = (event.get("sourceIPs") or ["<unknown>"])[0]
    fields = {
        "id": event["auditID"],
        "stage": event["stage"],
        "ip": address,
        "method": event["verb"],
        "user": name,
        "groups": groups,
        "as": as_user,
        "asgroups": as_groups,
        "user-agent": event.get("userAgent") or "",
        "namespace": namespace,
        "uri": event["requestURI"],
    }
    shown = " ".join(f"{key}={quote(value)}" for key, value in fields.items())
    return f'{event["requestReceivedTimestamp"]} AUDIT: {shown} response="{response}"'


def _quoted(words: list[str]) -> str:
    return ",".join(map(quote, words))
