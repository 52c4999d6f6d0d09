"""How busy a cluster's API was in the last minutes: requests, revisions, latencies.

Counted in slots of two seconds, which are made when something is counted: an idle cluster has
none, and nothing ticks. A slot is some 600 bytes, and the oldest is forgotten for the newest.
Requests that run for as long as the client likes (watches, exec) are not counted.

Times are those of `perf_counter`; whoever reads says what "now" is.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apiserver.endpoints.trace import Trace

WIDTH = 2.0
SLOTS = 150
QUANTILES = (0.5, 0.95, 0.99)
# Latencies fall into quarters of powers of two of a microsecond, so that a quantile is off by an
# eighth at most. The last class begins at 59 s.
_CLASSES = 100


class Slot:
    """What was counted in two seconds."""

    __slots__ = ("latencies", "number", "pages", "people", "refused", "workers", "writes")

    def __init__(self, number: int) -> None:
        self.number = number
        # Who asked: somebody outside, a part of the cluster, a page of the site for itself.
        self.people = self.workers = self.pages = 0
        self.refused = self.writes = 0
        self.latencies = array("I", bytes(4 * _CLASSES))


class Pace:
    """The last five minutes of one cluster's API."""

    def __init__(self) -> None:
        self._slots: deque[Slot] = deque(maxlen=SLOTS)

    def add(self, trace: Trace) -> None:
        """Count a request that is over."""
        slot = self._slot(trace.began + trace.seconds)
        if not trace.agent:
            slot.workers += 1
        elif trace.of_people:
            slot.people += 1
        else:
            slot.pages += 1
        if trace.code >= 400:
            slot.refused += 1
        if trace.wrote:
            slot.writes += len(trace.wrote)
        slot.latencies[class_of(trace.seconds)] += 1

    def _slot(self, at: float) -> Slot:
        number = int(at / WIDTH)
        if self._slots and self._slots[-1].number >= number:
            return self._slots[-1]
        slot = Slot(number)
        self._slots.append(slot)
        return slot

    def read(self, now: float, span: float) -> dict[str, Any]:
        """Return the slots of the last `span` seconds that are over, the oldest first, as columns.

        {"width": s, "age": s since the last slot's end, "people": [n, ...], ...,
        "quantiles": {"p50": [s or None, ...], ...}, "whole": {"p50": s or None, ...}}
        """
        last = int(now / WIDTH)
        count = min(int(span / WIDTH), SLOTS)
        known = {slot.number: slot for slot in self._slots}
        slots = [known.get(number) for number in range(last - count, last)]
        columns: dict[str, Any] = {
            name: [getattr(slot, name) if slot is not None else 0 for slot in slots]
            for name in ("people", "workers", "pages", "refused", "writes")
        }
        told = [quantiles(slot.latencies if slot is not None else ()) for slot in slots]
        every = [slot.latencies for slot in slots if slot is not None]
        whole = quantiles([sum(column) for column in zip(*every, strict=True)])
        return {
            "width": WIDTH,
            "age": now - last * WIDTH,
            **columns,
            "quantiles": {name: [one[name] for one in told] for name in whole},
            "whole": whole,
        }


def class_of(seconds: float) -> int:
    """Return which class a latency falls into."""
    micros = int(seconds * 1e6)
    if micros < 4:
        return max(micros, 0)
    bits = micros.bit_length()
    return min(((bits - 2) << 2) | ((micros >> (bits - 3)) & 3), _CLASSES - 1)


def bounds_of(place: int) -> tuple[float, float]:
    """Return the seconds between which the latencies of a class lie."""
    return _lowest(place), _lowest(place + 1)


def _lowest(place: int) -> float:
    if place < 4:
        return place / 1e6
    return ((4 | (place & 3)) << ((place >> 2) - 1)) / 1e6


def quantiles(counts: Sequence[int]) -> Mapping[str, float | None]:
    """Return the quantiles of latencies by class: as if those of a class lay evenly in it."""
    total = sum(counts)
    return {f"p{round(one * 100)}": _quantile(counts, total, one) for one in QUANTILES}


def _quantile(counts: Sequence[int], total: int, wanted: float) -> float | None:
    if not total:
        return None
    below, target = 0, wanted * total
    for place, count in enumerate(counts):
        if count and below + count >= target:
            low, high = bounds_of(place)
            return round(low + (high - low) * (target - below) / count, 7)
        below += count
    return None
