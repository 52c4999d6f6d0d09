"""The documents of failures and of clocks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

LONGEST_PREDICTION = 500


class NewFailureSerializer(serializers.Serializer[dict[str, Any]]):
    """What one sends to break something; docs/failures.md lists kinds and their targets."""

    kind = serializers.CharField(max_length=63)
    target = serializers.DictField(default=dict)
    prediction = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=LONGEST_PREDICTION,
        help_text="What one expects to happen next; kept beside the failure.",
    )


class FailureSerializer(serializers.Serializer[Any]):
    """Something that is broken, or was."""

    id = serializers.CharField()
    kind = serializers.CharField()
    target = serializers.DictField()
    what = serializers.CharField(help_text="A sentence without its full stop.")
    began = serializers.CharField(help_text="By the cluster's clock.")
    revision = serializers.IntegerField()
    by = serializers.CharField()
    prediction = serializers.CharField()
    active = serializers.BooleanField()


class MomentSerializer(serializers.Serializer[Any]):
    """When something was broken or mended; the newest first."""

    revision = serializers.IntegerField()
    time = serializers.CharField()
    what = serializers.CharField()
    kind = serializers.CharField()
    failure = serializers.CharField()
    state = serializers.ChoiceField(choices=("began", "ended"))
    lasts = serializers.BooleanField(help_text="False for what is over at once.")


class FailuresSerializer(serializers.Serializer[Any]):
    """What is broken now, what was, what can be."""

    items = FailureSerializer(many=True)
    moments = MomentSerializer(many=True)
    kinds = serializers.ListField(child=serializers.DictField())


class MendedSerializer(serializers.Serializer[Any]):
    """What has been mended."""

    items = FailureSerializer(many=True)


class ClockChangeSerializer(serializers.Serializer[dict[str, Any]]):
    """What to do with a clock: an action, another rate, or both."""

    action = serializers.ChoiceField(
        choices=("pause", "resume", "step", "move"), required=False, allow_null=True
    )
    rate = serializers.FloatField(required=False, allow_null=True)
    seconds = serializers.FloatField(required=False, allow_null=True, help_text="How far to move.")


class ClockSerializer(serializers.Serializer[Any]):
    """A cluster's clock."""

    time = serializers.CharField()
    seconds = serializers.FloatField(help_text="Since the Unix epoch.")
    rate = serializers.FloatField(help_text="Seconds of the cluster in a second.")
    paused = serializers.BooleanField()
    ahead = serializers.FloatField(help_text="Seconds before the machine's clock.")
    next = serializers.FloatField(
        allow_null=True, help_text="Seconds of the cluster until its next timer; null without one."
    )
    moved = serializers.FloatField(
        required=False, help_text="Seconds that a step or a move has moved it."
    )
