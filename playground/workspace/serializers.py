"""The shape of what a user prefers, in the REST API; and what is wrong with it."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers

from playground.workspace.models import Preferences

ACTION = re.compile(r"[a-z]+(-[a-z]+)*\.[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*")
MOST_ACTIONS, MOST_KEYS, LONGEST_KEY = 500, 8, 40


class PreferencesSerializer(serializers.ModelSerializer[Preferences]):
    """What a user prefers."""

    language = serializers.ChoiceField(
        choices=[("", "browser"), *settings.LANGUAGES], required=False
    )
    keys = serializers.DictField(
        child=serializers.ListField(
            child=serializers.CharField(max_length=LONGEST_KEY), max_length=MOST_KEYS
        ),
        required=False,
        help_text="Keys that replace those of an action; an empty list leaves it without.",
    )

    class Meta:
        model = Preferences
        fields = ("theme", "motion", "language", "single_keys", "keys")

    def validate_keys(self, keys: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is no action; which actions exist is the browser's to know."""
        if len(keys) > MOST_ACTIONS:
            raise serializers.ValidationError(_("There are not so many actions."))
        wrong = [name for name in keys if not ACTION.fullmatch(name)]
        if wrong:
            text = _("“%(name)s” is no action.")
            raise serializers.ValidationError(text % {"name": wrong[0]})
        return keys


class PaletteKindSerializer(serializers.Serializer[Any]):
    """A kind that can be listed, and where its list is."""

    group = serializers.CharField(help_text="Empty for the core group.")
    version = serializers.CharField()
    plural = serializers.CharField()
    kind = serializers.CharField()
    short = serializers.ListField(child=serializers.CharField())
    namespaced = serializers.BooleanField()
    url = serializers.CharField(help_text="The page with the list.")


class KindsSerializer(serializers.Serializer[Any]):
    """What a command line needs to know of a cluster."""

    items = PaletteKindSerializer(many=True)
    namespaces = serializers.ListField(child=serializers.CharField())


class HitSerializer(serializers.Serializer[Any]):
    """An object that was found by its name."""

    group = serializers.CharField()
    plural = serializers.CharField()
    kind = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()
    url = serializers.CharField(help_text="The object's page.")


class SearchSerializer(serializers.Serializer[Any]):
    """What was found, the best first; `total` counts what was left out too."""

    items = HitSerializer(many=True)
    total = serializers.IntegerField()
