"""The REST API's documents about accounts."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from playground.accounts.models import Role


class PersonSerializer(serializers.Serializer[Any]):
    """An account."""

    username = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    active = serializers.BooleanField(source="is_active")
    has_password = serializers.BooleanField(source="has_usable_password")
    last_sign_in = serializers.DateTimeField(source="last_login", allow_null=True)


class PeopleSerializer(serializers.Serializer[Any]):
    """The accounts that one manages."""

    items = PersonSerializer(many=True)


class NewPersonSerializer(serializers.Serializer[dict[str, Any]]):
    """What one sends to make an account."""

    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.LEARNER)
    password = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=4096, trim_whitespace=False
    )


class PersonChangeSerializer(serializers.Serializer[dict[str, Any]]):
    """What may change of an account; what is left out stays."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    active = serializers.BooleanField(required=False)


class NewLinkSerializer(serializers.Serializer[dict[str, Any]]):
    """What one sends to make a sign-in link."""

    resets = serializers.BooleanField(
        default=False, help_text="Whoever comes by it may choose a new password."
    )


class LinkSerializer(serializers.Serializer[Any]):
    """A link that signs in once, within 24 hours. It is not shown again."""

    url = serializers.URLField()


class SessionSerializer(serializers.Serializer[Any]):
    """A browser where one is signed in."""

    id = serializers.CharField()
    browser = serializers.CharField()
    address = serializers.CharField()
    began = serializers.DateTimeField(allow_null=True)
    seen = serializers.DateTimeField(allow_null=True)
    current = serializers.BooleanField()


class SessionsSerializer(serializers.Serializer[Any]):
    """Every browser where one is signed in."""

    items = SessionSerializer(many=True)


class NewPasswordSerializer(serializers.Serializer[dict[str, Any]]):
    """A new password, and the old one where there is one."""

    old = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=4096, trim_whitespace=False
    )
    new = serializers.CharField(max_length=4096, trim_whitespace=False)


class ClustersOfDeletedSerializer(serializers.Serializer[dict[str, Any]]):
    """What happens to the clusters of an account that is deleted."""

    clusters = serializers.ChoiceField(choices=("take", "delete"), default="take")
