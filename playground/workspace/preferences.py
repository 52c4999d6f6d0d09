"""How what a user prefers reaches a page: the language it is in, and attributes of its root.

Who has not signed in is known by two cookies, so that the page to sign in looks as it did before.
"""

from __future__ import annotations

from typing import Any, cast

import orjson
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject

from playground.accounts.models import User
from playground.sandboxes.templatetags.site import language_tag as tag
from playground.workspace.models import Preferences, Theme

LANGUAGE_COOKIE = settings.LANGUAGE_COOKIE_NAME
THEME_COOKIE = "kubeground_theme"
COOKIE_SECONDS = 365 * 24 * 3600


def of(request: HttpRequest) -> Preferences:
    """Return what whoever asks prefers; an unsaved row stands for "nothing chosen"."""
    user = getattr(request, "user", None)
    if isinstance(user, User):
        return Preferences.objects.filter(pk=user.pk).first() or Preferences(user=user)
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return Preferences(
        theme=theme if theme in Theme.values else Theme.SYSTEM,
        language=_known(request.COOKIES.get(LANGUAGE_COOKIE, "")),
    )


def language_of(request: HttpRequest, preferences: Preferences) -> str:
    """Return the language of a page: the one chosen, else the best that the browser asks for."""
    return _known(preferences.language) or translation.get_language_from_request(request)


def remember(response: HttpResponseBase, preferences: Preferences) -> None:
    """Let the browser know what pages before signing in need."""
    for name, value in ((THEME_COOKIE, preferences.theme), (LANGUAGE_COOKIE, preferences.language)):
        if value:
            response.set_cookie(
                name,
                value,
                max_age=COOKIE_SECONDS,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
            )
        else:
            response.delete_cookie(name, samesite="Lax")


def _known(language: str) -> str:
    return language if language in dict(settings.LANGUAGES) else ""


class PreferencesMiddleware(MiddlewareMixin):
    """Puts `preferences` on the request and speaks the language that it says."""

    def process_request(self, request: HttpRequest) -> None:
        """Choose the language before any view runs."""
        preferences = SimpleLazyObject(lambda: of(request))
        request.preferences = preferences  # type: ignore[attr-defined]
        translation.activate(language_of(request, cast(Preferences, preferences)))
        request.LANGUAGE_CODE = translation.get_language()

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Tell the language, except of files and JSON that have none."""
        if response.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Language", tag(translation.get_language() or "en"))
        return response


def context(request: HttpRequest) -> dict[str, Any]:
    """Return what base.html puts on the root of every page."""
    preferences = getattr(request, "preferences", None) or Preferences()
    return {
        "preferences": preferences,
        "preferred_keys": orjson.dumps(preferences.keys).decode(),
        "html_lang": tag(translation.get_language() or settings.LANGUAGE_CODE),
        "language": translation.get_language(),
        "languages": settings.LANGUAGES,
        "themes": Theme.choices,
    }
