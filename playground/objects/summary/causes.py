"""What is behind an object that is not as wanted: the chain of causes, and what would help."""

from __future__ import annotations

from django.utils.translation import gettext as _

from playground.objects import facts
from playground.objects.reading import Object
from playground.objects.summary.parts import Cell, Context, Parts, Rows, text
from playground.why.chain import explain
from playground.why.model import Link, Ref

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


def _row(link: Link, context: Context) -> tuple[Cell, ...]:
    about, cause = link.about, link.cause
    shown = f"{context.kind_of(about.title)} {about.name}"
    fix = next(iter(cause.fixes), None)
    return (
        context.to(about.title, about.namespace, about.name, shown),
        text(cause.text, remark=cause.verbatim or cause.rule),
        text(fix.text, remark=fix.command) if fix else text(""),
    )
