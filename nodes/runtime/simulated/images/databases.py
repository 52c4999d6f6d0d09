"""postgres, mysql, mongo, memcached: servers that start, log and listen; they hold no data."""

from __future__ import annotations

from nodes.network.stream import Stream
from nodes.runtime.simulated.image import DEBIAN, MIB, ImageFamily
from nodes.runtime.simulated.images.base import DEBIAN_FILES
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.program import Server, TaskProgram


class _Listening(Server):
    """A server that accepts connections, greets, and closes when the client does."""

    port = 0
    greeting = b""
    required: tuple[str, ...] = ()
    complaint = ""

    def start(self, process: Process) -> None:
        if self.required and not any(name in process.env for name in self.required):
            process.complain(self.complaint)
            process.exit(1)
            return
        try:
            process.listen(self.port, self._accept)
        except OSError:
            process.complain(f"bind: Address already in use: {self.port}")
            process.exit(1)
            return
        self.announce(process)

    def announce(self, process: Process) -> None:
        """Print what the server prints when it is ready."""

    async def _accept(self, stream: Stream) -> None:
        if self.greeting:
            await stream.write(self.greeting)
        while await stream.read():
            pass


class Postgres(_Listening):
    """postgres; refuses to start without a password, as the image does."""

    port = 5432
    required = ("POSTGRES_PASSWORD", "POSTGRES_HOST_AUTH_METHOD", "POSTGRES_PASSWORD_FILE")
    complaint = (
        "Error: Database is uninitialized and superuser password is not specified.\n"
        "       You must specify POSTGRES_PASSWORD to a non-empty value for the\n"
        "       superuser."
    )

    def announce(self, process: Process) -> None:
        process.print("PostgreSQL init process complete; ready for start up.\n")
        for text in (
            "starting PostgreSQL 18.0 on x86_64-pc-linux-gnu, 64-bit",
            'listening on IPv4 address "0.0.0.0", port 5432',
            'listening on Unix socket "/var/run/postgresql/.s.PGSQL.5432"',
            "database system is ready to accept connections",
        ):
            self._log(process, text)

    def stopping(self, process: Process) -> None:
        for text in ("received fast shutdown request", "database system is shut down"):
            self._log(process, text)

    def _log(self, process: Process, text: str) -> None:
        moment = process.clock.now()
        stamp = f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d} UTC"
        process.complain(f"{stamp} [{process.pid}] LOG:  {text}")


class PgIsReady(TaskProgram):
    """pg_isready: whether a server listens."""

    async def run(self, process: Process) -> int:
        args = list(process.argv)
        host = args[args.index("-h") + 1] if "-h" in args[:-1] else "127.0.0.1"
        shown = "/var/run/postgresql" if host == "127.0.0.1" else host
        try:
            stream = await process.net.connect(host, 5432, timeout=3)
        except (OSError, TimeoutError):
            process.print(f"{shown}:5432 - no response")
            return 2
        stream.close()
        process.print(f"{shown}:5432 - accepting connections")
        return 0


class Mysql(_Listening):
    """mysqld; refuses to start without a root password, as the image does."""

    port = 3306
    greeting = b"\x4a\x00\x00\x00\x0a8.4.0\x00"
    required = (
        "MYSQL_ROOT_PASSWORD",
        "MYSQL_ALLOW_EMPTY_PASSWORD",
        "MYSQL_RANDOM_ROOT_PASSWORD",
        "MARIADB_ROOT_PASSWORD",
        "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD",
        "MARIADB_RANDOM_ROOT_PASSWORD",
    )
    complaint = (
        "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n"
        "    You need to specify one of the following as an environment variable:\n"
        "    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n"
        "    - MYSQL_RANDOM_ROOT_PASSWORD"
    )

    def announce(self, process: Process) -> None:
        stamp = f"{process.clock.now():%Y-%m-%dT%H:%M:%S.%fZ}"
        process.complain(
            f"{stamp} 0 [System] [MY-010931] [Server] mysqld: ready for connections. "
            "Version: '8.4.0'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306"
        )


class Mongo(_Listening):
    """mongod."""

    port = 27017

    def announce(self, process: Process) -> None:
        stamp = f"{process.clock.now():%Y-%m-%dT%H:%M:%S.000+00:00}"
        process.print(
            f'{{"t":{{"$date":"{stamp}"}},"s":"I","c":"NETWORK","id":23016,"ctx":"listener",'
            '"msg":"Waiting for connections","attr":{"port":27017,"ssl":"off"}}'
        )


class Memcached(_Listening):
    """memcached."""

    port = 11211


POSTGRES = ImageFamily(
    repositories=("docker.io/library/postgres", "docker.io/bitnami/postgresql"),
    programs={"postgres": Postgres, "pg_isready": PgIsReady},
    entrypoint=("docker-entrypoint.sh",),
    cmd=("postgres",),
    env={"PGDATA": "/var/lib/postgresql/data"},
    files=DEBIAN_FILES,
    userland=DEBIAN,
    size=150 * MIB,
    highest=(18, 9),
    exposed=(5432,),
    stop_signal="INT",
    cores=0.001,
    memory=38 * MIB,
)
MYSQL = ImageFamily(
    repositories=("docker.io/library/mysql", "docker.io/library/mariadb"),
    programs={"mysqld": Mysql, "mariadbd": Mysql},
    entrypoint=("docker-entrypoint.sh",),
    cmd=("mysqld",),
    files=DEBIAN_FILES,
    userland=DEBIAN,
    size=230 * MIB,
    highest=(12, 9),
    exposed=(3306,),
    cores=0.003,
    memory=180 * MIB,
)
MONGO = ImageFamily(
    repositories=("docker.io/library/mongo",),
    programs={"mongod": Mongo},
    entrypoint=("docker-entrypoint.sh",),
    cmd=("mongod",),
    files=DEBIAN_FILES,
    userland=DEBIAN,
    size=260 * MIB,
    highest=(8, 9),
    exposed=(27017,),
    cores=0.004,
    memory=90 * MIB,
)
MEMCACHED = ImageFamily(
    repositories=("docker.io/library/memcached",),
    programs={"memcached": Memcached},
    entrypoint=("docker-entrypoint.sh",),
    cmd=("memcached",),
    files=DEBIAN_FILES,
    userland=DEBIAN,
    size=30 * MIB,
    highest=(1, 6),
    exposed=(11211,),
    memory=3 * MIB,
)
