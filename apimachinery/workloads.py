"""Facts read off what runs pods: templates and their hashes, revisions, rollout limits."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from apimachinery.intorstring import IntOrString, scaled
from apimachinery.meta import Obj, annotations_of, labels_of

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"

# What a PodGroup is held by while pods of it are at work.
GROUP_FINALIZER = "scheduling.k8s.io/podgroup-protection"

# Without vowels and look-alikes, so that no generated name spells a word.
_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def safe_encode(text: str) -> str:
    """Return the text with each character put into the alphabet of generated names."""
    return "".join(_SAFE[ord(char) % len(_SAFE)] for char in text)


def fnv32a(data: bytes) -> int:
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def template_hash(template: Mapping[str, Any], collision_count: int | None = None) -> str:
    """Return the pod-template-hash: the same for equal templates, another after a collision.

    The number is our own (Kubernetes hashes a dump of Go's memory); its length and alphabet are
    Kubernetes'.
    """
    data = orjson.dumps(template, option=orjson.OPT_SORT_KEYS)
    if collision_count is not None:
        data += struct.pack("<Q", collision_count)
    return safe_encode(str(fnv32a(data)))


def same_template(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Compare pod templates, leaving the hash label aside."""
    return without_hash(one) == without_hash(other)


def without_hash(template: Mapping[str, Any]) -> Obj:
    """Return the template without its hash label; what is not changed is shared."""
    labels = labels_of(template)
    if HASH_LABEL not in labels:
        return dict(template)
    rest = {key: value for key, value in labels.items() if key != HASH_LABEL}
    meta = {key: value for key, value in template["metadata"].items() if key != "labels"}
    if rest:
        meta["labels"] = rest
    return {**template, "metadata": meta}


def desired_replicas(workload: Mapping[str, Any]) -> int:
    """Return spec.replicas, whose default is 1."""
    replicas = (workload.get("spec") or {}).get("replicas")
    return 1 if replicas is None else int(replicas)


def status_of(workload: Mapping[str, Any], field: str) -> int:
    """Return a count of status, 0 where it is left out."""
    return int((workload.get("status") or {}).get(field) or 0)


def resolve_fenceposts(
    max_surge: IntOrString | None, max_unavailable: IntOrString | None, desired: int
) -> tuple[int, int]:
    """Return (surge, unavailable) as numbers; both at 0 would stop a rollout, so one pod may go."""
    surge = scaled(0 if max_surge is None else max_surge, desired, round_up=True)
    unavailable = scaled(0 if max_unavailable is None else max_unavailable, desired, round_up=False)
    return surge, 1 if surge == 0 and unavailable == 0 else unavailable


def is_rolling_update(deployment: Mapping[str, Any]) -> bool:
    strategy = (deployment.get("spec") or {}).get("strategy") or {}
    return (strategy.get("type") or "RollingUpdate") == "RollingUpdate"


def _rolling(deployment: Mapping[str, Any]) -> tuple[int, int]:
    strategy = (deployment.get("spec") or {}).get("strategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    return resolve_fenceposts(surge, unavailable, desired_replicas(deployment))


def max_surge(deployment: Mapping[str, Any]) -> int:
    """Return how many pods a rollout may add, 0 where it recreates."""
    return _rolling(deployment)[0] if is_rolling_update(deployment) else 0


def max_unavailable(deployment: Mapping[str, Any]) -> int:
    """Return how many pods a rollout may take away, never more than there should be."""
    desired = desired_replicas(deployment)
    if not is_rolling_update(deployment) or desired == 0:
        return 0
    return min(_rolling(deployment)[1], desired)


def revision(obj: Mapping[str, Any]) -> int:
    """Return the revision that a Deployment or its ReplicaSet bears, 0 where there is none."""
    try:
        return int(annotations_of(obj).get(REVISION, "0"))
    except ValueError:
        return 0


def find_new_replicaset(deployment: Mapping[str, Any], replicasets: Iterable[Obj]) -> Obj | None:
    """Return the oldest ReplicaSet that has the deployment's template."""
    wanted = without_hash(deployment["spec"]["template"])
    same = [one for one in replicasets if without_hash(one["spec"]["template"]) == wanted]
    return min(same, key=_age_key, default=None)


def _age_key(obj: Mapping[str, Any]) -> tuple[str, str]:
    meta = obj.get("metadata") or {}
    return meta.get("creationTimestamp") or "", meta.get("name") or ""


def is_complete(deployment: Mapping[str, Any]) -> bool:
    """Tell whether the rollout is done: all replicas new and available, no old ones left."""
    desired = desired_replicas(deployment)
    observed = int((deployment.get("status") or {}).get("observedGeneration") or 0)
    return (
        status_of(deployment, "updatedReplicas") == desired
        and status_of(deployment, "replicas") == desired
        and status_of(deployment, "availableReplicas") == desired
        and observed >= int((deployment.get("metadata") or {}).get("generation") or 0)
    )
