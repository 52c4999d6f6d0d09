"""The REST API of placement: /api/clusters/NAME/decisions/UID."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.placement.reading import decisions
from playground.placement.serializers import DecisionsSerializer
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway


class Decisions(APIView):
    """Why a pod stands where it stands."""

    @extend_schema(responses=DecisionsSerializer, operation_id="list_decisions")
    def get(self, request: Request, name: str, uid: str) -> Response:
        """Return the attempts to place a pod, by its uid, to whoever may get the pod."""
        user = access.signed_in(request.user)
        cluster = access.find(gateway(), user, name)
        identity = access.identity(user, cluster)
        return Response(decisions(gateway(), cluster.name, identity, uid))
