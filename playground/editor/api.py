"""The REST API of the editor: documents to write, an object to edit, the schema of a kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.editor import documents, opening, schemas, texts, writers
from playground.editor.documents import CREATE, NotAnObject, Reference, Served
from playground.editor.serializers import (
    DocumentSerializer,
    EditableSerializer,
    KindSchemaSerializer,
    OpeningQuerySerializer,
    OpeningSerializer,
    PlaceSerializer,
    SchemaQuerySerializer,
    WrittenSerializer,
)
from playground.history.past import revision_of
from playground.objects.actions.run import AUDIT_ID
from playground.objects.details import to_yaml
from playground.objects.discovery import CORE
from playground.objects.reading import Reader
from playground.objects.serializers import check_name
from playground.objects.summary.parts import CLUSTER_SCOPE
from playground.sandboxes import access
from playground.sandboxes.gateway import Refused, gateway


def _reader(request: Request, name: str, rev: int | None = None) -> Reader:
    return Reader(gateway(), access.signed_in(request.user), name, rev)


class Document(APIView):
    """One document of YAML."""

    @extend_schema(
        request=DocumentSerializer, responses=WrittenSerializer, operation_id="write_document"
    )
    def post(self, request: Request, name: str) -> Response:
        """Apply, create or replace what a document says, as the caller; or try it (dry run).

        The text goes to the cluster's API as it is. What that refuses keeps its words; `causes`
        has each field that is wrong, or is owned by somebody else, with the reason.
        """
        reader = _reader(request, name)
        if "rev" in request.data or "rev" in request.query_params:
            raise ValidationError({"rev": [_("Changing things is off at a past revision.")]})
        wanted = DocumentSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        about = _about(given["text"], given["action"])
        served = _served(reader, about)
        namespace = (about.namespace or given["namespace"]) if served.namespaced else ""
        about = replace(about, namespace=namespace)
        call = documents.request_of(
            given["action"],
            given["text"],
            about,
            served,
            dry=given["dry_run"],
            force=given["force"],
        )
        answer = reader.write(call.method, call.path, call.body, call.content_type, **call.params)
        found = orjson.loads(answer.content)
        metadata = found.get("metadata") or {}
        group, _slash, version = about.api_version.rpartition("/")
        item = str(metadata.get("name") or about.name)
        place = (name, group or CORE, version, served.plural, namespace or CLUSTER_SCOPE, item)
        return Response(
            {
                "outcome": documents.outcome(given["action"], answer.status_code),
                "kind": about.kind,
                "resource": f"{served.plural}.{group}" if group else served.plural,
                "namespace": namespace,
                "name": item,
                "page": reverse("object", args=place),
                "revision": str(metadata.get("resourceVersion") or ""),
                "text": texts.editable(found),
                "result": to_yaml(found),
                "warnings": warnings(answer.headers.get_list("warning")),
                "audit_id": answer.headers.get(AUDIT_ID) or "",
            }
        )


def warnings(headers: list[str]) -> list[str]:
    """Return the words of Warning headers: 299 - "words"."""
    found = []
    for header in headers:
        _code, _agent, words = [*header.split(" ", 2), "", ""][:3]
        found.append(words.strip().removeprefix('"').removesuffix('"').replace('\\"', '"'))
    return found


def _about(text: str, action: str) -> Reference:
    """Return what the document is about. Raises ValidationError."""
    try:
        about = documents.reference(text)
    except NotAnObject as error:
        words = _("Line %(line)d: %(words)s") % {"line": error.line, "words": error}
        raise ValidationError({"text": [words]}) from None
    for field, value in (("apiVersion", about.api_version), ("kind", about.kind)):
        if not value:
            raise ValidationError({field: [_("The document does not say its %s.") % field]})
    if action != CREATE and not about.name:
        text = _("The document has no name; only Create can find one.")
        raise ValidationError({"metadata.name": [text]})
    # They become parts of a path.
    parts = [*about.api_version.split("/"), about.name, about.namespace]
    if len(parts) > 4:
        raise ValidationError({"apiVersion": [_("This is no group and version.")]})
    for part in filter(None, parts):
        check_name(part)
    return about


def _served(reader: Reader, about: Reference) -> Served:
    """Return how the cluster serves the kind. Raises Refused, in the words of kubectl."""
    words = f'no matches for kind "{about.kind}" in version "{about.api_version}"'
    try:
        found = documents.find(reader.get(about.root).get("resources") or [], about.kind)
    except Refused as error:
        if error.code != 404:
            raise
        found = None
    if found is None:
        raise Refused(404, {"reason": "NoKindMatch", "message": words})
    return found


class Opening(APIView):
    """What an editor begins with."""

    @extend_schema(
        parameters=[OpeningQuerySerializer],
        responses=OpeningSerializer,
        operation_id="open_editor",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the kinds to write, and the object to open, if one is named."""
        reader = _reader(request, name)
        wanted = OpeningQuerySerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        given: dict[str, Any] = wanted.validated_data
        place = (given["kind"], given["namespace"], given["name"])
        return Response(opening.begun(reader, given["ns"], *place))


class OneObject(APIView):
    """An object to edit."""

    @extend_schema(
        parameters=[PlaceSerializer, OpenApiParameter("rev", int)],
        responses=EditableSerializer,
        operation_id="read_editable_object",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return an object as a text to edit, and who wrote it last."""
        reader = _reader(request, name, revision_of(request))
        wanted = PlaceSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        given: dict[str, Any] = wanted.validated_data
        resource = reader.titled(given["kind"])
        item = reader.get(resource.path(given["namespace"], given["name"]))
        return Response(texts.described(item, writers.last(reader, resource, item)))


class Schema(APIView):
    """What describes a kind."""

    @extend_schema(
        parameters=[SchemaQuerySerializer],
        responses=KindSchemaSerializer,
        operation_id="read_kind_schema",
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        """Return the part of the cluster's OpenAPI v3 that describes a kind."""
        reader = _reader(request, name)
        wanted = SchemaQuerySerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        api_version, kind = wanted.validated_data["apiVersion"], wanted.validated_data["kind"]
        address = schemas.address_of(reader, api_version)
        if address is None:
            return Response({"root": "", "schemas": {}})
        tag = f'"{address.rpartition("=")[2][:32]}-{kind}"'
        if request.headers.get("If-None-Match") == tag:
            return HttpResponse(status=304)
        part = schemas.part_of(reader, address, api_version, kind)
        answer = HttpResponse(part, content_type="application/json")
        answer["ETag"] = tag
        # Asked again each time: a definition may have changed.
        answer["Cache-Control"] = "private, no-cache"
        return answer
