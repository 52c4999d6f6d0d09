"""Pods that are scheduled together, and why they wait for each other."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apimachinery.pods import group_name
from playground.objects.facts import GROUPS, ended
from playground.why.causes.facts import (
    condition,
    first_pods,
    name,
    namespace,
    shown,
    spec,
    words,
)
from playground.why.model import Cause, Fix, Object, Ref, World

# What the scheduler says of a pod that would fit, were it not for the others.
_HELD_BACK = "pod group is unschedulable"
_MAKING_ROOM = "pod group is waiting for preemption to complete"


def group_of(pod: Object) -> Ref | None:
    """Return the PodGroup that a pod is scheduled with."""
    found = group_name(pod)
    return Ref(GROUPS, namespace(pod), found) if found else None


def members(world: World, where: Ref) -> list[Object]:
    """Return the pods of a group that have not ended."""
    return [
        pod
        for pod in world.items("pods", where.namespace)
        if group_of(pod) == where and not ended(pod)
    ]


def is_held_back(pod: Object) -> bool:
    """Tell whether a pod has no node because of others of its group."""
    said = words(condition(pod, "PodScheduled"))
    return group_of(pod) is not None and (said.startswith(_HELD_BACK) or _MAKING_ROOM in said)


def waits_for_its_group(pod: Object, world: World) -> Iterator[Cause]:
    """The scheduler has not looked at it, or holds it back: its group is what counts."""
    where, found = group_of(pod), condition(pod, "PodScheduled")
    if where is None or spec(pod).get("nodeName") or (found and not is_held_back(pod)):
        return
    group = world.one(where.title, where.namespace, where.name)
    given = {"name": where.name}
    if group is None:
        yield Cause(
            _("It waits for the PodGroup %(name)s, which is not there.") % given,
            condition=f"spec.schedulingGroup.podGroupName={where.name}",
            rule=_("The scheduler does not look at a pod before its PodGroup is there."),
            fixes=(Fix(_("Create the PodGroup %(name)s.") % given),),
        )
        return
    if not found and not lacking(group, world):
        return
    text = _("It waits for others of its PodGroup %(name)s.")
    if found:
        text = _(
            "It would fit, and gets no node because the PodGroup %(name)s as a whole does not."
        )
    if _MAKING_ROOM in words(found):
        text = _("Other pods are sent away so that the PodGroup %(name)s fits as a whole.")
    yield Cause(
        text % given,
        condition=shown(found) if found else "",
        verbatim=words(found),
        rule=_("Pods of a gang get their nodes together, or none of them does."),
        leads_to=(where,),
    )


def lacking(group: Object, world: World) -> int:
    """Return how many pods have to come before a gang is tried."""
    gang = (spec(group).get("schedulingPolicy") or {}).get("gang") or {}
    there = len(members(world, Ref(GROUPS, namespace(group), name(group))))
    return max(int(gang.get("minCount") or 0) - there, 0)


def is_not_scheduled(group: Object, world: World) -> Iterator[Cause]:
    """A group waits for more pods, or there is no room for as many as are needed at once."""
    where = Ref(GROUPS, namespace(group), name(group))
    found, pods = condition(group, "PodGroupScheduled"), members(world, where)
    if found.get("status") == "True" or not pods:
        return
    if short := lacking(group, world):
        yield from _is_incomplete(group, pods, short)
    elif found:
        yield Cause(
            _("The scheduler finds no nodes for as many of its pods as are needed at once."),
            condition=shown(found),
            verbatim=words(found),
            rule=_("Pods of a gang get their nodes together, or none of them does."),
            leads_to=first_pods(
                pod
                for pod in pods
                if condition(pod, "PodScheduled").get("status") == "False" and not is_held_back(pod)
            ),
        )


def _is_incomplete(group: Object, pods: list[Object], short: int) -> Iterator[Cause]:
    given = {"n": len(pods), "all": len(pods) + short, "name": name(group)}
    more = ngettext(
        "Make %(n)d more pod with schedulingGroup %(name)s.",
        "Make %(n)d more pods with schedulingGroup %(name)s.",
        short,
    )
    yield Cause(
        _("It has %(n)d of the %(all)d pods that it needs.") % given,
        condition=f"spec.schedulingPolicy.gang.minCount={given['all']}",
        rule=_("The scheduler does not look at a gang before minCount of its pods are there."),
        fixes=(Fix(more % {"n": short, "name": name(group)}),),
    )
