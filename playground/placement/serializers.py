"""The documents of the REST API of placement, for its schema."""

from __future__ import annotations

from rest_framework import serializers


class StepSerializer(serializers.Serializer[object]):
    """How many nodes were left after a plugin; without a plugin, how many there were."""

    plugin = serializers.CharField()
    left = serializers.IntegerField()


class AttemptSerializer(serializers.Serializer[object]):
    """One try at a pod."""

    number = serializers.IntegerField()
    at = serializers.CharField()
    node = serializers.CharField(help_text="Empty where no node fits.")
    event = serializers.CharField(help_text="The sentence of its Event.")
    sentences = serializers.ListField(child=serializers.CharField())
    funnel = StepSerializer(many=True)
    evaluated = serializers.IntegerField(help_text="How many nodes there were.")
    fitting = serializers.IntegerField(help_text="How many were found to fit.")
    refused = serializers.DictField(help_text="By node: the plugin, and its reasons.")
    scores = serializers.DictField(
        help_text="By node and plugin: the score as computed, from 0 to 100, and by weight."
    )
    tied = serializers.ListField(child=serializers.CharField())
    seconds = serializers.DictField(child=serializers.FloatField())


class DecisionsSerializer(serializers.Serializer[object]):
    """The attempts at a pod, the latest first."""

    namespace = serializers.CharField()
    name = serializers.CharField()
    items = AttemptSerializer(many=True)
    text = serializers.CharField(help_text="What to say where there is none; empty otherwise.")
