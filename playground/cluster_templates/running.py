"""The status of a pod that runs, as the kubelet of its node would have written it."""

from __future__ import annotations

import random
from functools import cache

from apimachinery.meta import Obj
from nodes.kubelet.records import ContainerRecord, lost_status
from nodes.kubelet.status import PodFacts, pod_status
from nodes.runtime.cri import ContainerState, Image
from nodes.runtime.simulated.imageservice import described


def running_status(pod: Obj, host_ip: str, pod_ip: str, now: str, source: random.Random) -> Obj:
    """Return the status of a pod all of whose containers have run since `now`, and are ready."""
    containers = [_record(spec, now, source) for spec in pod["spec"]["containers"]]
    facts = PodFacts(
        containers,
        host_ip=host_ip,
        start_time=now,
        now=now,
        pod_ips=(pod_ip,),
        sandbox_ready=True,
    )
    return pod_status(pod | {"metadata": pod["metadata"] | {"generation": 1}}, facts)


def _record(spec: Obj, now: str, source: random.Random) -> ContainerRecord:
    identity, image = f"{source.getrandbits(256):064x}", _image(spec["image"])
    status = lost_status(identity, spec["name"], now, 0)
    status.state, status.user = ContainerState.RUNNING, (image.uid or 0, 0)
    return ContainerRecord(
        spec, "main", identity, status=status, image=image, started=True, ready=True
    )


@cache
def _image(name: str) -> Image:
    return described(name)
