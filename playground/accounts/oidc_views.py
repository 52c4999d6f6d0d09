"""The two addresses of sign-in by an OpenID provider, for when it does not answer."""

from __future__ import annotations

import functools
from collections.abc import Callable

from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from requests import RequestException

from playground.accounts.oidc import log
from playground.accounts.oidc_settings import configured
from playground.accounts.views import refuse

View = Callable[[HttpRequest, str], HttpResponse]


def _answered(view: View) -> View:
    @functools.wraps(view)
    def wrapped(request: HttpRequest, provider_id: str) -> HttpResponse:
        try:
            return view(request, provider_id)
        except RequestException as error:
            log.warning("the OpenID provider does not answer: %s", error)
            text = _("%(name)s does not answer. Try again, or sign in otherwise.")
            return refuse(request, text % {"name": configured().name}, 503)

    return wrapped


def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider by a page of ours: from a form no redirect may leave the site.

    Who reloads what came of it begins again.
    """
    if request.method != "POST":
        return HttpResponseRedirect(settings.LOGIN_URL)
    response: HttpResponse = views.login(request, provider_id)
    if not isinstance(response, HttpResponseRedirect):
        return response
    context = {"url": response.url, "name": configured().name}
    return render(request, "accounts/leaving.html", context)


# Named as the library looks for them.
urlpatterns = [
    path("oidc/<slug:provider_id>/login/", _answered(login), name="openid_connect_login"),
    path(
        "oidc/<slug:provider_id>/login/callback/",
        _answered(views.callback),
        name="openid_connect_callback",
    ),
]
