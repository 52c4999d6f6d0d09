"""The chain of causes: from an object that is not as wanted down to what nothing is behind."""

from __future__ import annotations

from playground.why.causes import ALWAYS, FINDERS
from playground.why.model import Link, Ref, World

# A Deployment, its ReplicaSet, a pod, its claim, the class of that: five. Chains end by themselves.
DEEPEST = 8
# Enough to see what it is about; a thousand pods fail for one reason.
MOST = 40


def explain(world: World, about: Ref) -> list[Link]:
    """Return the causes, each followed by those that are behind it; none if all is as wanted."""
    found: list[Link] = []
    _follow(world, about, 0, found, set())
    return found


def _follow(world: World, about: Ref, depth: int, found: list[Link], seen: set[Ref]) -> None:
    if about in seen or depth > DEEPEST or len(found) >= MOST:
        return
    seen.add(about)
    obj = world.one(about.title, about.namespace, about.name)
    if obj is None:
        return
    for finder in (*ALWAYS, *FINDERS.get(about.title, ())):
        for cause in finder(obj, world):
            found.append(Link(about, depth, cause))
            for ref in cause.leads_to:
                _follow(world, ref, depth + 1, found, seen)
