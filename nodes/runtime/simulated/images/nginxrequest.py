"""One request in nginx: its location, and then a file, a fixed answer, or what an upstream says."""

from __future__ import annotations

import re

from nodes.network.http import Headers, HttpRequest, HttpResponse
from nodes.network.http import request as http_request
from nodes.network.tls import INSECURE
from nodes.runtime.simulated.images.files import content_type, etag, inside
from nodes.runtime.simulated.images.nginxconf import Config, Location, ServerBlock
from nodes.runtime.simulated.process import Process

VERSION = "1.29.3"
_MAX_INTERNAL = 10
_PAGE = (
    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>"
    "\r\n<hr><center>nginx/" + VERSION + "</center>\r\n</body>\r\n</html>\r\n"
)


class Handling:
    """One request on its way through the locations."""

    def __init__(
        self, process: Process, config: Config, server: ServerBlock, request: HttpRequest, port: int
    ) -> None:
        self._process = process
        self._config = config
        self._server = server
        self._request = request
        self._uri = request.path
        self._scheme = "https" if port in server.secure else "http"
        self.location = server.base

    async def respond(self) -> HttpResponse:
        response = await self._route(0)
        page = self._server.error_pages.get(response.status)
        if page is not None and page.startswith("/"):
            self._uri = page
            inner = await self._route(1)
            if inner.status == 200:
                return HttpResponse(response.status, inner.headers, inner.body)
        return response

    async def _route(self, depth: int) -> HttpResponse:
        if depth > _MAX_INTERNAL:
            return self._error(500)
        self.location = location = self._match()
        for pattern, target, flag in location.rewrites:
            found = pattern.search(self._uri)
            if found is None:
                continue
            new = re.sub(r"\$(\d)", lambda m: found[int(m[1])] or "", target)  # noqa: B023
            if flag in ("redirect", "permanent") or new.startswith("http"):
                return self._redirect(301 if flag == "permanent" else 302, new)
            self._uri = new.partition("?")[0]
            if flag != "break":
                return await self._route(depth + 1)
        if location.code:
            return self._returned(location)
        if location.stub_status:
            return self._plain(200, "Active connections: 1 \n")
        if location.proxy_pass:
            return await self._proxy(location)
        return await self._file(location, depth)

    def _match(self) -> Location:
        best: Location | None = None
        for location in self._server.locations:
            if location.modifier == "=" and location.pattern == self._uri:
                return location
            prefix = location.modifier in ("", "^~") and self._uri.startswith(location.pattern)
            if prefix and (best is None or len(location.pattern) > len(best.pattern)):
                best = location
        if best is not None and best.modifier == "^~":
            return best
        for location in self._server.locations:
            if location.regex is not None and location.regex.search(self._uri):
                return location
        return best or self._server.base

    def _returned(self, location: Location) -> HttpResponse:
        text = self._expand(location.text)
        if location.code in (301, 302, 303, 307, 308):
            return self._redirect(location.code, text)
        if not text:
            return (
                self._error(location.code)
                if location.code >= 300
                else self._plain(location.code, "")
            )
        return self._plain(location.code, text, location)

    async def _file(self, location: Location, depth: int) -> HttpResponse:
        if self._request.method not in ("GET", "HEAD"):
            return self._error(405)
        if location.try_files:
            *candidates, last = location.try_files
            for candidate in candidates:
                response = self._static(location, self._expand(candidate))
                if response is not None:
                    return response
            if last.startswith("="):
                return self._error(int(last[1:]) if last[1:].isdigit() else 404)
            self._uri = self._expand(last).partition("?")[0]
            return await self._route(depth + 1)
        response = self._static(location, self._uri)
        if response is not None:
            return response
        fs, path = self._process.fs, self._path(location, self._uri)
        if fs.is_dir(path):
            if not self._uri.endswith("/"):
                host = self._request.headers.get("Host", "localhost")
                return self._redirect(301, f"http://{host}{self._uri}/")
            self._complain(f'directory index of "{path}" is forbidden')
            return self._error(403)
        self._complain(f'open() "{path}" failed (2: No such file or directory)')
        return self._error(404)

    def _static(self, location: Location, uri: str) -> HttpResponse | None:
        fs, path = self._process.fs, self._path(location, uri)
        data: bytes | None = None
        if uri.endswith("/") or fs.is_dir(path):
            if not uri.endswith("/"):
                return None
            for index in location.index:
                data = fs.read(f"{path.rstrip('/')}/{index}")
                if data is not None:
                    path = index
                    break
        else:
            data = fs.read(path)
        if data is None:
            return None
        headers = Headers([("Content-Type", content_type(path)), ("ETag", etag(data))])
        headers.items.append(("Accept-Ranges", "bytes"))
        if self._request.headers.get("If-None-Match") == etag(data):
            return HttpResponse(304, headers)
        headers.items += [(key, self._expand(value)) for key, value in location.headers]
        return HttpResponse(200, headers, data)

    def _path(self, location: Location, uri: str) -> str:
        if location.alias:
            return inside(location.alias, uri.removeprefix(location.pattern))
        return inside(location.root, uri)

    async def _proxy(self, location: Location) -> HttpResponse:
        process = self._process
        url = self._expand(location.proxy_pass)
        scheme, _, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        target = self._request.target
        if slash and location.regex is None:
            target = f"/{path}" + target.removeprefix(location.pattern)
        backends = self._config.upstreams.get(authority) or [authority]
        headers = self._upstream_headers(location, authority)
        start = process.world.seed + int(process.clock.seconds() * 1000)
        for number in range(len(backends)):
            backend = backends[(start + number) % len(backends)]
            try:
                answer = await http_request(
                    process.net.network,
                    process.net.ip,
                    f"{scheme}://{backend}{target}",
                    method=self._request.method,
                    headers=headers,
                    body=self._request.body,
                    timeout=60,
                    resolv=process.net.resolv,
                    # proxy_ssl_verify is off unless it is asked for.
                    trust=INSECURE if scheme == "https" else None,
                )
            except TimeoutError:
                self._complain("upstream timed out (110: Connection timed out)", url)
                return self._error(504)
            except Exception as error:
                self._complain(f"connect() failed ({error}) while connecting to upstream", url)
                continue
            return self._passed_on(location, answer)
        return self._error(502)

    def _upstream_headers(self, location: Location, authority: str) -> dict[str, str]:
        skipped = ("host", "connection", "content-length", "transfer-encoding")
        return {
            "Host": authority,
            "Connection": "close",
            **{k: v for k, v in self._request.headers.items if k.lower() not in skipped},
            **{key: self._expand(value) for key, value in location.proxy_headers},
        }

    def _passed_on(self, location: Location, answer: HttpResponse) -> HttpResponse:
        own = ("server", "date", "connection", "transfer-encoding", "content-length")
        kept = [(key, value) for key, value in answer.headers.items if key.lower() not in own]
        kept += [(key, self._expand(value)) for key, value in location.headers]
        return HttpResponse(answer.status, Headers(kept), answer.body, answer.reason)

    def _expand(self, text: str) -> str:
        request = self._request
        forwarded = request.headers.get("X-Forwarded-For")
        values = {
            "uri": self._uri,
            "request_uri": request.target,
            "document_uri": self._uri,
            "args": request.query,
            "is_args": "?" if request.query else "",
            "query_string": request.query,
            "host": request.headers.get("Host", "localhost").partition(":")[0],
            "http_host": request.headers.get("Host"),
            "hostname": self._process.net.hostname,
            "remote_addr": request.peer,
            "scheme": self._scheme,
            "request_method": request.method,
            "server_addr": self._process.net.ip,
            "server_name": (self._server.names or [""])[0],
            "proxy_add_x_forwarded_for": f"{forwarded}, {request.peer}"
            if forwarded
            else (request.peer),
            "proxy_host": "",
            "nginx_version": VERSION,
            "time_iso8601": f"{self._process.clock.now():%Y-%m-%dT%H:%M:%S+00:00}",
            "time_local": f"{self._process.clock.now():%d/%b/%Y:%H:%M:%S +0000}",
            "server_port": str((self._server.ports or [(80, False)])[0][0]),
        }

        def value(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name.startswith("http_"):
                return request.headers.get(name[5:].replace("_", "-"))
            if name.startswith("arg_"):
                pairs = (pair.partition("=") for pair in request.query.split("&"))
                return next((text for key, _, text in pairs if key == name[4:]), "")
            return values.get(name, "")

        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, text)

    def _redirect(self, code: int, target: str) -> HttpResponse:
        response = self._error(code)
        if target.startswith("/"):
            target = f"http://{self._request.headers.get('Host', 'localhost')}{target}"
        response.headers.items.append(("Location", target))
        return response

    def _plain(self, code: int, text: str, location: Location | None = None) -> HttpResponse:
        kind = (location.default_type if location else "") or "application/octet-stream"
        headers = Headers([("Content-Type", kind)])
        if location is not None:
            headers.items += [(key, self._expand(value)) for key, value in location.headers]
        return HttpResponse(code, headers, text.encode())

    def _error(self, code: int) -> HttpResponse:
        response = HttpResponse(code, Headers([("Content-Type", "text/html")]))
        response.body = _PAGE.format(title=f"{code} {_phrase(response)}").encode()
        return response

    def _complain(self, text: str, upstream: str = "") -> None:
        process, request = self._process, self._request
        moment = f"{process.clock.now():%Y/%m/%d %H:%M:%S}"
        process.complain(
            f"{moment} [error] {process.pid + 28}#{process.pid + 28}: *1 {text}, "
            f"client: {request.peer}, server: {(self._server.names or [''])[0]}, "
            f'request: "{request.method} {request.target} {request.version}", '
            + (f'upstream: "{upstream}", ' if upstream else "")
            + f'host: "{request.headers.get("Host")}"'
        )


def _phrase(response: HttpResponse) -> str:
    # nginx has its own words for some.
    own = {302: "Moved Temporarily", 405: "Not Allowed", 503: "Service Temporarily Unavailable"}
    own[504] = "Gateway Time-out"
    return own.get(response.status, response.phrase)
