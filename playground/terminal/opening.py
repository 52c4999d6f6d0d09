"""From a user's wish to an order for the shells: their cluster, name and rights go in here."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, PermissionDenied

from playground.accounts.models import Session, User
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster
from playground.terminal.client import Shells, ShellsDown, ShellsRefused
from playground.terminal.offer import ACCEPTED, offer

# Kinds of terminals for which nothing runs on this machine.
IN_THE_CLUSTER = ("pod", "node")


class NotAccepted(APIException):
    """A plain shell was asked for by somebody who has not read what it is."""

    status_code = 428
    default_code = "not_accepted"


class NotOffered(PermissionDenied):
    """There is no shell here; the text says why and what to install."""

    default_code = "not_offered"


def login_of(session: Any) -> str:
    """Return what names a sign-in towards the shells; nothing for one without a session."""
    key = getattr(session, "session_key", None)
    return Session(session_key=key).public_id if key else ""


def open_terminal(
    shells: Shells, user: User, session: Any, cluster: Cluster, wish: dict[str, Any]
) -> dict[str, Any]:
    """Start a terminal. Raises NotOffered, NotAccepted, ShellProblem."""
    wanted = dict(wish)
    accepts = wanted.pop("accept", False)
    try:
        if wanted["kind"] not in IN_THE_CLUSTER:
            wanted["kind"] = _kind(shells, user, session, accepts=accepts)
        identity = access.identity(user, cluster)
        return shells.open(
            {
                **wanted,
                "owner": user.get_username(),
                "cluster": cluster.name,
                "uid": cluster.uid,
                "login": login_of(session),
                "user": identity.user,
                "groups": identity.groups,
            }
        )
    except (ShellsDown, ShellsRefused) as error:
        raise ShellProblem(error) from error


def _kind(shells: Shells, user: User, session: Any, *, accepts: bool) -> str:
    offered = offer(user, session, shells.state())
    if offered.kind == "none":
        raise NotOffered(" ".join(filter(None, (offered.why, offered.install))))
    if offered.kind == "plain" and not offered.accepted:
        if not accepts:
            raise NotAccepted(_("This shell would run without a sandbox. Accept that first."))
        session[ACCEPTED] = True
    return offered.kind


class ShellProblem(APIException):
    """What the process of shells said, with its status."""

    def __init__(self, error: ShellsDown | ShellsRefused) -> None:
        self.status_code = error.code if isinstance(error, ShellsRefused) else 503
        super().__init__(str(error), _CODES.get(self.status_code, "refused"))


_CODES = {429: "too_many_terminals", 502: "shell_failed", 503: "unavailable"}
