"""The documents of the REST API of history, for its schema and for what callers send."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from rest_framework import serializers

from playground.limits import LARGEST_RECORDING as LARGEST
from playground.sandboxes import names
from playground.sandboxes.serializers import CreatedClusterSerializer


class PlaceSerializer(serializers.Serializer[object]):
    """An object: its resource as the log has it ("deployments.apps"), namespace, name."""

    resource = serializers.CharField(max_length=320)
    namespace = serializers.CharField(max_length=253, allow_blank=True, default="")
    name = serializers.CharField(max_length=253)


class DensitySerializer(serializers.Serializer[object]):
    """How many changes of a resource each part of the range holds: [part, changes]."""

    resource = serializers.CharField()
    parts = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))


class MarkerSerializer(serializers.Serializer[object]):
    """A Warning event."""

    revision = serializers.IntegerField()
    at = serializers.FloatField()
    namespace = serializers.CharField()
    kind = serializers.CharField(help_text="Of what it tells.")
    name = serializers.CharField()
    reason = serializers.CharField()


class BrokenSerializer(serializers.Serializer[object]):
    """Something that was broken on purpose, or mended."""

    revision = serializers.IntegerField()
    what = serializers.CharField()
    state = serializers.ChoiceField(choices=("began", "ended"))


class UnseenSerializer(serializers.Serializer[object]):
    """What is left out, because the caller may not list it in all namespaces."""

    kinds = serializers.ListField(child=serializers.CharField())
    all = serializers.BooleanField(help_text="There is no kind that is not left out.")
    text = serializers.CharField(help_text="The API's words about the first.")


class OverviewSerializer(serializers.Serializer[object]):
    """The ends of the log, and how busy a range of it was."""

    oldest = serializers.IntegerField(help_text="The first revision that can be looked at.")
    newest = serializers.IntegerField()
    compacted = serializers.BooleanField(help_text="There was something before the oldest.")
    compacted_at = serializers.FloatField(allow_null=True, help_text="When that was forgotten.")
    now = serializers.FloatField(help_text="The cluster's clock, in seconds since the epoch.")
    after = serializers.IntegerField()
    upto = serializers.IntegerField()
    width = serializers.IntegerField(help_text="Revisions in a part.")
    density = DensitySerializer(many=True)
    moments = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    warnings = MarkerSerializer(many=True)
    failures = BrokenSerializer(many=True)
    unseen = UnseenSerializer(allow_null=True)


class ChangeSerializer(PlaceSerializer):
    """One write, without its object."""

    revision = serializers.IntegerField()
    type = serializers.ChoiceField(choices=("ADDED", "MODIFIED", "DELETED"))
    at = serializers.FloatField()
    actor = serializers.CharField()
    trace = serializers.CharField(help_text="The Audit-ID of the request.")


class ChangesSerializer(serializers.Serializer[object]):
    """The first writes of a range."""

    items = ChangeSerializer(many=True)
    upto = serializers.IntegerField()


class FactSerializer(serializers.Serializer[object]):
    """Something that happened, and the sentence that says it."""

    text = serializers.CharField()
    code = serializers.CharField()
    actor = serializers.CharField()
    resource = serializers.CharField()
    kind = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()
    count = serializers.IntegerField()
    revision = serializers.IntegerField()
    at = serializers.FloatField()
    trace = serializers.CharField()
    bad = serializers.BooleanField()


class FactsSerializer(serializers.Serializer[object]):
    """What happened in a range, the oldest first."""

    after = serializers.IntegerField()
    upto = serializers.IntegerField()
    left_out = serializers.IntegerField(help_text="Earlier revisions that were not looked at.")
    items = FactSerializer(many=True)


class DifferenceSerializer(PlaceSerializer):
    """An object that is not the same at both revisions."""

    revision = serializers.IntegerField(required=False, help_text="Of its last write; one cluster.")
    change = serializers.ChoiceField(choices=("added", "removed", "changed", "replaced"))


class DifferencesSerializer(serializers.Serializer[object]):
    """What differs between revisions a and b."""

    a = serializers.IntegerField()
    b = serializers.IntegerField()
    other = serializers.CharField(required=False, help_text="The cluster whose revision b is.")
    touched = serializers.IntegerField(help_text="Objects written in between.")
    more = serializers.BooleanField()
    items = DifferenceSerializer(many=True)


class FieldSerializer(serializers.Serializer[object]):
    """A field that a write changed; values are JSON, cut when they are long."""

    path = serializers.CharField()
    op = serializers.ChoiceField(choices=("+", "-", "~"))
    before = serializers.CharField()
    after = serializers.CharField()


class WriteSerializer(serializers.Serializer[object]):
    """One write of an object: who, when, in which request, and what it changed."""

    revision = serializers.IntegerField()
    type = serializers.ChoiceField(choices=("ADDED", "MODIFIED", "DELETED"))
    uid = serializers.CharField()
    at = serializers.FloatField()
    actor = serializers.CharField()
    user = serializers.CharField()
    manager = serializers.CharField()
    trace = serializers.CharField()
    fields_changed = FieldSerializer(many=True)
    left_out = serializers.IntegerField(help_text="Changed fields that are not listed.")


class ObjectHistorySerializer(serializers.Serializer[object]):
    """The writes of one object, the latest first."""

    oldest = serializers.IntegerField()
    newest = serializers.IntegerField()
    items = WriteSerializer(many=True)
    more = serializers.BooleanField()


class LineSerializer(serializers.Serializer[object]):
    """A line of an object's YAML, and the write that it comes from."""

    text = serializers.CharField()
    path = serializers.CharField()
    revision = serializers.IntegerField()
    at = serializers.FloatField()
    actor = serializers.CharField()
    manager = serializers.CharField()
    trace = serializers.CharField()


class BlameSerializer(serializers.Serializer[object]):
    """An object's YAML at a revision, line by line; no lines where there was no object."""

    revision = serializers.IntegerField()
    lines = LineSerializer(many=True)


class BookmarkSerializer(serializers.Serializer[object]):
    """A revision that one wants to find again."""

    revision = serializers.IntegerField(min_value=0, max_value=2**53)
    note = serializers.CharField(max_length=120, allow_blank=True, default="")


class BookmarksSerializer(serializers.Serializer[object]):
    """The caller's bookmarks in a cluster."""

    items = BookmarkSerializer(many=True)


class NamedSerializer(serializers.Serializer[object]):
    """A new cluster's name."""

    name = serializers.CharField(max_length=names.LONGEST)

    def validate_name(self, name: str) -> str:
        """Refuse what could be no part of an address."""
        if problem := names.problem(name):
            raise serializers.ValidationError(problem)
        return name


class ForkSerializer(NamedSerializer):
    """A new cluster that begins as another one was at a revision."""

    revision = serializers.IntegerField(min_value=0, max_value=2**53)


class ImportSerializer(NamedSerializer):
    """A recording, and what the cluster that is made of it is called."""

    file = serializers.FileField(help_text="As `GET recording` answers it; at most 16 MiB.")

    def validate_file(self, file: UploadedFile[Any]) -> UploadedFile[Any]:
        """Refuse what the worker would not take."""
        if (file.size or 0) > LARGEST:
            raise serializers.ValidationError(_("The file is larger than 16 MiB."))
        return file


class ImportedSerializer(CreatedClusterSerializer):
    """A cluster that was made of a recording, and what it has not of the file."""

    changes = serializers.IntegerField(help_text="Changes that its log now holds.")
    secrets = serializers.BooleanField(help_text="The file had the values of Secrets.")
    skipped = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Changes left out, by resource that nothing defines.",
    )
