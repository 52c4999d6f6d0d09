"""Websockets are opened by pages of this very site, port included.

Cookies are shared by all ports of a host, so a page of another server on this machine could open
one otherwise, look, and type.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings


class OurPagesAlone:
    """Refuses a websocket before it is accepted: the browser gets a plain 403."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        application = self._application if from_our_pages(scope) else WebsocketDenier()
        await application(scope, receive, send)


def from_our_pages(scope: Any) -> bool:
    """Tell whether the site's own page has opened a websocket."""
    headers = dict(scope["headers"])
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1"))
    host = headers.get(b"host", b"").decode("latin-1")
    if not origin.netloc:
        return False
    ours = urlsplit(settings.SITE_URL)
    return origin.netloc == host or (origin.scheme, origin.netloc) == (ours.scheme, ours.netloc)
