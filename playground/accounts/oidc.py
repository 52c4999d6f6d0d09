"""Sign-in by an OpenID provider: django-allauth speaks with it, accounts and roles are ours.

The library keeps whose subject is which account; everything after the provider has said who
somebody is happens here. A name that a local account has already is not handed to anybody.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthError
from django.conf import settings
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from requests import RequestException

from playground.accounts.models import Role, User
from playground.accounts.oidc_settings import configured
from playground.accounts.views import BACKEND, refuse

log = logging.getLogger("kubeground.site")

_TIMEOUT = 10.0
# What a provider says of a site that it does not know, or whose secret is wrong (RFC 6749, 5.2).
_UNKNOWN_SITE = ("invalid_client", "unauthorized_client")


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """What the library leaves to the site."""

    def get_requests_session(self) -> Any:
        """Return how the provider is asked: by its own CA, and not for ever."""
        session = super().get_requests_session()
        # Said with each request: of a session, the machine's environment would know better.
        verify = configured().ca_file or True
        session.request = functools.partial(session.request, timeout=_TIMEOUT, verify=verify)
        return session

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Sign in whom the provider has named; the library's own way ends here."""
        try:
            user = _account(sociallogin)
        except ValidationError as error:
            raise ImmediateHttpResponse(refuse(request, " ".join(error.messages), 403)) from error
        login(request, user, backend=BACKEND)
        wanted = sociallogin.state.get("next") or ""
        if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
            wanted = settings.LOGIN_REDIRECT_URL
        raise ImmediateHttpResponse(HttpResponseRedirect(wanted))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """Say on the sign-in page what went wrong."""
        name = configured().name
        if isinstance(exception, RequestException):
            log.warning("the OpenID provider does not answer: %s", exception)
            text = _("%(name)s does not answer. Try again, or sign in otherwise.")
        elif exception is not None:
            log.warning("the OpenID provider's answer was refused: %s", exception)
            if any(code in str(exception) for code in _UNKNOWN_SITE):
                text = _(
                    "%(name)s does not accept this site. Whoever runs the site has to look at its"
                    " client ID and secret."
                )
            else:
                text = _("%(name)s did not confirm who you are. Try again.")
        elif error == AuthError.CANCELLED or request.GET.get("error"):
            text = _("You did not finish signing in at %(name)s.")
        else:
            text = _("This sign-in at %(name)s is too old, or was begun elsewhere. Try again.")
        raise ImmediateHttpResponse(refuse(request, text % {"name": name}, 403))


def _account(sociallogin: SocialLogin) -> User:
    """Return the account of whom the provider has named, made or changed as claims say."""
    claims = sociallogin.account.extra_data.get("id_token") or {}
    user = sociallogin.user if sociallogin.is_existing else _new_account(sociallogin, claims)
    if not user.is_active:
        raise ValidationError(_("Your account is disabled. Ask an operator."))
    role = role_of(claims)
    if role is not None and role != user.role:
        user.role = role
        user.save(update_fields=["role"])
    return user


def _new_account(sociallogin: SocialLogin, claims: Mapping[str, Any]) -> User:
    oidc = configured()
    name = str(claims.get(oidc.username_claim) or "")
    if not name:
        text = _("%(name)s does not say what you are called: the claim “%(claim)s” is missing.")
        raise ValidationError(text % {"name": oidc.name, "claim": oidc.username_claim})
    user = User(username=name, email=str(claims.get("email") or "")[:254])
    user.set_unusable_password()
    try:
        user.clean_fields(exclude={"password", "email"})
    except ValidationError as error:
        raise ValidationError(_("“%(name)s” cannot be a name here.") % {"name": name}) from error
    if User.objects.filter(username__iexact=name).exists():
        text = _("There is another account called “%(name)s”. Ask an operator.")
        raise ValidationError(text % {"name": name})
    user.save()
    sociallogin.account.user = user
    sociallogin.account.save()
    return user


def role_of(claims: Mapping[str, Any]) -> Role | None:
    """Return the role that claims give, None where roles are given here and not there."""
    oidc = configured()
    if not oidc.role_claim:
        return None
    found: Any = claims
    for part in oidc.role_claim.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    values = {found} if isinstance(found, str) else set(map(str, found or ()))
    if values & set(oidc.operators):
        return Role.OPERATOR
    return Role.INSTRUCTOR if values & set(oidc.instructors) else Role.LEARNER
