"""Sign-in links: made for the operator when an instance starts, valid once and for a day."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from playground.accounts.models import Role, SignInLink, User

OPERATOR = "operator"
LIFETIME = timedelta(hours=24)
# 32 random bytes: guessing at 1,000 tries a second for a day hits with a chance of 1e-69.
TOKEN_BYTES = 32


def operator() -> User:
    """Return the operator's account, made if missing; it has no password until one is set."""
    user, made = User.objects.get_or_create(username=OPERATOR, defaults={"role": Role.OPERATOR})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def create_sign_in_link() -> str:
    """Return the path of a new link for the operator, and forget the expired ones."""
    return link_for(operator())


def link_for(user: User, *, resets: bool = False) -> str:
    """Return the path of a new link for `user`; one that resets forgets the password on use."""
    now = timezone.now()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    SignInLink.objects.filter(expires__lt=now).delete()
    SignInLink.objects.create(
        token_hash=_digest(token), user=user, expires=now + LIFETIME, resets=resets
    )
    return f"/sign-in/{token}"


def redeem(token: str) -> SignInLink | None:
    """Return the link, which has its user, or None: unknown, used or expired."""
    with transaction.atomic():
        now = timezone.now()
        # The update is the test: of two requests at once only one finds it unused.
        usable = SignInLink.objects.filter(
            token_hash=_digest(token), used__isnull=True, expires__gt=now, user__is_active=True
        )
        if usable.update(used=now) != 1:
            return None
        return SignInLink.objects.select_related("user").get(token_hash=_digest(token))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
