"""What this machine can offer: shells in sandboxes, or why not, and what to install.

It is found out by trying: a sandbox is started in which `true` runs. A shell that is asked for
before the trial is over waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from playground.shells import rootfs, sandbox, seccomp
from playground.shells.cgroups import Groups
from playground.shells.launching import LaunchError, Launching
from playground.shells.spawn import Order

log = logging.getLogger("kubeground.shells")

# Users of sandboxes: far from those that systemd, containers and subuid give out.
_FIRST_UID = 1_900_000_000
_UIDS_OF_ONE_SERVER = 1000
_DEBIAN = {"bash": "bash", "busybox": "busybox-static", "bwrap": "bubblewrap", "kubectl": ""}
_NO_NAMESPACES = (
    "The kernel does not let this user make namespaces. Allow it (sysctl "
    "kernel.unprivileged_userns_clone=1, or kernel.apparmor_restrict_unprivileged_userns=0), "
    "or run the server as root."
)


@dataclass(slots=True)
class Host:
    """Knows whether there are sandboxes here, and makes the orders for shells."""

    launching: Launching
    groups: Groups
    ca_certificate: Path
    can_sandbox: bool = False
    why_not: str = ""
    install: tuple[str, ...] = ()
    _root: str = ""
    _uids: dict[str, int] = field(default_factory=dict)
    _trial: asyncio.Task[None] | None = None

    async def ready(self) -> None:
        """Wait until it is known what there is; a trial that failed is repeated when asked for."""
        if self._trial is None or (self._trial.done() and not self.can_sandbox):
            self._trial = asyncio.ensure_future(self._try())
        await asyncio.shield(self._trial)

    async def _try(self) -> None:
        self.can_sandbox, self.why_not, self.install = False, "", ()
        if not seccomp.supported():
            self.why_not = "There is no system call filter for this kind of processor."
            return
        if shutil.which("bwrap") is None:
            self._lacks("bwrap")
            return
        try:
            made = await self.launching.prepare(self.ca_certificate)
            if missing := made.get("missing"):
                self._lacks(*missing)
                return
            self._root = made["root"]
            program = await self.launching.start(sandbox.order(self._root, ["/bin/true"], {}))
            told = b"".join([data async for data in program.output()])
            code = await program.exit_code()
            program.close()
            if program.listener is not None:
                program.listener.close()
        except LaunchError as error:
            self.why_not = f"{_NO_NAMESPACES} The system said: {error}"
            return
        if code:
            said = told.decode(errors="replace").strip()
            self.why_not = f"A sandbox does not start here. It said: {said or f'exit code {code}'}"
            return
        self.can_sandbox = True
        log.info(
            "shells run in sandboxes",
            extra={"own_users": os.getuid() == 0, "limited": sorted(self.groups.limited)},
        )

    def _lacks(self, *names: str) -> None:
        self.install = tuple(package for name in names if (package := _DEBIAN.get(name, name)))
        self.why_not = f"This machine lacks {', '.join(names)}."

    async def sandboxed(
        self, environment: dict[str, str], group: str, rows: int, columns: int
    ) -> Order:
        """Return the order for a shell. Shells of one `group` share a user, a home and limits."""
        server = {"KUBEGROUND_SERVER": sandbox.API_SERVER, "KUBEGROUND_TOKEN": sandbox.TOKEN}
        files = {
            "KUBEGROUND_CA": "/etc/kubeground/ca.crt",
            "KUBEGROUND_COMPLETION": "/etc/kubeground/completion",
            "KUBEGROUND_EXAMPLES": "/etc/kubeground/examples",
        }
        uid, home = -1, ""
        if os.getuid() == 0:
            uid = self._uid(group)
            home = await self.launching.home(group, uid)
        return sandbox.order(
            self._root,
            ["/bin/bash", "--rcfile", "/etc/kubeground/bashrc", "-i"],
            {**environment, **server, **files},
            home=home,
            uid=uid,
            groups=self.groups.add(str(uid if uid >= 0 else abs(hash(group)))),
            rows=rows,
            columns=columns,
        )

    def _uid(self, group: str) -> int:
        if group not in self._uids:
            base = _FIRST_UID + os.getpid() % 90_000 * _UIDS_OF_ONE_SERVER
            self._uids[group] = base + len(self._uids) % _UIDS_OF_ONE_SERVER
        return self._uids[group]

    def plain(
        self, environment: dict[str, str], server: str, token: str
    ) -> tuple[Order, tempfile.TemporaryDirectory[str]]:
        """Return the order for a shell in no sandbox, and a directory that lives as long as it."""
        directory = tempfile.TemporaryDirectory(prefix="kubeground-shell-")
        own = {
            "KUBECONFIG": str(Path(directory.name) / "kubeconfig"),
            "KUBEGROUND_SERVER": server,
            "KUBEGROUND_TOKEN": token,
            "KUBEGROUND_CA": str(self.ca_certificate),
            "KUBEGROUND_COMPLETION": self._completion(),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }
        tools = Path(sys.executable).parent
        path = f"{tools}{os.pathsep}{os.environ.get('PATH', '/usr/bin:/bin')}"
        kept = {name: os.environ[name] for name in _PASSED if name in os.environ}
        order = Order(
            argv=["bash", "--rcfile", str(rootfs.HERE / "bashrc"), "-i"],
            environment={**kept, **environment, **own, "PATH": path},
            directory=os.environ.get("HOME", "/"),
        )
        return order, directory

    def _completion(self) -> str:
        """Return a directory of completions: there is one where there could be a sandbox."""
        return f"{self._root}/etc/kubeground/completion" if self._root else ""


# What a shell of the machine's own user starts with: their own, and nothing of the server's.
_PASSED = ("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TMPDIR", "XDG_RUNTIME_DIR")
