"""What is behind an object that is not as wanted: the chain of causes, and what would help."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from playground.objects import facts
from playground.objects.reading import Object, Reader
from playground.objects.summary.parts import (
    CLUSTER_SCOPE,
    Cell,
    Context,
    Parts,
    Rows,
    Trial,
    text,
)
from playground.sandboxes import access
from playground.why.chain import explain
from playground.why.model import Link, Ref
from playground.why.trial import MOST, MOST_NODES, MOST_PODS, affordable, can_be_tried

# The whole chain is served by the REST API.
_SHOWN = 8


def behind(title: str, item: Object, context: Context) -> Parts:
    """Yield the chain as a table; nothing where all is as wanted."""
    links = explain(context, Ref(title, facts.namespace(item), facts.name(item)), item)
    if links:
        yield Rows(
            _("What is behind it"),
            (_("Object"), _("What is so"), _("What would help")),
            tuple(_row(link, context) for link in links[:_SHOWN]),
            more=max(0, len(links) - _SHOWN),
        )
        yield from _trial(title, item, links, context.reader)


def _trial(title: str, item: Object, links: Sequence[Link], reader: Reader) -> Parts:
    """Offer to try what would help, to those who may change the cluster as it is now."""
    fixes = [fix for link in links for fix in link.cause.fixes if can_be_tried(fix)]
    cluster = reader.cluster
    if not fixes or reader.rev is not None or not access.may_change(reader.user, cluster):
        return
    where = (cluster.name, title, facts.namespace(item) or CLUSTER_SCOPE, facts.name(item))
    address = reverse("api-why", args=where)
    not_here = ""
    if not affordable(cluster):
        not_here = _(
            "Changes are tried on copies of the cluster, where it has up to %(nodes)d nodes and"
            " %(pods)d pods. This one has more."
        ) % {"nodes": MOST_NODES, "pods": MOST_PODS}
    yield Trial(f"{address}?try=true", min(len(fixes), MOST), not_here)


def _row(link: Link, context: Context) -> tuple[Cell, ...]:
    about, cause = link.about, link.cause
    shown = f"{context.kind_of(about.title)} {about.name}"
    fix = next(iter(cause.fixes), None)
    return (
        context.to(about.title, about.namespace, about.name, shown),
        text(cause.text, remark=cause.verbatim or cause.rule),
        text(fix.text, remark=fix.command) if fix else text(""),
    )
