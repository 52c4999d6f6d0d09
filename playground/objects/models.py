"""What a user keeps of lists: filters with names."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class SavedFilter(models.Model):
    """A filter of one kind's list: the query string of its address. It is its user's alone."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=320, help_text="Plural and group: deployments.apps.")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000)

    class Meta:
        db_table = "saved_filter"
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind", "name"], name="saved_filter_by_name")
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"
