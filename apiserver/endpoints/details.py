"""What the stages of one write made of its object: noted while somebody looks, and only then.

Secrets are not shown: of their values it is told that they changed. What is kept of a request is
bounded, however large its object.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any, NamedTuple

import orjson

from apimachinery.differences import Difference, differences
from apimachinery.meta import Obj

# In bytes of JSON: of one value, and of all that is kept of a request.
LONGEST_VALUE, LARGEST = 600, 64 * 1024
_HIDDEN = "(hidden)"
# Nobody reads these, and they change with everything else.
_UNSHOWN = "metadata.managedFields"


class Step(NamedTuple):
    """A stage, or a plugin in it: how long it took, and what it changed."""

    name: str
    micros: float
    changes: Sequence[Difference]


class Details:
    """Gathers the steps of a request."""

    __slots__ = ("_last", "_left", "_mark", "more", "steps")

    def __init__(self) -> None:
        self.steps: list[Step] = []
        # Changes that were too many to keep.
        self.more = 0
        self._left = LARGEST
        self._last = b""
        self._mark = 0.0

    def begin(self, obj: Obj | None) -> None:
        """Take an object as the steps find it."""
        self._last = b"" if obj is None else orjson.dumps(obj)
        self._mark = perf_counter()

    def note(self, name: str, obj: Obj | None) -> None:
        """Note what a step has made of the object since the one before."""
        if obj is None:
            return
        took = (perf_counter() - self._mark) * 1e6
        raw = orjson.dumps(obj)
        changes: list[Difference] = []
        if raw != self._last:
            before = orjson.loads(self._last) if self._last else {}
            changes = self._kept(obj, differences(before, orjson.loads(raw)))
        self.steps.append(Step(name, took, changes))
        self.begin(obj)

    def close(self) -> None:
        """Let go of the object."""
        self._last = b""

    def record(self) -> dict[str, Any]:
        """Return the steps as JSON has them."""
        return {
            "steps": [
                {
                    "name": step.name,
                    "micros": round(step.micros, 1),
                    "changes": [one._asdict() for one in step.changes],
                }
                for step in self.steps
            ],
            "more": self.more,
        }

    def _kept(self, obj: Obj, found: Any) -> list[Difference]:
        secret = obj.get("kind") in ("Secret", "TokenRequest", "TokenReview")
        kept = []
        for path, before, after in found:
            if path.startswith(_UNSHOWN):
                continue
            hidden = secret and not path.startswith(("metadata", "kind", "apiVersion", "type"))
            one = Difference(path, _short(before, hidden=hidden), _short(after, hidden=hidden))
            size = len(path) + _size(one.before) + _size(one.after)
            if size > self._left:
                self.more += 1
                continue
            self._left -= size
            kept.append(one)
        return kept


def _size(value: Any) -> int:
    return len(orjson.dumps(value))


def _short(value: Any, *, hidden: bool) -> Any:
    if value is None:
        return None
    if hidden:
        return _HIDDEN
    if isinstance(value, dict) and _UNSHOWN.partition(".")[2] in value:
        value = {name: one for name, one in value.items() if name != "managedFields"}
    text = orjson.dumps(value)
    if len(text) <= LONGEST_VALUE:
        return value
    return text[:LONGEST_VALUE].decode(errors="replace") + "…"
