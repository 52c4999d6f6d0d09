"""httpd: Apache's server over its files, with its log lines."""

from __future__ import annotations

from nodes.network.http import HttpRequest, HttpResponse, serve_http
from nodes.runtime.simulated.image import DEBIAN, MIB, ImageFamily, executables, text_files
from nodes.runtime.simulated.images.base import DEBIAN_FILES
from nodes.runtime.simulated.images.files import FileServer
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.program import Server

VERSION = "2.4.65"
_ROOT = "/usr/local/apache2/htdocs"


class Httpd(Server):
    """httpd-foreground. The port is the first `Listen` of its configuration."""

    def start(self, process: Process) -> None:
        self._process = process
        self._files = FileServer(process, _ROOT, f"Apache/{VERSION} (Unix)")
        port = 80
        for line in process.fs.text("/usr/local/apache2/conf/httpd.conf").splitlines():
            words = line.split()
            if words[:1] == ["Listen"] and words[-1].rpartition(":")[2].isdigit():
                port = int(words[-1].rpartition(":")[2])
                break
        try:
            process.listen(port, serve_http(self._answer))
        except OSError:
            process.complain(
                f"(98)Address already in use: AH00072: make_sock: could not bind to 0.0.0.0:{port}"
            )
            process.exit(1)
            return
        process.complain(
            f"AH00558: httpd: Could not reliably determine the server's fully qualified domain "
            f"name, using {process.net.ip}. Set the 'ServerName' directive globally to suppress "
            "this message"
        )
        self._note("AH00489", f"Apache/{VERSION} (Unix) configured -- resuming normal operations")
        self._note("AH00094", "Command line: 'httpd -D FOREGROUND'")

    def stopping(self, process: Process) -> None:
        self._note("AH00491", "caught SIGTERM, shutting down")

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        response = await self._files.answer(request)
        moment = f"{self._process.clock.now():%d/%b/%Y:%H:%M:%S +0000}"
        self._process.print(
            f'{request.peer} - - [{moment}] "{request.method} {request.target} '
            f'{request.version}" {response.status} {len(response.body)}'
        )
        return response

    def _note(self, number: str, text: str) -> None:
        moment = f"{self._process.clock.now():%a %b %d %H:%M:%S.%f %Y}"
        self._process.complain(f"[{moment}] [mpm_event:notice] [pid 1:tid 1] {number}: {text}")


HTTPD = ImageFamily(
    repositories=("docker.io/library/httpd", "registry.k8s.io/e2e-test-images/httpd"),
    programs={"httpd-foreground": Httpd, "httpd": Httpd},
    cmd=("httpd-foreground",),
    working_dir="/usr/local/apache2",
    files={
        **DEBIAN_FILES,
        **executables("/usr/local/bin/httpd-foreground", "/usr/local/apache2/bin/httpd"),
        **text_files(
            {
                f"{_ROOT}/index.html": "<html><body><h1>It works!</h1></body></html>\n",
                "/usr/local/apache2/conf/httpd.conf": "Listen 80\n",
            }
        ),
    },
    userland=DEBIAN,
    size=55 * MIB,
    highest=(2, 4),
    exposed=(80,),
    stop_signal="TERM",
    memory=7 * MIB,
)
