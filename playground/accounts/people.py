"""Accounts as those who manage them see them: made, given a role, let in, shut out, deleted.

An operator manages everybody, an instructor the learners. Nobody shuts themselves out, and the
last operator stays one. Pages, the REST API and the command of the operator all come through here.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from playground.accounts import links, sessions
from playground.accounts.models import Role, User


def known_to(manager: User) -> QuerySet[User]:
    """Return the accounts that somebody manages, by name. Raises PermissionDenied."""
    if manager.is_operator:
        return User.objects.order_by("username")
    if manager.manages_people:
        return User.objects.filter(role=Role.LEARNER).order_by("username")
    raise PermissionDenied(_("Accounts are managed by operators and instructors."))


def find(manager: User, name: str) -> User:
    """Return an account that somebody manages. Raises Http404, PermissionDenied."""
    found = known_to(manager).filter(username=name).first()
    if found is None:
        raise Http404(_("There is no account “%(name)s” that you manage.") % {"name": name})
    return found


def roles_of(manager: User) -> list[Role]:
    """Return the roles that somebody may give."""
    return list(Role) if manager.is_operator else [Role.LEARNER]


def create(manager: User, name: str, role: str = Role.LEARNER, password: str = "") -> User:
    """Make an account; without a password its owner comes in by link. Raises ValidationError."""
    known_to(manager)
    _check_role(manager, role)
    user = User(username=name, role=role)
    user.set_unusable_password()
    user.clean_fields(exclude={"password"})
    if User.objects.filter(username__iexact=name).exists():
        raise ValidationError({"username": _("There is an account of this name already.")})
    if password:
        set_password(user, password)
    else:
        user.save()
    return user


def set_password(user: User, password: str) -> None:
    """Give an account a password by the site's rules. Raises ValidationError."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    user.set_password(password)
    user.save()


def sign_out(user: User) -> None:
    """End every session of an account."""
    sessions.end_sessions(user)


def set_role(manager: User, user: User, role: str) -> None:
    """Give an account another role. Raises ValidationError, PermissionDenied."""
    _check_role(manager, role)
    with transaction.atomic():
        if role != Role.OPERATOR:
            _keep_an_operator(user)
        user.role = role
        user.save(update_fields=["role"])


def set_active(manager: User, user: User, active: bool) -> None:  # noqa: FBT001 - it is the value
    """Let an account in, or shut it out and end its sessions. Raises ValidationError."""
    with transaction.atomic():
        if not active:
            _not_oneself(manager, user)
            _keep_an_operator(user)
            sessions.end_sessions(user)
            user.sign_in_links.all().delete()
        user.is_active = active
        user.save(update_fields=["is_active"])


def link(user: User, *, resets: bool = False) -> str:
    """Return the path of a link that lets somebody in once. Raises ValidationError."""
    if not user.is_active:
        raise ValidationError(_("The account is disabled. Enable it before you make a link."))
    return links.link_for(user, resets=resets)


def check_deletable(manager: User, user: User) -> None:
    """Refuse what `delete` would refuse, before anything is done. Raises ValidationError."""
    _not_oneself(manager, user)
    _keep_an_operator(user)


def delete(manager: User, user: User) -> None:
    """Delete an account; its clusters are the caller's matter. Raises ValidationError."""
    with transaction.atomic():
        check_deletable(manager, user)
        user.delete()


def wrong(error: ValidationError) -> dict[str, list[str]]:
    """Return what an error says, by field; "" is the whole."""
    if hasattr(error, "error_dict"):
        return {field: list(texts) for field, texts in error.message_dict.items()}
    return {"": list(error.messages)}


def told(error: ValidationError) -> str:
    """Return what an error says as sentences."""
    texts: Iterable[list[str]] = wrong(error).values()
    return " ".join(text for each in texts for text in each)


def _check_role(manager: User, role: str) -> None:
    if role not in Role.values:
        raise ValidationError({"role": _("There is no such role.")})
    if role not in roles_of(manager):
        raise PermissionDenied(_("Instructors make accounts of learners alone."))


def _not_oneself(manager: User, user: User) -> None:
    if manager.pk == user.pk:
        raise ValidationError(_("This is your own account. Another operator can do this."))


def _keep_an_operator(user: User) -> None:
    others = User.objects.filter(role=Role.OPERATOR, is_active=True).exclude(pk=user.pk)
    if user.is_operator and not others.exists():
        raise ValidationError(_("This is the last operator. Make another one first."))
