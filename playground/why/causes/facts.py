"""Small facts that several finders need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from apimachinery.volumes import claim_names
from apimachinery.workloads import HASH_LABEL, REVISION
from playground.objects.facts import condition, controller, meta, name, namespace, spec, status
from playground.why.model import Fix, Object, Ref, World

TITLES = {
    "Deployment": "deployments.apps",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "Job": "jobs.batch",
    "ReplicationController": "replicationcontrollers",
}
_NAMED = 3


def shown(found: Mapping[str, Any]) -> str:
    """Return a condition as one reads it: "Ready=False (ContainersNotReady)"."""
    reason = f" ({found['reason']})" if found.get("reason") else ""
    return f"{found.get('type')}={found.get('status')}{reason}"


def words(found: Mapping[str, Any]) -> str:
    return str(found.get("message") or "")


def ref(title: str, obj: Object) -> Ref:
    return Ref(title, namespace(obj), name(obj))


def ready(pod: Object) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def first_pods(pods: Iterable[Object]) -> tuple[Ref, ...]:
    """Return some of the pods to look at: they mostly wait for the same."""
    return tuple(ref("pods", one) for one in sorted(pods, key=name)[:_NAMED])


def users(world: World, claim: Object) -> list[Ref]:
    """Return the pods that use a claim."""
    found = world.items("pods", namespace(claim))
    return [ref("pods", one) for one in found if name(claim) in claim_names(dict(one))]


def owned(world: World, title: str, owner: Object) -> list[Object]:
    """Return the objects of a kind that an object controls."""
    uid = meta(owner).get("uid")
    found = world.items(title, namespace(owner))
    return [one for one in found if (controller(one) or {}).get("uid") == uid]


def events(world: World, obj: Object, *reasons: str) -> list[Object]:
    """Return what was said of an object for some reasons, the latest first."""
    uid = meta(obj).get("uid")
    found = [
        one
        for one in world.items("events", namespace(obj) or "default")
        if (one.get("involvedObject") or {}).get("uid") == uid and one.get("reason") in reasons
    ]
    return sorted(found, key=_moment, reverse=True)


def _moment(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")


def top_owner(world: World, pod: Object) -> tuple[Ref, Object] | None:
    """Return the workload that made a pod, over its ReplicaSet where it has one."""
    found: tuple[Ref, Object] | None = None
    obj: Object | None = pod
    while obj is not None and (owner := controller(obj)) is not None:
        title = TITLES.get(str(owner.get("kind")), "")
        obj = world.one(title, namespace(pod), str(owner.get("name"))) if title else None
        if obj is not None:
            found = ref(title, obj), obj
    return found


def roll_back(world: World, pod: Object) -> Iterator[Fix]:
    """Yield how to go back to the template before, where a Deployment made the pod."""
    owner = top_owner(world, pod)
    if owner is None or owner[0].title != "deployments.apps":
        return
    where, deployment = owner
    now = str((meta(deployment).get("annotations") or {}).get(REVISION) or "0")
    earlier = [
        one for one in owned(world, "replicasets.apps", deployment) if _revision(one) < int(now)
    ]
    if not earlier:
        return
    last = max(earlier, key=_revision)
    template = dict(spec(last)["template"])
    labels = dict((template.get("metadata") or {}).get("labels") or {})
    labels.pop(HASH_LABEL, None)
    template["metadata"] = {**(template.get("metadata") or {}), "labels": labels}
    yield Fix(
        _("Go back to revision %(revision)d.") % {"revision": _revision(last)},
        f"kubectl rollout undo deployment/{where.name} -n {where.namespace}",
        where,
        # As kubectl does it: merged, the template would keep what the earlier one lacks.
        [{"op": "replace", "path": "/spec/template", "value": template}],
        "json",
    )


def _revision(replicaset: Object) -> int:
    text = str((meta(replicaset).get("annotations") or {}).get(REVISION) or "0")
    return int(text) if text.isdigit() else 0


__all__ = ["condition", "meta", "name", "namespace", "spec", "status"]
