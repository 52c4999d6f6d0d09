"""What an action's dialog tells: a sentence, how serious it is, and which objects it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from playground.objects import facts
from playground.objects.facts import Object

# A dialog names this many objects and counts the others.
NAMED = 12


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to know; `level` is info, warn or bad."""

    level: str
    text: str
    items: tuple[str, ...] = ()
    more: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the warning as a document."""
        return {
            "level": self.level,
            "text": self.text,
            "items": list(self.items),
            "more": self.more,
        }


def _made(level: str, text: str, items: Sequence[str]) -> Notice:
    return Notice(level, text, tuple(items[:NAMED]), max(0, len(items) - NAMED))


def info(text: str, items: Sequence[str] = ()) -> Notice:
    """Return something that is good to know."""
    return _made("info", text, items)


def warn(text: str, items: Sequence[str] = ()) -> Notice:
    """Return something that one may not expect."""
    return _made("warn", text, items)


def bad(text: str, items: Sequence[str] = ()) -> Notice:
    """Return something that cannot be undone."""
    return _made("bad", text, items)


def named(items: Iterable[Object]) -> list[str]:
    """Return names of objects, with their namespaces where these differ."""
    found = list(items)
    spaces = {facts.namespace(item) for item in found}
    if len(spaces) < 2:
        return [facts.name(item) for item in found]
    return [f"{facts.namespace(item)}/{facts.name(item)}" for item in found]
