"""Whether a fix would help, tried where it harms nobody: on a fork of the cluster, a minute on.

The change is made as the user, so that their rights hold; the fork is deleted afterwards. It costs
a fork, so it is done for small clusters alone, and only for who asks.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress

from playground.sandboxes.gateway import Cluster, Gateway, GatewayError, Identity, Refused
from playground.why.chain import explain
from playground.why.model import Fix, Link, Ref
from playground.why.reading import ClusterWorld

# Larger clusters take seconds to fork.
MOST_PODS, MOST_NODES = 300, 20
# What is tried in one answer: each takes about a second.
MOST = 3
# When the fork is looked at, in seconds of its own after the last look: what is set off by one
# has its turn before the next.
_LOOKS = (1.0, 4.0, 10.0, 25.0, 50.0)
# How long it may stay if nobody deletes it.
_LIFE = 120.0
_CONTENT_TYPES = {
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}


def affordable(cluster: Cluster) -> bool:
    """Tell whether a cluster is small enough."""
    return cluster.pods <= MOST_PODS and cluster.nodes <= MOST_NODES


def can_be_tried(fix: Fix) -> bool:
    """Tell whether one change does it."""
    return fix.patch is not None and fix.target is not None


def helps(
    gateway: Gateway, cluster: str, identity: Identity, about: Ref, fix: Fix
) -> dict[str, object]:
    """Return whether the object is as wanted after the fix, and else what is the matter then."""
    fork = f"why-{secrets.token_hex(4)}"
    gateway.fork(cluster, fork, "", expires=time.time() + _LIFE)  # noqa: TID251 - the wall's time
    try:
        return _try(gateway, fork, identity, about, fix)
    finally:
        # One that stays is paused when its time is up.
        with suppress(GatewayError):
            gateway.delete(fork)


def _try(
    gateway: Gateway, fork: str, identity: Identity, about: Ref, fix: Fix
) -> dict[str, object]:
    target, world = fix.target, ClusterWorld(gateway, fork, identity)
    assert target is not None  # noqa: S101 - only what has a change is tried
    resource = world.resource(target.title)
    if resource is None:
        return {"helped": False, "left": [target.title]}
    path = resource.path(target.namespace, target.name)
    try:
        kind = _CONTENT_TYPES[fix.kind]
        gateway.write(fork, identity, "PATCH", path, fix.patch, content_type=kind)
    except Refused as error:
        return {"helped": False, "left": [error.message]}
    left: list[Link] = []
    for seconds in _LOOKS:
        gateway.page("POST", fork, "clock", {"action": "move", "seconds": seconds})
        left = explain(ClusterWorld(gateway, fork, identity), about)
        if not left:
            break
    return {"helped": not left, "left": [one.cause.text for one in left]}
