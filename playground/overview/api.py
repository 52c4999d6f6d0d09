"""The REST API of the overview: /api/clusters/NAME/overview."""

from __future__ import annotations

from typing import Any

import orjson
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.history.sentences import sentence
from playground.overview.serializers import ClusterOverviewSerializer, StartedSerializer
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, Identity, Refused, gateway

# What has changed in so many seconds is told, and this many sentences of it.
SECONDS, SENTENCES = 300, 60
NAMESPACE = "default"
# What `kubectl create deployment web --image=nginx --replicas=3` sends.
WEB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "nginx", "image": "nginx"}]},
        },
    },
}


class Overview(APIView):
    """How a cluster is."""

    @extend_schema(
        parameters=[
            OpenApiParameter("namespace", str, description="Only what is in it, and in none."),
            OpenApiParameter(
                "seen",
                OpenApiTypes.INT64,
                description="The revision that is known: if it is the newest, only the control "
                "plane is told of.",
            ),
            OpenApiParameter("rev", OpenApiTypes.INT64, description="As it was at a revision."),
        ],
        responses=ClusterOverviewSerializer,
        operation_id="read_overview",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return counts by health, warnings by reason, changes, and the control plane."""
        _user, cluster, identity = access.asked(request.user, name)
        given = {key: _number(request, key) for key in ("seen", "rev") if key in request.GET}
        if namespace := request.GET.get("namespace", "")[:253]:
            given["namespace"] = namespace
        found = gateway().as_user(cluster.name, identity, "overview", **given)
        if "kinds" in found:
            upto = str(found["revision"])
            live = {} if "rev" in given else {"live": "1"}
            found["changes"] = _changes(cluster, identity, namespace, upto=upto, **live)
        return Response(found)


class Start(APIView):
    """Something to see in a cluster that is idle."""

    @extend_schema(request=None, responses={201: StartedSerializer}, operation_id="start_something")
    def post(self, request: Request, name: str) -> Response:
        """Make a Deployment “web” of three nginx pods in the namespace default, as the caller."""
        user = access.signed_in(request.user)
        cluster = access.find_to_change(gateway(), user, name)
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
        answer = gateway().write(cluster.name, access.identity(user, cluster), "POST", path, WEB)
        made = orjson.loads(answer.content)["metadata"]
        body = {"namespace": made["namespace"], "name": made["name"]}
        found = {**body, "trace": answer.headers.get("audit-id", "")}
        return Response(found, status=status.HTTP_201_CREATED)


def _number(request: Request, name: str) -> str:
    text = request.GET[name]
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise ValidationError({name: [_("This is no revision: it is a whole number.")]})
    return text


def _changes(
    cluster: Cluster, identity: Identity, namespace: str, **until: str
) -> list[dict[str, Any]]:
    """Return what has changed lately, or shortly before a revision; the latest first."""
    params = {"seconds": str(SECONDS), **until}
    try:
        facts = gateway().history(cluster.name, identity, "/facts", **params)["items"]
    except Refused as error:
        if error.code != status.HTTP_410_GONE:
            raise
        return []  # compacted while we asked
    told = [
        {**fact, "text": sentence(fact)}
        for fact in reversed(facts)
        if not namespace or fact["namespace"] in ("", namespace)
    ]
    return told[:SENTENCES]
