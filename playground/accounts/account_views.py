"""One's own account: the password, the browsers that are signed in, a link for another one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from playground.accounts import links, sessions
from playground.accounts.clients import browser_of
from playground.accounts.forms import password_form
from playground.accounts.models import Session, User

# In the session of one who came by a link that resets: the old password is not asked for.
MAY_RESET = "may_reset_password"


@login_required
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Show the account."""
    return _page(request)


@login_required
@sensitive_post_parameters()
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    """Take a new password; other browsers are signed out, since the old one may be known."""
    form = password_form(_user(request), knows=_knows(request), data=request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    user = form.save()
    update_session_auth_hash(request, user)
    request.session.pop(MAY_RESET, None)
    ended = sessions.end_sessions(user, but=request.session.session_key)
    text = _("The password was changed.")
    if ended:
        text += " " + ngettext(
            "One other browser was signed out.", "%(n)d other browsers were signed out.", ended
        ) % {"n": ended}
    messages.success(request, text)
    return HttpResponseRedirect(reverse("account"))


@login_required
@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """Sign out one other browser, or all others."""
    user, wanted = _user(request), request.POST.get("session", "")
    if wanted == "others":
        sessions.end_sessions(user, but=request.session.session_key)
    elif found := next((one for one in _others(request) if one.public_id == wanted), None):
        found.delete()
    messages.success(request, _("Signed out there."))
    return HttpResponseRedirect(reverse("account"))


@login_required
@require_POST
def make_link(request: HttpRequest) -> HttpResponse:
    """Show a link that signs in another browser, once."""
    link = request.build_absolute_uri(links.link_for(_user(request)))
    return _page(request, link=link)


def session_rows(user: User, current: str | None) -> list[dict[str, Any]]:
    """Return the browsers where somebody is signed in, this one first, then the latest used."""
    alive = Session.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-seen")
    rows = [
        {
            "id": one.public_id,
            "browser": browser_of(one.agent),
            "address": one.address or "",
            "began": one.began,
            "seen": one.seen,
            "current": one.session_key == current,
        }
        for one in alive
    ]
    return sorted(rows, key=lambda row: not row["current"])


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - login_required saw to it
    return request.user


def _others(request: HttpRequest) -> list[Session]:
    mine = Session.objects.filter(user=_user(request))
    return list(mine.exclude(session_key=request.session.session_key))


def _knows(request: HttpRequest) -> bool:
    return _user(request).has_usable_password() and not request.session.get(MAY_RESET)


def _page(
    request: HttpRequest,
    *,
    form: SetPasswordForm[User] | None = None,
    link: str = "",
    status: int = 200,
) -> HttpResponse:
    user = _user(request)
    rows = session_rows(user, request.session.session_key)
    context = {
        "form": form or password_form(user, knows=_knows(request)),
        "resets": bool(request.session.get(MAY_RESET)),
        "sessions": rows,
        "others": any(not row["current"] for row in rows),
        "link": link,
    }
    return render(request, "accounts/account.html", context, status=status)
