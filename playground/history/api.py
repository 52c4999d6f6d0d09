"""The REST API of a cluster's past: /api/clusters/NAME/history and below."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.history import comparing, reading, recordings
from playground.history.models import MOST, Bookmark
from playground.history.sentences import sentence
from playground.history.serializers import (
    BlameSerializer,
    BookmarkSerializer,
    BookmarksSerializer,
    ChangesSerializer,
    DifferencesSerializer,
    FactsSerializer,
    ForkSerializer,
    ImportedSerializer,
    ImportSerializer,
    ObjectHistorySerializer,
    OverviewSerializer,
    PlaceSerializer,
)
from playground.sandboxes import access
from playground.sandboxes.api import import_recording, limit_text, server_of
from playground.sandboxes.gateway import Cluster, gateway
from playground.sandboxes.serializers import CreatedClusterSerializer

LARGEST = 10**18


def _number(name: str, text: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.INT64, description=text)


_RANGE = [
    _number("after", "The revision before the range."),
    _number("upto", "The last revision of the range."),
]
_PLACE = [
    OpenApiParameter("resource", str, required=True, description="As in “deployments.apps”."),
    OpenApiParameter("namespace", str),
    OpenApiParameter("name", str, required=True),
]


class PastView(APIView):
    """Asks the log of a cluster that the caller may see, as the caller."""

    cluster: Cluster

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find the cluster, or refuse."""
        super().initial(request, *args, **kwargs)
        self.user = access.signed_in(request.user)
        self.cluster = access.find(gateway(), self.user, str(kwargs["name"]))

    def ask(self, page: str, *numbers: str, **params: str) -> dict[str, Any]:
        """Return a page of the log; `numbers` are the query's that are passed on."""
        given = {name: self.number(name) for name in numbers if name in self.request.GET}
        texts = {name: str(value) for name, value in given.items()}
        identity = access.identity(self.user, self.cluster)
        return gateway().history(self.cluster.name, identity, page, **texts, **params)

    def number(self, name: str, default: int = 0) -> int:
        """Return a whole number of the query. Raises ValidationError."""
        text = self.request.GET.get(name, str(default))
        if not (text.isascii() and text.isdigit()) or int(text[:19]) > LARGEST:
            raise ValidationError({name: [_("This is no revision: it is a whole number.")]})
        return int(text)

    def records(self, limit: int) -> dict[str, Any]:
        """Return the records of the query's object until its `rev`, the latest first."""
        place = PlaceSerializer(data=self.request.GET)
        place.is_valid(raise_exception=True)
        params = {**place.validated_data, "limit": str(limit)}
        # Of both, what lies further back counts.
        ends = [self.number("before")] if "before" in self.request.GET else []
        ends += [self.number("rev") + 1] if "rev" in self.request.GET else []
        if ends:
            params["before"] = str(min(ends))
        return self.ask("/object", **params)


