"""Signing in and out, and the pages for what cannot be answered."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from playground.accounts import links, throttle
from playground.accounts.account_views import MAY_RESET
from playground.accounts.forms import SignInForm
from playground.accounts.models import User
from playground.accounts.oidc_settings import PROVIDER

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by name and password."""
    target = _target(request)
    if request.method == "GET":
        if request.user.is_authenticated:
            return HttpResponseRedirect(target)
        return _page(request, SignInForm())
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    name = form.cleaned_data["username"]
    if minutes := throttle.blocked(request, name):
        form.add_error(None, _too_many(minutes))
        return _page(request, form, status=429)
    user = authenticate(request, username=name, password=form.cleaned_data["password"])
    if not isinstance(user, User):
        throttle.failed(request, name)
        form.add_error(None, _("This user name and password do not belong together."))
        return _page(request, form, status=422)
    throttle.succeeded(name)
    login(request, user)
    return HttpResponseRedirect(target)


@require_GET
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in by a link that works once."""
    if minutes := throttle.blocked(request, ""):
        return refuse(request, _too_many(minutes), 429)
    link = links.redeem(token)
    if link is None:
        throttle.failed(request, "")
        if request.user.is_authenticated:
            return HttpResponseRedirect(settings.LOGIN_REDIRECT_URL)
        text = _("This link was used already, or it is older than 24 hours.")
        return refuse(request, text, 403, by_link=True)
    login(request, link.user, backend=BACKEND)
    if link.resets:
        request.session[MAY_RESET] = True
        return HttpResponseRedirect(reverse("account"))
    return HttpResponseRedirect(settings.LOGIN_REDIRECT_URL)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return HttpResponseRedirect(settings.LOGIN_URL)


def _too_many(minutes: int) -> str:
    text = ngettext(
        "Too many attempts. Wait a minute, then try again.",
        "Too many attempts. Wait %(minutes)d minutes, then try again.",
        minutes,
    )
    return text % {"minutes": minutes}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer what cannot be understood."""
    return _problem(request, 400, _("This request makes no sense"), _("Nothing was changed."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer what the user may not do."""
    text = str(exception) if exception and str(exception) else _("Nothing was changed.")
    return _problem(request, 403, _("You may not do this"), text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form from elsewhere, or from before the session ended."""
    title = _("This form is too old")
    return _problem(request, 403, title, _("Nothing was changed. Open the page again and repeat."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an address that leads nowhere."""
    text = str(exception.args[0]) if exception and exception.args else ""
    if not text or "tried" in text or "{" in text:
        text = _("No page has this address.")
    return _problem(request, 404, _("Not found"), text)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a fault of ours; it is in the log."""
    text = _("The site met an error of its own and wrote it to its log. Your clusters go on.")
    return _problem(request, 500, _("This page failed"), text)


def _problem(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    context = {"status": status, "title": title, "text": text}
    return render(request, "problem.html", context, status=status)


def _page(request: HttpRequest, form: SignInForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "next": _target(request), "oidc": _oidc()}
    return render(request, "accounts/sign_in.html", context, status=status)


def refuse(request: HttpRequest, text: str, status: int, *, by_link: bool = False) -> HttpResponse:
    """Say on the sign-in page why somebody does not come in."""
    target = settings.LOGIN_REDIRECT_URL
    context = {"form": SignInForm(), "refused": text, "next": target, "oidc": _oidc()}
    # Where there are more of them is of no use to others.
    context["by_link"] = by_link
    return render(request, "accounts/sign_in.html", context, status=status)


def _oidc() -> dict[str, str] | None:
    """Return the other way in, if there is one: what it is called, and where it begins."""
    if settings.OIDC is None:
        return None
    return {"name": settings.OIDC.name, "url": reverse("openid_connect_login", args=[PROVIDER])}


def _target(request: HttpRequest) -> str:
    """Return where to go afterwards: a page of this site, whatever the address says."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        return wanted
    return settings.LOGIN_REDIRECT_URL
