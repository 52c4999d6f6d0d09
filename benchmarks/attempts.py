"""What one attempt of the scheduler takes, in this process: nothing is asked and nothing written.

Pods of one Deployment come one after the other onto nodes that hold images and lie in zones; each
is looked at and placed, and its attempt is kept.
"""

from __future__ import annotations

import random
import time

from apimachinery.meta import Obj
from benchmarks.result import Row
from nodes.scheduler.attempt import Attempt
from nodes.scheduler.cache import Cache
from nodes.scheduler.cycle import Cycle
from nodes.scheduler.decisions import Decisions
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.profile import Profile
from tests.nodes.scheduler.test_memory import READ
from tests.nodes.scheduler.test_plugins import Objects
from tests.support.builders import node, obj, pod

# Nodes, and what an attempt may take (milliseconds).
SIZES = ((25, 0.2), (100, 0.3), (1000, 0.9))
# Pods for each node; and after how many pods one of the nodes has got their image.
_PODS, _PULLED = 10, 10
_LABELS = {"app": "web", "pod-template-hash": "5d8f7c6b9"}
_OWNER = obj("ReplicaSet", "web-5d8f7c6b9", api_version="apps/v1").meta(uid="r")


def attempts() -> list[Row]:
    """An attempt in clusters of three sizes, in processor time."""
    return [
        Row(f"an attempt of the scheduler on {nodes:,} nodes, CPU", _each(nodes), target, "ms")
        for nodes, target in SIZES
    ]


def _each(nodes: int) -> float:
    """Return the milliseconds that an attempt took on average."""
    cache, decisions = Cache(), Decisions()
    for number in range(nodes):
        cache.set_node(_node(number, 3))
    readers = {name: Objects() for name in READ}
    readers["replicasets"] = Objects(_OWNER.spec(selector={"matchLabels": _LABELS}))
    cycle = Cycle(cache, Profile(), readers, random.Random(0))
    pods = [PodInfo.of(_pod(number)) for number in range(max(1000, nodes * _PODS))]
    begun = time.process_time()
    for number, info in enumerate(pods):
        attempt = Attempt(f"default/{info.name}", info.uid, 1, "2026-01-02T03:04:05.000006Z")
        outcome = cycle.run(info, attempt)
        attempt.node, attempt.message = outcome.node, outcome.message
        decisions.add(attempt)
        cache.place(info, outcome.node)
        decisions.over(attempt)
        if number % _PULLED == 0:
            cache.set_node(_node(number // _PULLED % nodes, 4))
    return (time.process_time() - begun) * 1e3 / len(pods)


def _node(number: int, images: int) -> Obj:
    zone = {"topology.kubernetes.io/zone": f"zone-{number % 3}"}
    held = [
        {"names": [f"image-{at}@sha256:{at:064}", f"image-{at}:1"], "sizeBytes": 70_000_000}
        for at in range(images)
    ]
    return node(f"node-{number}").cpu(64).labels(**zone).status(images=held)


def _pod(number: int) -> Obj:
    made = pod(f"web-5d8f7c6b9-{number:05}").labels(**_LABELS).owned_by(_OWNER)
    made.meta(uid=f"11111111-2222-3333-4444-{number:012}")
    return made.image("image-3:1").requests(cpu="10m", memory="16Mi")
