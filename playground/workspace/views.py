"""Pages of the workspace that belong to no cluster: settings, and the choice of a language."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from playground import pages
from playground.accounts.models import User
from playground.workspace import preferences
from playground.workspace.forms import PreferencesForm


@login_required
@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show and change what the user prefers."""
    own = preferences.of(request)
    names = PreferencesForm.base_fields
    form = PreferencesForm(
        request.POST or None, initial={name: getattr(own, name) for name in names}
    )
    if request.method == "POST" and form.is_valid():
        for name, value in form.cleaned_data.items():
            setattr(own, name, value)
        own.save()
        response = HttpResponseRedirect(f"{reverse('settings')}?saved")
        preferences.remember(response, own)
        return response
    context = {
        "form": form,
        "saved": "saved" in request.GET and request.method == "GET",
        "rail": [
            {"name": page.name, "title": str(page.title), "key": page.key}
            for page in pages.listed()
        ],
    }
    status = 422 if form.is_bound else 200
    return render(request, "workspace/settings.html", context, status=status)


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Choose a language, from any page and without having signed in."""
    wanted = request.POST.get("language", "")
    own = preferences.of(request)
    own.language = wanted if wanted in dict(settings.LANGUAGES) else ""
    if isinstance(request.user, User):
        own.save()
    translation.activate(preferences.language_of(request, own))
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        target = reverse("home")
    response = HttpResponseRedirect(target)
    preferences.remember(response, own)
    return response
