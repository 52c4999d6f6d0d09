"""What a sandbox is: the order that starts a program in one.

The program sees the root directory read-only, a home, and a /tmp in memory; it has its own process,
network, IPC, host name and user namespaces, no capability, a filter of system calls, and limits.
"""

from __future__ import annotations

import os
from pathlib import Path

from playground.shells.spawn import Order

# Where the API of the cluster answers, inside.
API_PORT = 6443
API_SERVER = f"https://127.0.0.1:{API_PORT}"
# kubectl demands a credential; the one that counts is the socket by which a request comes.
TOKEN = "this-terminal-is-the-credential"

_TMP_BYTES = 16 << 20
_HOME_BYTES = 32 << 20
# What of /proc says more about the machine than a user needs to know.
_HIDDEN = ("cmdline", "keys", "key-users", "kcore", "timer_list", "sched_debug", "kallsyms")

# kubectl starts some twenty threads, and each counts as a process: room for pipes of a few.
PROCESSES = 256
LIMITS = {
    "NOFILE": 1024,
    "CORE": 0,
    "FSIZE": 64 << 20,
    # One process may compute for ten minutes; a shell that waits uses none of it.
    "CPU": 600,
    # Go reserves addresses by the gigabyte, so the data that is really there is what counts.
    "DATA": 1 << 30,
    "MSGQUEUE": 0,
    "MEMLOCK": 64 << 10,
}


def order(
    root: str,
    command: list[str],
    environment: dict[str, str],
    *,
    home: str = "",
    uid: int = -1,
    groups: list[str] | None = None,
    rows: int = 24,
    columns: int = 80,
) -> Order:
    """Return the order for a command in a sandbox. Without `home`, its home is its own."""
    own_home = ["--size", str(_HOME_BYTES), "--tmpfs", "/home/user"]
    arguments = [
        *("--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"),
        *("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"),
        *("--hostname", "terminal", "--die-with-parent", "--cap-drop", "ALL"),
        *("--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev"),
        *("--size", str(_TMP_BYTES), "--tmpfs", "/tmp"),  # noqa: S108 - the sandbox's own
        *(["--bind", home, "/home/user"] if home else own_home),
        *_hidden(),
        *("--remount-ro", "/", "--chdir", "/home/user", "--clearenv"),
    ]
    for name, value in {**_ENVIRONMENT, **environment}.items():
        arguments += ["--setenv", name, value]
    limits = dict(LIMITS)
    if uid >= 0:
        limits["NPROC"] = PROCESSES
    else:
        # Without a user of its own the limit may count only what is inside.
        command = ["/bin/bash", "-c", f'ulimit -u {PROCESSES}; exec "$@"', "bash", *command]
    return Order(
        argv=["bwrap", "--", *command],
        environment={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
        rows=rows,
        columns=columns,
        sandbox=arguments,
        listen=API_PORT,
        uid=uid,
        limits=limits,
        groups=groups or [],
    )


_ENVIRONMENT = {
    "PATH": "/usr/bin",
    "HOME": "/home/user",
    "USER": "user",
    "LOGNAME": "user",
    "SHELL": "/bin/bash",
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "LANG": "C.UTF-8",
    "TERMINFO": "/usr/share/terminfo",
    # Two threads that compute at once are enough for kubectl, and less to keep track of.
    "GOMAXPROCS": "2",
}


def _hidden() -> list[str]:
    there = [f"/proc/{name}" for name in _HIDDEN if Path("/proc", name).exists()]
    return [part for path in there for part in ("--ro-bind", "/dev/null", path)]
