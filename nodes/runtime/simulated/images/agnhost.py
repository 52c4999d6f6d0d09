"""agnhost: the many-purpose image of Kubernetes' own tests: netexec, serve-hostname, pause..."""

from __future__ import annotations

from urllib.parse import parse_qs

from nodes.network.http import Headers, HttpRequest, HttpResponse, serve_http
from nodes.runtime.simulated.image import BUSYBOX, MIB, ImageFamily, executables
from nodes.runtime.simulated.images.base import ALPINE_FILES
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.program import Server
from nodes.runtime.simulated.shell.options import parse_options

_TEXT = Headers([("Content-Type", "text/plain; charset=utf-8")])


class Agnhost(Server):
    """agnhost COMMAND [options]."""

    def start(self, process: Process) -> None:
        self._process = process
        args = list(process.argv[1:]) or ["pause"]
        options = parse_options(
            args[1:], "", "", ("http-port", "port", "udp-port", "delay-shutdown", "http-override")
        )
        if args[0] == "netexec":
            self._serve(int(options.number("http-port", default=8080)), self._netexec)
        elif args[0] in ("serve-hostname", "test-webserver"):
            self._serve(
                int(options.number("port", "http-port", default=_PORTS[args[0]])), self._name
            )
        elif args[0] == "echo" or args[0] == "help":
            process.print(" ".join(args[1:]))
            process.exit(0)
        elif args[0] == "pause":
            process.print("Paused")
        else:
            process.complain(f'Error: unknown command "{args[0]}" for "app"')
            process.exit(1)

    def _serve(self, port: int, app: object) -> None:
        process = self._process
        try:
            process.listen(port, serve_http(app))  # type: ignore[arg-type]
        except OSError as error:
            process.complain(f"listen tcp :{port}: {error}")
            process.exit(1)
            return
        process.print(f"Started HTTP server on port {port}")

    async def _name(self, request: HttpRequest) -> HttpResponse:
        self._process.work(0.0002)
        return HttpResponse(200, _TEXT, self._process.net.hostname.encode())

    async def _netexec(self, request: HttpRequest) -> HttpResponse:
        process = self._process
        process.work(0.0002)
        query = parse_qs(request.query)
        texts = {
            "/": f"NOW: {process.clock.now():%Y-%m-%d %H:%M:%S} +0000 UTC",
            "/hostname": process.net.hostname,
            "/hostName": process.net.hostname,
            "/clientip": f"{request.peer}:40000",
            "/healthz": "",
            "/echo": query.get("msg", [""])[0],
            "/header": request.headers.get(query.get("key", [""])[0]),
        }
        if request.path == "/exit":
            code = query.get("code", ["0"])[0]
            process.later(0, process.exit, int(code) if code.isdigit() else 0)
            return HttpResponse(200, _TEXT, b"")
        if request.path not in texts:
            return HttpResponse(404, _TEXT, b"404 page not found\n")
        process.print(f"GET {request.path}")
        return HttpResponse(200, _TEXT, texts[request.path].encode())


_PORTS = {"serve-hostname": 9376, "test-webserver": 80}
AGNHOST = ImageFamily(
    repositories=(
        "registry.k8s.io/e2e-test-images/agnhost",
        "k8s.gcr.io/e2e-test-images/agnhost",
    ),
    programs={"agnhost": Agnhost},
    entrypoint=("/agnhost",),
    cmd=("pause",),
    files={**ALPINE_FILES, **executables("/bin/agnhost")},
    userland=BUSYBOX,
    size=50 * MIB,
    highest=(2, 99),
    memory=9 * MIB,
)
