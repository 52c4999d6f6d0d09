"""Why a pod stands on its node, or on none: what the scheduler remembers of it."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from playground.objects import facts
from playground.objects.reading import Object
from playground.objects.summary.parts import Context, Lines, Parts
from playground.sandboxes.gateway import Refused


def placement(pod: Object, context: Context) -> Parts:
    """Yield what was decided last; nothing of the past, which remembers no attempts."""
    title = _("Why on this node?") if facts.spec(pod).get("nodeName") else _("Why on no node?")
    try:
        found = context.placed(str(facts.meta(pod).get("uid") or ""))
    except Refused as error:
        yield Lines(title, (), error.message)
        return
    if found is None:
        return
    if not found["items"]:
        yield Lines(title, (found["text"],))
        return
    last = found["items"][0]
    lines = list(last["sentences"])
    if (tries := int(last["number"])) > 1:
        text = ngettext("It was tried %(n)d time.", "It was tried %(n)d times.", tries)
        lines.append(text % {"n": tries})
    yield Lines(title, tuple(lines), last["event"])
