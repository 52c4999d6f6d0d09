"""The REST documents of actions, rights and saved filters."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from django.utils.translation import gettext as _
from rest_framework import serializers

from playground.objects.actions import catalog
from playground.objects.models import SavedFilter

_NAME = re.compile(r"[^/%\x00-\x1f]{1,253}")
MOST_TARGETS = 5000
LARGEST_OPTIONS = 32 * 1024


def check_name(text: str) -> None:
    """Refuse what cannot be a name: it becomes a part of a path."""
    if not _NAME.fullmatch(text) or text in (".", ".."):
        raise serializers.ValidationError(_("This is no name of an object."))


class KindSerializer(serializers.Serializer[dict[str, Any]]):
    """A kind: "" and "core" are both the group without a name."""

    group = serializers.CharField(allow_blank=True, max_length=253)
    version = serializers.CharField(max_length=63)
    plural = serializers.CharField(max_length=63)


class TargetSerializer(serializers.Serializer[dict[str, Any]]):
    """An object; with its uid, one that took its name later is left alone."""

    namespace = serializers.CharField(
        allow_blank=True, default="", max_length=253, validators=[check_name]
    )
    name = serializers.CharField(max_length=253, validators=[check_name])
    uid = serializers.CharField(allow_blank=True, default="", max_length=64)


class OptionsSerializer(serializers.Serializer[dict[str, Any]]):
    """What an action may be told; each action reads its own."""

    gracePeriodSeconds = serializers.IntegerField(min_value=0, required=False)  # noqa: N815
    propagation = serializers.ChoiceField(
        choices=("Background", "Foreground", "Orphan"), required=False
    )
    force = serializers.BooleanField(default=False)
    replicas = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    changes = serializers.DictField(
        child=serializers.CharField(allow_null=True, allow_blank=True, trim_whitespace=False),
        required=False,
        help_text="Labels or annotations: null removes one.",
    )
    overwrite = serializers.BooleanField(default=False)
    revision = serializers.IntegerField(min_value=0, required=False)
    jobName = serializers.CharField(max_length=63, required=False)  # noqa: N815


class ActionSerializer(serializers.Serializer[dict[str, Any]]):
    """One action on one object."""

    action = serializers.ChoiceField(
        choices=tuple(one.name for one in catalog.ACTIONS if one.name != "drain")
    )
    resource = KindSerializer()
    target = TargetSerializer()
    options = OptionsSerializer(default=dict)
    dry_run = serializers.BooleanField(default=False)


class OutcomeSerializer(serializers.Serializer[Any]):
    """What came of an action."""

    name = serializers.CharField()
    namespace = serializers.CharField()
    dry_run = serializers.BooleanField()
    audit_id = serializers.CharField(help_text="The request's, by which its trace is found.")
    message = serializers.CharField()
    revision = serializers.CharField()


class PlanRequestSerializer(serializers.Serializer[dict[str, Any]]):
    """An action, and the objects of one kind that it shall be done to."""

    action = serializers.ChoiceField(choices=tuple(catalog.BY_NAME))
    resource = KindSerializer()
    targets = TargetSerializer(many=True, allow_empty=False)

    def validate_targets(self, targets: list[Any]) -> list[Any]:
        """Refuse more than a dialog can be about."""
        if len(targets) > MOST_TARGETS:
            raise serializers.ValidationError(
                _("At most %(n)d objects at a time.") % {"n": MOST_TARGETS}
            )
        return targets


class WarningSerializer(serializers.Serializer[Any]):
    """One thing to know before."""

    level = serializers.ChoiceField(choices=("info", "warn", "bad"))
    text = serializers.CharField()
    items = serializers.ListField(child=serializers.CharField())
    more = serializers.IntegerField(help_text="How many objects beside `items` it is about.")


class PlanSerializer(serializers.Serializer[Any]):
    """What an action will touch."""

    warnings = WarningSerializer(many=True)
    form = serializers.DictField(help_text="What the action's form shows: pods, revisions...")


class AllowedSerializer(serializers.Serializer[Any]):
    """Whether one may do something, and else which right is missing."""

    allowed = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True)


class AllowedActionSerializer(AllowedSerializer):
    """An action, and whether one may do it."""

    name = serializers.CharField()
    title = serializers.CharField()
    bulk = serializers.BooleanField()


class PermissionsSerializer(serializers.Serializer[Any]):
    """The actions that make sense for a kind."""

    actions = AllowedActionSerializer(many=True)
    shell = AllowedSerializer(allow_null=True)


class SavedFilterSerializer(serializers.ModelSerializer[SavedFilter]):
    """A filter of a list, with a name."""

    class Meta:
        model = SavedFilter
        fields = ("id", "kind", "name", "query")

    def validate_query(self, query: str) -> str:
        """Keep what a list's address may hold."""
        known = {"ns", "q", "sort", "cols"}
        found = parse_qs(query, max_num_fields=8)
        if not found or set(found) - known:
            raise serializers.ValidationError(_("This is no filter of a list."))
        return query


class SavedFilterListSerializer(serializers.Serializer[Any]):
    """The caller's own saved filters."""

    items = SavedFilterSerializer(many=True)
