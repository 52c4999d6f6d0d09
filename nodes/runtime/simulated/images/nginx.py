"""nginx: its life, its listeners, its logs. What becomes of a request is `nginxrequest`'s."""

from __future__ import annotations

import fnmatch
from functools import lru_cache

from nodes.network.fabric import Handler
from nodes.network.http import App, HttpRequest, HttpResponse, serve_http
from nodes.network.tls import KeyPair, serve_tls
from nodes.runtime.simulated.image import DEBIAN, MIB, ImageFamily, executables, text_files
from nodes.runtime.simulated.images.base import DEBIAN_FILES
from nodes.runtime.simulated.images.files import http_date
from nodes.runtime.simulated.images.nginxconf import (
    Config,
    ConfigError,
    Directive,
    ServerBlock,
    parse,
    read_config,
)
from nodes.runtime.simulated.images.nginxrequest import VERSION, Handling
from nodes.runtime.simulated.process import SIGHUP, Process
from nodes.runtime.simulated.program import Server
from nodes.runtime.simulated.volume import Files

_CONF = "/etc/nginx/nginx.conf"
_REQUEST_CPU = 0.0004

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
        self._texts: list[str] = []

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
        self._log(process, "notice", f"start worker process {process.pid + 28}")

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
                    process.listen(port, self._handler(process, port))
                except ConfigError as error:
                    self._log(process, "emerg", str(error))
                    process.exit(1)
                    return False
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

    def _handler(self, process: Process, port: int) -> Handler:
        """Return what serves a port, under TLS where a server says so. Raises ConfigError."""
        handler = serve_http(self._app(port))
        secure = next((one for one in self._config.servers if port in one.secure), None)
        if secure is None:
            return handler
        return serve_tls(handler, _pair(process, secure, port), plain=_PLAIN)

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
        if process.fs.read(_CONF) is None:
            raise ConfigError(f'open() "{_CONF}" failed (2: No such file or directory)')

        def include(pattern: str) -> list[Directive]:
            path = pattern if pattern.startswith("/") else f"/etc/nginx/{pattern}"
            directory, _, name = path.rpartition("/")
            if "*" not in name:
                return self._read(process, path)
            names = fnmatch.filter(process.fs.names(directory), name)
            return [found for name in names for found in self._read(process, f"{directory}/{name}")]

        self._texts = []
        try:
            config = read_config(self._read(process, _CONF), include)
        except ConfigError as error:
            raise ConfigError(str(error).replace("{file}", _CONF)) from error
        for server in config.servers:
            for port in server.secure:
                _pair(process, server, port)
        # Many nginx have the same configuration: nobody changes it, so they share one.
        key = tuple(self._texts)
        if key not in _shared and len(_shared) >= _MAX_SHARED:
            del _shared[next(iter(_shared))]
        return _shared.setdefault(key, config)

    def _read(self, process: Process, path: str) -> list[Directive]:
        text = process.fs.text(path)
        if not text and path.endswith("mime.types"):
            return []
        if not process.fs.exists(path):
            raise ConfigError(f'open() "{path}" failed (2: No such file or directory) in {_CONF}')
        self._texts.append(text)
        try:
            return _parsed(text)
        except ConfigError as error:
            raise ConfigError(str(error).replace("{file}", path)) from error

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
        handling = Handling(process, self._config, server, request, port)
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


# Parsed files and configurations, by their text; the oldest go first.
_MAX_SHARED = 128
_shared: dict[tuple[str, ...], Config] = {}
_parsed = lru_cache(maxsize=_MAX_SHARED)(parse)


def _pair(process: Process, server: ServerBlock, port: int) -> KeyPair:
    """Return the certificate and key of a server. Raises ConfigError."""
    names = (server.base.certificate, server.base.certificate_key)
    if not all(names):
        missing = "ssl_certificate" if not names[0] else "ssl_certificate_key"
        where = f"/etc/nginx/conf.d/default.conf:{server.secure[port]}"
        raise ConfigError(
            f'no "{missing}" is defined for the "listen ... ssl" directive in {where}'
        )
    paths = [name if name.startswith("/") else f"/etc/nginx/{name}" for name in names]
    found = [process.fs.read(path) for path in paths]
    for path, data, what in zip(paths, found, ("certificate", "certificate key"), strict=True):
        if data is None:
            why = "error:80000002:system library::No such file or directory:calling fopen"
            raise ConfigError(
                f'cannot load {what} "{path}": BIO_new_file() failed (SSL: {why}({path}, r) '
                "error:10000080:BIO routines::no such file)"
            )
    try:
        return KeyPair(found[0] or b"", found[1] or b"")
    except ValueError as error:
        raise ConfigError(f'cannot load certificate "{paths[0]}": {error}') from None


_PLAIN_PAGE = (
    "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n"
    "<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"
    "<center>The plain HTTP request was sent to HTTPS port</center>\r\n"
    f"<hr><center>nginx/{VERSION}</center>\r\n</body>\r\n</html>\r\n"
)
_PLAIN = (
    f"HTTP/1.1 400 Bad Request\r\nServer: nginx/{VERSION}\r\nContent-Type: text/html\r\n"
    f"Content-Length: {len(_PLAIN_PAGE)}\r\nConnection: close\r\n\r\n{_PLAIN_PAGE}"
).encode()


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
