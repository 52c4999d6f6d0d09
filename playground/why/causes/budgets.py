"""Budgets that refuse every eviction."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from playground.objects.facts import selects
from playground.why.causes.facts import (
    condition,
    first_pods,
    meta,
    namespace,
    ready,
    ref,
    shown,
    spec,
    status,
)
from playground.why.model import Cause, Fix, Object, World


def allows_nothing(budget: Object, world: World) -> Iterator[Cause]:
    now = status(budget)
    if now.get("disruptionsAllowed", 0) > 0 or not now.get("expectedPods"):
        return
    pods = [
        one
        for one in world.items("pods", namespace(budget))
        if selects(spec(budget).get("selector"), meta(one).get("labels") or {})
    ]
    ill = [one for one in pods if not ready(one)]
    given = {"healthy": now.get("currentHealthy", 0), "wanted": now.get("desiredHealthy", 0)}
    found = condition(budget, "DisruptionAllowed")
    fixes = () if ill else tuple(_looser(budget))
    yield Cause(
        _("Every eviction is refused: %(healthy)d pods are healthy, and %(wanted)d have to be.")
        % given,
        condition=shown(found) if found else "disruptionsAllowed=0",
        rule=_("An eviction that leaves fewer healthy pods than a budget wants gets 429."),
        fixes=fixes,
        leads_to=first_pods(ill),
    )


def _looser(budget: Object) -> Iterator[Fix]:
    where = ref("poddisruptionbudgets.policy", budget)
    patch = {"spec": {"minAvailable": None, "maxUnavailable": 1}}
    yield Fix(
        _("Let one pod be missing, or run one more."),
        f"kubectl patch pdb {where.name} -n {where.namespace} --type=merge"
        ' -p \'{"spec":{"minAvailable":null,"maxUnavailable":1}}\'',
        where,
        patch,
    )
