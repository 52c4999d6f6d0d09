"""What the palette asks of a cluster: its kinds with their aliases, and objects by name."""

from __future__ import annotations

from typing import Any

import orjson
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.history.past import revision_of
from playground.objects.discovery import CATALOG, Resource
from playground.objects.summary.parts import CLUSTER_SCOPE
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, Identity, Refused, gateway
from playground.workspace.serializers import KindsSerializer, SearchSerializer

LIMIT, MOST = 20, 100


class Kinds(APIView):
    """The kinds of a cluster, custom ones included."""

    @extend_schema(responses=KindsSerializer, operation_id="list_kinds")
    def get(self, request: Request, name: str) -> Response:
        """Return every kind that can be listed, with its short names, and the namespaces."""
        _user, cluster, identity = access.asked(request.user, name)
        kinds = CATALOG.resources(gateway(), cluster.name, identity)
        items = [_kind(cluster, kind) for kind in kinds]
        return Response({"items": items, "namespaces": _namespaces(cluster, identity)})


class Search(APIView):
    """Objects of a cluster by name, across kinds."""

    @extend_schema(
        responses=SearchSerializer,
        operation_id="search_objects",
        parameters=[
            OpenApiParameter("q", str, required=True, description="Words, all of which must fit."),
            OpenApiParameter("limit", int, description=f"How many, {LIMIT} unless told."),
            OpenApiParameter("rev", int, description="At a revision of the past."),
        ],
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the objects whose name, namespace and kind have all words, the best first."""
        _user, cluster, identity = access.asked(request.user, name)
        wanted = request.query_params.get("limit", "")
        limit = min(int(wanted), MOST) if wanted.isascii() and wanted.isdigit() else LIMIT
        words = request.query_params.get("q", "")[:200]
        found = gateway().search(cluster.name, identity, words, limit, revision_of(request))
        kinds = {
            (kind.group, kind.plural): kind
            for kind in CATALOG.resources(gateway(), cluster.name, identity)
        }
        items = [
            {**hit, "url": _address(cluster, kinds[hit["group"], hit["plural"]], hit)}
            for hit in found["items"]
            if (hit["group"], hit["plural"]) in kinds
        ]
        return Response({"items": items, "total": found["total"]})


def _kind(cluster: Cluster, kind: Resource) -> dict[str, Any]:
    where = [cluster.name, kind.slug_group, kind.version, kind.plural]
    return {
        "group": kind.group,
        "version": kind.version,
        "plural": kind.plural,
        "kind": kind.kind,
        "short": list(kind.short),
        "namespaced": kind.namespaced,
        "url": reverse("objects", args=where),
    }


def _address(cluster: Cluster, kind: Resource, hit: dict[str, Any]) -> str:
    scope = hit["namespace"] or CLUSTER_SCOPE
    where = [cluster.name, kind.slug_group, kind.version, kind.plural, scope, hit["name"]]
    return reverse("object", args=where)


def _namespaces(cluster: Cluster, identity: Identity) -> list[str]:
    try:
        answer = gateway().api(cluster.name, identity, "/api/v1/namespaces")
    except Refused:
        return []
    items = orjson.loads(answer.content).get("items") or []
    return sorted(item["metadata"]["name"] for item in items)
