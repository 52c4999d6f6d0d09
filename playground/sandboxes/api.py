"""The playground's REST API: clusters."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, gateway
from playground.sandboxes.serializers import (
    ClusterListSerializer,
    ClusterSerializer,
    CreatedClusterSerializer,
    NewClusterSerializer,
)


class Clusters(APIView):
    """All clusters that the caller may see."""

    @extend_schema(responses=ClusterListSerializer, operation_id="list_clusters")
    def get(self, request: Request) -> Response:
        """Return the clusters that the caller may see, oldest first."""
        found = access.visible(access.signed_in(request.user), gateway().clusters())
        return Response({"items": [_document(cluster) for cluster in found]})

    @extend_schema(
        request=NewClusterSerializer,
        responses={201: CreatedClusterSerializer},
        operation_id="create_cluster",
    )
    def post(self, request: Request) -> Response:
        """Make a cluster; the answer holds a kubeconfig for it."""
        user = access.signed_in(request.user)
        wanted = NewClusterSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        if access.limit_reached(user, gateway().clusters()):
            raise PermissionDenied(limit_text())
        made = gateway().create(**wanted.validated_data, owner=user.get_username())
        body: dict[str, Any] = {"server": server_of(made["name"]), **made}
        return Response(body, status=status.HTTP_201_CREATED)


class OneCluster(APIView):
    """One cluster."""

    @extend_schema(responses=ClusterSerializer, operation_id="read_cluster")
    def get(self, request: Request, name: str) -> Response:
        """Return one cluster."""
        return Response(_document(access.find(gateway(), access.signed_in(request.user), name)))

    @extend_schema(responses={204: None}, operation_id="delete_cluster")
    def delete(self, request: Request, name: str) -> Response:
        """Delete a cluster and everything in it."""
        cluster = access.find_to_change(gateway(), access.signed_in(request.user), name)
        gateway().delete(cluster.name)
        return Response(status=status.HTTP_204_NO_CONTENT)


def server_of(name: str) -> str:
    """Return the address that kubectl takes for a cluster."""
    return f"{settings.API_URL}/clusters/{name}"


def limit_text() -> str:
    """Return what to say to a learner who has all the clusters they may have."""
    text = _("You have %(limit)d of %(limit)d clusters. Delete one to start another.")
    return text % {"limit": settings.CLUSTERS_PER_LEARNER}


def _document(cluster: Cluster) -> dict[str, Any]:
    return {**asdict(cluster), "server": server_of(cluster.name)}
