"""Control groups for sandboxes: memory, processes and a share of the processor, where we may.

Without them, which is so where the server is not root, limits of processes have to do.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

log = logging.getLogger("kubeground.shells")

ROOT = Path("/sys/fs/cgroup")
MEMORY_BYTES = 320 << 20
PROCESSES = 256
# One processor at most; an eighth of what the server itself gets when both want it.
_PERIOD_US = 100_000
_SHARES, _WEIGHT = 128, 12

_V1: dict[str, dict[str, int]] = {
    "memory": {"memory.limit_in_bytes": MEMORY_BYTES},
    "pids": {"pids.max": PROCESSES},
    "cpu": {"cpu.shares": _SHARES, "cpu.cfs_quota_us": _PERIOD_US},
}
_V2: dict[str, str] = {
    "memory.max": str(MEMORY_BYTES),
    "pids.max": str(PROCESSES),
    "cpu.weight": str(_WEIGHT),
    "cpu.max": f"{_PERIOD_US} {_PERIOD_US}",
}


class Groups:
    """Makes and removes groups below one of our own."""

    def __init__(self, root: Path = ROOT) -> None:
        self._name = f"kubeground-shells-{os.getpid()}"
        self._parents = _unified(root, self._name) or _hybrid(root, self._name)

    @property
    def limited(self) -> frozenset[str]:
        """Return what is limited: memory, pids, cpu."""
        return frozenset(self._parents)

    def add(self, name: str) -> list[str]:
        """Make the groups of one user; return the files by which a process enters them."""
        files = []
        for parent in dict.fromkeys(self._parents.values()):
            group = parent / name
            with contextlib.suppress(OSError):
                group.mkdir(exist_ok=True)
                _limit(group)
                files.append(str(group / "cgroup.procs"))
        return files

    def remove(self, name: str) -> None:
        """Remove the groups of one user, which must be empty."""
        for parent in dict.fromkeys(self._parents.values()):
            with contextlib.suppress(OSError):
                (parent / name).rmdir()

    def close(self) -> None:
        """Remove everything; what is not empty yet stays, without effect."""
        for parent in dict.fromkeys(self._parents.values()):
            with contextlib.suppress(OSError):
                for group in parent.iterdir():
                    if group.is_dir():
                        group.rmdir()
            with contextlib.suppress(OSError):
                parent.rmdir()


def _limit(group: Path) -> None:
    every: dict[str, int | str] = dict(_V2)
    for limits in _V1.values():
        every.update(limits)
    for file, value in every.items():
        if (group / file).exists():
            (group / file).write_text(str(value))


def _own(root: Path, controller: str) -> str:
    """Return the group that this process is in, of a controller; "" is the unified tree."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.lstrip("/")
    return ""


def _hybrid(root: Path, name: str) -> dict[str, Path]:
    """Return a group of each controller that has a tree of its own and lets us make one."""
    made = {}
    for controller in _V1:
        parent = root / controller / _own(root, controller) / name
        with contextlib.suppress(OSError):
            parent.mkdir(exist_ok=True)
            made[controller] = parent
    return made


def _unified(root: Path, name: str) -> dict[str, Path]:
    """Return one group for all controllers, where the machine has a single tree."""
    try:
        available = set((root / "cgroup.controllers").read_text().split())
        wanted = [one for one in _V1 if one in available]
        # Beside our own group, which holds processes and so may not divide what it has.
        base = (root / _own(root, "")).parent if _own(root, "") else root
        parent = base / name
        parent.mkdir(exist_ok=True)
        (parent / "cgroup.subtree_control").write_text(" ".join(f"+{one}" for one in wanted))
    except OSError as error:
        log.debug("no unified control groups: %s", error)
        return {}
    return dict.fromkeys(wanted, parent)
