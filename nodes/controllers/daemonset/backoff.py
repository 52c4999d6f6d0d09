"""How long a node is left alone after its daemon has failed: a second, doubled up to 15 minutes."""

from __future__ import annotations

from nodes.client.lister import Key

_FIRST, _LAST = 1.0, 900.0


class FailedPods:
    """The nodes on which daemons failed, each with the wait and its begin."""

    def __init__(self) -> None:
        self._known: dict[tuple[Key, str], tuple[float, float]] = {}

    def left(self, key: Key, node: str, now: float) -> float:
        """Return for how long the failed daemon stays; with 0 the next wait begins."""
        wait, since = self._known.get((key, node), (0.0, now))
        if now < since + wait:
            return since + wait - now
        # After twice the longest wait without a failure it is as if nothing had been.
        again = wait if now < since + 2 * _LAST else 0.0
        self._known[key, node] = (min(again * 2, _LAST) if again else _FIRST, now)
        return 0.0

    def forget(self, key: Key) -> None:
        for known in [one for one in self._known if one[0] == key]:
            del self._known[known]
