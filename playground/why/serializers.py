"""The documents of the REST API of causes, for its schema."""

from __future__ import annotations

from rest_framework import serializers


class ObjectReferenceSerializer(serializers.Serializer[object]):
    """An object: its kind by plural and group, its namespace (empty for none), its name."""

    kind = serializers.CharField()
    namespace = serializers.CharField(allow_blank=True)
    name = serializers.CharField()


class OnForkSerializer(serializers.Serializer[object]):
    """What came of a change on a fork of the cluster, 90 s later."""

    helped = serializers.BooleanField()
    left = serializers.ListField(
        child=serializers.CharField(), help_text="What was the matter then; empty if it helped."
    )


class FixSerializer(serializers.Serializer[object]):
    """What would help."""

    text = serializers.CharField()
    command = serializers.CharField(allow_blank=True)
    target = ObjectReferenceSerializer(allow_null=True)
    patch = serializers.JSONField(allow_null=True, help_text="What changes it so.")
    patchType = serializers.ChoiceField(  # noqa: N815 - as the API's fields are written
        ("strategic", "json"), allow_null=True, help_text="As in kubectl patch --type."
    )
    tried = OnForkSerializer(allow_null=True)


class CauseSerializer(serializers.Serializer[object]):
    """One thing that is so."""

    object = ObjectReferenceSerializer()
    depth = serializers.IntegerField(help_text="How far it is from the object that was asked for.")
    text = serializers.CharField()
    condition = serializers.CharField(allow_blank=True)
    verbatim = serializers.CharField(allow_blank=True, help_text="The API's own words.")
    rule = serializers.CharField(allow_blank=True)
    fixes = FixSerializer(many=True)


class CausesSerializer(serializers.Serializer[object]):
    """Why an object is not as wanted, the nearest cause first."""

    object = ObjectReferenceSerializer()
    asWanted = serializers.BooleanField()  # noqa: N815 - as the API's fields are written
    causes = CauseSerializer(many=True)
    refusals = serializers.ListField(
        child=serializers.CharField(), help_text="What could not be read."
    )
