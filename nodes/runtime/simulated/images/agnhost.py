"""agnhost: the many-purpose image of Kubernetes' own tests: netexec, webhook, pause..."""

from __future__ import annotations

from urllib.parse import parse_qs

from nodes.network.http import App, Headers, HttpRequest, HttpResponse, serve_http
from nodes.network.stream import Address
from nodes.network.tls import KeyPair, serve_tls
from nodes.runtime.simulated.image import BUSYBOX, MIB, ImageFamily, executables
from nodes.runtime.simulated.images import agnhost_convert
from nodes.runtime.simulated.images.agnhost_review import Webhooks
from nodes.runtime.simulated.images.base import ALPINE_FILES
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.program import Server
from nodes.runtime.simulated.shell.options import Options, parse_options

_TEXT = Headers([("Content-Type", "text/plain; charset=utf-8")])


class Agnhost(Server):
    """agnhost COMMAND [options]."""

    def start(self, process: Process) -> None:
        self._process = process
        args = list(process.argv[1:]) or ["pause"]
        options = parse_options(args[1:], "", "", _OPTIONS)
        if args[0] == "netexec":
            self._serve(int(options.number("http-port", default=8080)), self._netexec)
        elif args[0] in ("serve-hostname", "test-webserver"):
            self._serve(
                int(options.number("port", "http-port", default=_PORTS[args[0]])), self._name
            )
        elif args[0] == "webhook":
            webhooks = Webhooks(process, options.value("sidecar-image"))
            self._serve_tls(options, webhooks.answer)
        elif args[0] == "crd-conversion-webhook":
            self._serve_tls(options, agnhost_convert.answer)
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

    def _serve_tls(self, options: Options, app: App) -> None:
        """Serve under TLS, with a pair that is usually mounted from a Secret."""
        process, port = self._process, int(options.number("port", default=443))
        files = (options.value("tls-cert-file"), options.value("tls-private-key-file"))
        try:
            pair = KeyPair(*(_read(process, path) for path in files))
            process.listen(port, serve_tls(serve_http(app), pair, failed=self._broke_off))
        except (OSError, ValueError) as error:
            process.complain(f"F {error}")
            process.exit(255)

    def _broke_off(self, client: Address, why: str) -> None:
        moment = f"{self._process.clock.now():%Y/%m/%d %H:%M:%S}"
        where = f"{client[0]}:{client[1]}"
        self._process.complain(f"{moment} http: TLS handshake error from {where}: {why}")

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


def _read(process: Process, path: str) -> bytes:
    data = process.fs.read(path)
    if data is None:
        raise FileNotFoundError(f"open {path}: no such file or directory")
    return data


_OPTIONS = (
    *("http-port", "port", "udp-port", "delay-shutdown", "http-override", "v"),
    *("tls-cert-file", "tls-private-key-file", "sidecar-image"),
)
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
