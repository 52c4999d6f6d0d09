"""How an object stands, in a word beside its name in a drawing. Pure."""

from __future__ import annotations

from collections.abc import Callable

from apimachinery.resourceclaims import is_allocated, users
from playground.objects import facts
from playground.objects.facts import Object
from playground.objects.summary.parts import state_of
from playground.topology import podstatus

# A word, and its colour: "good", "waiting", "bad" or "plain".
Standing = tuple[str, str]


def of(title: str, item: Object) -> Standing:
    """Return an object's word and colour; empty for a kind that has none."""
    if facts.meta(item).get("deletionTimestamp") and title != "pods":
        return "Terminating", "waiting"
    builder = _WORDS.get(title)
    return builder(item) if builder else ("", "plain")


def _pod(item: Object) -> Standing:
    word = podstatus.display_status(item)
    state = state_of(word)
    ready, _restarts = podstatus.readiness(item)
    have, _slash, want = ready.partition("/")
    if word == "Running" and have != want:
        return f"{word} {ready}", "waiting"
    return word, state


def _workload(item: Object) -> Standing:
    wanted = int(facts.spec(item).get("replicas", 1) or 0)
    ready = int(facts.status(item).get("readyReplicas") or 0)
    if not wanted and not ready:
        return "0", "plain"
    return f"{ready}/{wanted}", "good" if ready >= wanted else "waiting"


def _daemons(item: Object) -> Standing:
    status = facts.status(item)
    wanted = int(status.get("desiredNumberScheduled") or 0)
    ready = int(status.get("numberReady") or 0)
    return f"{ready}/{wanted}", "good" if ready >= wanted else "waiting"


def _job(item: Object) -> Standing:
    for one in facts.status(item).get("conditions") or ():
        if one.get("status") == "True" and one.get("type") in ("Complete", "Failed", "Suspended"):
            word = str(one["type"])
            return word, {"Complete": "good", "Failed": "bad"}.get(word, "plain")
    return "Running", "waiting"


def _phase(item: Object) -> Standing:
    word = str(facts.status(item).get("phase") or "")
    return word, state_of(word)


def _node(item: Object) -> Standing:
    for one in facts.status(item).get("conditions") or ():
        if one.get("type") == "Ready":
            ready = one.get("status") == "True"
            return ("Ready", "good") if ready else ("NotReady", "bad")
    return "", "plain"


def _slice(item: Object) -> Standing:
    endpoints = item.get("endpoints") or ()
    ready = sum(1 for one in endpoints if (one.get("conditions") or {}).get("ready", True))
    return f"{ready}/{len(endpoints)}", "good" if ready else "waiting"


def _budget(item: Object) -> Standing:
    allowed = int(facts.status(item).get("disruptionsAllowed") or 0)
    return f"{allowed}", "good" if allowed else "waiting"


def _device_claim(item: Object) -> Standing:
    """Say the last of what `kubectl get` does: the others follow from it."""
    if not is_allocated(item):
        return "pending", "waiting"
    return ("reserved", "good") if users(item) else ("allocated", "plain")


_WORDS: dict[str, Callable[[Object], Standing]] = {
    "pods": _pod,
    "deployments.apps": _workload,
    "replicasets.apps": _workload,
    "statefulsets.apps": _workload,
    "replicationcontrollers": _workload,
    "daemonsets.apps": _daemons,
    "jobs.batch": _job,
    "persistentvolumeclaims": _phase,
    "persistentvolumes": _phase,
    "nodes": _node,
    "endpointslices.discovery.k8s.io": _slice,
    "poddisruptionbudgets.policy": _budget,
    facts.DEVICE_CLAIMS: _device_claim,
}
