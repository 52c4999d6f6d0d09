"""From a request to all that came of it: what workers did because of what it wrote.

A worker's request names the revisions that it was made because of, a request tells the revisions
that it wrote: joined, they are a tree. The scheduler's decisions and the kubelets' steps hang on
it by the pods they are about. Pure functions over what is kept in memory; what was forgotten
meanwhile is said to be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apimachinery.clock import parse_time
from apiserver.endpoints.trace import Trace
from nodes.kubelet.steps import Step
from nodes.scheduler.attempt import Attempt

# A story longer than this is told up to here; a rollout of 30 pods has some 500 steps.
LONGEST = 600
_WORKERS = {
    "system:kube-scheduler": "kube-scheduler",
    "system:kube-controller-manager": "kube-controller-manager",
    "system:kube-proxy": "kube-proxy",
    "system:apiserver": "kube-apiserver",
}
_ACCOUNT, _NODE = "system:serviceaccount:kube-system:", "system:node:"
# The places of the picture at which worker's requests are shown.
CONTROLLERS, SCHEDULER, KUBELET, RUNTIME = "controllers", "scheduler", "kubelet", "runtime"


@dataclass(frozen=True, slots=True)
class Kept:
    """All that a cluster remembers of what was done."""

    traces: Iterable[Trace]
    # The attempts at a pod, by its uid.
    attempts: Callable[[str], Iterable[Attempt]]
    steps: Iterable[Step]


def worker_of(user: str) -> tuple[str, str]:
    """Return the short name of who acts, and where in the picture: "" for people."""
    if user.startswith(_NODE):
        return f"kubelet {user.removeprefix(_NODE)}", KUBELET
    if user.startswith(_ACCOUNT):
        return user.removeprefix(_ACCOUNT), CONTROLLERS
    name = _WORKERS.get(user)
    if name is None:
        return user, ""
    return name, SCHEDULER if name == "kube-scheduler" else CONTROLLERS


def story(root: Trace, kept: Kept) -> dict[str, Any]:
    """Return what came of a request, in the order of time, and how long that took."""
    traces = list(kept.traces)
    requests, pods = _requests(root, traces)
    decisions = _decisions(root, kept.attempts, pods, requests)
    steps = [*requests, *decisions, *_steps(root, kept.steps, pods, requests)]
    steps.sort(key=lambda step: step["at"])
    return {
        "root": root.record(),
        "because": because(root, traces),
        "steps": steps[:LONGEST],
        "more": max(len(steps) - LONGEST, 0),
        "totals": _totals(root, steps, pods),
    }


def because(trace: Trace, traces: Sequence[Trace]) -> list[dict[str, Any]]:
    """Return why a worker made a request, cause by cause up to the first that is known."""
    writers = _writers(traces)
    found: list[dict[str, Any]] = []
    seen = {trace.audit_id}
    at: Trace | None = trace
    while at is not None and at.cause:
        revision = at.cause[-1]
        at = next((w for r in reversed(at.cause) if (w := writers.get(r)) is not None), None)
        if at is None or at.audit_id in seen:
            # Who wrote it is forgotten, or was there before the cluster began to remember.
            return [*found, {"revision": revision}] if at is None else found
        seen.add(at.audit_id)
        found.append({"revision": revision, **_request(at, "")})
    return found


def _writers(traces: Iterable[Trace]) -> dict[int, Trace]:
    return {one.revision: trace for trace in traces for one in trace.wrote or ()}


def _requests(root: Trace, traces: Sequence[Trace]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the requests that follow from one, and the pods that they are about: uid -> key."""
    effects: dict[int, list[Trace]] = {}
    for trace in reversed(traces):
        for revision in trace.cause:
            effects.setdefault(revision, []).append(trace)
    found: list[dict[str, Any]] = []
    pods: dict[str, str] = {}
    seen, waiting = {root.audit_id}, [root]
    while waiting:
        cause = waiting.pop(0)
        for one in cause.wrote or ():
            if one.key.resource == "pods" and one.type == "ADDED":
                pods[one.uid] = f"{one.key.namespace}/{one.key.name}"
            for effect in effects.get(one.revision, ()):
                if effect.audit_id not in seen:
                    seen.add(effect.audit_id)
                    found.append(_request(effect, cause.audit_id))
                    waiting.append(effect)
    return found, pods


