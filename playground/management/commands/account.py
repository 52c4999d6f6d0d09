"""`python manage.py account`: accounts of the site, for whoever has the machine.

    account list
    account add NAME [--role ROLE] [--password]     prints a sign-in link
    account link NAME                               prints another one
    account reset NAME [--password]                 prints a link that resets the password
    account role NAME ROLE
    account disable NAME / account enable NAME
    account delete NAME

`--password` reads the password from standard input instead, and asks for it at a terminal. Who can
run this can read the database, so nobody's rights are asked for.
"""

from __future__ import annotations

import getpass
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.http import Http404

from playground.accounts import people
from playground.accounts.links import operator
from playground.accounts.models import Role, User


class Command(BaseCommand):
    """Manage accounts."""

    help = "Make, change and delete accounts of the site; print links that sign in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data-dir", help="of the instance; the environment names it too")
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="print the accounts")
        for name, what in (
            ("add", "make an account"),
            ("link", "print a link that signs in once"),
            ("reset", "let somebody choose a new password"),
            ("role", "give a role"),
            ("disable", "sign somebody out everywhere, and keep them out"),
            ("enable", "let somebody in again"),
            ("delete", "delete an account; its clusters become the operator's"),
        ):
            action = actions.add_parser(name, help=what)
            action.add_argument("name")
            if name == "add":
                action.add_argument("--role", choices=Role.values, default=Role.LEARNER.value)
            if name == "role":
                action.add_argument("role", choices=Role.values)
            if name in ("add", "reset"):
                action.add_argument(
                    "--password", action="store_true", help="read one from standard input"
                )

    def handle(self, *args: Any, **options: Any) -> None:
        _check_instance(options["data_dir"])
        try:
            getattr(self, f"_{options['action']}")(options)
        except ValidationError as error:
            raise CommandError(people.told(error)) from error
        except Http404 as error:
            raise CommandError(f"there is no account {options['name']!r}") from error

    def _list(self, options: dict[str, Any]) -> None:
        for user in people.known_to(operator()):
            state = "" if user.is_active else "  disabled"
            self.stdout.write(f"{user.username:<24}{user.role:<12}{state}".rstrip())

    def _add(self, options: dict[str, Any]) -> None:
        password = _password() if options["password"] else ""
        user = people.create(operator(), options["name"], options["role"], password)
        if not password:
            self._print(people.link(user))

    def _link(self, options: dict[str, Any]) -> None:
        self._print(people.link(_find(options)))

    def _reset(self, options: dict[str, Any]) -> None:
        user = _find(options)
        if options["password"]:
            people.set_password(user, _password())
            people.sign_out(user)
        else:
            self._print(people.link(user, resets=True))

    def _role(self, options: dict[str, Any]) -> None:
        user = _find(options)
        people.set_role(operator(), user, options["role"])
        self._end_kubeconfigs("begin_anew", user)

    def _disable(self, options: dict[str, Any]) -> None:
        user = _find(options)
        people.set_active(operator(), user, active=False)
        self._end_kubeconfigs("shut_out", user)

    def _end_kubeconfigs(self, how: str, user: User) -> None:
        from playground.sandboxes import estates  # noqa: PLC0415 - needs the worker
        from playground.sandboxes.gateway import GatewayError, gateway  # noqa: PLC0415

        try:
            getattr(estates, how)(gateway(), user.username)
        except (GatewayError, OSError):
            self.stderr.write(
                f"The clusters do not answer: kubeconfigs of {user.username} count again once they "
                "do. Give this command once more then."
            )

    def _enable(self, options: dict[str, Any]) -> None:
        people.set_active(operator(), _find(options), active=True)

    def _delete(self, options: dict[str, Any]) -> None:
        from playground.sandboxes import estates  # noqa: PLC0415 - needs the worker
        from playground.sandboxes.gateway import gateway  # noqa: PLC0415

        user = _find(options)
        people.check_deletable(operator(), user)
        estates.shut_out(gateway(), user.username)
        estates.hand_over(gateway(), user.username, operator().username)
        people.delete(operator(), user)

    def _print(self, path: str) -> None:
        self.stdout.write(f"{settings.SITE_URL}{path}")


def _find(options: dict[str, Any]) -> User:
    return people.find(operator(), options["name"])


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")


def _check_instance(data_dir: str | None) -> None:
    """Refuse to make a second database by mistake: settings were read before the arguments."""
    if data_dir is not None and Path(data_dir).resolve() != settings.DATA_DIR:
        raise CommandError(f"set KUBEGROUND_DATA_DIR={data_dir} for this command instead")
    if not os.environ.get("DATABASE_URL") and not settings.DATA_DIR.is_dir():
        raise CommandError(f"there is no instance in {settings.DATA_DIR}")
