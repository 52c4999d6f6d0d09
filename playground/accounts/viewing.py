"""Looking at a cluster as somebody else: kept in the session, until it is ended.

Pages and websockets of that one cluster ask its API as the other user then. What belongs to the
site, as deleting a cluster, stays a matter of who really signed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

KEY = "view_as"


@dataclass(frozen=True, slots=True)
class Viewing:
    """As whom a cluster is looked at. `cluster` is its uid: a new one of its name is another."""

    cluster: str
    name: str
    user: str
    groups: tuple[str, ...] = ()


def begin(session: Any, viewing: Viewing) -> None:
    """Look at a cluster as somebody from the next request on."""
    session[KEY] = asdict(viewing)


def end(session: Any) -> None:
    """Be oneself again."""
    session.pop(KEY, None)


def of_session(session: Mapping[str, Any]) -> Viewing | None:
    """Return what a session says, None where it says nothing."""
    kept = session.get(KEY)
    return Viewing(**{**kept, "groups": tuple(kept["groups"])}) if kept else None


class ViewAs(MiddlewareMixin):
    """Tells the user of a request as whom they look."""

    def process_request(self, request: HttpRequest) -> None:
        """Read the session."""
        if viewing := of_session(request.session):
            request.user.viewing = viewing  # type: ignore[union-attr]


class ViewAsSocket:
    """Does so for a websocket; to stand inside Channels' AuthMiddlewareStack."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # The session was read when the user was found: this asks no database.
        if viewing := of_session(scope["session"]):
            scope["user"].viewing = viewing
        await self._application(scope, receive, send)
