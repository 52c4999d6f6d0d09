"""How Django knows the terminals: they have no tables, the process of shells keeps everything."""

from __future__ import annotations

from django.apps import AppConfig


class TerminalConfig(AppConfig):
    """Terminals as the site shows them."""

    name = "playground.terminal"
    label = "terminal"

    def ready(self) -> None:
        """Hear of everybody who signs out."""
        from playground.terminal import keeper  # noqa: PLC0415 - models are there only now

        keeper.follow()
