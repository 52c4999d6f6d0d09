"""Terminals on the wire."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

_NAME = 253


class NewTerminalSerializer(serializers.Serializer[dict[str, Any]]):
    """A wish for a terminal."""

    kind = serializers.ChoiceField(choices=("shell", "pod", "node"), default="shell")
    namespace = serializers.RegexField(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", default="default")
    pod = serializers.CharField(max_length=_NAME, default="", allow_blank=True)
    container = serializers.CharField(max_length=_NAME, default="", allow_blank=True)
    command = serializers.ListField(
        child=serializers.CharField(max_length=1000), default=["sh"], max_length=32, min_length=1
    )
    node = serializers.CharField(max_length=_NAME, default="", allow_blank=True)
    rows = serializers.IntegerField(min_value=1, max_value=500, default=24)
    columns = serializers.IntegerField(min_value=1, max_value=1000, default=80)
    accept = serializers.BooleanField(
        default=False, help_text="You have read that this shell runs without a sandbox."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A shell in the cluster needs to know where."""
        kind = attrs["kind"]
        if kind in ("pod", "node") and not attrs[kind]:
            raise serializers.ValidationError({kind: _("Name it.")})
        return attrs


class RecordingStateSerializer(serializers.Serializer[dict[str, Any]]):
    """Whether a terminal is recorded."""

    running = serializers.BooleanField()
    there = serializers.BooleanField(help_text="There is something to download.")
    full = serializers.BooleanField(help_text="It has reached its largest size.")


class TerminalSerializer(serializers.Serializer[dict[str, Any]]):
    """A terminal."""

    id = serializers.CharField()
    cluster = serializers.CharField()
    kind = serializers.ChoiceField(choices=("shell", "plain", "pod", "node"))
    title = serializers.CharField()
    acting_as = serializers.CharField(help_text="Whose rights it has; empty: one's own.")
    rows = serializers.IntegerField()
    columns = serializers.IntegerField()
    running = serializers.BooleanField()
    exit = serializers.IntegerField(allow_null=True, help_text="The exit code, once it is known.")
    why = serializers.CharField(help_text="Why it was ended, if it did not end by itself.")
    pages = serializers.IntegerField(help_text="How many pages look at it.")
    recording = RecordingStateSerializer()


class OfferSerializer(serializers.Serializer[dict[str, Any]]):
    """What kind of shell there is here."""

    kind = serializers.ChoiceField(choices=("shell", "plain", "none"))
    why = serializers.CharField()
    install = serializers.CharField()
    accepted = serializers.BooleanField()


class TerminalListSerializer(serializers.Serializer[dict[str, Any]]):
    """The caller's terminals in a cluster."""

    offer = OfferSerializer()
    items = TerminalSerializer(many=True)


class RecordingSerializer(serializers.Serializer[dict[str, Any]]):
    """Begin a recording, or end it."""

    on = serializers.BooleanField()
