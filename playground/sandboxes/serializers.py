"""The REST API's documents."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from playground.cluster_templates import DEFAULT, TEMPLATES
from playground.cluster_templates.features import ALL
from playground.sandboxes import names

MOST_NODES = 1000


def check_name(name: str) -> None:
    """Refuse what is no DNS-1123 label."""
    if problem := names.problem(name):
        raise serializers.ValidationError(problem)


class NewClusterSerializer(serializers.Serializer[dict[str, Any]]):
    """What one sends to make a cluster."""

    name = serializers.CharField(max_length=names.LONGEST, validators=[check_name])
    nodes = serializers.IntegerField(
        min_value=0,
        max_value=MOST_NODES,
        required=False,
        help_text="As many as the template has unless said.",
    )
    template = serializers.ChoiceField(choices=tuple(TEMPLATES), default=DEFAULT)
    features = serializers.ListField(
        child=serializers.ChoiceField(choices=ALL),
        required=False,
        help_text="Addons that are on; those of the template unless said.",
    )


class ClusterSerializer(serializers.Serializer[Any]):
    """A cluster."""

    name = serializers.CharField()
    uid = serializers.CharField()
    owner = serializers.CharField()
    template = serializers.CharField()
    nodes = serializers.IntegerField()
    created = serializers.CharField()
    revision = serializers.IntegerField()
    state = serializers.ChoiceField(choices=("running", "paused"))
    version = serializers.CharField()
    pods = serializers.IntegerField()
    used = serializers.CharField(help_text="When it was asked for something last, or empty.")
    expires = serializers.CharField(help_text="When it is paused by itself, or empty.")
    server = serializers.CharField()


class ClusterChangeSerializer(serializers.Serializer[dict[str, Any]]):
    """What an operator may change of a cluster; what is left out stays."""

    owner = serializers.CharField(max_length=150, required=False)
    expires = serializers.DateTimeField(required=False, allow_null=True)


class PictureSerializer(serializers.Serializer[Any]):
    """The pods of a cluster, as a small picture shows them."""

    revision = serializers.IntegerField()
    nodes = serializers.ListField(
        required=False,
        help_text="[node, a letter for each pod]; the first is of pods without a node. Left out "
        "where nothing is newer than `since`.",
    )


class ClusterListSerializer(serializers.Serializer[Any]):
    """Every cluster that one may see."""

    items = ClusterSerializer(many=True)


class CreatedClusterSerializer(serializers.Serializer[Any]):
    """A new cluster, and how to reach it."""

    name = serializers.CharField()
    server = serializers.CharField()
    kubeconfig = serializers.CharField(help_text="YAML, for `kubectl --kubeconfig`.")
