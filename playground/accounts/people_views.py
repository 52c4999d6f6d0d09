"""The people page: everybody whom one manages, and the page of one of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from playground.accounts import people
from playground.accounts.forms import NewAccountForm
from playground.accounts.models import User
from playground.sandboxes import access, estates
from playground.sandboxes.gateway import gateway


@login_required
@require_http_methods(["GET", "POST"])
def everybody(request: HttpRequest) -> HttpResponse:
    """Show the accounts; make a new one, and lead to its page with a first link."""
    manager = access.signed_in(request.user)
    known = people.known_to(manager)
    form = NewAccountForm(manager, request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                made = people.create(
                    manager, form.cleaned_data["username"], form.cleaned_data["role"]
                )
            except ValidationError as error:
                for field, texts in people.wrong(error).items():
                    form.add_error(field if field in form.fields else None, texts)
            else:
                return _person(request, made, link=_link(request, made), made=True, status=201)
        status = 422
    counts = estates.counts(gateway().clusters())
    rows = [(user, counts.get(user.username, 0)) for user in known]
    context = {"people": rows, "form": form, "opened": status == 422}
    return render(request, "accounts/people.html", context, status=status)


@login_required
@require_GET
def person(request: HttpRequest, name: str) -> HttpResponse:
    """Show one account."""
    return _person(request, people.find(access.signed_in(request.user), name))


@login_required
@require_POST
def change(request: HttpRequest, name: str) -> HttpResponse:
    """Do to an account what the pressed button says."""
    manager = access.signed_in(request.user)
    user = people.find(manager, name)
    try:
        return _CHANGES[request.POST.get("do", "")](request, manager, user)
    except KeyError:
        return _person(request, user, problem=_("This page has no such button."), status=400)
    except ValidationError as error:
        user.refresh_from_db()
        return _person(request, user, problem=people.told(error), status=422)


def _role(request: HttpRequest, manager: User, user: User) -> HttpResponse:
    people.set_role(manager, user, request.POST.get("role", ""))
    estates.begin_anew(gateway(), user.username)
    text = _("%(name)s has the role %(role)s now.")
    return _back(request, user, text % {"name": user.username, "role": user.get_role_display()})


def _enable(request: HttpRequest, manager: User, user: User) -> HttpResponse:
    people.set_active(manager, user, active=True)
    return _back(request, user, _("%(name)s can sign in again.") % {"name": user.username})


def _disable(request: HttpRequest, manager: User, user: User) -> HttpResponse:
    people.set_active(manager, user, active=False)
    estates.shut_out(gateway(), user.username)
    text = _("%(name)s was signed out everywhere and cannot sign in.")
    return _back(request, user, text % {"name": user.username})


def _new_link(request: HttpRequest, manager: User, user: User) -> HttpResponse:
    return _person(request, user, link=_link(request, user))


def _reset(request: HttpRequest, manager: User, user: User) -> HttpResponse:
    path = people.link(user, resets=True)
    return _person(request, user, link=request.build_absolute_uri(path), resets=True)


def _delete(request: HttpRequest, manager: User, user: User) -> HttpResponse:
    if request.POST.get("confirm", "").strip() != user.username:
        text = _("This is not the account's name. Nothing was deleted.")
        return _person(request, user, problem=text, status=422)
    people.check_deletable(manager, user)
    estates.shut_out(gateway(), user.username)
    if request.POST.get("clusters") == "take":
        estates.hand_over(gateway(), user.username, manager.username)
    else:
        estates.delete(gateway(), user.username)
    people.delete(manager, user)
    messages.success(request, _("The account %(name)s was deleted.") % {"name": user.username})
    return HttpResponseRedirect(reverse("people"))


_CHANGES = {
    "role": _role,
    "enable": _enable,
    "disable": _disable,
    "link": _new_link,
    "reset": _reset,
    "delete": _delete,
}


def _back(request: HttpRequest, user: User, text: str) -> HttpResponse:
    messages.success(request, text)
    return HttpResponseRedirect(reverse("person", args=[user.username]))


def _link(request: HttpRequest, user: User) -> str:
    return request.build_absolute_uri(people.link(user))


def _person(request: HttpRequest, user: User, *, status: int = 200, **more: Any) -> HttpResponse:
    manager = access.signed_in(request.user)
    context = {
        "person": user,
        "roles": people.roles_of(manager),
        "own": manager.pk == user.pk,
        "clusters": estates.of(gateway().clusters(), user.username),
        **more,
    }
    return render(request, "accounts/person.html", context, status=status)
