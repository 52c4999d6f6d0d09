"""nginx: serves its files, answers and proxies as its configuration says, and logs as nginx does."""

from __future__ import annotations

import fnmatch
import re

from nodes.network.http import App, Headers, HttpRequest, HttpResponse, serve_http
from nodes.network.http import request as http_request
from nodes.runtime.simulated.image import DEBIAN, MIB, ImageFamily, executables, text_files
from nodes.runtime.simulated.images.base import DEBIAN_FILES
from nodes.runtime.simulated.images.files import content_type, etag, http_date, inside
from nodes.runtime.simulated.images.nginxconf import (
    Config,
    ConfigError,
    Directive,
    Location,
    ServerBlock,
    parse,
    read_config,
)
from nodes.runtime.simulated.process import SIGHUP, Process
from nodes.runtime.simulated.program import Server
from nodes.runtime.simulated.volume import Files

VERSION = "1.29.3"
_CONF = "/etc/nginx/nginx.conf"
_REQUEST_CPU = 0.0004
_MAX_INTERNAL = 10

_WELCOME = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
body { max-width: 40em; margin: 2em auto; font-family: sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>This page comes from a simulated nginx: the web server of your pod is up and answers.</p>
<p>Put your own page in /usr/share/nginx/html, for instance with a ConfigMap.</p>
</body>
</html>
"""
_PAGE = (
    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>"
    "\r\n<hr><center>nginx/" + VERSION + "</center>\r\n</body>\r\n</html>\r\n"
)
_NGINX_CONF = """user  nginx;
worker_processes  auto;
error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;

events {
    worker_connections  1024;
}

http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;
    sendfile        on;
    keepalive_timeout  65;
    include /etc/nginx/conf.d/*.conf;
}
"""
_DEFAULT_CONF = """server {
    listen       PORT;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
"""


class Nginx(Server):
    """nginx [-g ...] [-t] [-s reload|quit|stop] [-v] [-c FILE]."""

    def __init__(self, *, foreground: bool = False) -> None:
        self._foreground = foreground
        self._config = Config()
        self._process: Process | None = None
        self._ports: list[int] = []

    def start(self, process: Process) -> None:
        self._process = process
        args = process.argv[1:]
        if "-v" in args or "-V" in args:
            process.complain(f"nginx version: nginx/{VERSION}")
            process.exit(0)
        elif "-t" in args or "-T" in args:
            self._test(process)
        elif "-s" in args:
            self._send(process, args[args.index("-s") + 1 :])
        else:
            self._serve(process)

    def signal(self, process: Process, number: int) -> None:
        if number == SIGHUP:
            self._reload(process)
        else:
            super().signal(process, number)

    # -- life ------------------------------------------------------------------------------------

    def _serve(self, process: Process) -> None:
        if process.pid != 1 and not self._foreground and "daemon off;" not in process.argv:
            self._daemonize(process)
            return
        if process.pid == 1:
            process.print("/docker-entrypoint.sh: Configuration complete; ready for start up")
        try:
            self._config = self._load(process)
        except ConfigError as error:
            self._log(process, "emerg", str(error))
            process.exit(1)
            return
        if not self._listen(process):
            return
        for line in (
            'using the "epoll" event method',
            f"nginx/{VERSION}",
            "OS: Linux 6.12.0-kubeground",
            "start worker processes",
        ):
            self._log(process, "notice", line)
        for number in range(process.world.cpus):
            self._log(process, "notice", f"start worker process {process.pid + 28 + number}")

    def _daemonize(self, process: Process) -> None:
        """Go on in a process of its own, as nginx does unless it is told not to."""
        first = process.world.processes.get(1, process)
        daemon = Process(
            process.world,
            Nginx(foreground=True),
            process.argv,
            process.env,
            process.cwd,
            out=first.out,
            on_exit=lambda code: None,
        )
        daemon.start()
        process.exit(0 if daemon.running else 1)

    def _listen(self, process: Process) -> bool:
        for server in self._config.servers:
            for port, _ in server.ports:
                if port in self._ports:
                    continue
                try:
                    process.listen(port, serve_http(self._app(port)))
                except OSError:
                    self._log(
                        process,
                        "emerg",
                        f"bind() to 0.0.0.0:{port} failed (98: Address already in use)",
                    )
                    process.exit(1)
                    return False
                self._ports.append(port)
        return True

    def _reload(self, process: Process) -> None:
        self._log(process, "notice", "signal 1 (SIGHUP) received, reconfiguring")
        try:
            self._config = self._load(process)
        except ConfigError as error:
            self._log(process, "emerg", str(error))
            return
        self._listen(process)

    def _test(self, process: Process) -> None:
        try:
            self._load(process)
        except ConfigError as error:
            process.complain(f"nginx: [emerg] {error}")
            process.complain(f"nginx: configuration file {_CONF} test failed")
            process.exit(1)
            return
        process.complain(f"nginx: the configuration file {_CONF} syntax is ok")
        process.complain(f"nginx: configuration file {_CONF} test is successful")
        process.exit(0)

    def _send(self, process: Process, what: tuple[str, ...]) -> None:
        numbers = {"reload": SIGHUP, "stop": 15, "quit": 3, "reopen": 10}
        number = numbers.get(what[0]) if what else None
        target = next(
            (
                other
                for other in process.world.processes.values()
                if other is not process and isinstance(other.program, Nginx)
            ),
            None,
        )
        if number is None or target is None:
            why = f'invalid option: "-s {what[0] if what else ""}"'
            process.complain(f"nginx: {why if number is None else '[error] no nginx runs here'}")
            process.exit(1)
            return
        process.exit(0)
        target.signal(number)

    def _load(self, process: Process) -> Config:
        main = process.fs.read(_CONF)
        if main is None:
            raise ConfigError(f'open() "{_CONF}" failed (2: No such file or directory)')

        def include(pattern: str) -> list[Directive]:
            path = pattern if pattern.startswith("/") else f"/etc/nginx/{pattern}"
            directory, _, name = path.rpartition("/")
            if "*" not in name:
                return _read(process, path)
            names = fnmatch.filter(process.fs.names(directory), name)
            return [found for name in names for found in _read(process, f"{directory}/{name}")]

        try:
            return read_config(parse(main.decode("utf-8", "replace")), include)
        except ConfigError as error:
            raise ConfigError(str(error).replace("{file}", _CONF)) from error

    def _log(self, process: Process, level: str, text: str) -> None:
        moment = f"{process.clock.now():%Y/%m/%d %H:%M:%S}"
        process.complain(f"{moment} [{level}] {process.pid}#{process.pid}: {text}")

    # -- requests --------------------------------------------------------------------------------

    def _app(self, port: int) -> App:
        async def app(request: HttpRequest) -> HttpResponse:
            return await self._answer(request, port)

        return app

    async def _answer(self, request: HttpRequest, port: int) -> HttpResponse:
        process = self._process
        assert process is not None  # noqa: S101 - set at start
        process.work(_REQUEST_CPU)
        server = self._server_for(request.headers.get("Host").partition(":")[0], port)
        handling = _Handling(process, self._config, server, request)
        response = await handling.respond()
        headers = [("Server", f"nginx/{VERSION}"), ("Date", http_date(process.clock.seconds()))]
        response.headers.items[:0] = headers
        if handling.location.log:
            self._access(process, request, response)
        return response

    def _server_for(self, host: str, port: int) -> ServerBlock:
        there = [
            server for server in self._config.servers if any(port == p for p, _ in server.ports)
        ]
        for server in there:
            if host in server.names:
                return server
        for server in there:
            if any(_name_matches(name, host) for name in server.names):
                return server
        for server in there:
            if (port, True) in server.ports:
                return server
        return there[0] if there else ServerBlock()

    def _access(self, process: Process, request: HttpRequest, response: HttpResponse) -> None:
        moment = f"{process.clock.now():%d/%b/%Y:%H:%M:%S +0000}"
        size = 0 if request.method == "HEAD" else len(response.body)
        process.print(
            f'{request.peer} - - [{moment}] "{request.method} {request.target} {request.version}" '
            f'{response.status} {size} "{request.headers.get("Referer", "-")}" '
            f'"{request.headers.get("User-Agent", "-")}" '
            f'"{request.headers.get("X-Forwarded-For", "-")}"'
        )


class _Handling:
    """One request on its way through the locations."""

    def __init__(
        self, process: Process, config: Config, server: ServerBlock, request: HttpRequest
    ) -> None:
        self._process = process
        self._config = config
        self._server = server
        self._request = request
        self._uri = request.path
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
            if location.modifier in ("", "^~") and self._uri.startswith(location.pattern):
                if best is None or len(location.pattern) > len(best.pattern):
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
        headers = {"Host": authority, "Connection": "close"}
        skipped = ("host", "connection", "content-length", "transfer-encoding")
        for key, value in self._request.headers.items:
            if key.lower() not in skipped:
                headers[key] = value
        for key, value in location.proxy_headers:
            headers[key] = self._expand(value)
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
                )
            except TimeoutError:
                self._complain("upstream timed out (110: Connection timed out)", url)
                return self._error(504)
            except Exception as error:  # noqa: BLE001 - any failure of an upstream is a 502
                self._complain(f"connect() failed ({error}) while connecting to upstream", url)
                continue
            kept = [
                (key, value)
                for key, value in answer.headers.items
                if key.lower() not in ("server", "date", "connection", "transfer-encoding")
                and key.lower() != "content-length"
            ]
            kept += [(key, self._expand(value)) for key, value in location.headers]
            return HttpResponse(answer.status, Headers(kept), answer.body, answer.reason)
        return self._error(502)

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
            "scheme": "http",
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


def _read(process: Process, path: str) -> list[Directive]:
    data = process.fs.read(path)
    if data is None:
        if path.endswith("mime.types"):
            return []
        raise ConfigError(f'open() "{path}" failed (2: No such file or directory) in {_CONF}')
    try:
        return parse(data.decode("utf-8", "replace"))
    except ConfigError as error:
        raise ConfigError(str(error).replace("{file}", path)) from error


def _name_matches(name: str, host: str) -> bool:
    if name.startswith("*."):
        return host.endswith(name[1:])
    return name.endswith(".*") and host.startswith(name[:-1])


def _files(port: int) -> Files:
    return {
        **DEBIAN_FILES,
        **executables("/usr/sbin/nginx", "/docker-entrypoint.sh"),
        **text_files(
            {
                "/etc/nginx/nginx.conf": _NGINX_CONF,
                "/etc/nginx/mime.types": "types {\n    text/html  html htm;\n}\n",
                "/etc/nginx/conf.d/default.conf": _DEFAULT_CONF.replace("PORT", str(port)),
                "/usr/share/nginx/html/index.html": _WELCOME,
                "/usr/share/nginx/html/50x.html": "<h1>An error occurred.</h1>\n",
                "/var/log/nginx/.keep": "",
            }
        ),
    }


NGINX = ImageFamily(
    repositories=(
        "docker.io/library/nginx",
        "registry.k8s.io/nginx",
        "registry.k8s.io/e2e-test-images/nginx",
        "quay.io/nginx/nginx",
        "public.ecr.aws/nginx/nginx",
    ),
    programs={"nginx": Nginx},
    entrypoint=("/docker-entrypoint.sh",),
    cmd=("nginx", "-g", "daemon off;"),
    env={"NGINX_VERSION": VERSION},
    files=_files(80),
    userland=DEBIAN,
    size=60 * MIB,
    highest=(1, 31),
    exposed=(80,),
    stop_signal="QUIT",
    cores=0.0001,
    memory=5 * MIB,
)
NGINX_UNPRIVILEGED = ImageFamily(
    repositories=("docker.io/nginxinc/nginx-unprivileged",),
    programs={"nginx": Nginx},
    entrypoint=("/docker-entrypoint.sh",),
    cmd=("nginx", "-g", "daemon off;"),
    env={"NGINX_VERSION": VERSION},
    files=_files(8080),
    userland=DEBIAN,
    user="101",
    size=60 * MIB,
    highest=(1, 31),
    exposed=(8080,),
    stop_signal="QUIT",
    cores=0.0001,
    memory=5 * MIB,
)
