"""What an image of the catalogue is: names, tags, files, and the programs in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from nodes.runtime.simulated.process import Program
from nodes.runtime.simulated.volume import File, Files

MIB = 1024 * 1024
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Userlands: which commands an image has beside its own programs.
NONE, BUSYBOX, DEBIAN = "none", "busybox", "debian"


@dataclass(slots=True, frozen=True)
class ImageFamily:
    """All tags of one repository, or of several that hold the same.

    repositories are full ("docker.io/library/nginx"). highest is the newest version that
    exists; with (0, 0) any tag goes. cores and memory are what the main program takes while idle.
    """

    repositories: tuple[str, ...]
    programs: Mapping[str, Callable[[], Program]] = field(default_factory=dict)
    fallback: Callable[[], Program] | None = None
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = "/"
    user: str = ""
    files: Files = field(default_factory=dict)
    userland: str = NONE
    size: int = 50 * MIB
    highest: tuple[int, int] = (0, 0)
    exposed: tuple[int, ...] = ()
    stop_signal: str = "TERM"
    cores: float = 0.0002
    memory: int = 4 * MIB

    def environment(self) -> dict[str, str]:
        """Return the variables that every container of the image has."""
        return {"PATH": _PATH, **self.env}


@dataclass(slots=True, frozen=True)
class PulledImage:
    """One image on one node."""

    reference: str
    repository: str
    tag: str
    family: ImageFamily

    @property
    def digest(self) -> str:
        """The manifest's digest, in repo digests."""
        return _digest("manifest", f"{self.repository}:{self.tag}")

    @property
    def id(self) -> str:
        """The config's digest: the image's id."""
        return _digest("config", f"{self.repository}:{self.tag}")

    @property
    def size(self) -> int:
        """The compressed size: within a tenth of the family's, the same for the same tag."""
        wobble = int(sha256(self.id.encode()).hexdigest()[:4], 16) / 0xFFFF
        return int(self.family.size * (0.95 + 0.1 * wobble))


def _digest(kind: str, text: str) -> str:
    return "sha256:" + sha256(f"{kind} of {text}".encode()).hexdigest()


def text_files(files: Mapping[str, str]) -> dict[str, File]:
    """Return an image's files from paths (absolute) and texts."""
    return {path.lstrip("/"): File(text.encode()) for path, text in files.items()}


# What the interpreter knows by another name; a file may not call itself.
_STAND_INS = {"ash": "sh", "dash": "sh", "zcat": "gunzip -c"}


def executables(*paths: str) -> dict[str, File]:
    """Return files for commands, so that `which` and absolute paths find them."""
    names = {path: path.rpartition("/")[2] for path in paths}
    return {
        path.lstrip("/"): File(f'#!/bin/sh\n{_STAND_INS.get(name, name)} "$@"\n'.encode(), 0o755)
        for path, name in names.items()
    }
