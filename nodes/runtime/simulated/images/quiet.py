"""Any image that the catalogue does not know: a server that listens on its declared ports.

Whether such a server would speak TLS nobody knows, so it answers either way; its certificate is
its own, as that of many servers that are given none.
"""

from __future__ import annotations

from nodes.network.http import Headers, HttpRequest, HttpResponse, serve_http
from nodes.network.tls import KeyPair, serve_tls
from nodes.runtime.simulated.image import BUSYBOX, MIB, ImageFamily
from nodes.runtime.simulated.images.base import BUSYBOX_FILES
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.program import Server


class QuietServer(Server):
    """Answers each request with the name of its pod, and says nothing else."""

    def start(self, process: Process) -> None:
        async def app(request: HttpRequest) -> HttpResponse:
            process.work(0.0005)
            body = f"{process.net.hostname}\n".encode()
            return HttpResponse(200, Headers([("Content-Type", "text/plain")]), body)

        def pair() -> KeyPair:
            return KeyPair.self_signed(process.net.hostname, process.clock.now())

        http = serve_http(app)
        for port in process.world.declared_ports:
            try:
                process.listen(port, serve_tls(http, pair, plain=http))
            except OSError as error:
                process.complain(f"listen :{port}: {error}")
                process.exit(1)
                return


QUIET = ImageFamily(
    repositories=(),
    programs={"app": QuietServer},
    fallback=QuietServer,
    entrypoint=("/app",),
    files=BUSYBOX_FILES,
    userland=BUSYBOX,
    size=40 * MIB,
    memory=12 * MIB,
)
