"""python: `-m http.server`, and scripts in the interpreter's own small Python."""

from __future__ import annotations

import shlex

from nodes.network.http import HttpRequest, HttpResponse, serve_http
from nodes.runtime.simulated.image import DEBIAN, MIB, ImageFamily, executables
from nodes.runtime.simulated.images.base import DEBIAN_FILES
from nodes.runtime.simulated.images.files import FileServer
from nodes.runtime.simulated.process import SIGINT, SIGTERM, Process
from nodes.runtime.simulated.shell.bash import Exhausted
from nodes.runtime.simulated.shell.helpers import Lost
from nodes.runtime.simulated.shell.options import parse_options
from nodes.runtime.simulated.shell.setup import make_shell

VERSION = "3.14.0"


class Python:
    """python [-c CODE | FILE | -m http.server [PORT] | --version]. Not all of Python is there."""

    def __init__(self) -> None:
        self._serving = False

    def start(self, process: Process) -> None:
        args = list(process.argv[1:])
        while args and args[0] in ("-u", "-B", "-I"):
            args.pop(0)
        if args[:1] in (["--version"], ["-V"]):
            process.print(f"Python {VERSION}")
            process.exit(0)
        elif args[:2] == ["-m", "http.server"]:
            self._serve(process, args[2:])
        elif not args:
            self._prompt(process)
        else:
            process.spawn("python", self._run(process, args))

    def signal(self, process: Process, number: int) -> None:
        # As PID 1 the interpreter handles INT alone.
        if number == SIGINT or (number == SIGTERM and process.pid != 1):
            process.exit(130 if number == SIGINT else 143)

    def _prompt(self, process: Process) -> None:
        if process.stdin is None:
            process.exit(0)
            return
        process.complain("The interactive interpreter is not simulated; use python -c or a file")
        process.exit(1)

    def _serve(self, process: Process, args: list[str]) -> None:
        options = parse_options(args, "", "bd", ("directory", "bind"))
        port = int(options.rest[0]) if options.rest and options.rest[0].isdigit() else 8000
        root = options.value("d", "directory", default=process.cwd)
        files = FileServer(process, root, f"SimpleHTTP/0.6 Python/{VERSION}", listing=True)

        async def app(request: HttpRequest) -> HttpResponse:
            response = await files.answer(request)
            moment = f"{process.clock.now():%d/%b/%Y %H:%M:%S}"
            process.complain(
                f'{request.peer} - - [{moment}] "{request.method} {request.target} '
                f'{request.version}" {response.status} -'
            )
            return response

        try:
            process.listen(port, serve_http(app))
        except OSError:
            process.complain("OSError: [Errno 98] Address already in use")
            process.exit(1)
            return
        process.print(f"Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ...")

    async def _run(self, process: Process, args: list[str]) -> None:
        shell = make_shell(process, "python", python=True)
        try:
            process.exit(await shell.run(shlex.join(["python3", *args])))
        except Exhausted:
            process.world.meter.spin(process.clock.seconds(), 1.0)
            if process.pid != 1:
                process.complain("Killed")
                process.exit(137)
        except Lost:
            process.complain("Killed")
            process.exit(137)
        finally:
            shell.close()


PYTHON = ImageFamily(
    repositories=("docker.io/library/python",),
    programs={"python": Python, "python3": Python},
    cmd=("python3",),
    env={"PYTHON_VERSION": VERSION},
    files={**DEBIAN_FILES, **executables("/usr/local/bin/python", "/usr/local/bin/python3")},
    userland=DEBIAN,
    size=45 * MIB,
    highest=(3, 15),
    memory=9 * MIB,
)
