"""Actions as requests to the Kubernetes API. Pure functions; the same as kubectl sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.objects.discovery import Resource

MERGE = "application/merge-patch+json"
JSON = "application/json"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    path: str
    body: Any
    content_type: str = JSON
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """The object that an action is about."""

    resource: Resource
    namespace: str
    name: str
    uid: str = ""

    @property
    def path(self) -> str:
        return self.resource.path(self.namespace, self.name)


def request_of(action: str, target: Target, options: Options, *, now: str, dry: bool) -> Call:
    """Return the request of an action; raises KeyError for one that is made of several."""
    call = _CALLS[action](target, options, now)
    if not dry:
        return call
    params = {**call.params, "dryRun": "All"}
    body = {**call.body, "dryRun": ["All"]} if call.method == "DELETE" else call.body
    return Call(call.method, call.path, body, call.content_type, params)


def _merge(target: Target, change: Mapping[str, Any], subresource: str = "") -> Call:
    path = f"{target.path}/{subresource}" if subresource else target.path
    return Call("PATCH", path, change, MERGE)


def delete_options(target: Target, options: Options) -> dict[str, Any]:
    """Return DeleteOptions: for this very object, not for another that took its name."""
    found: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if target.uid:
        found["preconditions"] = {"uid": target.uid}
    grace = 0 if options.get("force") else options.get("gracePeriodSeconds")
    if isinstance(grace, int):
        found["gracePeriodSeconds"] = grace
    if policy := options.get("propagation"):
        found["propagationPolicy"] = policy
    return found


def _delete(target: Target, options: Options, _now: str) -> Call:
    return Call("DELETE", target.path, delete_options(target, options))


def _metadata(key: str) -> Callable[[Target, Options, str], Call]:
    def call(target: Target, options: Options, _now: str) -> Call:
        return _merge(target, {"metadata": {key: dict(options.get("changes") or {})}})

    return call


def _scale(target: Target, options: Options, _now: str) -> Call:
    return _merge(target, {"spec": {"replicas": options.get("replicas")}}, "scale")


def _restart(target: Target, _options: Options, now: str) -> Call:
    annotations = {RESTARTED: now}
    return _merge(target, {"spec": {"template": {"metadata": {"annotations": annotations}}}})


def _spec(**change: Any) -> Callable[[Target, Options, str], Call]:
    return lambda target, _options, _now: _merge(target, {"spec": change})


def _evict(target: Target, options: Options, _now: str) -> Call:
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": target.name, "namespace": target.namespace},
        "deleteOptions": delete_options(target, options),
    }
    return Call("POST", f"{target.path}/eviction", body)


_CALLS: dict[str, Callable[[Target, Options, str], Call]] = {
    "delete": _delete,
    "label": _metadata("labels"),
    "annotate": _metadata("annotations"),
    "scale": _scale,
    "restart": _restart,
    "pause": _spec(paused=True),
    "resume": _spec(paused=None),
    "suspend": _spec(suspend=True),
    "unsuspend": _spec(suspend=False),
    "cordon": _spec(unschedulable=True),
    "uncordon": _spec(unschedulable=None),
    "evict": _evict,
}


def job_of(cronjob: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the Job that `kubectl create job --from=cronjob/NAME` makes."""
    template = (cronjob.get("spec") or {}).get("jobTemplate") or {}
    meta, of = template.get("metadata") or {}, cronjob["metadata"]
    annotations = {"cronjob.kubernetes.io/instantiate": "manual", **(meta.get("annotations") or {})}
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": of["name"],
        "uid": of["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": of["namespace"],
            "labels": meta.get("labels") or {},
            "annotations": annotations,
            "ownerReferences": [owner],
        },
        "spec": template.get("spec") or {},
    }


def overwritten(action: str, item: Mapping[str, Any], options: Options) -> list[str]:
    """Return the keys whose present value a label or annotation would replace unasked."""
    if options.get("overwrite"):
        return []
    key = "labels" if action == "label" else "annotations"
    present = (item.get("metadata") or {}).get(key) or {}
    changes = options.get("changes") or {}
    return sorted(
        one
        for one, value in changes.items()
        if value is not None and one in present and present[one] != value
    )
