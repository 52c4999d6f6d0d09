"""The editor's page: a new text, or an object that its address names."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from playground.editor import opening
from playground.history.past import revision_of
from playground.objects.reading import Reader
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway


@login_required
@require_GET
def editor(request: HttpRequest, name: str) -> HttpResponse:
    """Show the editor; `?kind=&namespace=&name=` opens an object, `rev` one of the past."""
    rev = revision_of(request)
    user = access.signed_in(request.user)
    reader = Reader(gateway(), user, name, rev)
    wanted = (request.GET.get(one, "") for one in ("ns", "kind", "namespace", "name"))
    config = opening.begun(reader, *wanted)
    context: dict[str, Any] = {"cluster": reader.cluster, "page": "editor"}
    if (found := config["object"]) is not None:
        context["live"] = rev is None
        context["opened"] = found
        if rev is None and (before := revision_of(request, "from")) is not None:
            config |= opening.of_the_past(Reader(gateway(), user, name, before), found)
    context["config"] = orjson.dumps(config).decode()
    return render(request, "editor/page.html", context)
