"""A go at all members of a group, each against what the others of them leave.

A group that has enough nodes is bound; of one that has not, nobody keeps a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nodes.scheduler.attempt import Attempt
from nodes.scheduler.binding import Failure, permit, reserve_for, unreserve
from nodes.scheduler.cache import Cache
from nodes.scheduler.cycle import Outcome
from nodes.scheduler.framework import Assignment, CycleState
from nodes.scheduler.groups import ERROR, SCHEDULED, UNSCHEDULABLE
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.profile import Profile
from nodes.scheduler.waiting import Waiting

NO_ROOM = "pod group is unschedulable"
PREEMPTING = f"{NO_ROOM}, pod group is waiting for preemption to complete"
_OTHERS = "failed to schedule other pod from a pod group: "


@dataclass(slots=True)
class Try:
    """What came of one member of a group."""

    waiting: Waiting
    attempt: Attempt
    outcome: Outcome
    # It stands on its node, or on the one where room could be made for it.
    assumed: bool = False
    # A plugin did not let it have its node.
    lost: Failure | None = None
    # Which is to be its node, where it fits and does not get it because of the others.
    nominated: str = ""


@dataclass(slots=True)
class Verdict:
    """What came of the group: the reason of its condition, and a message."""

    reason: str = UNSCHEDULABLE
    message: str = NO_ROOM
    # Room is being made for it.
    waits: bool = False
    # For all of it at once, by the going of these.
    victims: Sequence[PodInfo] = field(default_factory=tuple)


class Trial:
    """A go at all members of a group; what they take is given back unless all is well."""

    def __init__(self, profile: Profile, cache: Cache) -> None:
        self._profile, self._cache = profile, cache
        self.profile = profile.name
        self.tries: list[Try] = []
        # Members that were not tried since something went wrong with those before.
        self.left: Sequence[Waiting] = ()
        self.verdict = Verdict()
        self._needs_room = False

    @property
    def fits(self) -> bool:
        """Tell whether the group can be bound, or could be as soon as there is room."""
        return self.verdict.reason == SCHEDULED or self.verdict.waits

    @property
    def assignments(self) -> list[Assignment]:
        """Return the pods that have a node, or would have one if there were room."""
        return [Assignment(one.waiting.pod, one.nominated) for one in self.tries if one.nominated]

    def take(self, waiting: Waiting, outcome: Outcome, attempt: Attempt) -> bool:
        """Take in what came of the next member; False where there is no going on."""
        one = Try(waiting, attempt, outcome)
        self.tries.append(one)
        if outcome.error:
            self.verdict = Verdict(ERROR, f"{_OTHERS}{outcome.message}")
            return False
        choice = outcome.preemption
        place = outcome.node or (choice.node if choice is not None else "")
        if not place:
            return True
        one.lost = reserve_for(self._profile, self._cache, waiting.pod, outcome)
        if one.lost is not None:
            return True
        self._cache.place(waiting.pod, place)
        one.assumed, one.nominated = True, place
        self._needs_room = self._needs_room or not outcome.node
        if self._is_enough(one):
            if self._needs_room:
                self.verdict = Verdict(UNSCHEDULABLE, PREEMPTING, waits=True)
            else:
                self.verdict = Verdict(SCHEDULED, "")
        return True

    def _is_enough(self, one: Try) -> bool:
        cache = self._cache
        state = one.outcome.state or CycleState((), cache.counts, {}, place_of=cache.place_of)
        failure, waits, _ = permit(self._profile, state, one.waiting.pod, one.nominated)
        return failure is None and not waits

    def withdraw(self) -> None:
        """Give all back: something has gone wrong, or other nodes are tried."""
        for one in reversed(self.tries):
            if one.assumed:
                self._give_back(one)

    def again(self) -> None:
        """Take what has been given back: nothing was better."""
        for one in self.tries:
            if one.nominated:
                one.lost = reserve_for(self._profile, self._cache, one.waiting.pod, one.outcome)
                if one.lost is None:
                    self._cache.place(one.waiting.pod, one.nominated)
                    one.assumed = True

    def decide(self) -> None:
        """Let the members keep their nodes, or give all back."""
        if self.verdict.reason == SCHEDULED:
            for one in self.tries:
                if one.assumed and not one.outcome.node:
                    self._give_back(one)
        elif self.verdict.reason == ERROR:
            self._fail()
        else:
            self._refuse()

    def _fail(self) -> None:
        self.withdraw()
        for one in self.tries:
            if not one.outcome.error:
                one.attempt.node, one.attempt.message = "", self.verdict.message
                one.outcome, one.lost = Outcome(message=self.verdict.message, error=True), None

    def _refuse(self) -> None:
        for one in reversed(self.tries):
            if not one.nominated or one.lost is not None:
                continue
            if one.assumed:
                self._give_back(one)
            if one.outcome.node or not self.verdict.waits:
                self._hold_back(one)

    def _hold_back(self, one: Try) -> None:
        one.attempt.held_back = True
        if self.verdict.waits:
            words = self.verdict.message
        else:
            asks = "one or more plugins asked to wait and no plugin rejected pod"
            words = f'{NO_ROOM}, {asks} "{one.waiting.pod.name}"'
        if not self.verdict.waits:
            one.nominated = ""
        one.outcome.of_group = True
        one.outcome.message = one.attempt.message = words
        one.outcome.node = one.attempt.node = ""
        one.outcome.candidates = ()

    def _give_back(self, one: Try) -> None:
        if one.outcome.state is not None and one.outcome.node:
            unreserve(self._profile, one.outcome.state, one.waiting.pod, one.nominated)
        self._cache.remove(one.waiting.pod.uid)
        one.assumed = False


def by_importance(members: Iterable[Waiting]) -> list[Waiting]:
    """Return members in the order in which they are tried."""
    return sorted(members, key=lambda one: (-one.pod.priority, one.since, one.pod.name))