def _request(trace: Trace, parent: str) -> dict[str, Any]:
    who, place = worker_of(trace.user)
    info = trace.info
    wrote = trace.wrote or []
    last = wrote[-1] if wrote else None
    return {
        "kind": "request",
        "id": trace.audit_id,
        "parent": parent,
        "at": trace.at,
        "seconds": round(trace.seconds, 7),
        "who": who,
        "place": place,
        "verb": trace.verb,
        "group": info.group,
        "version": info.version,
        "resource": trace.resource,
        "namespace": info.namespace,
        "name": info.name or (last.key.name if last is not None else ""),
        "subresource": info.subresource,
        "code": trace.code,
        "cause": list(trace.cause),
        "revisions": [one.revision for one in wrote],
    }


def _decisions(
    root: Trace,
    attempts: Callable[[str], Iterable[Attempt]],
    pods: Mapping[str, str],
    requests: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Return the scheduler's attempts at the pods of a story."""
    makers = _makers(root, requests)
    return [
        {
            "kind": "decision",
            "id": f"decision/{attempt.uid}/{attempt.number}",
            "parent": makers.get(attempt.pod, root.audit_id),
            "at": parse_time(attempt.at).timestamp(),
            "seconds": round(sum(attempt.seconds.values()), 7),
            "who": "kube-scheduler",
            "place": SCHEDULER,
            "pod": attempt.pod,
            "uid": attempt.uid,
            "node": attempt.node,
            "message": attempt.message,
            "evaluated": attempt.evaluated,
            "refused": len(attempt.refused),
            "number": attempt.number,
        }
        for uid in pods
        for attempt in attempts(uid)
    ]


def _steps(
    root: Trace,
    steps: Iterable[Step],
    pods: Mapping[str, str],
    requests: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Return what kubelets did for the pods of a story."""
    writers = {revision: one["id"] for one in requests for revision in one["revisions"]}
    return [
        {
            "kind": "step",
            "id": f"step/{step.uid}/{number}",
            "parent": next(
                (writers[r] for r in reversed(step.cause) if r in writers), root.audit_id
            ),
            "at": step.began,
            "seconds": round(step.ended - step.began, 7),
            "who": f"kubelet {step.node}",
            "place": KUBELET if step.what == "phase" else RUNTIME,
            "what": step.what,
            "pod": f"{step.namespace}/{step.pod}",
            "uid": step.uid,
            "container": step.container,
            "outcome": step.outcome,
            "revision": step.revision,
        }
        for number, step in enumerate(steps)
        if step.uid in pods
    ]


def _makers(root: Trace, requests: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return who made each pod, by its key."""
    made = {
        f"{one['namespace']}/{one['name']}": one["id"]
        for one in requests
        if one["resource"] == "pods" and one["verb"] == "create" and not one["subresource"]
    }
    for one in root.wrote or ():
        made[f"{one.key.namespace}/{one.key.name}"] = root.audit_id
    return made


def _totals(
    root: Trace, steps: Sequence[Mapping[str, Any]], pods: Mapping[str, str]
) -> dict[str, Any]:
    """Return how long it took until pods ran, and until nothing more came of it."""
    running: dict[str, float] = {}
    for step in steps:
        if step["kind"] == "step" and step["what"] == "phase" and step["outcome"] == "Running":
            running.setdefault(step["uid"], step["at"] + step["seconds"] - root.at)
    ends = [step["at"] + step["seconds"] for step in steps]
    return {
        "pods": len(pods),
        "running": len(running),
        "first": round(min(running.values()), 6) if running else None,
        "all": round(max(running.values()), 6) if pods and len(running) == len(pods) else None,
        "end": round(max([*ends, root.at + root.seconds]) - root.at, 6),
        "requests": sum(step["kind"] == "request" for step in steps),
    }
