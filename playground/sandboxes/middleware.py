"""Pages when the cluster worker is away or refuses: what happened, what goes on, what to do."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from playground.sandboxes.gateway import Refused, Unreachable


class UpstreamProblems(MiddlewareMixin):
    """Turns an error of the gateway into a page, or into a fragment where htmx asked for one."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer the two errors that a view is not expected to catch."""
        if isinstance(exception, Unreachable):
            return _answer(
                request,
                503,
                _("The clusters do not answer"),
                _("The cluster worker is starting or was stopped. Nothing is lost. Try again."),
                str(exception),
            )
        if isinstance(exception, Refused) and exception.paused:
            text = _("Nothing of it is lost. Resume it to go on where it was.")
            title = _("The cluster %(name)s is paused") % {"name": exception.paused}
            return _answer(request, 503, title, text, "", paused=exception.paused)
        if isinstance(exception, Refused):
            title = _("You may not see this") if exception.code == 403 else _("The API refused")
            text = _("The cluster answered in its own words:")
            return _answer(request, exception.code, title, text, exception.message)
        return None


def _answer(
    request: HttpRequest, status: int, title: str, text: str, verbatim: str, paused: str = ""
) -> HttpResponse:
    template = "parts/problem.html" if getattr(request, "htmx", False) else "problem.html"
    context = {"status": status, "title": title, "text": text, "verbatim": verbatim}
    context["paused"] = paused
    # A cluster that answers is one that the reader may see: so are the ends of its history.
    context["refused_by_cluster"] = status in (410, 504)
    return render(request, template, context, status=status)
