"""Because of what a worker works: the revisions of the changes that made it.

A change that reaches a worker is the cause of what follows from it. Tasks take the cause of the
moment with them, as everything in their context; what is put off (a key in a queue, a timer, an
event) notes it and takes it up again. A request carries it to the API as `Call.cause`, in this
process alone: nothing of it is written into objects.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TypeAlias

# Revisions, the newest last; () is "of its own accord": a start, a clock.
Cause: TypeAlias = tuple[int, ...]

NONE: Cause = ()
# Of all that gathers while a key waits, the newest are told.
MOST = 8

CAUSE: ContextVar[Cause] = ContextVar("cause", default=NONE)


def joined(earlier: Cause, later: Cause) -> Cause:
    """Return both causes as one, each revision once."""
    if not earlier or earlier == later:
        return later
    if not later:
        return earlier
    return tuple(sorted({*earlier, *later}))[-MOST:]
