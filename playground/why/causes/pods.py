"""Pods that have failed, hang on a lost node, wait for volumes, or are not ready."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from apimachinery.meta import is_deleting
from playground.objects.facts import references
from playground.why.causes.facts import (
    condition,
    events,
    name,
    namespace,
    shown,
    spec,
    status,
    words,
)
from playground.why.model import Cause, Fix, Object, Ref, World


def ended_badly(pod: Object, world: World) -> Iterator[Cause]:
    """A pod that has failed stays so; its workload makes another."""
    if status(pod).get("phase") != "Failed":
        return
    reason = str(status(pod).get("reason") or "")
    yield Cause(
        _("The pod has failed, and is not started again."),
        condition=f"phase=Failed{f' ({reason})' if reason else ''}",
        verbatim=str(status(pod).get("message") or ""),
        rule=_("A pod is never started again as a whole: whoever made it makes another."),
    )


def on_a_lost_node(pod: Object, world: World) -> Iterator[Cause]:
    """What runs on a node that says nothing can neither be seen nor ended."""
    node = str(spec(pod).get("nodeName") or "")
    found = world.one("nodes", "", node) if node else None
    state = condition(found, "Ready") if found is not None else {}
    if found is None or state.get("status") == "True":
        return
    fixes = (
        Fix(
            _("Delete it without waiting for the node, if the machine is gone for good."),
            f"kubectl delete pod {name(pod)} -n {namespace(pod)} --grace-period=0 --force",
        ),
    )
    yield Cause(
        _("Its node %(node)s is not ready.") % {"node": node},
        condition=shown(condition(pod, "Ready")),
        rule=_("Only a pod's own node can say how it is, and end it."),
        fixes=fixes if is_deleting(pod) else (),
        leads_to=(Ref("nodes", "", node),),
    )


def volumes_are_missing(pod: Object, world: World) -> Iterator[Cause]:
    """Containers are made once all volumes are mounted."""
    if status(pod).get("phase") != "Pending":
        return
    said = events(world, pod, "FailedMount", "FailedAttachVolume")
    if not said:
        return
    text = str(said[0].get("message") or "")
    needed = dict.fromkeys((kind, other) for kind, other, _use in references(pod))
    missing = [(kind, other) for kind, other in needed if f'"{other}" not found' in text]
    claims = [other for kind, other in needed if kind == "PersistentVolumeClaim"]
    yield Cause(
        _("A volume cannot be mounted."),
        condition=str(said[0].get("reason")),
        verbatim=str(said[0].get("message") or ""),
        rule=_("What a container refers to has to be there, unless it is optional."),
        fixes=tuple(
            Fix(_("Create %(kind)s %(name)s.") % {"kind": kind, "name": other})
            for kind, other in missing
        ),
        leads_to=tuple(Ref("persistentvolumeclaims", namespace(pod), one) for one in claims),
    )


def is_not_ready(pod: Object, world: World) -> Iterator[Cause]:
    """A pod runs, and says of itself that it is not ready."""
    found = condition(pod, "Ready")
    if status(pod).get("phase") != "Running" or found.get("status") != "False" or is_deleting(pod):
        return
    if any(
        (one.get("state") or {}).get("waiting")
        for one in status(pod).get("containerStatuses") or ()
    ):
        return
    said = events(world, pod, "Unhealthy")
    gates = found.get("reason") == "ReadinessGatesNotReady"
    text = (
        _("A readiness gate of the pod is not true.") if gates else _("Its readiness probe fails.")
    )
    yield Cause(
        text if gates or said else _("Not all of its containers are ready."),
        condition=shown(found),
        verbatim=str(said[0].get("message") or "") if said else words(found),
        rule=_("A pod that is not ready gets no traffic, and a rollout waits for it."),
        fixes=(Fix(_("Look at what the probe asks for, and at the container's log.")),)
        if said
        else (),
    )
