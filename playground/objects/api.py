"""The REST API of the object pages: actions, what they will touch, rights, saved filters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.objects.actions import catalog, plan
from playground.objects.actions.requests import Target
from playground.objects.actions.run import run
from playground.objects.discovery import CORE, Resource
from playground.objects.models import SavedFilter
from playground.objects.reading import Reader
from playground.objects.serializers import (
    ActionSerializer,
    KindSerializer,
    OutcomeSerializer,
    PermissionsSerializer,
    PlanRequestSerializer,
    PlanSerializer,
    SavedFilterListSerializer,
    SavedFilterSerializer,
)
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
# A person who has more than this of one kind does not find them again.
MOST_SAVED = 50


def _reader(request: Request, name: str) -> Reader:
    return Reader(gateway(), access.signed_in(request.user), name)


def _require_present(request: Request) -> None:
    """Refuse what a page of the past asks for: it would concern the present."""
    if "rev" in request.data or "rev" in request.query_params:
        raise ValidationError({"rev": [_("Changing things is off at a past revision.")]})


def _resource(reader: Reader, given: dict[str, Any]) -> Resource:
    return reader.kind(given["group"] or CORE, given["version"], given["plural"])


class Actions(APIView):
    """Actions on objects."""

    @extend_schema(
        request=ActionSerializer, responses=OutcomeSerializer, operation_id="act_on_object"
    )
    def post(self, request: Request, name: str) -> Response:
        """Do an action to one object, as the caller; what the API refuses keeps its words."""
        _require_present(request)
        wanted = ActionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        reader = _reader(request, name)
        resource = _resource(reader, given["resource"])
        action = catalog.BY_NAME[given["action"]]
        if not action.fits(resource):
            text = _("%(action)s is nothing one can do to %(kind)s.")
            raise ValidationError(
                {"action": [text % {"action": action.label, "kind": resource.plural}]}
            )
        target = Target(resource, **given["target"])
        outcome = run(action.name, target, given["options"], reader, dry=given["dry_run"])
        return Response(outcome)


class Plan(APIView):
    """What an action will touch."""

    @extend_schema(
        request=PlanRequestSerializer, responses=PlanSerializer, operation_id="plan_action"
    )
    def post(self, request: Request, name: str) -> Response:
        """Tell what an action will touch; nothing is changed."""
        _require_present(request)
        wanted = PlanRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        reader = _reader(request, name)
        resource = _resource(reader, given["resource"])
        targets = [Target(resource, **one) for one in given["targets"]]
        return Response(plan.make(given["action"], targets, reader).as_json())


class Permissions(APIView):
    """Which actions one may do."""

    @extend_schema(
        parameters=[
            KindSerializer,
            OpenApiParameter("namespace", str),
            OpenApiParameter("name", str),
        ],
        responses=PermissionsSerializer,
        operation_id="list_permissions",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the actions that make sense for a kind, and whether the caller may do them.

        `shell` tells the same of a shell; null for a kind that has none.
        """
        wanted = KindSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        reader = _reader(request, name)
        resource = _resource(reader, wanted.validated_data)
        namespace = request.query_params.get("namespace", "") if resource.namespaced else ""
        item = request.query_params.get("name", "")
        asked: dict[bytes, str] = {}

        def allowed(needs: Iterable[catalog.Right], where: str) -> dict[str, Any]:
            """Tell the first right that is missing; equal rights are asked once."""
            missing = ""
            for right in needs:
                attributes = catalog.attributes(right, resource, where, item)
                key = orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS)
                if key not in asked:
                    asked[key] = "" if _may(reader, attributes) else catalog.in_words(attributes)
                missing = missing or asked[key]
            text = _("You may not do this. Ask for: %(right)s.") % {"right": missing}
            return {"allowed": not missing, "reason": text if missing else ""}

        actions = [
            {"name": one.name, "title": str(one.label), "bulk": one.bulk}
            | allowed(one.needs, namespace)
            for one in catalog.fitting(resource)
        ]
        shell = catalog.SHELLS.get(resource.title)
        where = namespace if resource.namespaced else catalog.DEBUG_NAMESPACE
        return Response({"actions": actions, "shell": shell and allowed(shell, where)})


def _may(reader: Reader, attributes: dict[str, Any]) -> bool:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = orjson.loads(reader.write("POST", REVIEWS, body, "application/json").content)
    return bool((answer.get("status") or {}).get("allowed"))


class SavedFilters(APIView):
    """The caller's saved filters."""

    @extend_schema(
        parameters=[OpenApiParameter("kind", str)],
        responses=SavedFilterListSerializer,
        operation_id="list_saved_filters",
    )
    def get(self, request: Request) -> Response:
        """Return the caller's filters, of one kind if it is named."""
        found = SavedFilter.objects.filter(user=access.signed_in(request.user))
        if kind := request.query_params.get("kind"):
            found = found.filter(kind=kind)
        return Response({"items": SavedFilterSerializer(found, many=True).data})

    @extend_schema(
        request=SavedFilterSerializer,
        responses={201: SavedFilterSerializer},
        operation_id="save_filter",
    )
    def post(self, request: Request) -> Response:
        """Save a filter; one of the same name is replaced."""
        user = access.signed_in(request.user)
        wanted = SavedFilterSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        others = SavedFilter.objects.filter(user=user, kind=given["kind"])
        if others.exclude(name=given["name"]).count() >= MOST_SAVED:
            text = _("You have %(n)d saved filters for this list. Remove one to save another.")
            raise PermissionDenied(text % {"n": MOST_SAVED})
        saved, _made = SavedFilter.objects.update_or_create(
            user=user,
            kind=given["kind"],
            name=given["name"],
            defaults={"query": given["query"]},
        )
        return Response(SavedFilterSerializer(saved).data, status=status.HTTP_201_CREATED)


class OneSavedFilter(APIView):
    """One saved filter."""

    @extend_schema(responses={204: None}, operation_id="forget_filter")
    def delete(self, request: Request, number: int) -> Response:
        """Forget a filter of the caller's; another's is as missing as one that never was."""
        SavedFilter.objects.filter(user=access.signed_in(request.user), pk=number).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
