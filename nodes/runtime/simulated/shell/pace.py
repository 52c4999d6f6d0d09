"""Scripts that wait more than they compute: load generators, loops that look again and again.

They may run for ever, as long as they take their time. What they ask for outside the interpreter
comes at a pace: a burst goes through at once, then so many commands a second, so that a loop
around `wget` costs a few hundredths of a core however long it runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from apimachinery.clock import Clock

# Commands that go through at once, and then each second.
BURST, RATE = 200, 10.0
# What a script may compute ahead of each command, beside what it may in all: half of the time, and
# at least so many seconds.
SHARE = 0.01
_WAITS = ("curl", "dig", "host", "nc", "nslookup", "ping", "sleep", "wget")
_LOOP = re.compile(r"\b(?:while|until|for)\b")
# What may compute while another command waits: nobody could say which of them takes the time.
_BESIDE = re.compile(r"(?<![&>|<])&(?![&>\d])|\|\s*(?:while|until|for|[{(])")
# As much of a script is searched.
_SCANNED = 16 * 1024


def waits(script: str, programs: Iterable[str] = ()) -> bool:
    """Tell whether a script has a loop and calls what takes time.

    `programs` are those of its image. What does several things at once does not count.
    """
    script = script[:_SCANNED]
    if not _LOOP.search(script) or _BESIDE.search(script):
        return False
    names = "|".join(re.escape(name) for name in (*_WAITS, *programs))
    return re.search(rf"(?<![\w.-])(?:{names})(?![\w.-])", script) is not None


class Pace:
    """A bucket of turns that fills with the cluster's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._at = clock.seconds()

    def take(self) -> float:
        """Take a turn; return the seconds until it comes."""
        now = self._clock.seconds()
        self._left = min(self._left + (now - self._at) * RATE, BURST) - 1
        self._at = now
        return max(-self._left / RATE, 0.0)
