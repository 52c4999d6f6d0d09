"""What changes mean: from writes of the log to short facts, which become sentences. Pure.

A fact is a code with its arguments, so that it can be said in any language (`sentences`). Writes
that say nothing to a person (leases, endpoints, statuses that follow others) are no facts; equal
facts about several objects of one owner are one fact that counts them.

    facts(changes)      what happened, oldest first
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from playground.history.fields import FieldChange, changed_fields

Obj: TypeAlias = Mapping[str, Any]

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
_ACCOUNT, _NODE, _SYSTEM = "system:serviceaccount:kube-system:", "system:node:", "system:"
# Names that a fact lists; how many there were is counted.
LISTED = 5
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


@dataclass(slots=True)
class Fact:
    """Something that happened, to one object or to `count` alike."""

    code: str
    actor: str
    resource: str
    kind: str
    namespace: str
    name: str
    revision: int
    at: float
    trace: str
    args: dict[str, Any] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    count: int = 1
    bad: bool = False


Said: TypeAlias = tuple[str, dict[str, Any]]


def facts(changes: Iterable[Write]) -> list[Fact]:
    """Return what happened, the oldest first, with what is alike told once."""
    found: dict[Any, Fact] = {}
    for change in changes:
        if change.resource in _SILENT:
            continue
        for code, args in _said(change):
            _add(found, _fact(change, code, args))
    return list(found.values())


def actor_of(user: str) -> str:
    """Return how people call who wrote: "deployment-controller", "kubelet on node-1", a user."""
    if user.startswith(_ACCOUNT):
        return user.removeprefix(_ACCOUNT)
    if user.startswith(_NODE):
        return f"kubelet on {user.removeprefix(_NODE)}"
    return user.removeprefix(_SYSTEM)


def _fact(change: Write, code: str, args: dict[str, Any]) -> Fact:
    obj = change.obj
    meta = obj.get("metadata") or {}
    bad = bool(args.pop("bad", False))
    return Fact(
        code=code,
        actor=actor_of(change.actor),
        resource=change.resource,
        kind=str(args.pop("kind", "") or obj.get("kind") or ""),
        namespace=str(meta.get("namespace") or ""),
        name=str(args.pop("name", "") or meta.get("name") or ""),
        revision=change.revision,
        at=change.at,
        trace=change.trace,
        args=args,
        bad=bad,
    )


def _add(found: dict[Any, Fact], fact: Fact) -> None:
    """Note a fact; one like an earlier one is counted there, at its latest time."""
    shared = tuple((k, str(v)) for k, v in sorted(fact.args.items()) if k != "message")
    at = (fact.code, fact.actor, fact.kind, fact.namespace, shared)
    known = found.pop(at, None)
    if known is not None and fact.code not in _ONE_BY_ONE:
        fact.count, fact.names = known.count, known.names
    else:
        fact.count = 0
    if fact.name not in fact.names:
        fact.count += 1
        if len(fact.names) < LISTED:
            fact.names.append(fact.name)
    found[at if fact.code not in _ONE_BY_ONE else (*at, fact.revision, fact.name)] = fact


# Told for each object: to add these up would hide what one looks for.
_ONE_BY_ONE = frozenset({"scaled", "image", "changed", "labelled"})


def _said(change: Write) -> Iterator[Said]:
    if change.resource == "events":
        yield from _warning(change)
    elif change.type == "ADDED" or change.before is None:
        yield "created", _owner(change.obj)
    elif change.type == "DELETED" or change.after is None:
        yield "deleted", _owner(change.obj)
    else:
        yield from _modified(change, change.before, change.after)


def _warning(change: Write) -> Iterator[Said]:
    event = change.after
    if event is None or event.get("type") != "Warning":
        return
    about = event.get("involvedObject") or event.get("regarding") or {}
    yield (
        "warning",
        {
            "kind": about.get("kind") or "",
            "name": about.get("name") or "",
            "reason": event.get("reason") or "",
            "message": event.get("message") or event.get("note") or "",
            "bad": True,
        },
    )


def _modified(change: Write, old: Obj, new: Obj) -> Iterator[Said]:
    told = _going(old, new)
    told += _scaled(old, new)
    told += _images(old, new)
    special = _BY_RESOURCE.get(change.resource)
    if special is not None:
        told += special(old, new)
    if told:
        yield from told
        return
    yield from _fields(old, new)


def _going(old: Obj, new: Obj) -> list[Said]:
    if "deletionTimestamp" in new["metadata"] and "deletionTimestamp" not in old["metadata"]:
        return [("going", _owner(new))]
    return []


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
    template = (spec.get("template") or {}).get("spec") or spec
    found = template.get("containers") if isinstance(template, Mapping) else None
    return {str(c.get("name")): str(c.get("image")) for c in found or () if isinstance(c, Mapping)}


def _pod(old: Obj, new: Obj) -> list[Said]:
    told: list[Said] = []
    if not _spec(old).get("nodeName") and (node := _spec(new).get("nodeName")):
        told.append(("scheduled", {"node": node}))
    before, after = _status(old), _status(new)
    if before.get("phase") != after.get("phase") and after.get("phase") in ("Succeeded", "Failed"):
        told.append(("phase", {"phase": after["phase"], "bad": after["phase"] == "Failed"}))
    ready, was = _condition(new, "Ready"), _condition(old, "Ready")
    if ready != was and ready == "True":
        told.append(("ready", _owner(new)))
    elif was == "True" and ready == "False" and after.get("phase") == "Running":
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
    ready = _condition(new, "Ready")
    if ready != _condition(old, "Ready"):
        told.append(("node", {"ready": ready, "bad": ready != "True"}))
    if bool(_spec(old).get("unschedulable")) != (now := bool(_spec(new).get("unschedulable"))):
        told.append(("cordoned" if now else "uncordoned", {}))
    return told


def _workload(old: Obj, new: Obj) -> list[Said]:
    """A status that counts pods follows them, and is told when all are there."""
    wanted = _spec(new).get("replicas")
    before, after = _status(old).get("readyReplicas") or 0, _status(new).get("readyReplicas") or 0
    if wanted and before != after == wanted:
        return [("complete", {"replicas": wanted})]
    return []


def _job(old: Obj, new: Obj) -> list[Said]:
    for kind, bad in (("Complete", False), ("Failed", True)):
        if _condition(new, kind) == "True" != _condition(old, kind):
            return [("job", {"outcome": kind, "bad": bad})]
    return []


_BY_RESOURCE: dict[str, Callable[[Obj, Obj], list[Said]]] = {
    "pods": _pod,
    "nodes": _node,
    "deployments.apps": _workload,
    "statefulsets.apps": _workload,
    "jobs.batch": _job,
}


def _fields(old: Obj, new: Obj) -> Iterator[Said]:
    """Tell what else was changed by its fields; a status follows others and is left out."""
    changed = [one for one in changed_fields(old, new) if _worth_telling(one)]
    if changed:
        names = [one.path for one in changed[:NAMED_FIELDS]]
        args = {"fields": names, "more": len(changed) - len(names)}
        if len(changed) == 1 and _short(changed[0]):
            args |= {"before": changed[0].before, "after": changed[0].after}
        yield "changed", args


def _worth_telling(change: FieldChange) -> bool:
    path = change.path
    if path.startswith(("status.", "metadata.ownerReferences", "metadata.finalizers")):
        return False
    return path != "status" and "deployment.kubernetes.io/" not in path


def _short(change: FieldChange) -> bool:
    values = (change.before, change.after)
    return all(isinstance(v, str | int | float) and len(str(v)) <= 60 for v in values)


def _owner(obj: Obj) -> dict[str, Any]:
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return {"of": str(owner.get("name") or "")}
    return {}


def _condition(obj: Obj, kind: str) -> str:
    for condition in _status(obj).get("conditions") or ():
        if condition.get("type") == kind:
            return str(condition.get("status") or "")
    return ""


def _spec(obj: Obj) -> Obj:
    found = obj.get("spec")
    return found if isinstance(found, Mapping) else {}


def _status(obj: Obj) -> Obj:
    found = obj.get("status")
    return found if isinstance(found, Mapping) else {}
