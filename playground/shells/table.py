"""All shells of this machine: who may have how many, how they are started, when they end."""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from playground.shells import pods, sandbox
from playground.shells.caller import Caller
from playground.shells.cgroups import Groups
from playground.shells.forward import Api, Forwarder
from playground.shells.host import Host
from playground.shells.launching import Launching, LocalProgram
from playground.shells.pods import NodePod, Target
from playground.shells.session import About, Program, Session
from playground.tasks import Tasks

log = logging.getLogger("kubeground.shells")

PER_USER, IN_ALL = 8, 64
# Nobody looks: the page may come back after a while. Nobody types and nothing is printed: hours.
DETACHED_SECONDS, IDLE_SECONDS = 600.0, 4 * 3600.0
# How long one can read how a shell ended, and fetch its recording.
REMEMBERED_SECONDS = 600.0
_SWEEP_SECONDS = 10.0


class TooManyError(Exception):
    """A limit is reached; the text says which."""


class NotOfferedError(Exception):
    """A kind of shell is not to be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the site asks for, having checked that it may."""

    owner: str
    cluster: str
    uid: str
    login: str
    user: str
    groups: tuple[str, ...]
    kind: str = "shell"
    namespace: str = "default"
    pod: str = ""
    container: str = ""
    command: tuple[str, ...] = ("sh",)
    node: str = ""
    rows: int = 24
    columns: int = 80

    @property
    def title(self) -> str:
        if self.kind == "pod":
            return f"{self.pod}/{self.container}" if self.container else self.pod
        return self.node if self.kind == "node" else self.cluster

    @property
    def environment(self) -> dict[str, str]:
        """Return what a shell reads when it starts: for whom it is."""
        return {
            "KUBEGROUND_CLUSTER": self.cluster,
            "KUBEGROUND_USER": self.user,
            "KUBEGROUND_NAMESPACE": self.namespace,
        }

    def caller(self, token: str = "", terminal: str = "") -> Caller:
        return Caller(self.cluster, self.user, self.groups, token, terminal)


@dataclass(slots=True)
class Limits:
    """How many shells there may be, and how long they last; times are seconds."""

    per_user: int = PER_USER
    in_all: int = IN_ALL
    detached: float = DETACHED_SECONDS
    idle: float = IDLE_SECONDS
    remembered: float = REMEMBERED_SECONDS
    sweep: float = _SWEEP_SECONDS


