"""What a user prefers: kept with the user, so that it is the same in every browser."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Theme(models.TextChoices):
    """Light, dark, or what the system has."""

    SYSTEM = "system", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Motion(models.TextChoices):
    """Whether things move."""

    SYSTEM = "system", _("As the system")
    REDUCED = "reduce", _("Reduced")


class Preferences(models.Model):
    """One row for each user who has chosen something."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    theme = models.CharField(max_length=8, choices=Theme.choices, default=Theme.SYSTEM)
    motion = models.CharField(max_length=8, choices=Motion.choices, default=Motion.SYSTEM)
    # Empty: what the browser asks for.
    language = models.CharField(max_length=16, blank=True, default="")
    single_keys = models.BooleanField(default=True)
    # The keys of actions that the user chose: {"topology.fit": ["f"]}; an empty list is no key.
    keys: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "site_preferences"

    def __str__(self) -> str:
        return f"preferences of {self.user}"
