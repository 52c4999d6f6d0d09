"""The documents of the REST API of placement, for its schema."""

from __future__ import annotations

from rest_framework import serializers


class StepSerializer(serializers.Serializer[object]):
    """How many nodes were left after a plugin; without a plugin, how many there were."""

    plugin = serializers.CharField()
    left = serializers.IntegerField()


class VictimSerializer(serializers.Serializer[object]):
    """A pod that would have to go."""

    pod = serializers.CharField(help_text="NAMESPACE/NAME; empty where one may not know it.")
    priority = serializers.IntegerField()


class CandidateSerializer(serializers.Serializer[object]):
    """A node on which pods of lower priority could make room."""

    node = serializers.CharField()
    victims = VictimSerializer(many=True)
    going = serializers.IntegerField(help_text="How many would go; ten are named.")
    violations = serializers.IntegerField(help_text="Disruption budgets that this breaks.")


class TriggerSerializer(serializers.Serializer[object]):
    """What made a pod be tried."""

    event = serializers.CharField(
        help_text="RESOURCE/ACTION, as Node/Add; UnscheduledPod/Add: the pod itself came. "
        "ScheduleAttemptFailure: the attempt before went wrong. UnschedulableTimeout: nothing "
        "helped for five minutes. ForceActivate: it was not to wait any longer."
    )
    obj = serializers.CharField(
        help_text="The object of the event; empty for none, or where one may not know it."
    )
    plugin = serializers.CharField(
        help_text="The plugin that had refused the pod, and says that the event may help."
    )


class AttemptSerializer(serializers.Serializer[object]):
    """One try at a pod."""

    number = serializers.IntegerField()
    at = serializers.CharField()
    node = serializers.CharField(help_text="Empty where no node fits.")
    event = serializers.CharField(
        help_text="The sentence of its Event; also where a pod was not bound to its node after all."
    )
    sentences = serializers.ListField(child=serializers.CharField())
    funnel = StepSerializer(many=True)
    evaluated = serializers.IntegerField(help_text="How many nodes there were.")
    fitting = serializers.IntegerField(help_text="How many were found to fit.")
    refused = serializers.DictField(help_text="By node: the plugin, and its reasons.")
    lacks = serializers.DictField(
        help_text="Of some nodes: the requests for devices with too few free ones, and why."
    )
    scores = serializers.DictField(
        help_text="By node and plugin: the score as computed, from 0 to 100, and by weight."
    )
    tied = serializers.ListField(
        child=serializers.CharField(), help_text="Nodes with the highest score: chance decided."
    )
    seconds = serializers.DictField(child=serializers.FloatField(), help_text="By extension point.")
    scheduler = serializers.CharField()
    unresolvable = serializers.ListField(
        child=serializers.CharField(), help_text="Refused nodes where nobody's going would help."
    )
    candidates = CandidateSerializer(many=True, help_text="Where room can be made, best first.")
    because = TriggerSerializer()
    group = serializers.CharField(
        allow_blank=True, help_text="The PodGroup that it was tried with, or nothing."
    )
    heldBack = serializers.BooleanField(  # noqa: N815
        help_text="Whether it fits, and gets no node because of the others of its group."
    )
    spared = serializers.DictField(
        child=serializers.CharField(),
        help_text="By node: the extender that does not want room to be made there.",
    )


class DecisionsSerializer(serializers.Serializer[object]):
    """The attempts at a pod, the latest first."""

    namespace = serializers.CharField()
    name = serializers.CharField()
    items = AttemptSerializer(many=True)
    text = serializers.CharField(help_text="What to say where there is none; empty otherwise.")


class TriedSerializer(AttemptSerializer):
    """An attempt that was not made."""

    pod = serializers.CharField()
    uid = serializers.CharField()


class ChangedNodeSerializer(serializers.Serializer[object]):
    """A node that is other than it is, or is not there yet, or not any more."""

    name = serializers.CharField()
    like = serializers.CharField(required=False, help_text="A node that a new one is made after.")
    patch = serializers.DictField(required=False, help_text="A strategic merge patch.")
    remove = serializers.BooleanField(required=False)


class WhatIfSerializer(serializers.Serializer[object]):
    """A question to the scheduler."""

    pod = serializers.DictField(
        help_text="`namespace` and `name` of one that there is, or a whole Pod."
    )
    patch = serializers.DictField(
        required=False, help_text="A strategic merge patch that changes the pod."
    )
    nodes = ChangedNodeSerializer(many=True, required=False)


class PluginSerializer(serializers.Serializer[object]):
    """A plugin at an extension point; one that scores has a weight."""

    name = serializers.CharField()
    weight = serializers.IntegerField(required=False)


class SchedulerSerializer(serializers.Serializer[object]):
    """A scheduler that pods may name."""

    name = serializers.CharField()
    plugins = serializers.DictField(
        child=PluginSerializer(many=True), help_text="By extension point, in their order."
    )


class GateSerializer(serializers.Serializer[object]):
    """Who keeps a pod out of the queue, and why; both empty for nobody."""

    plugin = serializers.CharField()
    why = serializers.CharField()


class IgnoredSerializer(serializers.Serializer[object]):
    """Events since the last attempt that help nothing, as the plugins say that refused the pod."""

    count = serializers.IntegerField()
    last = TriggerSerializer(allow_null=True)


class WaitingPodSerializer(serializers.Serializer[object]):
    """A pod without a node."""

    pod = serializers.CharField()
    uid = serializers.CharField()
    where = serializers.CharField(help_text="active, backoff, unschedulable or gated.")
    priority = serializers.IntegerField()
    attempts = serializers.IntegerField()
    refusedBy = serializers.ListField(child=serializers.CharField())  # noqa: N815
    gate = GateSerializer()
    because = TriggerSerializer(help_text="Why it is tried next, or was queued last.")
    ignored = IgnoredSerializer()
    retryAt = serializers.CharField(  # noqa: N815
        allow_null=True, help_text="When it is tried at the latest; null: now, or never by itself."
    )


class LatestAttemptSerializer(serializers.Serializer[object]):
    """The last attempt at a pod, in short."""

    pod = serializers.CharField()
    uid = serializers.CharField()
    number = serializers.IntegerField()
    at = serializers.CharField()
    scheduler = serializers.CharField()
    node = serializers.CharField()
    message = serializers.CharField()
    evaluated = serializers.IntegerField()
    fitting = serializers.IntegerField()
    seconds = serializers.DictField(child=serializers.FloatField())


class SchedulingSerializer(serializers.Serializer[object]):
    """Who schedules, what waits and what was tried last."""

    schedulers = SchedulerSerializer(many=True)
    configurationError = serializers.CharField(  # noqa: N815
        help_text="What is wrong with the configuration that was written last; empty if nothing."
    )
    queue = serializers.DictField(child=serializers.IntegerField())
    waiting = WaitingPodSerializer(many=True)
    attempts = LatestAttemptSerializer(many=True)
