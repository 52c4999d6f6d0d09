"""The process that starts shells: small, without threads and without secrets.

It prepares the root directory of sandboxes, forks on order, and tells how each program ended. As
root it keeps its mounts in a namespace of its own, so that nothing of them is seen on the machine
and nothing is left when it ends. It ends when the other end of its socket is closed, and every
program with it.

Orders, one JSON message each, answered by `{"id", ...}`:

    prepare {ca}                    -> {root} | {missing: [names]} | {error}
    home {key, uid}                 -> {path}
    start {order} + one socket      the child tells over that socket what became of it;
                                    later: {exit: id, code}
    signal {of, number}             to a program's whole session; no answer
"""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from playground.shells import rootfs, seccomp, spawn

LARGEST = 128 * 1024
HOME_SIZE = "32m"
HOMES = 64
_NEWNS = 0x00020000
_NO_SUID, _NO_DEVICES, _BIND, _RECURSIVE, _PRIVATE = 2, 4, 4096, 16384, 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


class Launcher:
    """Serves one socket until its other end is closed."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._wakeup, self._woken = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(self._woken, False)
        self._running: dict[int, int] = {}  # process id: the order's id
        self._homes: dict[str, Path] = {}
        self._base: Path | None = None
        self._as_root = os.getuid() == 0
        self._seccomp = seccomp.program() if seccomp.supported() else b""

    def run(self) -> None:
        """Serve; then end everything that was started."""
        signal.set_wakeup_fd(self._woken)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        selector = selectors.DefaultSelector()
        selector.register(self._orders, selectors.EVENT_READ)
        selector.register(self._wakeup, selectors.EVENT_READ)
        try:
            while True:
                for key, _ in selector.select():
                    if key.fd == self._wakeup:
                        self._reap()
                    elif not self._hear():
                        return
        finally:
            self._end()

    def _hear(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._orders, LARGEST, 1)
        if not data:
            return False
        order = json.loads(data)
        try:
            self._obey(order, descriptors)
        except Exception as error:
            self._answer(order.get("id"), error=f"{type(error).__name__}: {error}")
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _obey(self, order: dict[str, Any], descriptors: list[int]) -> None:
        match order["op"]:
            case "prepare":
                self._answer(order["id"], **self._prepare(Path(order["ca"])))
            case "home":
                self._answer(order["id"], path=str(self._home(order["key"], order["uid"])))
            case "start":
                self._start(order["id"], spawn.Order.read(order["order"]), descriptors[0])
            case "signal":
                self._signal(order["of"], order["number"])

    def _answer(self, number: int | None, **fields: Any) -> None:
        self._orders.send(json.dumps({"id": number, **fields}).encode())

    # -- what sandboxes stand on -----------------------------------------------------------------

    def _prepare(self, ca_certificate: Path) -> dict[str, Any]:
        """Make the root directory of sandboxes, once."""
        if self._base is not None:
            return {"root": str(self._base / "root")}
        try:
            tools = rootfs.find_tools()
        except rootfs.MissingProgramError as error:
            return {"missing": list(error.names)}
        base = Path(tempfile.mkdtemp(prefix="kubeground-shells-"))
        base.chmod(0o755)  # the users of sandboxes pass through it
        self._base = base
        if self._as_root:
            _own_mounts(base)
        (base / "homes").mkdir(mode=0o711)
        rootfs.build(base / "root", tools, ca_certificate, self._place)
        return {"root": str(base / "root")}

    def _place(self, source: Path, target: Path) -> None:
        """Have a large file at another place too."""
        if self._as_root:
            target.touch(mode=0o755)
            _mount(str(source), str(target), "", _BIND)
            return
        try:
            target.hardlink_to(source)
        except OSError:  # another file system
            shutil.copy(source, target)

    def _home(self, key: str, uid: int) -> Path:
        """Return a home directory of limited size, which lives while the launcher does."""
        if key in self._homes:
            return self._homes[key]
        if self._base is None or not self._as_root:
            raise RuntimeError("homes are made by root alone")
        while len(self._homes) >= HOMES:
            self._forget(next(iter(self._homes)))
        home = self._base / "homes" / str(uid)
        home.mkdir(mode=0o700)
        options = f"size={HOME_SIZE},nr_inodes=4096,mode=0700,uid={uid},gid={uid}"
        _mount("tmpfs", str(home), "tmpfs", _NO_SUID | _NO_DEVICES, options)
        self._homes[key] = home
        return home

    def _forget(self, key: str) -> None:
        home = self._homes.pop(key)
        _libc.umount2(str(home).encode(), 2)  # MNT_DETACH: a sandbox that has it keeps it
        home.rmdir()

    # -- programs --------------------------------------------------------------------------------

    def _start(self, number: int, order: spawn.Order, descriptor: int) -> None:
        with socket.socket(fileno=os.dup(descriptor)) as reply:
            closed = (self._orders.fileno(), self._wakeup, self._woken, descriptor)
            pid = spawn.start(order, reply, self._seccomp, closed)
        self._running[pid] = number

    def _signal(self, number: int, what: int) -> None:
        pid = next((pid for pid, of in self._running.items() if of == number), None)
        if pid is not None:
            _kill(pid, what)

    def _reap(self) -> None:
        os.read(self._wakeup, 4096)
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            number = self._running.pop(pid, None)
            code = os.waitstatus_to_exitcode(status)
            # As a shell tells it: 128 and the signal's number.
            self._answer(None, exit=number, code=code if code >= 0 else 128 - code)

    def _end(self) -> None:
        for pid in self._running:
            _kill(pid, signal.SIGKILL)
        if self._base is None:
            return
        if self._as_root:
            _libc.umount2(str(self._base).encode(), 2)
        shutil.rmtree(self._base, ignore_errors=True)


def _kill(pid: int, number: int) -> None:
    """Signal a program's session: a sandbox ends with its outermost process."""
    for call in (os.killpg, os.kill):
        try:
            call(pid, number)
        except ProcessLookupError:
            continue


def _own_mounts(base: Path) -> None:
    """Enter a mount namespace of our own, with a file system in memory at `base`."""
    if _libc.unshare(_NEWNS):
        raise _error("unshare")
    _mount("none", "/", "", _RECURSIVE | _PRIVATE)
    _mount("tmpfs", str(base), "tmpfs", _NO_SUID | _NO_DEVICES, "size=64m,mode=0755")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    given = (source.encode(), target.encode(), kind.encode(), flags, options.encode())
    if _libc.mount(*given):
        raise _error(f"mount {target}")


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


def main() -> None:
    """Serve the socket that the descriptor in the first argument names."""
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        Launcher(orders).run()


if __name__ == "__main__":
    main()
