"""How Django knows the accounts: by the label that AUTH_USER_MODEL names."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users of the site, and the links that sign them in."""

    name = "playground.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Follow who signs in; tables may be read from now on."""
        from playground.accounts import sessions  # noqa: PLC0415

        sessions.follow()
