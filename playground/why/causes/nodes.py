"""Nodes that are not ready, or take no pods."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from playground.why.causes.facts import condition, name, ref, shown, spec, words
from playground.why.model import Cause, Fix, Object, World


def is_not_ready(node: Object, world: World) -> Iterator[Cause]:
    found = condition(node, "Ready")
    if found.get("status") == "True":
        return
    silent = found.get("status") == "Unknown"
    text = (
        _("The node says nothing any more: its lease is not renewed.")
        if silent
        else _("The node says of itself that it is not ready.")
    )
    yield Cause(
        text,
        condition=shown(found) if found else "Ready",
        verbatim=words(found),
        rule=_("A node counts as lost after 50 s; its pods are evicted 5 minutes later."),
        fixes=(Fix(_("Look at the machine, its network, and at what is broken on purpose.")),),
    )


def takes_no_pods(node: Object, world: World) -> Iterator[Cause]:
    if not spec(node).get("unschedulable"):
        return
    yield Cause(
        _("The node is cordoned: it takes no new pods."),
        condition="spec.unschedulable=true",
        rule=_("The scheduler leaves cordoned nodes out; what runs there goes on."),
        fixes=(
            Fix(
                _("Uncordon it."),
                f"kubectl uncordon {name(node)}",
                ref("nodes", node),
                {"spec": {"unschedulable": None}},
            ),
        ),
    )