@dataclass(slots=True)
class Table:
    """Keeps the sessions; a task of its own runs each."""

    api: Api
    host: Host
    launching: Launching
    groups: Groups
    clock: Callable[[], float]
    limits: Limits = field(default_factory=Limits)
    _sessions: dict[str, Session] = field(default_factory=dict)
    _tasks: Tasks = field(default_factory=Tasks)
    # Those that are being started count already.
    _starting: list[str] = field(default_factory=list)
    _sweeping: bool = False

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions.values()))

    def find(self, number: str) -> Session | None:
        """Return a session, running or remembered."""
        return self._sessions.get(number)

    async def open(self, wish: Wish) -> Session:
        """Start a shell. Raises TooManyError, NotOfferedError, LaunchError."""
        self._check(wish.owner)
        self._starting.append(wish.owner)
        try:
            about = About(
                id=secrets.token_urlsafe(12),
                owner=wish.owner,
                cluster=wish.cluster,
                uid=wish.uid,
                login=wish.login,
                kind=wish.kind,
                title=wish.title,
                acting_as=wish.user if wish.user != wish.owner else "",
                created=self.clock(),
            )
            session = await self._start(wish, about)
        finally:
            self._starting.remove(wish.owner)
        self._sessions[about.id] = session
        self._tasks.start(self._watch(session), f"shell {about.id}")
        if not self._sweeping:
            self._sweeping = True
            self._tasks.serve(self._sweep, "sweeper of shells")
        return session

    def end(self, why: str, **fields: str) -> int:
        """End running shells of which all these fields of About are so; return how many."""
        found = [
            session
            for session in self
            if session.running
            and all(getattr(session.about, name) == value for name, value in fields.items())
        ]
        for session in found:
            session.end(why)
        return len(found)

    async def close(self) -> None:
        """End everything."""
        self.end("The server was stopped.")
        await self.launching.close()
        await self._tasks.stop()
        self.groups.close()

    # -- starting --------------------------------------------------------------------------------

    def _check(self, owner: str) -> None:
        running = [session.about.owner for session in self if session.running] + self._starting
        if running.count(owner) >= self.limits.per_user:
            text = f"You have {self.limits.per_user} of {self.limits.per_user} terminals. "
            raise TooManyError(text + "End one to open another.")
        if len(running) >= self.limits.in_all:
            text = f"All {self.limits.in_all} terminals of this server are in use. "
            raise TooManyError(text + "Try again when somebody has ended theirs.")

    async def _start(self, wish: Wish, about: About) -> Session:
        if wish.kind == "pod":
            return await self._enter(wish, about)
        if wish.kind == "node":
            return await self._debug(wish, about)
        if wish.kind == "plain":
            return await self._plain(wish, about)
        await self.host.ready()
        if not self.host.can_sandbox:
            raise NotOfferedError(self.host.why_not)
        group = f"{wish.owner}@{wish.cluster}"
        order = await self.host.sandboxed(wish.environment, group, wish.rows, wish.columns)
        program = await self.launching.start(order)
        return await self._local(wish, about, program, sandbox.TOKEN, program.listener)

    async def _plain(self, wish: Wish, about: About) -> Session:
        """Start a shell that is in no sandbox; its way to the API is a port of this machine."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        token = secrets.token_urlsafe(24)
        server = f"https://127.0.0.1:{listener.getsockname()[1]}"
        try:
            order, directory = self.host.plain(wish.environment, server, token)
            program = await self.launching.start(
                replace(order, rows=wish.rows, columns=wish.columns)
            )
        except BaseException:
            listener.close()
            raise
        session = await self._local(wish, about, program, token, listener)
        session.cleanup.append(directory.cleanup)
        return session

    async def _local(
        self,
        wish: Wish,
        about: About,
        program: LocalProgram,
        token: str,
        listener: socket.socket | None,
    ) -> Session:
        session = self._session(about, program, wish)

        def told(request: dict[str, Any]) -> None:
            session.note({"op": "request", **request})

        if listener is not None:
            forwarder = Forwarder(self.api, wish.caller(token, about.id), told)
            await forwarder.start(listener)
            session.cleanup.append(forwarder.close)
        return session

    async def _enter(self, wish: Wish, about: About) -> Session:
        target = Target(wish.namespace, wish.pod, wish.container, wish.command)
        caller = wish.caller()
        program = await pods.enter(self.api, caller, target, wish.rows, wish.columns)
        return self._session(about, program, wish)

    async def _debug(self, wish: Wish, about: About) -> Session:
        caller = wish.caller()
        pod = NodePod(self.api, caller, wish.node)
        await pod.start()
        try:
            program = await pods.enter(
                self.api, caller, pod.target, wish.rows, wish.columns, verb="attach"
            )
        except BaseException:
            await pod.delete()
            raise
        # A shell that is attached to has printed its prompt to nobody: ask for another.
        await program.write(b"\n")
        session = self._session(about, program, wish)
        session.cleanup.append(pod.delete)
        return session

    def _session(self, about: About, program: Program, wish: Wish) -> Session:
        return Session(about, program, wish.rows, wish.columns, self.clock)

    # -- running and ending ----------------------------------------------------------------------

    async def _watch(self, session: Session) -> None:
        try:
            await session.run()
        finally:
            for clean in session.cleanup:
                try:
                    left = clean()
                    if inspect.isawaitable(left):
                        await left
                except Exception:
                    log.exception("something of a shell is left behind")

    async def _sweep(self) -> None:
        """End what nobody uses and forget what has ended, while there is something."""
        while self._sessions:
            await asyncio.sleep(self.limits.sweep)
            now = self.clock()
            for session in self:
                self._look_at(session, now)
        self._sweeping = False

    def _look_at(self, session: Session, now: float) -> None:
        limits = self.limits
        if session.ended_at is not None:
            if now - session.ended_at > limits.remembered and not session.attachments:
                del self._sessions[session.about.id]
        elif not session.attachments and now - session.last_seen > limits.detached:
            session.end("Nobody looked at it for a while.")
        elif now - session.last_used > limits.idle:
            session.end("Nothing was typed or printed for hours.")
