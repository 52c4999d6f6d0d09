"""What controllers of replicas count of a pod: pods that are alike in all of it are one number.

The cache of pods keeps these numbers with each change, so that one pod of ten thousand that has
become ready costs a look at that one.
"""

from __future__ import annotations

from typing import NamedTuple

from apimachinery.meta import Obj, controller_of, labels_of
from apimachinery.pods import is_active, is_ready, ready_time
from nodes.client.informer import Informer
from nodes.client.resources import REPLICASETS, REPLICATIONCONTROLLERS
from nodes.controllers.common.podfacts import is_terminating

REPLICAS = "replicas"
# Whose pods are counted: those of others differ in their labels, each from all.
_OWNERS = frozenset({REPLICASETS.kind, REPLICATIONCONTROLLERS.kind})


class Alike(NamedTuple):
    """A kind of pods."""

    active: bool
    terminating: bool
    ready: bool
    labels: tuple[tuple[str, str], ...]
    # Since when they have been ready; "" where that makes no difference.
    since: str = ""


def alike(pod: Obj, *, timed: bool = False) -> Alike:
    """Return what counts of a pod; `timed`: since when it is ready makes a difference."""
    return Alike(
        is_active(pod),
        is_terminating(pod),
        is_ready(pod),
        tuple(labels_of(pod).items()),
        ready_time(pod) if timed else "",
    )


def count_replicas(pods: Informer) -> None:
    """Keep the numbers of pods that are alike, by the uid of their owner."""
    pods.add_tally(REPLICAS, _place)


def _place(pod: Obj) -> tuple[str, Alike] | None:
    owner = controller_of(pod)
    if owner is None or owner.get("kind") not in _OWNERS:
        return None
    return owner["uid"], alike(pod)
