"""How far a number of pods may follow what is computed: windows, rates and bounds.

Without `behavior` in the spec, going down follows the highest number of the last five minutes,
and going up at most doubles. With it, each direction has its window and its policies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from apimachinery.meta import Obj

DOWNSCALE_WINDOW = 300.0
_FACTOR, _LEAST_STEP = 2.0, 4.0

_FAST_UP = (
    "ScaleUpLimit",
    "the desired replica count is increasing faster than the maximum scale rate",
)
_FAST_DOWN = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
)
_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
_WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
_READY = ("ReadyForNewScale", "recommended size matches current size")
_LOWEST = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
_APPLIED = "applying the highest recent recommendation"
_HIGHEST = (
    "ScaleDownStabilized",
    f"recent recommendations were higher than current one, {_APPLIED}",
)


class _Moment(NamedTuple):
    time: float
    replicas: int


@dataclass(slots=True)
class History:
    """What was recommended for one autoscaler, and by how much it scaled, newest last."""

    recommended: list[_Moment] = field(default_factory=list)
    added: list[_Moment] = field(default_factory=list)
    removed: list[_Moment] = field(default_factory=list)

    def begin(self, replicas: int, now: float) -> None:
        """Take the first size that is seen as a recommendation."""
        if not self.recommended:
            self.recommended.append(_Moment(now, replicas))

    def scaled(self, before: int, after: int, behavior: Obj | None, now: float) -> None:
        """Remember a change, for as long as a policy may ask for it."""
        if behavior is None:
            return
        if after > before:
            self.added = [*_since(self.added, now - _longest(behavior["scaleUp"]))]
            self.added.append(_Moment(now, after - before))
        else:
            self.removed = [*_since(self.removed, now - _longest(behavior["scaleDown"]))]
            self.removed.append(_Moment(now, before - after))

    def recommend(self, replicas: int, window: float, now: float) -> None:
        """Add a recommendation; what is older than the window goes."""
        self.recommended = [*_since(self.recommended, now - window), _Moment(now, replicas)]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the spec allows: `least` and `most` pods, and the behavior, None where it has none."""

    least: int
    most: int
    behavior: Obj | None = None


class Normalized(NamedTuple):
    """The number that is taken, and (status, reason, message) of two conditions."""

    replicas: int
    able_to_scale: tuple[str, str, str]
    scaling_limited: tuple[str, str, str]


def normalized(
    history: History, bounds: Bounds, current: int, wanted: int, now: float
) -> Normalized:
    """Bring a computed number within windows, rates and bounds; remember it."""
    if bounds.behavior is None:
        steady, why = _highest(history, wanted, now), _HIGHEST
        history.recommend(wanted, DOWNSCALE_WINDOW, now)
        replicas, limit = _within(bounds, current, steady)
    else:
        steady, why = _steady(history, bounds.behavior, current, wanted, now)
        replicas, limit = _at_rate(history, bounds, current, steady, now)
    able = _READY if steady == wanted else why
    limited = "False" if replicas == steady else "True"
    return Normalized(replicas, ("True", *able), (limited, *limit))


def _highest(history: History, wanted: int, now: float) -> int:
    recent = _since(history.recommended, now - DOWNSCALE_WINDOW)
    return max((wanted, *(one.replicas for one in recent)))


def _steady(
    history: History, behavior: Obj, current: int, wanted: int, now: float
) -> tuple[int, tuple[str, str]]:
    """Return the lowest number of the window going up, and the highest going down."""
    up, down = _window(behavior, "scaleUp", 0.0), _window(behavior, "scaleDown", DOWNSCALE_WINDOW)
    best: Callable[[Iterable[int]], int]
    window, best, why = (up, min, _LOWEST) if wanted >= current else (down, max, _HIGHEST)
    recent = [one.replicas for one in history.recommended if one.time > now - window]
    history.recommend(wanted, max(up, down), now)
    return best((wanted, *recent)), why


def _window(behavior: Obj, direction: str, otherwise: float) -> float:
    seconds = (behavior.get(direction) or {}).get("stabilizationWindowSeconds")
    return otherwise if seconds is None else float(seconds)


def _within(bounds: Bounds, current: int, wanted: int) -> tuple[int, tuple[str, str]]:
    fastest = int(max(_FACTOR * current, _LEAST_STEP))
    if wanted < bounds.least:
        return bounds.least, _FEW
    if wanted > min(bounds.most, fastest):
        return (fastest, _FAST_UP) if bounds.most > fastest else (bounds.most, _MANY)
    return wanted, _WITHIN


def _at_rate(
    history: History, bounds: Bounds, current: int, wanted: int, now: float
) -> tuple[int, tuple[str, str]]:
    behavior = bounds.behavior or {}
    if wanted > current:
        fastest = max(_limit(history, behavior["scaleUp"], current, now, up=True), current)
        most, why = (fastest, _FAST_UP) if bounds.most > fastest else (bounds.most, _MANY)
        if wanted > most:
            return most, why
    elif wanted < current:
        fastest = min(_limit(history, behavior["scaleDown"], current, now, up=False), current)
        least, why = (fastest, _FAST_DOWN) if bounds.least < fastest else (bounds.least, _FEW)
        if wanted < least:
            return least, why
    return wanted, _WITHIN


def _limit(history: History, rules: Obj, current: int, now: float, *, up: bool) -> int:
    """Return how far the policies allow to go; the choice is between what they allow."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    allowed = [
        _allowed(policy, _at_begin(history, policy, current, now), up=up)
        for policy in rules.get("policies") or ()
    ]
    # Going down, the furthest is the lowest number.
    furthest = (rules.get("selectPolicy") == "Min") != up
    return (max if furthest else min)(allowed, default=current)


def _allowed(policy: Obj, began: int, *, up: bool) -> int:
    change: int = policy["value"] if up else -policy["value"]
    if policy["type"] == "Pods":
        return began + change
    # Rounded up on the way up, for a share of a few pods would never be one.
    share = began * (1 + change / 100)
    return math.ceil(share) if up else int(share)


def _at_begin(history: History, policy: Obj, current: int, now: float) -> int:
    """Return how many pods there were when a policy's period began."""
    start = now - float(policy["periodSeconds"])
    added = sum(one.replicas for one in history.added if one.time > start)
    removed = sum(one.replicas for one in history.removed if one.time > start)
    return current - added + removed


def _since(moments: Iterable[_Moment], start: float) -> Iterable[_Moment]:
    return (one for one in moments if one.time >= start)


def _longest(rules: Obj) -> float:
    return max((float(one["periodSeconds"]) for one in rules.get("policies") or ()), default=0.0)
