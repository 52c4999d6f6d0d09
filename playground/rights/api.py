"""REST API of access: the grid, the reasons, tokens, kubeconfigs, looking as somebody else."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from playground.accounts import viewing
from playground.rights import asking
from playground.rights.asking import Question
from playground.rights.forms import ViewAsForm
from playground.rights.serializers import (
    GridQuestionSerializer,
    GridSerializer,
    KubeconfigSerializer,
    NewKubeconfigSerializer,
    NewTokenSerializer,
    TokenSerializer,
    ViewAsSerializer,
    ViewingSerializer,
    WhyQuestionSerializer,
    WhySerializer,
)
from playground.rights.views import of_form
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway


class Grid(APIView):
    """Who may do what to a resource."""

    @extend_schema(
        parameters=[GridQuestionSerializer], responses=GridSerializer, operation_id="read_access"
    )
    def get(self, request: Request, name: str) -> Response:
        """Return a row for each subject."""
        _user, cluster, identity = access.asked(request.user, name)
        given = _read(GridQuestionSerializer, request.query_params)
        params = {key: value for key, value in given.items() if key != "system"}
        if given["system"]:
            params["system"] = "1"
        return Response(gateway().access(cluster.name, identity, "access", params))


class Why(APIView):
    """Whether somebody may do something, and why."""

    @extend_schema(
        parameters=[WhyQuestionSerializer], responses=WhySerializer, operation_id="read_why"
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the answer of the cluster's authorizers with its reasons."""
        _user, cluster, identity = access.asked(request.user, name)
        given = _read(WhyQuestionSerializer, request.query_params)
        group = given.pop("group")
        question = Question(**given, groups=(group,) if group else ())
        return Response(asking.why(cluster, identity, question))


class Tokens(APIView):
    """Tokens of service accounts."""

    @extend_schema(
        request=NewTokenSerializer, responses={201: TokenSerializer}, operation_id="create_token"
    )
    def post(self, request: Request, name: str) -> Response:
        """Make a token; it is not shown again."""
        user = access.signed_in(request.user)
        cluster = access.find_to_change(gateway(), user, name)
        given = _read(NewTokenSerializer, request.data)
        made = asking.token(
            cluster,
            access.identity(user, cluster),
            given["namespace"],
            given["name"],
            given["seconds"],
        )
        return Response(made, status=status.HTTP_201_CREATED)


class Kubeconfigs(APIView):
    """Kubeconfigs for whom one chooses."""

    @extend_schema(
        request=NewKubeconfigSerializer,
        responses={201: KubeconfigSerializer},
        operation_id="create_kubeconfig",
    )
    def post(self, request: Request, name: str) -> Response:
        """Make a kubeconfig that is good for some days."""
        user = access.signed_in(request.user)
        cluster = access.find_to_change(gateway(), user, name)
        given = _read(NewKubeconfigSerializer, request.data)
        identity = access.identity(user, cluster)
        text = asking.kubeconfig(
            cluster, identity, given["user"], given["groups"], given["days"], user.get_username()
        )
        return Response({"kubeconfig": text}, status=status.HTTP_201_CREATED)


class ViewAs(APIView):
    """Looking at a cluster as somebody else; a matter of the session."""

    @extend_schema(
        request=ViewAsSerializer, responses=ViewingSerializer, operation_id="begin_view_as"
    )
    def post(self, request: Request, name: str) -> Response:
        """Ask the cluster's API as somebody else from now on."""
        user = access.signed_in(request.user)
        cluster = access.find_to_change(gateway(), user, name)
        given = _read(ViewAsSerializer, request.data)
        if request.session.session_key is None:
            raise ValidationError({"": [_("A token has no session: send Impersonate headers.")]})
        form = ViewAsForm(given)
        form.full_clean()
        found = of_form(cluster, form)
        viewing.begin(request.session, found)
        return Response({"user": found.user, "groups": list(found.groups)})

    @extend_schema(responses={204: None}, operation_id="end_view_as")
    def delete(self, request: Request, name: str) -> Response:
        """Be oneself again."""
        viewing.end(request.session)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _read(kind: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    given = kind(data=data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)
