"""The REST documents of the editor."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from playground.editor.documents import ACTIONS, APPLY
from playground.objects.serializers import check_name

# What the API server takes at most.
LARGEST = 3 * 1024 * 1024


class DocumentSerializer(serializers.Serializer[dict[str, Any]]):
    """One document of YAML, and what to do with it."""

    text = serializers.CharField(max_length=LARGEST, trim_whitespace=False)
    action = serializers.ChoiceField(choices=ACTIONS, default=APPLY)
    namespace = serializers.CharField(
        max_length=63,
        default="default",
        validators=[check_name],
        help_text="Of a document that names none.",
    )
    dry_run = serializers.BooleanField(default=False)
    force = serializers.BooleanField(
        default=False, help_text="Take fields that others own; for “apply” alone."
    )


class WrittenSerializer(serializers.Serializer[Any]):
    """What came of a document."""

    outcome = serializers.CharField(help_text="As kubectl says it: created, replaced…")
    kind = serializers.CharField()
    resource = serializers.CharField(help_text="As in “deployments.apps”.")
    namespace = serializers.CharField()
    name = serializers.CharField()
    page = serializers.CharField(help_text="The page of the object.")
    revision = serializers.CharField()
    text = serializers.CharField(help_text="The object as YAML to edit.")
    result = serializers.CharField(help_text="The whole object as YAML.")
    warnings = serializers.ListField(child=serializers.CharField())
    audit_id = serializers.CharField(help_text="The request's, by which its trace is found.")


class PlaceSerializer(serializers.Serializer[dict[str, Any]]):
    """Which object."""

    kind = serializers.CharField(max_length=320, help_text="As in “deployments.apps”.")
    namespace = serializers.CharField(
        allow_blank=True, default="", max_length=63, validators=[check_name]
    )
    name = serializers.CharField(max_length=253, validators=[check_name])


class OpeningQuerySerializer(serializers.Serializer[dict[str, Any]]):
    """Which object to open, if any."""

    kind = serializers.CharField(max_length=320, allow_blank=True, default="")
    namespace = serializers.CharField(
        allow_blank=True, default="", max_length=63, validators=[check_name]
    )
    name = serializers.CharField(
        allow_blank=True, default="", max_length=253, validators=[check_name]
    )
    ns = serializers.CharField(allow_blank=True, default="", max_length=63, validators=[check_name])


class OpeningSerializer(serializers.Serializer[Any]):
    """What an editor begins with."""

    cluster = serializers.CharField()
    namespace = serializers.CharField(help_text="Of documents that name none.")
    rev = serializers.IntegerField(allow_null=True)
    kinds = serializers.ListField(
        child=serializers.ListField(), help_text="apiVersion, kind, title, whether namespaced."
    )
    object = serializers.DictField(
        allow_null=True, help_text="What EditableSerializer has, and where; or `refused`."
    )


class EditableSerializer(serializers.Serializer[Any]):
    """An object to edit."""

    text = serializers.CharField(help_text="Without status and what the server counts.")
    live = serializers.CharField(help_text="The whole object as YAML.")
    uid = serializers.CharField()
    revision = serializers.CharField()
    manager = serializers.CharField(help_text="Who wrote it last, its status aside.")
    at = serializers.CharField(allow_blank=True)


class SchemaQuerySerializer(serializers.Serializer[dict[str, Any]]):
    """A kind, as a document names it."""

    apiVersion = serializers.CharField(max_length=320)  # noqa: N815
    kind = serializers.CharField(max_length=253)


class KindSchemaSerializer(serializers.Serializer[Any]):
    """What describes a kind."""

    root = serializers.CharField(  # type: ignore[assignment] # a field of this name is a field
        allow_blank=True, help_text="Empty where nothing describes it."
    )
    schemas = serializers.DictField()
