"""The documents of the REST API of the overview, for its schema."""

from __future__ import annotations

from rest_framework import serializers

from playground.history.serializers import FactSerializer
from playground.overview.health import LEVELS


class StateSerializer(serializers.Serializer[object]):
    """How many objects of a kind are how."""

    word = serializers.CharField(help_text="As in “Running”, “Bound”, “NoEndpoints”.")
    level = serializers.ChoiceField(choices=LEVELS)
    count = serializers.IntegerField()


class TroubleSerializer(serializers.Serializer[object]):
    """An object that is not as it should be."""

    namespace = serializers.CharField()
    name = serializers.CharField()
    word = serializers.CharField()
    level = serializers.ChoiceField(choices=LEVELS)
    note = serializers.CharField(help_text="As in “2/3”.")


class OverviewKindSerializer(serializers.Serializer[object]):
    """A kind of which there are objects. Of kinds without health there is the total alone."""

    resource = serializers.CharField(help_text="As in “deployments.apps”.")
    group = serializers.CharField()
    version = serializers.CharField()
    plural = serializers.CharField()
    kind = serializers.CharField()
    namespaced = serializers.BooleanField()
    total = serializers.IntegerField()
    states = StateSerializer(many=True, required=False)
    trouble = TroubleSerializer(many=True, required=False)
    more = serializers.IntegerField(required=False, help_text="Further objects in trouble.")


class AboutSerializer(serializers.Serializer[object]):
    """An object that events are about; `plural` is empty where its kind is not served."""

    group = serializers.CharField()
    version = serializers.CharField()
    plural = serializers.CharField()
    kind = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()


class WarnedSerializer(serializers.Serializer[object]):
    """The Warning events of one reason."""

    reason = serializers.CharField()
    count = serializers.IntegerField(help_text="How often it happened.")
    last = serializers.CharField()
    message = serializers.CharField(help_text="What was said last.")
    objects = AboutSerializer(many=True)
    more = serializers.IntegerField(help_text="Further objects.")


class WarningsSerializer(serializers.Serializer[object]):
    """Warning events, the reason that came last first."""

    items = WarnedSerializer(many=True)
    more = serializers.IntegerField(help_text="Further reasons.")
    allowed = serializers.BooleanField(help_text="Whether events may be listed anywhere.")


class QuantilesSerializer(serializers.Serializer[object]):
    """Latencies in seconds, null where there was no request."""

    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    p99 = serializers.FloatField(allow_null=True)


class QuantileColumnsSerializer(serializers.Serializer[object]):
    """Latencies in seconds, slot by slot."""

    p50 = serializers.ListField(child=serializers.FloatField(allow_null=True))
    p95 = serializers.ListField(child=serializers.FloatField(allow_null=True))
    p99 = serializers.ListField(child=serializers.FloatField(allow_null=True))


def _counts(text: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.IntegerField(), help_text=text)


class PaceSerializer(serializers.Serializer[object]):
    """What ended in the last five minutes, in slots of equal width, the oldest first."""

    width = serializers.FloatField(help_text="Seconds in a slot.")
    age = serializers.FloatField(help_text="Seconds since the last slot ended.")
    people = _counts("Requests of clients outside.")
    workers = _counts("Requests of controllers, the scheduler, kubelets.")
    pages = _counts("Reads of pages of this site.")
    refused = _counts("Of all these, those answered with 400 or more.")
    writes = _counts("Revisions written.")
    quantiles = QuantileColumnsSerializer()
    whole = QuantilesSerializer(help_text="Of all slots together.")


class WatchClientSerializer(serializers.Serializer[object]):
    """How many watches somebody has open."""

    name = serializers.CharField()
    count = serializers.IntegerField()


class WatchesSerializer(serializers.Serializer[object]):
    """Who watches."""

    total = serializers.IntegerField()
    http = serializers.IntegerField(help_text="Those of clients over HTTP, counted as open.")
    clients = WatchClientSerializer(many=True)


class QueueSerializer(serializers.Serializer[object]):
    """How much waits in a queue: of a controller ready, working and later."""

    name = serializers.CharField()
    depths = serializers.DictField(child=serializers.IntegerField())


class ControlSerializer(serializers.Serializer[object]):
    """What the control plane does."""

    pace = PaceSerializer()
    watches = WatchesSerializer()
    queues = QueueSerializer(many=True)
    inflight = serializers.IntegerField(help_text="Requests under way.")


class ClusterOverviewSerializer(serializers.Serializer[object]):
    """How a cluster is. What is missing was not asked for, or may not be read."""

    revision = serializers.IntegerField()
    at = serializers.FloatField(help_text="The cluster's time, in seconds since the epoch.")
    idle = serializers.BooleanField(required=False, help_text="Nothing runs but its own parts.")
    kinds = OverviewKindSerializer(many=True, required=False)
    unseen = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Kinds that may not be listed."
    )
    warnings = WarningsSerializer(required=False)
    changes = FactSerializer(
        many=True, required=False, help_text="Of the last five minutes, the latest first."
    )
    control = ControlSerializer(required=False, help_text="For those who may get /metrics.")


class StartedSerializer(serializers.Serializer[object]):
    """A Deployment that was made so that there is something to see."""

    namespace = serializers.CharField()
    name = serializers.CharField()
    trace = serializers.CharField(help_text="The Audit-ID of its request.")
