"""The REST API's documents about access."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from playground.rights.asking import SHORTEST_TOKEN


class SubjectRowSerializer(serializers.Serializer[Any]):
    """A subject, and which of the verbs it may use."""

    kind = serializers.CharField()
    name = serializers.CharField()
    user = serializers.CharField()
    group = serializers.CharField()
    may = serializers.ListField(child=serializers.BooleanField())


class GridSerializer(serializers.Serializer[Any]):
    """Who may do what to a resource."""

    resource = serializers.CharField()
    namespace = serializers.CharField()
    verbs = serializers.ListField(child=serializers.CharField())
    total = serializers.IntegerField()
    items = SubjectRowSerializer(many=True)
    namespaces = serializers.ListField(child=serializers.CharField())
    resources = serializers.ListField(child=serializers.CharField())


class GridQuestionSerializer(serializers.Serializer[dict[str, Any]]):
    """Which grid."""

    resource = serializers.CharField(
        default="pods",
        help_text="deployments.apps, pods/exec, or a path that begins with /.",
    )
    namespace = serializers.CharField(default="", allow_blank=True)
    name = serializers.CharField(default="", allow_blank=True)
    q = serializers.CharField(default="", allow_blank=True, help_text="A part of a subject.")
    system = serializers.BooleanField(default=False, help_text="Kubernetes' own subjects, too.")


class WhyQuestionSerializer(serializers.Serializer[dict[str, Any]]):
    """Who wants to do what."""

    verb = serializers.CharField()
    resource = serializers.CharField()
    namespace = serializers.CharField(default="", allow_blank=True)
    name = serializers.CharField(default="", allow_blank=True)
    user = serializers.CharField(default="", allow_blank=True)
    group = serializers.CharField(default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for somebody."""
        if not attrs["user"] and not attrs["group"]:
            raise serializers.ValidationError({"user": ["Name a user or a group."]})
        return attrs


class ChainSerializer(serializers.Serializer[Any]):
    """A binding that hands a role to a subject, and the role's rules that matter."""

    binding = serializers.DictField()
    subject = serializers.CharField()
    role = serializers.DictField()
    rules = serializers.ListField(child=serializers.DictField())
    problem = serializers.CharField()


class WhySerializer(serializers.Serializer[Any]):
    """Yes or no, and why."""

    allowed = serializers.BooleanField()
    reason = serializers.CharField(help_text="The authorizer's own words.")
    by = serializers.CharField(help_text="The authorizer that decided.")
    sentence = serializers.CharField()
    chains = ChainSerializer(many=True)
    nearest = ChainSerializer(many=True)
    command = serializers.CharField()


class NewTokenSerializer(serializers.Serializer[dict[str, Any]]):
    """Whose token, and for how long."""

    namespace = serializers.CharField(max_length=63)
    name = serializers.CharField(max_length=253)
    seconds = serializers.IntegerField(
        min_value=SHORTEST_TOKEN, max_value=365 * 86400, default=3600
    )


class TokenSerializer(serializers.Serializer[Any]):
    """A token of a service account; it is not shown again."""

    account = serializers.CharField()
    token = serializers.CharField()
    expires = serializers.CharField()
    command = serializers.CharField()


class NewKubeconfigSerializer(serializers.Serializer[dict[str, Any]]):
    """For whom a kubeconfig is."""

    user = serializers.CharField(max_length=253)
    groups = serializers.ListField(child=serializers.CharField(max_length=253), default=list)
    days = serializers.FloatField(min_value=0.01, max_value=365, default=30)


class KubeconfigSerializer(serializers.Serializer[Any]):
    """A kubeconfig, as YAML."""

    kubeconfig = serializers.CharField()


class ViewAsSerializer(serializers.Serializer[dict[str, Any]]):
    """As whom one wants to look."""

    user = serializers.CharField(max_length=253)
    group = serializers.CharField(max_length=253, default="", allow_blank=True)


class ViewingSerializer(serializers.Serializer[Any]):
    """As whom one looks at the cluster."""

    user = serializers.CharField()
    groups = serializers.ListField(child=serializers.CharField())
