"""An answer that fails in the middle ends its connection, so that nobody waits for the rest.

Daphne cannot answer 500 once an answer has begun: it would keep the connection open, and stop to
look after all others.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

log = logging.getLogger("kubeground.site")

# Told to the server instead of the rest.
BREAK_OFF = "kubeground.break"

Application = Callable[[Any, Any, Any], Awaitable[None]]


def breaking(application: Application) -> Application:
    """Return an application that tells the server where it cannot end an answer."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        begun = False

        async def noted(message: Any) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await application(scope, receive, noted)
        except Exception:
            if not begun:
                raise
            log.exception("an answer broke off: %s", scope["path"])
            await send({"type": BREAK_OFF})

    return serve
