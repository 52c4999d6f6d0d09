"""The site as an ASGI application: static files, pages and REST, websockets.

Files are answered before Django: a page costs its own request alone.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

import django
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
django.setup(set_prefix=False)

# What follows needs the apps to be loaded.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from playground.accounts.viewing import ViewAsSocket  # noqa: E402
from playground.breaking import breaking  # noqa: E402
from playground.files import BUILT, Files  # noqa: E402
from playground.objects.routing import websocket_urlpatterns as objects_sockets  # noqa: E402
from playground.origins import OurPagesAlone  # noqa: E402
from playground.terminal.routing import websocket_urlpatterns as terminal_sockets  # noqa: E402
from playground.topology.routing import websocket_urlpatterns as topology_sockets  # noqa: E402
from playground.tracing.routing import websocket_urlpatterns as tracing_sockets  # noqa: E402
from playground.workspace.routing import websocket_urlpatterns as workspace_sockets  # noqa: E402

SOCKETS = [
    *topology_sockets,
    *objects_sockets,
    *terminal_sockets,
    *tracing_sockets,
    *workspace_sockets,
]


def _hashed(path: str, url: str) -> bool:
    """Tell whether a file's name changes with its content, so that it may be kept for ever."""
    return url.startswith(BUILT) and Path(path).suffix != ".json"


def _harden(headers: Headers, path: str, url: str) -> None:
    """Let no browser guess a file's type, and none outside the site read it."""
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


def _with_files(application: Any) -> Files:
    """Serve static/ and the files that packages bring, then the application."""
    import django_htmx  # noqa: PLC0415 - for its directory alone

    server = Files(
        application,
        built=settings.BASE_DIR / "static" / "dist",
        immutable_file_test=_hashed,
        max_age=3600,
        allow_all_origins=False,
        add_headers_function=_harden,
    )
    for directory in settings.STATICFILES_DIRS:
        server.add_files(str(directory), prefix="static/")
    packaged = Path(django_htmx.__file__).parent / "static"
    server.add_files(str(packaged), prefix="static/")
    return server


application = ProtocolTypeRouter(
    {
        "http": breaking(_with_files(get_asgi_application())),
        "websocket": AllowedHostsOriginValidator(
            OurPagesAlone(AuthMiddlewareStack(ViewAsSocket(URLRouter(SOCKETS))))
        ),
    }
)
