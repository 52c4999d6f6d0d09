"""What the API server counts, and how Prometheus reads it.

Recording costs a dictionary look-up; the text is put together only when it is asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

BUCKETS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 60.0)

_Labels = tuple[str, str, str, str, str]
_NAMES = ("verb", "group", "version", "resource", "subresource")


class _Histogram:
    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0


class Metrics:
    """The counters of one cluster's API server."""

    def __init__(self) -> None:
        self._requests: dict[tuple[_Labels, int], int] = {}
        self._durations: dict[_Labels, _Histogram] = {}

    def observe(self, labels: _Labels, code: int, seconds: float) -> None:
        """Count a request that is over."""
        key = (labels, code)
        self._requests[key] = self._requests.get(key, 0) + 1
        histogram = self._durations.get(labels)
        if histogram is None:
            histogram = self._durations[labels] = _Histogram()
        histogram.counts[bisect_left(BUCKETS, seconds)] += 1
        histogram.total += seconds

    def text(self, objects: Iterable[tuple[str, int]]) -> str:
        """Return everything in Prometheus' text format; `objects` counts what is stored."""
        lines = [*self._request_lines(), *self._duration_lines()]
        lines += _head("apiserver_storage_objects", "gauge", "Objects stored, by resource.")
        for resource, count in sorted(objects):
            lines.append(f'apiserver_storage_objects{{resource="{resource}"}} {count}')
        return "\n".join(lines) + "\n"

    def _request_lines(self) -> Iterator[str]:
        name = "apiserver_request_total"
        yield from _head(name, "counter", "Requests that were answered.")
        for (labels, code), count in sorted(self._requests.items()):
            yield f'{name}{{code="{code}",{_labels(labels)}}} {count}'

    def _duration_lines(self) -> Iterator[str]:
        name = "apiserver_request_duration_seconds"
        yield from _head(name, "histogram", "How long requests took, streams left out.")
        for labels, histogram in sorted(self._durations.items(), key=lambda one: one[0]):
            shown, total = _labels(labels), 0
            for bound, count in zip((*BUCKETS, "+Inf"), histogram.counts, strict=True):
                total += count
                yield f'{name}_bucket{{{shown},le="{bound}"}} {total}'
            yield f"{name}_sum{{{shown}}} {histogram.total:.6f}"
            yield f"{name}_count{{{shown}}} {total}"


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _labels(values: _Labels) -> str:
    return ",".join(f'{name}="{value}"' for name, value in zip(_NAMES, values, strict=True))
