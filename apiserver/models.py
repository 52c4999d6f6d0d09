"""The tables: clusters, what their objects are now, and every change that led there.

Only `apiserver.storage` touches them. `Object` can be told from `Change`; it is kept so that
opening a cluster reads no history. Nothing else may write `Cluster.revision`: the writer
compares it in every transaction, which is how it notices a second writer.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Cluster(models.Model):
    """One cluster, its counters and its keys."""

    name = models.CharField(max_length=253, unique=True)
    uid = models.CharField(max_length=36)
    owner = models.TextField(blank=True, default="", db_index=True)
    template = models.TextField(blank=True, default="")
    nodes = models.PositiveIntegerField(default=0)
    created = models.FloatField(help_text="Seconds since the Unix epoch.")
    revision = models.BigIntegerField(default=0)
    compacted = models.BigIntegerField(default=0)
    ca_cert = models.TextField(blank=True, default="")
    ca_key = models.TextField(blank=True, default="")
    sa_key = models.TextField(blank=True, default="")
    settings = models.JSONField(default=dict, blank=True)
    deleting = models.BooleanField(default=False)

    class Meta:
        db_table = "cluster"

    def __str__(self) -> str:
        return self.name


class Object(models.Model):
    """An object as it is now: its JSON, and what selectors ask of it."""

    pk = models.CompositePrimaryKey("cluster_id", "resource", "namespace", "name")
    cluster = models.ForeignKey(Cluster, models.DO_NOTHING, db_index=False, related_name="+")
    resource = models.TextField()
    namespace = models.TextField(blank=True)
    name = models.TextField()
    uid = models.TextField(blank=True)
    revision = models.BigIntegerField()
    body = models.BinaryField()
    attrs = models.BinaryField(help_text="JSON: [labels, selectable fields]; empty for neither.")

    class Meta:
        db_table = "object"

    def __str__(self) -> str:
        return f"{self.resource}/{self.namespace}/{self.name}"


class Change(models.Model):
    """One write: the whole object after it (before it, for a deletion), who, when and why."""

    pk = models.CompositePrimaryKey("cluster_id", "revision")
    cluster = models.ForeignKey(Cluster, models.DO_NOTHING, db_index=False, related_name="+")
    revision = models.BigIntegerField()
    resource = models.TextField()
    namespace = models.TextField(blank=True)
    name = models.TextField()
    type = models.CharField(max_length=8)
    uid = models.TextField(blank=True)
    body = models.BinaryField()
    attrs = models.BinaryField()
    at = models.FloatField(help_text="Seconds since the Unix epoch, by the cluster's clock.")
    actor = models.TextField(blank=True)
    trace = models.TextField(blank=True)

    class Meta:
        db_table = "change"
        indexes: ClassVar = [
            # The state at a past revision, and what an object was before a change.
            models.Index(
                fields=["cluster", "resource", "namespace", "name", "revision"],
                name="change_by_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.revision} {self.type} {self.resource}/{self.namespace}/{self.name}"
