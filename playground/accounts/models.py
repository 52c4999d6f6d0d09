"""A user has one role, and sessions; a sign-in link is kept as a hash and works once."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from playground.accounts.viewing import Viewing


class Role(models.TextChoices):
    """What a user may do.

    An operator does everything. An instructor makes accounts of learners, and looks at their
    clusters. A learner has clusters of their own.
    """

    OPERATOR = "operator", _("Operator")
    INSTRUCTOR = "instructor", _("Instructor")
    LEARNER = "learner", _("Learner")


class User(AbstractUser):
    """An account of the site; its name is also its name towards the Kubernetes API."""

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.LEARNER)

    # As whom they look at a cluster just now; set for each request, from its session.
    viewing: Viewing | None = None

    class Meta(AbstractUser.Meta):
        db_table = "site_user"

    @property
    def is_operator(self) -> bool:
        return self.role == Role.OPERATOR or self.is_superuser

    @property
    def manages_people(self) -> bool:
        return self.is_operator or self.role == Role.INSTRUCTOR


class Session(AbstractBaseSession):
    """A signed-in browser: whose it is and what it is, so that its owner can end it elsewhere."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    began = models.DateTimeField(null=True)
    seen = models.DateTimeField(null=True)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=300, blank=True)

    class Meta(AbstractBaseSession.Meta):
        db_table = "site_session"

    @property
    def public_id(self) -> str:
        """Return what names the session in addresses: the key itself would sign one in."""
        return hashlib.sha256(self.session_key.encode()).hexdigest()[:32]


class SignInLink(models.Model):
    """A link that signs one user in once. Only its hash is kept: a leaked table opens nothing."""

    token_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="sign_in_links")
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True, blank=True)
    # Whoever comes by it may choose a new password without knowing the old one.
    resets = models.BooleanField(default=False)

    class Meta:
        db_table = "site_sign_in_link"
        indexes: ClassVar = [models.Index(fields=["expires"], name="sign_in_link_by_expiry")]

    def __str__(self) -> str:
        return f"link of {self.user} until {self.expires:%Y-%m-%d %H:%M}"
