"""From a fork to a program: what a child does before it becomes the shell.

`start` forks; the child makes what it needs, hands it up over `reply` (the terminal's other end,
and the socket that listens in its network namespace), gives up its rights and executes. What goes
wrong before that is told over `reply` too. It is called in a process without threads: nothing else
may be done between a fork and an exec.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import pty
import resource
import signal
import socket
import struct
import termios
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_NEWNET, _NEWUSER = 0x40000000, 0x10000000
_SET_NO_NEW_PRIVILEGES = 38
# SIOCSIFFLAGS; IFF_UP and IFF_RUNNING
_SET_FLAGS, _UP_RUNNING = 0x8914, 0x1 | 0x40
_BACKLOG = 64
# Behind everything that matters, and still quick when nothing else runs.
_NICE = 5

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Order:
    """A program to start. Everything in it can be sent as JSON."""

    argv: list[str]
    environment: dict[str, str]
    rows: int = 24
    columns: int = 80
    # What bwrap reads from a descriptor instead of its command line; none: no sandbox.
    sandbox: list[str] = field(default_factory=list)
    # The port of the socket that listens in a network namespace of its own; 0: neither of them.
    listen: int = 0
    # The user that the program becomes; -1: whoever we are.
    uid: int = -1
    # RLIMIT names without the prefix, each with its value.
    limits: dict[str, int] = field(default_factory=dict)
    # Files of control groups to enter.
    groups: list[str] = field(default_factory=list)
    directory: str = "/"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Order:
        return cls(**given)


def start(order: Order, reply: socket.socket, seccomp: bytes, close: Sequence[int]) -> int:
    """Fork; return the child's process id. `close` are descriptors that it must not have."""
    pid = os.fork()
    if pid:
        return pid
    try:
        for descriptor in close:
            os.close(descriptor)
        _become(order, reply, seccomp)
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"
        with contextlib.suppress(OSError):
            _tell(reply, {"error": text})
        # Once the terminal is handed up, whoever looks at it is told.
        os.write(2, text.encode())
    os._exit(127)


def _become(order: Order, reply: socket.socket, seccomp: bytes) -> None:
    """Turn this process into the program; returns only by an exception."""
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    listener = _own_network(order.listen) if order.listen else None
    master, slave = pty.openpty()
    resize(slave, order.rows, order.columns)
    fcntl.fcntl(master, fcntl.F_SETFL, os.O_NONBLOCK)
    _tell(reply, {}, master, *((listener.fileno(),) if listener else ()))
    os.close(master)
    if listener:
        listener.close()
    for file in order.groups:
        Path(file).write_text("0")
    _own_terminal(slave, order.uid)
    descriptors = _sandbox_descriptors(order, seccomp) if order.sandbox else ()
    _give_up(order)
    os.chdir(order.directory)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    # The order stays open until here, so that a failed exec can be told.
    command = [*order.argv[:1], *_arguments(order, descriptors)]
    os.execvpe(command[0], command, order.environment)  # noqa: S606 - that is what it is for


def _arguments(order: Order, descriptors: Sequence[int]) -> list[str]:
    if not order.sandbox:
        return order.argv[1:]
    arguments, seccomp = descriptors
    return ["--args", str(arguments), "--seccomp", str(seccomp), *order.argv[1:]]


def _own_network(port: int) -> socket.socket:
    """Enter a new network namespace; return a socket that listens in it, on loopback alone."""
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_NEWNET if user == 0 else _NEWNET | _NEWUSER):
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        wanted = struct.pack("16sh22x", b"lo", _UP_RUNNING)
        fcntl.ioctl(any_socket, _SET_FLAGS, wanted)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _own_terminal(slave: int, uid: int) -> None:
    """Lead a session whose terminal is `slave`, which becomes input, output and errors."""
    if uid >= 0:
        os.fchown(slave, uid, uid)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for descriptor in (0, 1, 2):
        os.dup2(slave, descriptor)
    if slave > 2:
        os.close(slave)


def _sandbox_descriptors(order: Order, seccomp: bytes) -> tuple[int, int]:
    """Return what bwrap reads: its arguments, which nobody shall see in a list of processes."""
    arguments = b"".join(part.encode() + b"\0" for part in order.sandbox)
    return _memory("arguments", arguments), _memory("seccomp", seccomp)


def _memory(name: str, content: bytes) -> int:
    descriptor = os.memfd_create(name)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _give_up(order: Order) -> None:
    """Become the order's user, for good, within its limits."""
    if order.uid >= 0:
        os.setgroups([])
        os.setresgid(order.uid, order.uid, order.uid)
        os.setresuid(order.uid, order.uid, order.uid)
    for name, value in order.limits.items():
        number = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(number)
        lowered = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (lowered, lowered))
    if order.sandbox:
        os.nice(_NICE)
        _libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def _tell(reply: socket.socket, what: dict[str, str], *descriptors: int) -> None:
    socket.send_fds(reply, [json.dumps(what).encode()], descriptors)


def resize(terminal: int, rows: int, columns: int) -> None:
    """Give a terminal its size; what runs in it is told by SIGWINCH."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
