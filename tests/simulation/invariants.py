"""What must be so after each write of a history, whoever wrote it: a fold over the log.

Each rule is told of every write, with the state before it, and yields what it finds wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from apiserver.storage import ChangeRecord
from tests.simulation.rules import batch, cluster, objects, workloads
from tests.simulation.states import Change, State

RULES = (
    objects.OneOwner,
    objects.OneIdentity,
    objects.Finalized,
    objects.WithinItsNamespace,
    objects.OneWay,
    workloads.NoMoreThanWanted,
    workloads.Surge,
    workloads.InOrder,
    workloads.OnePerNode,
    workloads.WithinBounds,
    batch.Parallelism,
    batch.OnceDone,
    batch.Forbidden,
    batch.OncePerMoment,
    cluster.Quota,
    cluster.Capacity,
    cluster.Budget,
    cluster.Preemption,
)


def broken(records: Sequence[ChangeRecord]) -> tuple[list[str], State]:
    """Return what is wrong in a history, and the state that it ends in."""
    state, rules, found = State(), [rule() for rule in RULES], []
    for record in records:
        key = record.entry.key
        change = Change(record, state.get(*key))
        for rule in rules:
            found += [f"{type(rule).__name__}: {change} {why}" for why in rule.look(state, change)]
        objects = state.objects[key.resource]
        if change.new is None:
            objects.pop(key[1:], None)
        else:
            objects[key.namespace, key.name] = change.new
    return found, state
