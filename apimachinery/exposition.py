"""Metrics in the text format of Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric of counters or gauges, with its samples."""

    name: str
    kind: str
    help: str
    samples: Sequence[tuple[Labels, float]]

    def text(self) -> str:
        """Return the metric's block; "" where there is nothing to tell."""
        if not self.samples:
            return ""
        lines = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} {self.kind}"]
        lines += [f"{self.name}{_labels(labels)} {number(value)}" for labels, value in self.samples]
        return "\n".join(lines) + "\n"


class Histogram:
    """How many observations there were up to each bound, and their sum.

    `counts` goes as far as there was something to count, and no less far than the first bound: most
    histograms of a cluster that does little hold nothing beyond.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0]
        self.total = 0.0

    def add(self, value: float) -> None:
        at, counts = bisect_left(self.bounds, value), self.counts
        if at >= len(counts):
            counts += [0] * (at + 1 - len(counts))
        counts[at] += 1
        self.total += value

    def lines(self, name: str, labels: Labels) -> Iterator[str]:
        """Yield the samples."""
        bounds = [*map(number, self.bounds), "+Inf"]
        missing = len(bounds) - len(self.counts)
        for bound, count in zip(bounds, accumulate([*self.counts, *[0] * missing]), strict=True):
            yield f"{name}_bucket{_labels({**labels, 'le': bound})} {count}"
        yield f"{name}_sum{_labels(labels)} {number(self.total)}"
        yield f"{name}_count{_labels(labels)} {sum(self.counts)}"


@dataclass(frozen=True, slots=True)
class Histograms:
    """One metric whose samples are histograms."""

    name: str
    help: str
    samples: Sequence[tuple[Labels, Histogram]]

    def text(self) -> str:
        """Return the metric's block; "" where there is nothing to tell."""
        if not self.samples:
            return ""
        lines = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} histogram"]
        for labels, histogram in self.samples:
            lines += histogram.lines(self.name, labels)
        return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float) -> str:
    """Print a value; whole numbers without a point, as Go does."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def text_of(families: Iterable[Family | Histograms]) -> str:
    """Return a whole page."""
    return "".join(family.text() for family in families)


def single(name: str, kind: str, text: str, value: float, labels: Labels | None = None) -> Family:
    """Return a metric with one sample."""
    return Family(name, kind, text, ((labels or {}, value),))
