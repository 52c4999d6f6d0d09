"""Ends shells whose user has signed out, lost the account or the cluster, or whose cluster is gone.

One round every few seconds for the whole site, while there are shells; a sign-out is told at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest
from django.utils.translation import gettext as _

from playground.accounts.models import Session, User
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, GatewayError, gateway
from playground.terminal.client import ShellsError, shells
from playground.terminal.opening import login_of

log = logging.getLogger("kubeground.site")

EVERY = 5.0


class Keeper:
    """Goes round while there is something to look after."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Go round from now on; called whenever somebody looks at a shell."""
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                if not await database_sync_to_async(look)():
                    return
            except Exception:
                log.exception("terminals could not be looked after")


KEEPER = Keeper()


def look() -> bool:
    """End what must end; tell whether shells are left."""
    try:
        running = [one for one in shells().sessions() if one["running"]]
        clusters: list[Cluster] | None
        try:
            clusters = gateway().clusters() if running else []
        except GatewayError:
            clusters = None  # it restarts; that is no reason to end anything
        for one, why in wrong(running, clusters):
            shells().end(one["id"], why)
    except ShellsError as error:
        log.debug("no shells to look after: %s", error)
        return False
    return bool(running)


def wrong(
    running: Iterable[dict[str, Any]], clusters: list[Cluster] | None
) -> Iterable[tuple[dict[str, Any], str]]:
    """Yield the shells that must end, and why."""
    users: dict[str, tuple[User | None, set[str]]] = {}
    for one in running:
        name = one["owner"]
        if name not in users:
            user = User.objects.filter(username=name, is_active=True).first()
            rows = Session.objects.filter(user=user) if user else ()
            users[name] = user, {row.public_id for row in rows}
        user, logins = users[name]
        if user is None:
            yield one, _("The account was closed.")
        elif one["login"] and one["login"] not in logins:
            yield one, _("You signed out.")
        elif clusters is not None and (why := _without_cluster(user, one, clusters)):
            yield one, why


def _without_cluster(user: User, one: dict[str, Any], clusters: list[Cluster]) -> str:
    cluster = next((each for each in clusters if each.uid == one["uid"]), None)
    if cluster is None:
        return _("The cluster was deleted.")
    return "" if access.visible(user, [cluster]) else _("The cluster is no longer yours to see.")


def _signed_out(sender: type, request: HttpRequest | None, **_more: Any) -> None:
    """End the shells of a sign-in that ends."""
    login = login_of(getattr(request, "session", None))
    if not login:
        return
    try:
        shells().end_all(_("You signed out."), login=login)
    except ShellsError as error:
        log.debug("no shells to end: %s", error)


def follow() -> None:
    """Hear of everybody who signs out."""
    user_logged_out.connect(_signed_out, dispatch_uid="playground.terminal")
