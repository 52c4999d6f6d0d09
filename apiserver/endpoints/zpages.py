"""/statusz and /flagz: the server itself in lines of text, for people."""

from __future__ import annotations

from datetime import datetime

from apiserver.endpoints.negotiation import takes_text
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.version import VERSION

COMPONENT = "kube-apiserver"
_TEXT = "text/plain; charset=utf-8"
_WARNING = (
    "Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility "
    "guarantees and is for debugging purposes only."
)


def flagz(request: ApiRequest) -> Answer:
    """List the flags with their values."""
    flags = sorted(request.api.options.flags)
    lines = ["", f"{COMPONENT} flags", _WARNING, "", *(f"{name}={value}" for name, value in flags)]
    return _page(request, lines)


def statusz(request: ApiRequest, paths: list[str]) -> Answer:
    """Say since when what version serves which paths."""
    api = request.api
    started = datetime.fromtimestamp(api.started, api.clock.now().tzinfo)
    up = int(api.clock.seconds() - api.started)
    folders = dict.fromkeys("/" + path.split("/")[1] for path in paths)
    lines = [
        "",
        f"{COMPONENT} statusz",
        _WARNING,
        "",
        f"Started: {started:%a %b %e %H:%M:%S UTC %Y}",
        f"Up: {up // 3600} hr {up // 60 % 60:02} min {up % 60:02} sec",
        f"Go version: {VERSION['goVersion']}",
        f"Binary version: {VERSION['gitVersion'].removeprefix('v')}",
        f"Emulation version: {VERSION['major']}.{VERSION['minor']}",
        f"Useful Endpoints:  {' '.join(folders)}",
    ]
    return _page(request, lines)


def _page(request: ApiRequest, lines: list[str]) -> Answer:
    if not takes_text(request.headers.get("accept", "")):
        headers = {"X-Content-Type-Options": "nosniff"}
        wrong = b"media type not acceptable, must be: text/plain\n"
        return Answer(406, text=wrong, content_type=_TEXT, headers=headers)
    return Answer(text="\n".join([*lines, ""]).encode(), content_type=_TEXT)
