"""The playground's REST API: clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.accounts.models import User
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, gateway
from playground.sandboxes.serializers import (
    ClusterChangeSerializer,
    ClusterListSerializer,
    ClusterSerializer,
    CreatedClusterSerializer,
    NewClusterSerializer,
    PictureSerializer,
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
        made = start(user, wanted.validated_data)
        body: dict[str, Any] = {"server": server_of(made["name"]), **made}
        return Response(body, status=status.HTTP_201_CREATED)


class OneCluster(APIView):
    """One cluster."""

    @extend_schema(responses=ClusterSerializer, operation_id="read_cluster")
    def get(self, request: Request, name: str) -> Response:
        """Return one cluster."""
        return Response(_document(access.find(gateway(), access.signed_in(request.user), name)))

    @extend_schema(
        request=ClusterChangeSerializer, responses=ClusterSerializer, operation_id="change_cluster"
    )
    def patch(self, request: Request, name: str) -> Response:
        """Give a cluster another owner or another end; operators alone may."""
        user = access.signed_in(request.user)
        cluster = access.find(gateway(), user, name)
        if not user.is_operator:
            raise PermissionDenied(_("Operators give clusters away."))
        wanted = ClusterChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        if (owner := given.get("owner")) and not User.objects.filter(username=owner).exists():
            raise ValidationError({"owner": [_("There is no such account.")]})
        if expires := given.get("expires"):
            given["expires"] = expires.timestamp()
        gateway().change(cluster.name, given)
        return Response(_document(access.find(gateway(), user, name)))

    @extend_schema(responses={204: None}, operation_id="delete_cluster")
    def delete(self, request: Request, name: str) -> Response:
        """Delete a cluster and everything in it."""
        cluster = access.find_to_change(gateway(), access.signed_in(request.user), name)
        gateway().delete(cluster.name)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Pause(APIView):
    """A cluster at rest takes no CPU and no memory, and answers nobody."""

    @extend_schema(request=None, responses=ClusterSerializer, operation_id="pause_cluster")
    def post(self, request: Request, name: str) -> Response:
        """Put a cluster to rest."""
        user = access.signed_in(request.user)
        gateway().pause(access.find_to_change(gateway(), user, name).name)
        return Response(_document(access.find(gateway(), user, name)))


class Resume(APIView):
    """The way back from a pause."""

    @extend_schema(request=None, responses=ClusterSerializer, operation_id="resume_cluster")
    def post(self, request: Request, name: str) -> Response:
        """Open a cluster that rests."""
        user = access.signed_in(request.user)
        if problem := wake(user, access.find_to_change(gateway(), user, name)):
            raise PermissionDenied(problem)
        return Response(_document(access.find(gateway(), user, name)))


class Picture(APIView):
    """A cluster as a small picture."""

    @extend_schema(
        parameters=[OpenApiParameter("since", int, description="The revision that one has.")],
        responses=PictureSerializer,
        operation_id="read_picture",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return a letter for each pod, by node."""
        cluster = access.find(gateway(), access.signed_in(request.user), name)
        since = request.query_params.get("since", "0")
        number = int(since) if since.isascii() and since.isdigit() else 0
        return Response(gateway().picture(cluster.name, number))


def start(user: User, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Make a cluster of the user's."""
    expires = access.end_of_time(user)
    more: dict[str, Any] = {"expires": expires} if expires else {}
    return gateway().create(owner=user.get_username(), **wanted, **more)


def fork(user: User, cluster: Cluster, name: str) -> dict[str, Any]:
    """Make a cluster of the user's that begins as another one is now."""
    expires = access.end_of_time(user)
    more: dict[str, Any] = {"expires": expires} if expires else {}
    return gateway().fork(cluster.name, name=name, owner=user.get_username(), **more)


def import_recording(user: User, name: str, file: UploadedFile[Any]) -> dict[str, Any]:
    """Make a cluster of the user's that goes on where a recording ends."""
    expires = access.end_of_time(user)
    return gateway().import_recording(name, user.get_username(), file.chunks(), expires)


def wake(user: User, cluster: Cluster) -> str:
    """Open a cluster that rests; return what is in the way, "" if nothing is."""
    mine = cluster.owner == user.get_username()
    if mine and cluster.paused and access.limit_reached(user, gateway().clusters()):
        return limit_text()
    gateway().resume(cluster.name, access.end_of_time(user))
    return ""


def server_of(name: str) -> str:
    """Return the address that kubectl takes for a cluster."""
    return f"{settings.API_URL}/clusters/{name}"


def limit_text() -> str:
    """Return what to say to a learner who has all the clusters they may have."""
    text = _("You have %(limit)d of %(limit)d clusters. Delete or pause one to start another.")
    return text % {"limit": settings.CLUSTERS_PER_LEARNER}


def _document(cluster: Cluster) -> dict[str, Any]:
    return {**asdict(cluster), "server": server_of(cluster.name)}
