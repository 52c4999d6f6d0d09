"""What a drain does with each pod of a node, by the rules of `kubectl drain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apimachinery.nodes import is_ready, is_unschedulable
from playground.objects import facts
from playground.objects.actions.requests import Target
from playground.objects.actions.warnings import Notice, named, warn
from playground.objects.reading import Object, Reader


def plan(targets: Sequence[Target], reader: Reader) -> tuple[list[dict[str, Any]], list[Notice]]:
    """Return the pods of the nodes, each with what a drain does, and what to warn of."""
    names = {target.name for target in targets}
    if len(names) == 1:
        found = reader.items("pods", fieldSelector=f"spec.nodeName={next(iter(names))}")
    else:
        found = [one for one in reader.items("pods") if facts.spec(one).get("nodeName") in names]
    budgets = reader.items("poddisruptionbudgets.policy")
    pods = [_described(pod, budgets) for pod in found]
    return pods, _warnings(found, budgets)


def nowhere_else(targets: Sequence[Target], reader: Reader) -> list[Notice]:
    """Warn where no node is left that takes pods."""
    names = {target.name for target in targets}
    nodes = reader.items("nodes")
    if not nodes or any(_takes_pods(one) for one in nodes if facts.name(one) not in names):
        return []
    return [warn(_("No other node takes pods: new ones will be Pending until one does."))]


def _takes_pods(node: Object) -> bool:
    return is_ready(node) and not is_unschedulable(node)


def _described(pod: Object, budgets: Sequence[Object]) -> dict[str, Any]:
    meta = facts.meta(pod)
    return {
        "name": facts.name(pod),
        "namespace": facts.namespace(pod),
        "uid": meta.get("uid") or "",
        "node": facts.spec(pod).get("nodeName") or "",
        "kind": kind_of(pod),
        "local": facts.has_local_data(pod) and not facts.ended(pod),
        "budgets": [facts.name(one) for one in covering(budgets, pod)],
    }


def kind_of(pod: Object) -> str:
    """Return how a drain sees a pod: mirror, daemon, ended, bare or owned."""
    if facts.is_mirror(pod):
        return "mirror"
    owner = facts.controller(pod)
    if owner is not None and owner.get("kind") == "DaemonSet":
        return "ended" if facts.ended(pod) else "daemon"
    if facts.ended(pod):
        return "ended"
    return "owned" if owner is not None else "bare"


def covering(budgets: Sequence[Object], pod: Object) -> list[Object]:
    """Return the PodDisruptionBudgets that hold for a pod."""
    labels: Mapping[str, str] = facts.meta(pod).get("labels") or {}
    return [
        one
        for one in budgets
        if facts.namespace(one) == facts.namespace(pod)
        and facts.selects(facts.spec(one).get("selector"), labels)
    ]


def _warnings(pods: Sequence[Object], budgets: Sequence[Object]) -> list[Notice]:
    going = [pod for pod in pods if kind_of(pod) in ("owned", "bare")]
    closed = {
        facts.name(one): one
        for pod in going
        for one in covering(budgets, pod)
        if not facts.status(one).get("disruptionsAllowed")
    }
    found = []
    if closed:
        text = ngettext(
            "A PodDisruptionBudget allows no eviction now: its pods wait until it does.",
            "These PodDisruptionBudgets allow no eviction now: their pods wait until they do.",
            len(closed),
        )
        found.append(warn(text, named(closed.values())))
    if bare := [pod for pod in pods if kind_of(pod) == "bare"]:
        found.append(warn(_("No controller makes these pods again:"), named(bare)))
    return found
