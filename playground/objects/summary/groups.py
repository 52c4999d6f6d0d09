"""Summaries of PodGroups: how they are scheduled, and who belongs to them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apimachinery.pods import group_name
from playground.objects import facts
from playground.objects.reading import Object
from playground.objects.summary.parts import (
    Cell,
    Context,
    Parts,
    Sentence,
    joined,
    known,
    pod_rows,
    text,
)


def group(item: Object, context: Context) -> Parts:
    """Yield the summary of a PodGroup."""
    spec, namespace, name = facts.spec(item), facts.namespace(item), facts.name(item)
    pods = [one for one in context.items("pods", namespace) if group_name(one) == name]
    yield _sentence(item, pods)
    topology = (spec.get("schedulingConstraints") or {}).get("topology")
    yield known(
        (_("Policy"), text(_policy(spec))),
        (_("All in one"), joined([one.get("key") for one in topology or ()])),
        (_("Priority class"), text(spec.get("priorityClassName"))),
        (_("Disruption"), text(spec.get("disruptionMode"))),
        (_("Claims"), joined([one.get("name") for one in spec.get("resourceClaims") or ()])),
        (_("Workload"), _workload(spec, namespace, context)),
    )
    yield pod_rows(_("Pods"), pods, context, _("There are no pods."))


def _sentence(item: Object, pods: list[Object]) -> Sentence:
    found = facts.condition(item, "PodGroupScheduled")
    placed = sum(bool(facts.spec(one).get("nodeName")) for one in pods)
    told = _("%(placed)d of its %(all)d pods have a node.") % {"placed": placed, "all": len(pods)}
    if found.get("status") == "True":
        return Sentence(told, "good")
    return Sentence(told, "waiting", str(found.get("message") or ""))


def _policy(spec: Object) -> str:
    gang = (spec.get("schedulingPolicy") or {}).get("gang")
    if gang is None:
        return _("each pod for itself")
    return _("%(n)s pods at once, or none") % {"n": gang.get("minCount")}


def _workload(spec: Object, namespace: str, context: Context) -> Cell | None:
    after = (spec.get("podGroupTemplateRef") or {}).get("workload")
    if not after:
        return None
    return context.to("workloads.scheduling.k8s.io", namespace, str(after.get("workloadName")))
