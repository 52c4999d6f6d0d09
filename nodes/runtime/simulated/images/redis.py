"""redis: a server that speaks RESP, replicates to followers over the network, and its client."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from random import Random

from nodes.network.stream import Stream
from nodes.runtime.simulated.image import DEBIAN, MIB, ImageFamily, executables
from nodes.runtime.simulated.images.base import DEBIAN_FILES
from nodes.runtime.simulated.images.redisdata import COMMANDS, Database, dump
from nodes.runtime.simulated.images.resp import (
    OK,
    ProtocolError,
    Reply,
    RespError,
    RespReader,
    encode,
    encode_command,
    show,
)
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.program import Server, TaskProgram
from nodes.runtime.simulated.shell.options import parse_options
from nodes.runtime.simulated.shell.terminal import EndOfInput, Interrupted, LineReader, Terminal

VERSION = "8.2.1"
MAX_CLIENTS = 128
# A replica that lost its leader, or has not found it yet, tries again after this.
_RETRY = 1.0
_CPU = 0.00002


class RedisServer(Server):
    """redis-server [FILE] [--port N] [--replicaof HOST PORT] [--requirepass PASSWORD]."""

    def __init__(self) -> None:
        self._settings: dict[str, str] = {}
        self._replicas: list[Stream] = []
        self._leader: tuple[str, int] | None = None
        self._link_up = False
        self._link: Stream | None = None
        self._generation = 0
        self._commands = 0
        self._offset = 0

    def start(self, process: Process) -> None:
        self._process = process
        self._db = Database(process.clock.seconds, Random(process.world.seed))  # noqa: S311
        if "--version" in process.argv:
            process.print(f"Redis server v={VERSION}")
            process.exit(0)
            return
        self._settings = _settings(process)
        self._note("oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo", "C")
        self._note(f"Redis version={VERSION}, bits=64, pid={process.pid}, just started", "C")
        port = int(self._settings.get("port", "6379") or 6379)
        try:
            process.listen(port, self._client)
        except OSError:
            self._note(
                f"Could not create server TCP listening socket *:{port}: bind: "
                "Address already in use",
                "M",
                "#",
            )
            process.exit(1)
            return
        self._note(f"Running mode=standalone, port={port}.")
        leader = (self._settings.get("replicaof") or self._settings.get("slaveof", "")).split()
        if len(leader) == 2 and leader[1].isdigit():
            self._follow((leader[0], int(leader[1])))
        self._note("Ready to accept connections tcp")

    def stopping(self, process: Process) -> None:
        self._note("User requested shutdown...", "M", "#")
        self._note("Redis is now ready to exit, bye bye...", "M", "#")

    # -- clients ---------------------------------------------------------------------------------

    async def _client(self, stream: Stream) -> None:
        reader = RespReader(stream)
        allowed = "requirepass" not in self._settings
        while True:
            try:
                command = await reader.command()
            except (ProtocolError, EOFError) as error:
                if isinstance(error, ProtocolError):
                    await stream.write(encode(RespError(f"ERR {error}")))
                return
            if command is None:
                return
            if not command:
                continue
            name = command[0].decode("latin-1").upper()
            if name == "AUTH":
                allowed = command[-1].decode("latin-1") == self._settings.get("requirepass")
                wrong = RespError("WRONGPASS invalid username-password pair or user is disabled.")
                await stream.write(encode(OK("OK") if allowed else wrong))
            elif not allowed and name != "QUIT":
                await stream.write(encode(RespError("NOAUTH Authentication required.")))
            elif name in ("PSYNC", "SYNC"):
                await self._serve_replica(stream)
                return
            else:
                await stream.write(encode(await self._execute(name, command)))
                if name == "QUIT":
                    return

    async def _execute(self, name: str, command: list[bytes], *, replicated: bool = False) -> Reply:
        self._commands += 1
        self._process.work(_CPU)
        own = _OWN.get(name)
        args = command[1:]
        if own is not None:
            return own(self, args)
        known = COMMANDS.get(name)
        if known is None:
            shown = " ".join(f"'{arg.decode('latin-1')[:128]}'" for arg in args[:8])
            return RespError(
                f"ERR unknown command '{command[0].decode('latin-1')[:128]}', "
                f"with args beginning with: {shown} "
            )
        function, least, writes = known
        if len(args) < least:
            return RespError(f"ERR wrong number of arguments for '{name.lower()}' command")
        if writes and self._leader is not None and not replicated:
            return RespError("READONLY You can't write against a read only replica.")
        try:
            reply = function(self._db, args)
        except RespError as error:
            return error
        if writes:
            await self._propagate(command)
        return reply

    # -- replication -----------------------------------------------------------------------------

    async def _serve_replica(self, stream: Stream) -> None:
        if len(self._replicas) >= MAX_CLIENTS:
            return
        self._note(f"Replica {stream.remote[0]}:6379 asks for synchronization")
        snapshot = dump(self._db)
        await stream.write(b"+FULLRESYNC %040d %d\r\n" % (self._process.world.seed, self._offset))
        await stream.write(b":%d\r\n" % len(snapshot))
        self._replicas.append(stream)
        for command in snapshot:
            await stream.write(encode_command(command))
        self._note(f"Synchronization with replica {stream.remote[0]}:6379 succeeded")
        try:
            while await stream.read():
                pass
        finally:
            if stream in self._replicas:
                self._replicas.remove(stream)
            if self._process.running:
                self._note(f"Connection with replica {stream.remote[0]}:6379 lost.", "M", "#")

    async def _propagate(self, command: list[bytes]) -> None:
        data = encode_command(command)
        self._offset += len(data)
        for replica in list(self._replicas):
            try:
                await replica.write(data)
            except BrokenPipeError:
                self._replicas.remove(replica)

    def _follow(self, leader: tuple[str, int] | None) -> None:
        self._generation += 1
        self._leader, self._link_up = leader, False
        if self._link is not None:
            self._link.close()
        if leader is not None:
            self._process.spawn("replication", self._replicate(leader, self._generation))

    async def _replicate(self, leader: tuple[str, int], generation: int) -> None:
        complained = False
        while generation == self._generation:
            try:
                if not complained:
                    self._note(f"Connecting to MASTER {leader[0]}:{leader[1]}", "S")
                stream = self._link = await self._process.net.connect(*leader, timeout=60)
                complained = False
                await self._receive(stream)
                self._note("Connection with master lost.", "S", "#")
            except (OSError, EOFError, ProtocolError, TimeoutError) as error:
                if not complained:
                    self._note(f"Unable to connect to MASTER: {error}", "S", "#")
                complained = True
            self._link_up = False
            await self._process.clock.sleep(_RETRY)

    async def _receive(self, stream: Stream) -> None:
        """Take what the leader sends: first everything, then each change."""
        try:
            reader = RespReader(stream)
            if password := self._settings.get("masterauth"):
                await stream.write(encode_command([b"AUTH", password.encode()]))
                await reader.reply()
            await stream.write(encode_command([b"PSYNC", b"?", b"-1"]))
            reply = await reader.reply()
            if isinstance(reply, RespError):
                raise ProtocolError(str(reply))
            await reader.reply()  # how many commands the snapshot has
            self._db.clear()
            self._link_up = True
            self._note("MASTER <-> REPLICA sync: Finished with success", "S")
            while (command := await reader.command()) is not None:
                name = command[0].decode("latin-1").upper() if command else ""
                await self._execute(name, command, replicated=True)
        finally:
            stream.close()

    # -- own commands ----------------------------------------------------------------------------

    def replicaof(self, args: list[bytes]) -> Reply:
        if len(args) != 2:
            return RespError("ERR wrong number of arguments for 'replicaof' command")
        host, port = args[0].decode("latin-1"), args[1].decode("latin-1")
        if (host.upper(), port.upper()) == ("NO", "ONE"):
            self._follow(None)
            self._note("MASTER MODE enabled (user request)")
        elif not port.isdigit():
            return RespError("ERR value is not an integer or out of range")
        else:
            self._follow((host, int(port)))
        return OK("OK")

    def role(self, args: list[bytes]) -> Reply:
        if self._leader is None:
            replicas: list[Reply] = [
                [stream.remote[0], "6379", str(self._offset)] for stream in self._replicas
            ]
            return ["master", self._offset, replicas]
        state = "connected" if self._link_up else "connect"
        return ["slave", self._leader[0], self._leader[1], state, self._offset]

    def info(self, args: list[bytes]) -> Reply:
        wanted = args[0].decode("latin-1").lower() if args else ""
        now = self._process.clock.seconds()
        memory = self._process.world.meter.memory(now)
        sections = {
            "server": {
                "redis_version": VERSION,
                "redis_mode": "standalone",
                "os": "Linux x86_64",
                "tcp_port": self._settings.get("port", "6379"),
                "uptime_in_seconds": str(int(now - self._process.started)),
            },
            "clients": {"maxclients": str(MAX_CLIENTS)},
            "memory": {"used_memory": str(memory), "used_memory_human": f"{memory / MIB:.2f}M"},
            "stats": {"total_commands_processed": str(self._commands)},
            "replication": self._replication(),
            "keyspace": {
                "db0": f"keys={len(self._db.values)},expires={len(self._db.expires)},avg_ttl=0"
            }
            if self._db.values
            else {},
        }
        return "\r\n".join(
            f"# {name.title()}\r\n" + "".join(f"{key}:{value}\r\n" for key, value in fields.items())
            for name, fields in sections.items()
            if wanted in ("", "all", "everything", name)
        )

    def _replication(self) -> dict[str, str]:
        if self._leader is not None:
            return {
                "role": "slave",
                "master_host": self._leader[0],
                "master_port": str(self._leader[1]),
                "master_link_status": "up" if self._link_up else "down",
            }
        return {
            "role": "master",
            "connected_slaves": str(len(self._replicas)),
            **{
                f"slave{number}": f"ip={stream.remote[0]},port=6379,state=online"
                for number, stream in enumerate(self._replicas)
            },
        }

    def config(self, args: list[bytes]) -> Reply:
        words = [arg.decode("latin-1").lower() for arg in args]
        if words[:1] == ["get"] and len(words) > 1:
            return [words[1], self._settings.get(words[1], "")]
        if words[:1] == ["set"] and len(words) > 2 and len(self._settings) < 100:
            self._settings[words[1]] = args[2].decode("latin-1")
        return OK("OK")

    def shutdown(self, args: list[bytes]) -> Reply:
        self.stopping(self._process)
        self._process.exit(0)
        return OK("OK")

    def _note(self, text: str, role: str = "M", level: str = "*") -> None:
        process = self._process
        if role == "M" and self._leader is not None:
            role = "S"
        moment = process.clock.now()
        stamp = f"{moment:%d %b %Y %H:%M:%S}.{moment.microsecond // 1000:03d}"
        process.print(f"{process.pid}:{role} {stamp} {level} {text}")


_OWN: dict[str, Callable[[RedisServer, list[bytes]], Reply]] = {
    "PING": lambda server, args: args[0] if args else OK("PONG"),
    "ECHO": lambda server, args: args[0] if args else RespError("ERR wrong number of arguments"),
    "QUIT": lambda server, args: OK("OK"),
    "SELECT": lambda server, args: OK("OK"),
    "CLIENT": lambda server, args: OK("OK"),
    "COMMAND": lambda server, args: [],
    "REPLCONF": lambda server, args: OK("OK"),
    "SAVE": lambda server, args: OK("OK"),
    "REPLICAOF": RedisServer.replicaof,
    "SLAVEOF": RedisServer.replicaof,
    "ROLE": RedisServer.role,
    "INFO": RedisServer.info,
    "CONFIG": RedisServer.config,
    "SHUTDOWN": RedisServer.shutdown,
}


def _settings(process: Process) -> dict[str, str]:
    """Read the configuration file and the options: later ones win."""
    found: dict[str, str] = {}
    args = list(process.argv[1:])
    if args and not args[0].startswith("--"):
        path = args.pop(0)
        for line in process.fs.text(path).splitlines()[:1000]:
            key, _, value = line.strip().partition(" ")
            if key and not key.startswith("#"):
                found[key.lower()] = value.strip().strip('"')
    key = ""
    for arg in args:
        if arg.startswith("--"):
            key = arg[2:].lower()
            found[key] = ""
        elif key:
            found[key] = f"{found[key]} {arg}".strip()
    return found


class RedisCli(TaskProgram):
    """redis-cli [-h HOST] [-p PORT] [-a PASSWORD] [--raw] [COMMAND ...]; else commands on stdin."""

    async def run(self, process: Process) -> int:
        args = list(process.argv[1:])
        # Options end where the command begins.
        at = 0
        while at < len(args) and args[at].startswith("-"):
            at += 2 if args[at] in ("-h", "-p", "-a", "-n", "--pass", "-u", "-r", "-i") else 1
        options = parse_options(args[:at], "xc", "hpanuri", ("pass",))
        rest = args[at:]
        host, port = options.value("h", default="127.0.0.1"), options.value("p", default="6379")
        where = f"{host}:{port}"
        try:
            stream = await process.net.connect(host, int(port), timeout=60)
        except (OSError, TimeoutError, ValueError) as error:
            why = (
                "Connection refused"
                if isinstance(error, ConnectionRefusedError)
                else ("Name or service not known")
            )
            process.complain(f"Could not connect to Redis at {where}: {why}")
            return 1
        try:
            reader = RespReader(stream)
            raw = options.has("raw") or not process.tty
            if password := options.value("a", "pass") or process.env.get("REDISCLI_AUTH", ""):
                await stream.write(encode_command([b"AUTH", password.encode()]))
                await reader.reply()
            if rest:
                return await self._one(process, stream, reader, rest, raw=raw)
            return await self._many(process, stream, reader, where)
        except (BrokenPipeError, EOFError, ProtocolError):
            process.complain("Error: Server closed the connection")
            return 1
        finally:
            stream.close()

    async def _one(
        self, process: Process, stream: Stream, reader: RespReader, words: list[str], *, raw: bool
    ) -> int:
        await stream.write(encode_command([word.encode() for word in words]))
        reply = await reader.reply()
        process.print(show(reply, raw=raw))
        await process.out.drain()
        return 1 if isinstance(reply, RespError) and raw and process.tty else 0

    async def _many(self, process: Process, stream: Stream, reader: RespReader, where: str) -> int:
        if process.stdin is None:
            return 0
        source = Terminal(process) if process.tty else LineReader(process.stdin)
        while True:
            try:
                line = await source.line(f"{where}> ")
            except (EndOfInput, Interrupted):
                return 0
            try:
                words = shlex.split(line)
            except ValueError:
                process.print("Invalid argument(s)")
                continue
            if words[:1] in (["exit"], ["quit"]):
                return 0
            if words:
                await self._one(process, stream, reader, words, raw=not process.tty)


REDIS = ImageFamily(
    repositories=(
        "docker.io/library/redis",
        "docker.io/library/valkey",
        "docker.io/valkey/valkey",
        "docker.io/bitnami/redis",
        "registry.k8s.io/redis",
        "registry.k8s.io/e2e-test-images/redis",
        "gcr.io/google_containers/redis",
        "docker.io/redis/redis-stack-server",
    ),
    programs={"redis-server": RedisServer, "redis-cli": RedisCli},
    entrypoint=("docker-entrypoint.sh",),
    cmd=("redis-server",),
    env={"REDIS_VERSION": VERSION},
    working_dir="/data",
    files={
        **DEBIAN_FILES,
        **executables("/usr/local/bin/redis-server", "/usr/local/bin/redis-cli"),
    },
    userland=DEBIAN,
    size=45 * MIB,
    highest=(9, 99),
    exposed=(6379,),
    cores=0.001,
    memory=8 * MIB,
)
