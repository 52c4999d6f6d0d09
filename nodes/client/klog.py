"""What a component logs, in the text form of Kubernetes' own logs (klog).

A line is kept as what it was made of and printed when somebody reads it: to log costs under a
microsecond, and a log that nobody keeps next to nothing. Times are the cluster's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from apimachinery.clock import Clock
from apimachinery.gotext import quoted
from apimachinery.meta import Obj, name_of, namespace_of

INFO, WARNING, ERROR = "I", "W", "E"
NANO = 1_000_000_000


class Record(NamedTuple):
    """One line: where in the sources of Kubernetes it stands, its message, keys with values.

    `pairs` is None for a line that is a text as it is, as those that are no structured logging.
    """

    severity: str
    seconds: float
    where: str
    message: str
    pairs: tuple[Any, ...] | None = ()

    def __bytes__(self) -> bytes:
        moment = datetime.fromtimestamp(self.seconds, UTC)
        head = f"{self.severity}{moment:%m%d %H:%M:%S.%f}       1 {self.where}] "
        if self.pairs is None:
            return f"{head}{self.message}".encode()
        keys, values = self.pairs[::2], self.pairs[1::2]
        said = "".join(f" {key}={_shown(value)}" for key, value in zip(keys, values, strict=True))
        return f"{head}{quoted(self.message)}{said}".encode()


Keep = Callable[[int, Record], None]


class Klog:
    """The log of one component. `keep` takes its lines, with the time of each in ns."""

    __slots__ = ("_clock", "_keep")

    def __init__(self, clock: Clock | None = None, keep: Keep | None = None) -> None:
        self._clock, self._keep = clock, keep

    def info(self, where: str, message: str, *pairs: Any) -> None:
        """Log a message with keys and values: `key, value, key, value`."""
        if self._keep is not None:
            self._put(INFO, where, message, pairs)

    def warn(self, where: str, message: str, *pairs: Any) -> None:
        if self._keep is not None:
            self._put(WARNING, where, message, pairs)

    def error(self, where: str, message: str, *pairs: Any) -> None:
        if self._keep is not None:
            self._put(ERROR, where, message, pairs)

    def text(self, where: str, message: str) -> None:
        """Log a text as it is."""
        if self._keep is not None:
            self._put(INFO, where, message, None)

    def _put(self, severity: str, where: str, message: str, pairs: tuple[Any, ...] | None) -> None:
        assert self._clock is not None and self._keep is not None  # noqa: S101, PT018
        now = self._clock.seconds()
        self._keep(int(now * NANO), Record(severity, now, where, message, pairs))


# Of components whose log nobody can read.
SILENT = Klog()


def kobj(obj: Obj) -> str:
    """Name an object as logs do: NAMESPACE/NAME, or NAME."""
    namespace = namespace_of(obj)
    return f"{namespace}/{name_of(obj)}" if namespace else name_of(obj)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list, tuple)):
        return orjson.dumps(value).decode()
    return str(value)
