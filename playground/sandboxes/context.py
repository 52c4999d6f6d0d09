"""What the frame around every page needs: where one is, and which clusters one may go to."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from playground.accounts.models import User
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, GatewayError, gateway


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the switcher's clusters, asked for only by a page that shows them."""

    def clusters() -> list[Cluster]:
        user = getattr(request, "user", None)
        if not isinstance(user, User):
            return []
        try:
            return access.visible(user, gateway().clusters())
        except GatewayError:
            # The page itself says what is wrong; the frame only has nowhere to lead.
            return []

    return {"switcher": clusters}
