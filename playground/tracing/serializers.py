"""What the REST API of requests takes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class DetailsKeptSerializer(serializers.Serializer[Any]):
    """For how long it is noted what stages do."""

    seconds = serializers.FloatField(min_value=0, max_value=3600)