class Overview(PastView):
    """Where the log begins and ends, and how busy it was."""

    @extend_schema(
        parameters=[*_RANGE, _number("parts", "Into how many parts the range is divided.")],
        responses=OverviewSerializer,
        operation_id="read_history",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the ends of the log, the density of a range, and its Warning events."""
        return Response(self.ask("", "after", "upto", "parts"))


class Changes(PastView):
    """Writes in the order of revisions."""

    @extend_schema(
        parameters=[*_RANGE, _number("limit", "At most 500.")],
        responses=ChangesSerializer,
        operation_id="list_changes",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the first writes of a range."""
        return Response(self.ask("/changes", "after", "upto", "limit"))


class Facts(PastView):
    """What happened, in sentences."""

    @extend_schema(
        parameters=[*_RANGE, _number("seconds", "Only what is not older than this.")],
        responses=FactsSerializer,
        operation_id="list_facts",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return what happened in a range, the oldest first."""
        found = self.ask("/facts", "after", "upto", "seconds")
        found["items"] = [{**fact, "text": sentence(fact)} for fact in found["items"]]
        return Response(found)


class Difference(PastView):
    """Two revisions beside each other, or two clusters."""

    @extend_schema(
        parameters=[
            _number("a", "The first revision."),
            _number("b", "The second one; of another cluster its newest unless told."),
            OpenApiParameter("namespace", str),
            OpenApiParameter("other", str, description="A cluster whose `b` is looked at."),
        ],
        responses=DifferencesSerializer,
        operation_id="compare_revisions",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return which objects are not the same at both revisions, or in both clusters."""
        namespace = request.GET.get("namespace", "")[:253]
        if other := request.GET.get("other", ""):
            return Response(self._beside(other, namespace))
        return Response(self.ask("/difference", "a", "b", namespace=namespace))

    def _beside(self, other: str, namespace: str) -> dict[str, Any]:
        """Compare with another cluster, of which one sees what one may see of it."""
        cluster = access.find(gateway(), self.user, other)
        ends = {name: {"rev": str(self.number(name))} for name in "ab" if name in self.request.GET}
        here = self.ask("/state", **ends.get("a", {}))
        identity = access.identity(self.user, cluster)
        there = gateway().history(cluster.name, identity, "/state", **ends.get("b", {}))
        items, more = comparing.compared(here["items"], there["items"], namespace)
        at = {"a": here["revision"], "b": there["revision"], "other": cluster.name}
        return {**at, "touched": len(items), "more": more, "items": items}


class ObjectHistory(PastView):
    """One object through time."""

    @extend_schema(
        parameters=[
            *_PLACE,
            _number("before", "Only writes before this revision."),
            _number("limit", "At most 100."),
        ],
        responses=ObjectHistorySerializer,
        operation_id="read_object_history",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the writes of an object, the latest first, each with what it changed."""
        limit = min(self.number("limit", 30), 100)
        found = self.records(limit + 1)
        items = reading.writes(found["items"], limit)
        return Response({**found, "items": items, "more": len(found["items"]) > limit})


class Blame(PastView):
    """Who wrote which line."""

    @extend_schema(
        parameters=[*_PLACE, _number("rev", "The revision to look at; the newest without it.")],
        responses=BlameSerializer,
        operation_id="read_object_lines",
    )
    def get(self, request: Request, name: str) -> Response:
        """Return an object's YAML at a revision, each line with the write that it comes from."""
        found = self.records(reading.STATES)
        revision = self.number("rev", int(found["newest"]))
        return Response({"revision": revision, "lines": reading.blamed(found["items"])})


class Recording(PastView):
    """The whole log as a file."""

    @extend_schema(
        parameters=[OpenApiParameter("secrets", bool, description="With the values of Secrets.")],
        responses={(200, "application/gzip"): OpenApiTypes.BINARY},
        operation_id="export_recording",
    )
    def get(self, request: Request, name: str) -> StreamingHttpResponse:
        """Return every change with its time as gzipped JSON, a change a line."""
        secrets = request.GET.get("secrets", "") in ("1", "true")
        first = self.ask("/recording")
        upto = str(first["newest"])

        def page(after: int) -> dict[str, Any]:
            return self.ask("/recording", after=str(after), upto=upto)

        parts = recordings.pack(self.cluster, first, page, secrets=secrets)
        answer = StreamingHttpResponse(parts, content_type="application/gzip")
        answer["Content-Disposition"] = f'attachment; filename="{name}-{upto}.json.gz"'
        return answer


class Recordings(APIView):
    """Clusters of recordings."""

    parser_classes = (MultiPartParser,)

    @extend_schema(
        request=ImportSerializer,
        responses={201: ImportedSerializer},
        operation_id="import_recording",
    )
    def post(self, request: Request) -> Response:
        """Make a cluster whose log is the recording's, and that goes on where it ends."""
        user = access.signed_in(request.user)
        if access.limit_reached(user, gateway().clusters()):
            raise PermissionDenied(limit_text())
        wanted = ImportSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        made = import_recording(user, **wanted.validated_data)
        body = {**made, "server": server_of(made["name"])}
        return Response(body, status=status.HTTP_201_CREATED)


class Fork(PastView):
    """A new cluster from a moment of this one."""

    @extend_schema(
        request=ForkSerializer,
        responses={201: CreatedClusterSerializer},
        operation_id="fork_cluster",
    )
    def post(self, request: Request, name: str) -> Response:
        """Make a cluster that begins as this one was at a revision, with everything in it."""
        # All of it becomes the caller's: only one who may have all of it may do so.
        access.find_to_copy(gateway(), self.user, name)
        wanted = ForkSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        if access.limit_reached(self.user, gateway().clusters()):
            raise PermissionDenied(limit_text())
        expires = access.end_of_time(self.user)
        more: dict[str, Any] = {"expires": expires} if expires else {}
        owner = self.user.get_username()
        made = gateway().fork(name, owner=owner, **wanted.validated_data, **more)
        body = {**made, "server": server_of(made["name"])}
        return Response(body, status=status.HTTP_201_CREATED)


class Bookmarks(PastView):
    """The caller's bookmarks."""

    @extend_schema(responses=BookmarksSerializer, operation_id="list_bookmarks")
    def get(self, request: Request, name: str) -> Response:
        """Return the caller's bookmarks in this cluster, in the order of revisions."""
        return Response({"items": list(self._mine().values("revision", "note"))})

    @extend_schema(
        request=BookmarkSerializer,
        responses={201: BookmarkSerializer},
        operation_id="create_bookmark",
    )
    def post(self, request: Request, name: str) -> Response:
        """Mark a revision, or change the note of one that is marked."""
        wanted = BookmarkSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        data = wanted.validated_data
        known = self._mine().filter(revision=data["revision"]).exists()
        if not known and self._mine().count() >= MOST:
            text = _("You have %(most)d bookmarks here. Remove one to add another.")
            raise ValidationError({"revision": [text % {"most": MOST}]})
        Bookmark.objects.update_or_create(
            user=self.user,
            cluster=self.cluster.uid,
            revision=data["revision"],
            defaults={"note": data["note"]},
        )
        return Response(data, status=status.HTTP_201_CREATED)

    def _mine(self) -> Any:
        return Bookmark.objects.filter(user=self.user, cluster=self.cluster.uid)


class OneBookmark(PastView):
    """One of the caller's bookmarks."""

    @extend_schema(responses={204: None}, operation_id="delete_bookmark")
    def delete(self, request: Request, name: str, revision: int) -> Response:
        """Remove a bookmark; nothing happens where there is none."""
        Bookmark.objects.filter(
            user=self.user, cluster=self.cluster.uid, revision=min(revision, LARGEST)
        ).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
