"""The chain of causes: from an object that is not as wanted down to what nothing is behind."""

from __future__ import annotations

from playground.why.causes import ALWAYS, FINDERS
from playground.why.model import Link, Object, Ref, World

# A Deployment, its ReplicaSet, a pod, its claim, the class of that: five. Chains end by themselves.
DEEPEST = 8
# Enough to see what it is about; a thousand pods fail for one reason.
MOST = 40


def explain(world: World, about: Ref, obj: Object | None = None) -> list[Link]:
    """Return the causes, each followed by those that are behind it; none if all is as wanted.

    `obj` is what it is about, from those who have read it.
    """
    found: list[Link] = []
    obj = obj or world.one(about.title, about.namespace, about.name)
    if obj is not None:
        _follow(world, about, obj, 0, found, {about})
    return found


def _follow(
    world: World, about: Ref, obj: Object, depth: int, found: list[Link], seen: set[Ref]
) -> None:
    for finder in (*ALWAYS, *FINDERS.get(about.title, ())):
        for cause in finder(obj, world):
            found.append(Link(about, depth, cause))
            for ref in cause.leads_to:
                if ref in seen or depth == DEEPEST or len(found) >= MOST:
                    continue
                seen.add(ref)
                if (behind := world.one(ref.title, ref.namespace, ref.name)) is not None:
                    _follow(world, ref, behind, depth + 1, found, seen)
