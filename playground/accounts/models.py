"""A user has one role; a sign-in link is kept as a hash and works once."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a user may do: an operator sees every cluster, a learner their own."""

    OPERATOR = "operator", "Operator"
    LEARNER = "learner", "Learner"


class User(AbstractUser):
    """An account of the site; its name is also its name towards the Kubernetes API."""

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.LEARNER)

    class Meta(AbstractUser.Meta):
        db_table = "site_user"

    @property
    def is_operator(self) -> bool:
        return self.role == Role.OPERATOR or self.is_superuser


class SignInLink(models.Model):
    """A link that signs one user in once. Only its hash is kept: a leaked table opens nothing."""

    token_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="sign_in_links")
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "site_sign_in_link"
        indexes: ClassVar = [models.Index(fields=["expires"], name="sign_in_link_by_expiry")]

    def __str__(self) -> str:
        return f"link of {self.user} until {self.expires:%Y-%m-%d %H:%M}"
