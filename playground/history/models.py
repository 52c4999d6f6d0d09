"""Bookmarks: revisions that somebody wants to find again."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

# A timeline with more flags than this shows nothing.
MOST = 100


class Bookmark(models.Model):
    """One revision of one cluster, marked by one person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="bookmarks")
    cluster = models.CharField(max_length=36, help_text="The cluster's uid.")
    revision = models.BigIntegerField()
    note = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar = ["revision"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "cluster", "revision"], name="one_bookmark"),
        ]

    def __str__(self) -> str:
        return f"{self.cluster} at {self.revision}"
