"""What changes mean: from writes of the log to short facts, which become sentences. Pure.

A fact is a code with its arguments, so that it can be said in any language (`sentences`). Writes
that say nothing to a person (`meaning`) are no facts; equal facts about several objects of a
namespace are one fact that counts them.

    facts(changes)      what happened, oldest first
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from playground.history.meaning import Write, said

_ACCOUNT, _NODE, _SYSTEM = "system:serviceaccount:kube-system:", "system:node:", "system:"
KUBELET_ON = "kubelet on "
# Names that a fact lists; how many there were is counted.
LISTED = 5


@dataclass(slots=True)
class Fact:
    """Something that happened, to one object or to `count` alike."""

    code: str
    actor: str
    resource: str
    kind: str
    namespace: str
    name: str
    revision: int
    at: float
    trace: str
    args: dict[str, Any] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    count: int = 1
    bad: bool = False


def facts(changes: Iterable[Write]) -> list[Fact]:
    """Return what happened, the oldest first; what is alike is told once, at its latest time."""
    told: dict[Any, Fact] = {}
    about: dict[Any, set[str]] = {}
    for change in changes:
        for code, args in said(change):
            fact = _fact(change, code, args)
            alike = _alike(fact)
            names = about.setdefault(alike, set())
            known = told.pop(alike, None)
            fact.names = known.names if known else fact.names
            if fact.name not in names and len(fact.names) < LISTED:
                fact.names.append(fact.name)
            names.add(fact.name)
            fact.count = len(names)
            told[alike] = fact
    return list(told.values())


def actor_of(user: str) -> str:
    """Return how people call who wrote: "deployment-controller", "kubelet on node-1", a user."""
    if user.startswith(_ACCOUNT):
        return user.removeprefix(_ACCOUNT)
    if user.startswith(_NODE):
        return KUBELET_ON + user.removeprefix(_NODE)
    return user.removeprefix(_SYSTEM)


def _fact(change: Write, code: str, args: dict[str, Any]) -> Fact:
    obj = change.obj
    meta = obj.get("metadata") or {}
    bad = bool(args.pop("bad", False))
    return Fact(
        code=code,
        actor=actor_of(change.actor),
        resource=change.resource,
        kind=str(args.pop("kind", "") or obj.get("kind") or ""),
        namespace=str(meta.get("namespace") or ""),
        name=str(args.pop("name", "") or meta.get("name") or ""),
        revision=change.revision,
        at=change.at,
        trace=change.trace,
        args=args,
        bad=bad,
    )


# Told for each object: to add these up would hide what one looks for.
_ONE_BY_ONE = frozenset({"scaled", "image"})
# Who wrote them is of no interest: each kubelet tells of its own pods.
_BY_NOBODY = frozenset(
    {"scheduled", "ready", "unready", "phase", "node", "job", "restarted", "waiting", "warning"}
    | {"complete", "bound", "lost", "released", "gone"}
)
# What differs between facts that are alike: the latest counts.
_LATEST = frozenset({"message", "times", "replicas", "volume"})


def _alike(fact: Fact) -> tuple[Any, ...]:
    """Return what facts have in common that become one sentence."""
    said = tuple((k, str(v)) for k, v in sorted(fact.args.items()) if k not in _LATEST)
    actor = "" if fact.code in _BY_NOBODY else fact.actor
    shape = _shape(str(fact.args.get("message") or ""), fact.name)
    alone = (fact.revision, fact.name) if fact.code in _ONE_BY_ONE else ()
    return (fact.code, actor, fact.kind, fact.namespace, said, shape, *alone)


_CHANGING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")


def _shape(message: str, name: str) -> str:
    """Return a message without what differs from object to object: names, ids, numbers."""
    if name:
        message = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "*", message)
    return _CHANGING.sub("#", message)
