"""Serving files of a container over HTTP: what nginx, httpd and Python's server have in common."""

from __future__ import annotations

import posixpath
from email.utils import formatdate
from hashlib import md5

from nodes.network.http import Headers, HttpRequest, HttpResponse
from nodes.runtime.simulated.process import Process

_TYPES = {
    "html": "text/html",
    "htm": "text/html",
    "css": "text/css",
    "js": "application/javascript",
    "json": "application/json",
    "txt": "text/plain",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "ico": "image/x-icon",
    "xml": "text/xml",
    "yaml": "text/plain",
}


def content_type(path: str) -> str:
    """Return the media type for a file's name."""
    return _TYPES.get(path.rpartition(".")[2].lower(), "application/octet-stream")


def inside(root: str, path: str) -> str:
    """Return the file below `root` that a URL's path names; `..` never leads out of it."""
    return root.rstrip("/") + posixpath.normpath("/" + path.lstrip("/"))


def etag(data: bytes) -> str:
    """Return an entity tag for a content."""
    return f'"{md5(data, usedforsecurity=False).hexdigest()[:16]}"'


def http_date(seconds: float) -> str:
    """Print a time as HTTP does."""
    return formatdate(seconds, usegmt=True)


class FileServer:
    """Files below a directory, and listings of directories."""

    def __init__(self, process: Process, root: str, server: str, *, listing: bool = False) -> None:
        self._process = process
        self._root = root
        self._server = server
        self._listing = listing

    async def answer(self, request: HttpRequest) -> HttpResponse:
        self._process.work(0.0003)
        headers = Headers([("Server", self._server)] if self._server else [])
        headers.items.append(("Date", http_date(self._process.clock.seconds())))
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(501, headers)
        path = inside(self._root, request.path)
        fs = self._process.fs
        if fs.is_dir(path):
            index = fs.read(f"{path.rstrip('/')}/index.html")
            if index is None and self._listing:
                index = self._list(request.path, path)
            headers.items.append(("Content-Type", "text/html"))
            return HttpResponse(404 if index is None else 200, headers, index or b"Not Found\n")
        data = fs.read(path)
        if data is None:
            headers.items.append(("Content-Type", "text/html"))
            return HttpResponse(404, headers, b"<h1>404 Not Found</h1>\n")
        headers.items.append(("Content-Type", content_type(path)))
        return HttpResponse(200, headers, data)

    def _list(self, shown: str, path: str) -> bytes:
        rows = "".join(
            f'<li><a href="{name}">{name}</a></li>\n' for name in self._process.fs.names(path)
        )
        return f"<title>Directory listing for {shown}</title>\n<ul>\n{rows}</ul>\n".encode()
