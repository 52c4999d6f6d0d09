"""Images of tutorials: hello-world, hello-app, echo servers, the HPA example, the pi of a Job."""

from __future__ import annotations

from abc import abstractmethod

from nodes.network.echo import is_websocket, websocket_echo
from nodes.network.http import Headers, HttpRequest, HttpResponse, serve_http
from nodes.runtime.simulated.image import BUSYBOX, DEBIAN, MIB, ImageFamily
from nodes.runtime.simulated.images.base import ALPINE_FILES, DEBIAN_FILES
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.program import Server, TaskProgram
from nodes.runtime.simulated.shell.options import parse_options

_TEXT = Headers([("Content-Type", "text/plain; charset=utf-8")])


class _Web(Server):
    """A server with one page."""

    port = 8080
    cpu = 0.0003
    # Whether messages of a WebSocket come back.
    echoes = False

    def start(self, process: Process) -> None:
        async def app(request: HttpRequest) -> HttpResponse:
            process.work(self.cpu)
            if self.echoes and is_websocket(request):
                return websocket_echo(request, f"Request served by {process.net.hostname}")
            return HttpResponse(200, _TEXT, self.page(process, request).encode())

        port = self.listen_port(process)
        try:
            process.listen(port, serve_http(app))
        except OSError as error:
            process.complain(f"listen tcp :{port}: {error}")
            process.exit(1)
            return
        process.print(f"Server listening on port {port}")

    def listen_port(self, process: Process) -> int:
        given = process.env.get("PORT", "")
        return int(given) if given.isdigit() and 0 < int(given) < 65536 else self.port

    @abstractmethod
    def page(self, process: Process, request: HttpRequest) -> str:
        """Return what a request is answered with."""


class HelloApp(_Web):
    """hello-app: a greeting with the version and the pod's name."""

    def page(self, process: Process, request: HttpRequest) -> str:
        process.print(f"Serving request: {request.target}")
        return f"Hello, world!\nVersion: 1.0.0\nHostname: {process.net.hostname}\n"


class Echo(_Web):
    """An echo of the request; `-text` gives a fixed answer, as http-echo has it.

    A WebSocket gets its own messages, after one that says who sends them.
    """

    echoes = True

    def listen_port(self, process: Process) -> int:
        options = parse_options(_single(process.argv[1:]), "", "", ("listen", "text", "port"))
        given = options.value("listen", "port").rpartition(":")[2]
        if given.isdigit() and 0 < int(given) < 65536:
            return int(given)
        if process.world.declared_ports:
            return process.world.declared_ports[0]
        return super().listen_port(process)

    def page(self, process: Process, request: HttpRequest) -> str:
        options = parse_options(_single(process.argv[1:]), "", "", ("listen", "text", "port"))
        if text := options.value("text"):
            return f"{text}\n"
        headers = "".join(f"{key}: {value}\n" for key, value in request.headers.items)
        return (
            f"Hostname: {process.net.hostname}\nIP: {process.net.ip}\n"
            f"RemoteAddr: {request.peer}\n{request.method} {request.target} {request.version}\n"
            f"{headers}"
        )


def _single(args: tuple[str, ...]) -> list[str]:
    """Take Go's `-name` for `--name`."""
    return [f"-{arg}" if arg.startswith("-") and not arg.startswith("--") else arg for arg in args]


class PhpApache(_Web):
    """The page that computes: each request costs a tenth of a second of CPU."""

    port = 80
    cpu = 0.1

    def page(self, process: Process, request: HttpRequest) -> str:
        return "OK!"


class HelloWorld(TaskProgram):
    """hello: says hello, and that is all."""

    async def run(self, process: Process) -> int:
        process.print("\nHello from a simulated container!\n")
        process.print("The image was pulled, a container was made from it, and this was its work.")
        return 0


class Perl(TaskProgram):
    """perl -Mbignum=bpi -wle 'print bpi(N)': the Job that everybody starts with."""

    async def run(self, process: Process) -> int:
        text = " ".join(process.argv)
        at = text.find("print bpi(")
        if at < 0:
            process.complain("perl is not simulated, but for: -Mbignum=bpi -wle 'print bpi(N)'")
            return 2
        number = text[at + 10 :].partition(")")[0]
        digits = min(int(number), 5000) if number.isdigit() else 100
        process.work(digits / 500)
        await process.clock.sleep(digits / 500)
        process.print(_pi(digits))
        return 0


def _pi(digits: int) -> str:
    """Return pi to so many digits, by Machin's formula."""
    guard = 10 ** (digits + 10)

    def arctan(inverse: int) -> int:
        total = term = guard // inverse
        square, n, sign = inverse * inverse, 3, -1
        while term:
            term //= square
            total += sign * (term // n)
            n, sign = n + 2, -sign
        return int(total)

    value = 4 * (4 * arctan(5) - arctan(239)) // 10**11
    text = str(value)
    return f"{text[0]}.{text[1:digits]}"


HELLO_APP = ImageFamily(
    repositories=(
        "gcr.io/google-samples/hello-app",
        "us-docker.pkg.dev/google-samples/containers/gke/hello-app",
        "gcr.io/google-samples/kubernetes-bootcamp",
        "docker.io/jocatalin/kubernetes-bootcamp",
    ),
    programs={"hello-app": HelloApp},
    entrypoint=("./hello-app",),
    files=ALPINE_FILES,
    userland=BUSYBOX,
    size=12 * MIB,
    exposed=(8080,),
    memory=6 * MIB,
)
ECHO = ImageFamily(
    repositories=(
        "registry.k8s.io/echoserver",
        "k8s.gcr.io/echoserver",
        "gcr.io/google_containers/echoserver",
        "gcr.io/k8s-minikube/echoserver",
        "docker.io/jmalloc/echo-server",
        "docker.io/kicbase/echo-server",
        "docker.io/ealen/echo-server",
        "docker.io/hashicorp/http-echo",
        "docker.io/traefik/whoami",
        "docker.io/containous/whoami",
        "docker.io/stefanprodan/podinfo",
    ),
    programs={"echo-server": Echo},
    entrypoint=("/echo-server",),
    files=ALPINE_FILES,
    userland=BUSYBOX,
    size=8 * MIB,
    exposed=(8080,),
    memory=5 * MIB,
)
PHP_APACHE = ImageFamily(
    repositories=("registry.k8s.io/hpa-example", "k8s.gcr.io/hpa-example"),
    programs={"apache2-foreground": PhpApache},
    cmd=("apache2-foreground",),
    files=DEBIAN_FILES,
    userland=DEBIAN,
    size=180 * MIB,
    exposed=(80,),
    cores=0.001,
    memory=14 * MIB,
)
HELLO_WORLD = ImageFamily(
    repositories=("docker.io/library/hello-world",),
    programs={"hello": HelloWorld},
    cmd=("/hello",),
    size=MIB // 64,
    memory=MIB,
)
PERL = ImageFamily(
    repositories=("docker.io/library/perl",),
    programs={"perl": Perl},
    cmd=("perl", "-de0"),
    files=DEBIAN_FILES,
    userland=DEBIAN,
    size=340 * MIB,
    highest=(5, 42),
    memory=12 * MIB,
)
