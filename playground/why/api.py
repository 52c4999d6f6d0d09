"""The REST API of causes: /api/clusters/NAME/why/KIND/NS/NAME."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.objects.summary.parts import CLUSTER_SCOPE
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway
from playground.why.answering import document
from playground.why.chain import explain
from playground.why.model import Fix, Ref
from playground.why.reading import ClusterWorld
from playground.why.serializers import CausesSerializer
from playground.why.trial import MOST, affordable, helps


class Causes(APIView):
    """Why an object is not as wanted."""

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "try",
                bool,
                description="Try what would help on a fork; for those who may change the cluster.",
            )
        ],
        responses=CausesSerializer,
        operation_id="explain_object",
    )
    def get(self, request: Request, name: str, kind: str, ns: str, item: str) -> Response:
        """Return the chain of causes, as far as the caller may see it; "-" is no namespace."""
        source = gateway()
        user, cluster, identity = access.asked(request.user, name)
        world = ClusterWorld(source, cluster.name, identity)
        resource = world.resource(kind)
        if resource is None:
            raise Http404(_("The cluster serves no kind “%(kind)s”.") % {"kind": kind})
        about = Ref(resource.title, "" if ns == CLUSTER_SCOPE else ns, item)
        # One that is not there, or may not be seen, is refused in the API's own words.
        source.api(cluster.name, identity, resource.path(about.namespace, item))

        def trial(fix: Fix) -> dict[str, Any]:
            return helps(source, cluster.name, identity, about, fix)

        wanted = request.query_params.get("try", "").lower() in ("1", "true")
        may = wanted and access.may_change(user, cluster) and affordable(cluster)
        links = explain(world, about)
        answer = document(about, links, world.refusals, trial if may else None, MOST)
        return Response(answer)
