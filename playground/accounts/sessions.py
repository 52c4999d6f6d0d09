"""Sessions in the database, each known to be somebody's: how long they last, and ending them.

A session gets a new key when its owner signs in or changes the password. It ends when nobody has
used it for two weeks, 30 days after it began, or when its owner ends it from another browser. Of
each is known whose it is, since when, from where and with which browser.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends import db
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

from playground.accounts.clients import address_of
from playground.accounts.models import Session, User

# What a session knows of itself: [began, last seen, address, browser].
ABOUT = "about"
LONGEST_SECONDS = 30 * 24 * 3600
# A session that is in use is written so often: one row in ten minutes, whatever one does.
SEEN_EVERY_SECONDS = 600
_LONGEST_AGENT = 300


class SessionStore(db.SessionStore):
    """Django's own store, in a table that says whose each session is."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return the row of a session."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        row.user_id = data.get(USER_KEY)
        if about := data.get(ABOUT):
            began, seen, row.address, row.agent = about
            row.began, row.seen = (datetime.fromtimestamp(at, UTC) for at in (began, seen))
        return row


class Lifetime(MiddlewareMixin):
    """Ends sessions that have lasted long enough; renews those that are in use."""

    def process_request(self, request: HttpRequest) -> None:
        """Look at the clock."""
        about = request.session.get(ABOUT)
        if about is None:
            return
        now = time.time()  # noqa: TID251 - of browsers, not of clusters
        if now - about[0] > LONGEST_SECONDS:
            logout(request)
        elif now - about[1] > SEEN_EVERY_SECONDS:
            request.session[ABOUT] = [about[0], now, *about[2:]]


def note(sender: type, request: HttpRequest | None, user: User, **_more: Any) -> None:
    """Write down from where somebody has signed in."""
    if request is not None:
        now = time.time()  # noqa: TID251 - of browsers, not of clusters
        agent = request.headers.get("User-Agent", "")[:_LONGEST_AGENT]
        request.session[ABOUT] = [now, now, address_of(request), agent]


def follow() -> None:
    """Hear of everybody who signs in."""
    user_logged_in.connect(note, dispatch_uid="playground.accounts.sessions")


def end_sessions(user: User, but: str | None = None) -> int:
    """Sign somebody out everywhere, but for the session of one key; return of how many."""
    count, _ = Session.objects.filter(user=user).exclude(session_key=but).delete()
    return count
