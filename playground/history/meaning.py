"""What one write means to a person: codes with their arguments. Pure.

Writes that say nothing (leases, endpoints, statuses that follow others) mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from apimachinery.nodes import TAINT_UNSCHEDULABLE, condition_status
from playground.history.fields import FieldChange, changed_fields

Obj: TypeAlias = Mapping[str, Any]
Said: TypeAlias = tuple[str, dict[str, Any]]

# They change all the time, and follow what is told of others.
_SILENT = frozenset(
    {
        "leases.coordination.k8s.io",
        "endpoints",
        "endpointslices.discovery.k8s.io",
        "controllerrevisions.apps",
        "ipaddresses.networking.k8s.io",
    }
)
# An Event that has no more to say than the status of its container, of which `waiting` tells.
_REASON = re.compile(r"Error: [A-Za-z]+")
# A cordoned node has a taint that says so.
_CORDON = f"{TAINT_UNSCHEDULABLE}:"
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
# They say in other words what another field of the same write says.
_ECHOES = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
    "pv.kubernetes.io/",
    _RESTARTED,
)
# Fields that a fact of an unknown change names.
NAMED_FIELDS = 3


@dataclass(frozen=True, slots=True)
class Write:
    """A write with both sides: None before a creation, and after a deletion."""

    resource: str
    type: str
    revision: int
    at: float
    actor: str
    trace: str
    before: Obj | None
    after: Obj | None

    @property
    def obj(self) -> Obj:
        found = self.after if self.after is not None else self.before
        assert found is not None  # noqa: S101 - a write has a side
        return found


def said(change: Write) -> Iterator[Said]:
    """Yield what a write means; nothing for one that follows others."""
    if change.resource in _SILENT:
        return
    if change.resource == "events":
        yield from _warning(change)
    elif change.type == "ADDED" or change.before is None:
        yield "created", _owner(change.obj)
    elif change.type == "DELETED" or change.after is None:
        # What was asked to end is gone, whoever was the last to let go of it.
        asked = "deletionTimestamp" in change.obj["metadata"]
        yield ("gone" if asked else "deleted"), {}
    else:
        yield from _modified(change, change.before, change.after)


def _warning(change: Write) -> Iterator[Said]:
    event = change.after
    if event is None or event.get("type") != "Warning":
        return
    about = event.get("involvedObject") or event.get("regarding") or {}
    message = str(event.get("message") or event.get("note") or "")
    if event.get("reason") == "Failed" and _REASON.fullmatch(message):
        return
    yield (
        "warning",
        {
            "kind": about.get("kind") or "",
            "name": about.get("name") or "",
            "reason": event.get("reason") or "",
            "message": message,
            "bad": True,
        },
    )


def _modified(change: Write, old: Obj, new: Obj) -> Iterator[Said]:
    told = _going(old, new) + _scaled(old, new) + _rollout(old, new)
    told += _images(old, new)
    special = _BY_RESOURCE.get(change.resource)
    if special is not None:
        told += special(old, new)
    yield from told
    yield from _fields(change.resource, old, new)


def _going(old: Obj, new: Obj) -> list[Said]:
    ends = "deletionTimestamp" in new["metadata"] and "deletionTimestamp" not in old["metadata"]
    return [("going", _owner(new))] if ends else []


def _rollout(old: Obj, new: Obj) -> list[Said]:
    before, after = (_annotations(_spec(one).get("template") or {}) for one in (old, new))
    again = after.get(_RESTARTED) and before.get(_RESTARTED) != after[_RESTARTED]
    return [("rollout", {})] if again else []


def _scaled(old: Obj, new: Obj) -> list[Said]:
    before, after = _spec(old).get("replicas"), _spec(new).get("replicas")
    if before is None or after is None or before == after:
        return []
    return [("scaled", {"before": before, "after": after})]


def _images(old: Obj, new: Obj) -> list[Said]:
    before, after = _image_map(old), _image_map(new)
    return [
        ("image", {"container": name, "before": before[name], "after": image})
        for name, image in after.items()
        if name in before and before[name] != image
    ]


def _image_map(obj: Obj) -> dict[str, str]:
    spec = _spec(obj)
    inner = spec.get("template")
    template = (inner.get("spec") if isinstance(inner, Mapping) else None) or spec
    lists = [template.get(kind) for kind in ("containers", "initContainers")]
    found = [one for items in lists if isinstance(items, list) for one in items]
    return {str(c.get("name")): str(c.get("image")) for c in found if isinstance(c, Mapping)}


def _pod(old: Obj, new: Obj) -> list[Said]:
    told: list[Said] = []
    if not _spec(old).get("nodeName") and (node := _spec(new).get("nodeName")):
        told.append(("scheduled", {"node": node}))
    before, after = _status(old), _status(new)
    ending = "deletionTimestamp" in new["metadata"]
    over = after.get("phase") in ("Succeeded", "Failed") and before.get("phase") != after["phase"]
    if over and not ending:
        why = str(after.get("reason") or "")
        phase = {"phase": after["phase"], "reason": why, "bad": after["phase"] == "Failed"}
        told.append(("phase", phase))
    ready, was = condition_status(new, "Ready"), condition_status(old, "Ready")
    # Of what runs to its end, that is told.
    serves = _spec(new).get("restartPolicy", "Always") == "Always"
    if serves and ready != was and ready == "True":
        told.append(("ready", _owner(new)))
    elif was == "True" and ready == "False" and after.get("phase") == "Running" and not ending:
        told.append(("unready", {**_owner(new), "bad": True}))
    return told + _containers(before, after)


def _containers(before: Obj, after: Obj) -> list[Said]:
    told: list[Said] = []
    earlier = {one.get("name"): one for one in before.get("containerStatuses") or ()}
    for one in after.get("containerStatuses") or ():
        old = earlier.get(one.get("name")) or {}
        restarts = one.get("restartCount") or 0
        reason = _waiting(one)
        if restarts > (old.get("restartCount") or 0):
            told.append(
                ("restarted", {"container": one.get("name"), "times": restarts, "bad": True})
            )
        elif (
            reason
            and reason not in ("ContainerCreating", "PodInitializing")
            and (reason != _waiting(old))
        ):
            told.append(("waiting", {"container": one.get("name"), "reason": reason, "bad": True}))
    return told


def _waiting(status: Obj) -> str:
    state = (status.get("state") or {}).get("waiting") or {}
    return str(state.get("reason") or "")


def _node(old: Obj, new: Obj) -> list[Said]:
    told: list[Said] = []
    ready = condition_status(new, "Ready")
    if ready != condition_status(old, "Ready"):
        told.append(("node", {"ready": ready, "bad": ready != "True"}))
    if bool(_spec(old).get("unschedulable")) != (now := bool(_spec(new).get("unschedulable"))):
        told.append(("cordoned" if now else "uncordoned", {}))
    return told + _taints(old, new)


def _taints(old: Obj, new: Obj) -> list[Said]:
    before, after = (
        {_taint(one): one for one in _spec(node).get("taints") or ()} for node in (old, new)
    )
    came = [("tainted", {"taint": one}) for one in after if one not in before]
    went = [("untainted", {"taint": one}) for one in before if one not in after]
    return [(code, args) for code, args in came + went if not args["taint"].startswith(_CORDON)]


def _taint(one: Obj) -> str:
    """Return a taint as kubectl writes it: key=value:Effect."""
    value = f"={one['value']}" if one.get("value") else ""
    return f"{one.get('key')}{value}:{one.get('effect')}"


def _workload(old: Obj, new: Obj) -> list[Said]:
    """A status that counts pods follows them, and is told when all are there."""
    return _complete(_spec(new).get("replicas"), "readyReplicas", old, new)


def _daemons(old: Obj, new: Obj) -> list[Said]:
    return _complete(_status(new).get("desiredNumberScheduled"), "numberReady", old, new)


def _complete(wanted: Any, field: str, old: Obj, new: Obj) -> list[Said]:
    before, after = _status(old).get(field) or 0, _status(new).get(field) or 0
    if wanted and before != after == wanted:
        return [("complete", {"replicas": wanted})]
    return []


def _claim(old: Obj, new: Obj) -> list[Said]:
    before, after = _status(old).get("phase"), _status(new).get("phase")
    if before == after:
        return []
    if after == "Bound":
        return [("bound", {"volume": _spec(new).get("volumeName") or ""})]
    return [("lost", {"bad": True})] if after == "Lost" else []


def _volume(old: Obj, new: Obj) -> list[Said]:
    phase = _status(new).get("phase")
    released = phase == "Released" and _status(old).get("phase") != phase
    return [("released", {})] if released else []


def _job(old: Obj, new: Obj) -> list[Said]:
    for kind, bad in (("Complete", False), ("Failed", True)):
        if condition_status(new, kind) == "True" != condition_status(old, kind):
            return [("job", {"outcome": kind, "bad": bad})]
    return []


_BY_RESOURCE: dict[str, Callable[[Obj, Obj], list[Said]]] = {
    "pods": _pod,
    "nodes": _node,
    "deployments.apps": _workload,
    "statefulsets.apps": _workload,
    "daemonsets.apps": _daemons,
    "jobs.batch": _job,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
}


# Fields of which something else tells.
_TOLD = re.compile(r"^spec\.replicas$|^metadata\.deletion|(?i:containers)\[[^]]*\]\.image$")
_TOLD_OF = {
    "nodes": ("spec.taints", "spec.unschedulable"),
    "persistentvolumeclaims": ("spec.volumeName",),
    "persistentvolumes": ("spec.claimRef",),
    "pods": ("spec.nodeName",),
}
_FOLLOWS = ("status", "metadata.ownerReferences", "metadata.finalizers")


def _fields(resource: str, old: Obj, new: Obj) -> Iterator[Said]:
    """Tell what else was changed by its fields; a status follows others and is left out."""
    quiet = (*_FOLLOWS, *_TOLD_OF.get(resource, ()))
    every = (one for one in changed_fields(old, new) if not _below(one.path, quiet))
    changed = [one for one in every if not _TOLD.search(one.path) and not _echoes(one)]
    if not changed:
        return
    names = [one.path for one in changed[:NAMED_FIELDS]]
    args: dict[str, Any] = {"fields": names, "more": len(changed) - len(names)}
    # Values of Secrets are for whoever asks for them.
    if len(changed) == 1 and resource != "secrets" and _short(changed[0]):
        args |= {"op": changed[0].op, "before": changed[0].before, "after": changed[0].after}
    yield "changed", args


def _below(path: str, fields: tuple[str, ...]) -> bool:
    return any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in fields)


def _echoes(change: FieldChange) -> bool:
    """Tell whether a change is of an annotation that says what another field says."""
    if not change.path.endswith("metadata.annotations"):
        return any(echo in change.path for echo in _ECHOES)
    # The first annotations come, and the last go, as a whole.
    names = change.after or change.before or {}
    return all(any(echo in name for echo in _ECHOES) for name in names)


def _short(change: FieldChange) -> bool:
    values = {"+": (change.after,), "-": ()}.get(change.op, (change.before, change.after))
    return all(isinstance(v, str | int | float) and len(str(v)) <= 60 for v in values)


def _owner(obj: Obj) -> dict[str, Any]:
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return {"of": str(owner.get("name") or "")}
    return {}


def _annotations(obj: Obj) -> Obj:
    return (obj.get("metadata") or {}).get("annotations") or {}


def _spec(obj: Obj) -> Obj:
    found = obj.get("spec")
    return found if isinstance(found, Mapping) else {}


def _status(obj: Obj) -> Obj:
    found = obj.get("status")
    return found if isinstance(found, Mapping) else {}
