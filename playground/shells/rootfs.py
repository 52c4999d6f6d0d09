"""What a sandbox sees as `/`: a shell, the usual small programs, kubectl, and a few files in /etc.

It is put together from the programs of this machine and the libraries that they name, and nothing
else of the machine is in it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
# Applets of busybox that are of use to a user who may not change the machine.
_APPLETS = """
    [ [[ ash awk base64 basename bc bunzip2 bzcat bzip2 cal cat chmod cksum clear cmp cp cut date
    dc dd df diff dirname dos2unix du echo ed egrep env expand expr factor false fgrep find fold
    free getopt grep groups gunzip gzip head hexdump hostname id kill killall last less link ln ls
    md5sum mkdir mkfifo mktemp more mv nc netstat nice nl nohup nproc nslookup od paste patch pgrep
    pidof pkill printf ps pstree pwd readlink realpath renice reset resize rev rm rmdir sed seq
    setsid sh sha1sum sha256sum sha512sum shred shuf sleep sort split stat strings stty sum sync tac
    tail tar tee test time timeout top touch tr true truncate ts tty uname uncompress unexpand uniq
    unix2dos unlink unxz unzip uptime usleep uudecode uuencode vi watch wc wget which who whoami
    xargs xxd xz xzcat yes zcat
"""
# Programs that are there where the machine has them; busybox stands in for some.
OPTIONAL = ("less", "nano", "jq", "helm", "tree", "curl")
TERMINALS = ("xterm", "xterm-256color", "linux", "vt100", "dumb", "screen", "tmux-256color")
_TERMINFO = ("/lib/terminfo", "/usr/share/terminfo", "/etc/terminfo", "/usr/lib/terminfo")
# Larger programs are not copied into memory, if it can be helped.
_LARGE = 8 << 20
# No home, so that nothing is written there.
_BARE = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}

# Puts a large file at a place without copying it, if it can.
Place = Callable[[Path, Path], None]


class MissingProgramError(Exception):
    """A program without which there is no shell is not on this machine."""

    def __init__(self, *names: str) -> None:
        super().__init__(", ".join(names))
        self.names = names


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the programs are that go into the root directory."""

    bash: Path
    busybox: Path
    kubectl: Path
    others: tuple[Path, ...] = ()


# What one may begin with; a shell copies it into its home.
EXAMPLES = HERE.parents[1] / "examples"


def find_tools() -> Tools:
    """Return what is on this machine. Raises MissingProgramError, which names what is not."""
    # kubectl comes with the packages of the server, beside its Python.
    own = Path(sys.executable).parent / "kubectl"
    found = {
        "bash": shutil.which("bash"),
        "busybox": shutil.which("busybox"),
        "kubectl": str(own) if own.exists() else shutil.which("kubectl"),
    }
    if missing := [name for name, path in found.items() if path is None]:
        raise MissingProgramError(*missing)
    others = (path for name in OPTIONAL if (path := shutil.which(name)))
    return Tools(
        **{name: Path(str(path)).resolve() for name, path in found.items()},
        others=tuple(Path(path) for path in others),
    )


def build(root: Path, tools: Tools, ca_certificate: Path, place: Place) -> None:
    """Make the directory. Raises OSError."""
    for name in ("usr/bin", "etc/kubeground", "proc", "dev", "tmp", "home/user", "run", "var/tmp"):
        (root / name).mkdir(parents=True, mode=0o755)
    for name in ("bin", "sbin", "usr/sbin"):
        (root / name).symlink_to("/usr/bin")
    binaries = root / "usr/bin"
    place(tools.kubectl, binaries / "kubectl")
    (binaries / "k").symlink_to("kubectl")
    _copy(tools.bash, binaries / "bash")
    _copy(tools.busybox, binaries / "busybox")
    known = set(_said(str(tools.busybox), "--list").split())
    for applet in known.intersection(_APPLETS.split()):
        (binaries / applet).symlink_to("busybox")
    for program in tools.others:
        (binaries / program.name).unlink(missing_ok=True)
        put = place if program.stat().st_size > _LARGE else _copy
        put(program, binaries / program.name)
    for library in libraries((tools.bash, tools.busybox, *tools.others)):
        target = root / library.relative_to("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(library, target)
    _terminfo(root)
    _settings(root, tools, ca_certificate)


def libraries(programs: Iterable[Path]) -> set[Path]:
    """Return the shared libraries of programs, under the names by which they are asked for."""
    found: set[Path] = set()
    for program in programs:
        found.update(map(Path, re.findall(r"(/\S+) \(0x", _said("ldd", str(program)))))
    return found


def _said(*command: str) -> str:
    """Return what a program of this machine prints; nothing where it fails."""
    # Programs of the operator's machine, and none of a user's.
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, env=_BARE
    )
    return done.stdout


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _terminfo(root: Path) -> None:
    for name in TERMINALS:
        entry = Path(name[0]) / name
        source = next((d / entry for d in map(Path, _TERMINFO) if (d / entry).exists()), None)
        if source is not None:
            target = root / "usr/share/terminfo" / entry
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _settings(root: Path, tools: Tools, ca_certificate: Path) -> None:
    """Write /etc: who the user is, how the shell starts, whom to trust, what Tab completes."""
    etc = root / "etc"
    (etc / "passwd").write_text("user:x:1000:1000:user:/home/user:/bin/bash\n")
    (etc / "group").write_text("user:x:1000:\n")
    (etc / "hosts").write_text("127.0.0.1 localhost kubernetes\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
    (etc / "nanorc").write_text("set tabsize 2\nset tabstospaces\nset autoindent\n")
    shutil.copyfile(HERE / "bashrc", etc / "kubeground/bashrc")
    shutil.copyfile(ca_certificate, etc / "kubeground/ca.crt")
    completion = etc / "kubeground/completion"
    completion.mkdir()
    for program in (tools.kubectl, *(one for one in tools.others if one.name == "helm")):
        (completion / program.name).write_text(_said(str(program), "completion", "bash"))
    if EXAMPLES.is_dir():
        shutil.copytree(EXAMPLES, etc / "kubeground/examples")
    for file in etc.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)
