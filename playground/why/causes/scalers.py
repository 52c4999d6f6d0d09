"""Autoscalers that cannot do their work."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from playground.why.causes.facts import condition, shown, words
from playground.why.model import Cause, Fix, Object, World


def cannot_scale(scaler: Object, world: World) -> Iterator[Cause]:
    for kind in ("AbleToScale", "ScalingActive"):
        found = condition(scaler, kind)
        if found.get("status") != "False":
            continue
        metrics = found.get("reason") in (
            "FailedGetResourceMetric",
            "FailedGetContainerResourceMetric",
        )
        yield Cause(
            _("The autoscaler cannot tell how many pods are needed.")
            if kind == "ScalingActive"
            else _("The autoscaler cannot change what it scales."),
            condition=shown(found),
            verbatim=words(found),
            rule=_("It compares what pods use with what they request, by the metrics API."),
            fixes=(Fix(_("Give all containers a request, and let the metrics API answer.")),)
            if metrics
            else (),
        )
