"""The trace page, and the sample that it can send."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from playground.sandboxes import access
from playground.sandboxes.gateway import Refused, gateway

SAMPLE_NAMESPACE = "default"


@login_required
@require_GET
def trace(request: HttpRequest, name: str, audit_id: str = "") -> HttpResponse:
    """Show requests as they come, and one of them in full."""
    user = access.signed_in(request.user)
    cluster = access.find(gateway(), user, name)
    context = {
        "cluster": cluster,
        "page": "trace",
        "live": True,
        "audit_id": audit_id,
        "may_change": access.may_change(user, cluster),
    }
    return render(request, "tracing/page.html", context)


@login_required
@require_POST
def sample(request: HttpRequest, name: str) -> JsonResponse:
    """Make a Deployment of one pod as the user, so that there is something to follow."""
    user = access.signed_in(request.user)
    cluster = access.find_to_change(gateway(), user, name)
    made = _deployment(f"sample-{get_random_string(5, 'bcdfghjklmnpqrstvwxz2456789')}")
    path = f"/apis/apps/v1/namespaces/{SAMPLE_NAMESPACE}/deployments"
    try:
        answer = gateway().write(cluster.name, access.identity(user, cluster), "POST", path, made)
    except Refused as error:
        return JsonResponse({"error": error.message}, status=error.code)
    found = orjson.loads(answer.content)
    text = _("Deployment %(name)s was created in %(namespace)s, with one pod.")
    said = text % {"name": found["metadata"]["name"], "namespace": SAMPLE_NAMESPACE}
    return JsonResponse({"auditID": answer.headers.get("audit-id", ""), "said": said}, status=201)


def _deployment(name: str) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "web", "image": "nginx", "ports": [{"containerPort": 80}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
