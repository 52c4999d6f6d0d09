"""Which program an argv names in a container: the image's own, a script's, or none."""

from __future__ import annotations

from dataclasses import dataclass

from nodes.runtime.simulated.image import NONE
from nodes.runtime.simulated.process import Program, Surroundings
from nodes.runtime.simulated.shell.commands import has_command
from nodes.runtime.simulated.shell.script import ScriptProgram


@dataclass(slots=True, frozen=True)
class CannotRun:
    """Why there is nothing to run, as runc says it; 127 not found, 126 not executable."""

    why: str
    code: int


def find_program(world: Surroundings, argv: tuple[str, ...], cwd: str) -> Program | CannotRun:
    """Return the program for an argv."""
    if not argv or not argv[0]:
        return CannotRun("no command specified", 127)
    if cwd and not world.fs.is_dir(cwd):
        # Runtimes make a missing working directory.
        world.fs.root.mkdir(cwd.strip("/"))
    name = argv[0]
    base = name.rpartition("/")[2]
    if factory := world.programs.get(base):
        return factory()
    found = "/" not in name or name.rpartition("/")[0] in _DIRECTORIES
    if found and world.userland != NONE and has_command(world.userland, base):
        return ScriptProgram(base, argv)
    if "/" in name and world.fs.read(name) is not None:
        return _by_path(world, argv)
    if world.fallback is not None and not world.processes:
        return world.fallback()
    if "/" not in name:
        return CannotRun(f'exec: "{name}": executable file not found in $PATH', 127)
    return _by_path(world, argv)


_DIRECTORIES = ("/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")


def _by_path(world: Surroundings, argv: tuple[str, ...]) -> Program | CannotRun:
    path = argv[0]
    if world.fs.is_dir(path):
        return CannotRun(f'exec: "{path}": is a directory', 126)
    if world.fs.read(path) is None:
        return CannotRun(f'exec: "{path}": stat {path}: no such file or directory', 127)
    if not world.fs.mode(path) & 0o111:
        return CannotRun(f'exec: "{path}": permission denied', 126)
    if world.userland == NONE:
        return CannotRun(f"exec {path}: exec format error", 126)
    return ScriptProgram("sh", ("sh", *argv))
