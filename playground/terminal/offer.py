"""What kind of shell somebody is offered here, or why none.

A sandbox is the rule. Where this machine cannot make one, the single user of a machine that nobody
else reaches may have a plain shell, once they have read what that means; a server that others can
reach offers none.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from playground.accounts.models import User

ACCEPTED = "plain_shell_accepted"


@dataclass(frozen=True, slots=True)
class Offer:
    """`kind` is shell, plain or none; `why` says why it is not a shell in a sandbox."""

    kind: str
    why: str = ""
    install: str = ""
    accepted: bool = False


def offer(user: User, session: Any, state: dict[str, Any]) -> Offer:
    """Return what a user is offered, given what the machine can do."""
    if state["sandbox"]:
        return Offer("shell")
    why = str(state["why"])
    install = f"apt-get install {' '.join(state['install'])}" if state["install"] else ""
    if not reached_by_one_alone():
        text = _(
            "Terminals are not offered: this server cannot put a shell into a sandbox, and others "
            "can reach it."
        )
        return Offer("none", f"{text} {why}", install)
    if not user.is_operator:
        text = _("Terminals are offered to the operator alone: this machine has no sandbox.")
        return Offer("none", f"{text} {why}", install)
    return Offer("plain", why, install, accepted=bool(session.get(ACCEPTED)))


def reached_by_one_alone() -> bool:
    """Tell whether the site listens on loopback, and is known by names of loopback alone."""
    names = {settings.BIND, urlsplit(settings.SITE_URL).hostname or "", *settings.ALLOWED_HOSTS}
    return all(_is_loopback(name.strip("[]")) for name in names)


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
