"""What is broken of an API server on purpose: it is slow, or credentials count as expired.

Nothing is, unless the composition root says so; then a request finds out after authentication,
before it takes anybody's turn.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from apimachinery.errors import Unauthorized

if TYPE_CHECKING:
    from apiserver.endpoints.request import ApiRequest

STAGE = "slow API server"


class Trouble:
    """False while all is well, so that asking costs next to nothing."""

    __slots__ = ("delay", "expired")

    def __init__(self) -> None:
        # Seconds that each request takes longer; real ones, as are a client's timeouts.
        self.delay = 0.0
        # Users whose certificates and tokens are refused.
        self.expired: set[str] = set()

    def __bool__(self) -> bool:
        return self.delay > 0 or bool(self.expired)

    async def meet(self, request: ApiRequest) -> None:
        """Hold a request up, or refuse it. Raises Unauthorized."""
        user = request.real_user or request.user
        if user is not None and user.name in self.expired:
            raise Unauthorized
        if self.delay:
            await asyncio.sleep(self.delay)
            request.trace.stage(STAGE, f"{self.delay * 1000:.0f} ms longer, on purpose")
