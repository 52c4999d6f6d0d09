"""tar: what `kubectl cp` runs in a container, on the container's own files.

Archives are read and written in memory. How much of one is read is bounded, and so is what it
unpacks to; others get their turn while a long one is worked on.
"""

from __future__ import annotations

import asyncio
import posixpath
import tarfile
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from nodes.runtime.simulated.filesystem import Filesystem
from nodes.runtime.simulated.image import DEBIAN
from nodes.runtime.simulated.shell.call import Call
from nodes.runtime.simulated.shell.commands import ustar
from nodes.runtime.simulated.shell.commands.ustar import Member
from nodes.runtime.simulated.shell.options import Options, parse_options
from nodes.runtime.simulated.volume import MAX_BYTES, MAX_FILES, NoSpace

# Room for the heads of a full tree's files beside their content.
MAX_ARCHIVE = MAX_BYTES + MAX_FILES * 2 * tarfile.BLOCKSIZE
# After so many members others get their turn.
_AT_ONCE = 50
_FLAGS, _VALUES = "cxtvzmpoOh", "fC"
_LONG = {
    "create": "c", "extract": "x", "get": "x", "list": "t", "verbose": "v", "gzip": "z",
    "gunzip": "z", "touch": "m", "preserve-permissions": "p", "same-permissions": "p",
    "no-same-owner": "o", "no-same-permissions": "o", "to-stdout": "O", "dereference": "h",
}  # fmt: skip
_LONG_VALUES = ("file", "directory", "strip-components")
_MODES = "cxt"


class TarError(Exception):
    """The command cannot go on: the message is what it says, after its name."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A command line, read."""

    mode: str
    file: str  # "-" is the standard stream
    directory: str
    names: list[str]
    flags: frozenset[str]
    strip: int

    def has(self, flag: str) -> bool:
        return flag in self.flags


async def tar(call: Call) -> int:
    """Create (c), extract (x) or list (t) an archive."""
    try:
        job = _job(call)
        if job.mode == "c":
            return await _create(call, job)
        return await _read(call, job)
    except TarError as error:
        return await call.fail(f"tar: {error}", _code(call))
    except OSError as error:
        return await call.fail(f"tar: {error}", _code(call))


def _code(call: Call) -> int:
    return 2 if call.process.world.userland == DEBIAN else 1


def _job(call: Call) -> _Job:
    args = list(call.args)
    if args and not args[0].startswith("-"):
        args[:1] = _old_style(args)  # `tar cf - /data`
    options = parse_options(args, _FLAGS, _VALUES, _LONG_VALUES)
    flags = {_LONG.get(flag, flag) for flag in options.flags}
    unknown = next((f for f in options.flags if f not in _LONG and f not in _FLAGS), "")
    if unknown:
        kind = "invalid option --" if len(unknown) == 1 else "unrecognized option"
        raise TarError(f"{kind} '{'' if len(unknown) == 1 else '--'}{unknown}'")
    modes = [mode for mode in _MODES if mode in flags]
    if len(modes) != 1:
        raise TarError("You must specify one of the c, x and t options")
    return _Job(
        mode=modes[0],
        file=options.value("f", "file", default="-"),
        directory=_directory(call, options),
        names=options.rest,
        flags=frozenset(flags),
        strip=int(options.number("strip-components", default=0)),
    )


def _old_style(args: list[str]) -> list[str]:
    """Return the first word as options: their values follow in the order of the letters."""
    letters, rest = args[0], args[1:]
    found = []
    for letter in letters:
        found.append(f"-{letter}")
        if letter in _VALUES:
            found.append(rest.pop(0) if rest else "")
    args[1:] = rest
    return found


def _directory(call: Call, options: Options) -> str:
    directory = posixpath.join(call.cwd, options.value("C", "directory", default="."))
    directory = posixpath.normpath(directory)
    if not call.process.fs.is_dir(directory):
        shown = options.value("C", "directory")
        raise TarError(f"can't change directory to '{shown}': No such file or directory")
    return directory


# --- create -------------------------------------------------------------------------------------


async def _create(call: Call, job: _Job) -> int:
    if not job.names:
        raise TarError("Cowardly refusing to create an empty archive")
    failed = False
    # The names go where the archive does not.
    say = call.err if job.file == "-" else call.out
    parts: list[bytes] = []
    size = 0
    stripped = any(name.startswith("/") for name in job.names)
    if stripped:
        await call.err("tar: removing leading '/' from member names\n")
    for name in job.names:
        path = posixpath.normpath(posixpath.join(job.directory, name))
        if not call.process.fs.exists(path):
            await call.err(f"tar: {name}: No such file or directory\n")
            failed = True
            continue
        async for member, data in _members(call.process.fs, path, name.lstrip("/") or "."):
            member.mtime = int(call.process.clock.seconds())
            if job.has("v"):
                await say(f"{member.name}{'/' if member.isdir() else ''}\n")
            parts += (member.tobuf(tarfile.GNU_FORMAT), data, bytes(-len(data) % 512))
            size += tarfile.BLOCKSIZE + len(data)
            if size > MAX_ARCHIVE:
                raise TarError("File too large")
    await _put(call, job, b"".join(parts))
    if failed:
        return await call.fail("tar: error exit delayed from previous errors", _code(call))
    return 0


async def _members(
    fs: Filesystem, path: str, name: str
) -> AsyncIterator[tuple[tarfile.TarInfo, bytes]]:
    """Yield a file, or a directory with all that is in it."""
    for count, (at, shown) in enumerate(_walk(fs, path, posixpath.normpath(name))):
        if count % _AT_ONCE == 0:
            await asyncio.sleep(0)
        member = tarfile.TarInfo(shown)
        member.uname = member.gname = "root"
        target = fs.link(at)
        data = b""
        if target is not None:
            member.type, member.linkname, member.mode = tarfile.SYMTYPE, target, 0o777
        elif fs.is_dir(at):
            member.type, member.mode = tarfile.DIRTYPE, 0o755
        else:
            data = fs.read(at) or b""
            member.size, member.mode = len(data), fs.mode(at) or 0o644
        yield member, data


def _walk(fs: Filesystem, path: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield (path, name in the archive), directories before what is in them."""
    waiting = [(path, name)]
    while waiting:
        at, shown = waiting.pop()
        yield at, shown
        if fs.is_dir(at) and fs.link(at) is None:
            below = [one.rstrip("/") for one in fs.names(at)]
            waiting += [(posixpath.join(at, one), f"{shown}/{one}") for one in reversed(below)]


async def _put(call: Call, job: _Job, members: bytes) -> None:
    """Write the archive: full records, as tar has always done."""
    end = 2 * tarfile.BLOCKSIZE
    archive = members + bytes(end + -(len(members) + end) % tarfile.RECORDSIZE)
    if job.has("z"):
        packer = zlib.compressobj(wbits=31)
        archive = packer.compress(archive) + packer.flush()
    if job.file != "-":
        call.process.fs.write(posixpath.join(call.cwd, job.file), archive)
        return
    for start in range(0, len(archive), 65536):
        await call.out(archive[start : start + 65536])


# --- extract and list ---------------------------------------------------------------------------


async def _read(call: Call, job: _Job) -> int:
    archive = await _archive(call, job)
    wanted = {name.strip("/"): False for name in job.names}
    extracted: dict[str, str] = {}
    try:
        for count, member in enumerate(ustar.members(archive)):
            if count % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if count > MAX_FILES:
                raise NoSpace("No space left on device")
            if not wanted or _is_wanted(member.name, wanted):
                await _take(call, job, member, extracted)
    except ustar.BadArchive as error:
        raise TarError(str(error)) from error
    missing = [name for name, found in wanted.items() if not found]
    for name in missing:
        await call.err(f"tar: {name}: not found in archive\n")
    return _code(call) if missing else 0


async def _archive(call: Call, job: _Job) -> bytes:
    """Return the archive, unpacked."""
    if job.file == "-":
        raw = await _input(call)
    else:
        found = call.process.fs.read(posixpath.join(call.cwd, job.file))
        if found is None:
            raise TarError(f"can't open '{job.file}': No such file or directory")
        raw = found
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    # Neither busybox nor GNU tar insists on -z to read what gzip has packed.
    unpacker = zlib.decompressobj(wbits=31)
    try:
        archive = unpacker.decompress(raw, MAX_ARCHIVE)
    except zlib.error as error:
        raise TarError("corrupted data") from error
    if unpacker.unconsumed_tail:
        raise TarError("write error: No space left on device")
    return archive


async def _input(call: Call) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in call.stdin():
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_ARCHIVE:
            raise TarError("write error: No space left on device")
    return b"".join(parts)


def _is_wanted(name: str, wanted: dict[str, bool]) -> bool:
    """Tell whether a member was named, or is below a directory that was."""
    name = name.strip("/")
    for one in wanted:
        if name == one or name.startswith(f"{one}/"):
            wanted[one] = True
            return True
    return False


async def _take(call: Call, job: _Job, member: Member, extracted: dict[str, str]) -> None:
    """List or extract one member; `extracted` has the paths of files, for links to them."""
    name = posixpath.normpath(member.name.lstrip("/"))
    if job.mode == "t":
        await call.out(_listed(member) if job.has("v") else f"{member.shown}\n")
        return
    if ".." in name.split("/"):
        raise TarError(f"name with '..' skipped: '{member.name}'")
    if job.strip:
        name = "/".join(name.split("/")[job.strip :])
        if not name:
            return
    if job.has("v"):
        await (call.err if job.has("O") else call.out)(f"{member.shown}\n")
    if job.has("O"):
        await call.out(bytes(member.data))
        return
    path = posixpath.join(job.directory, name)
    _place(call.process.fs, path, member, extracted)
    extracted[member.name] = path


def _place(fs: Filesystem, path: str, member: Member, extracted: dict[str, str]) -> None:
    """Make a file, a directory or a link; devices have no place here."""
    if member.kind == ustar.DIRECTORY:
        fs.mkdir(path)
    elif member.kind == ustar.LINK:
        fs.make_link(path, member.target)
    elif member.kind in (ustar.FILE, ustar.HARD_LINK):
        data: bytes | None = bytes(member.data)
        if member.kind == ustar.HARD_LINK:
            data = fs.read(extracted.get(member.target, member.target))
        if data is None:
            raise TarError(f"can't create hardlink '{member.name}' to '{member.target}'")
        if fs.is_dir(path):
            raise TarError(f"can't create '{path}': Is a directory")
        fs.write(path, data, member.mode)


def _listed(member: Member) -> str:
    """Return a member's line of `tar tv`."""
    kind = {ustar.DIRECTORY: "d", ustar.LINK: "l"}.get(member.kind, "-")
    bits = "".join(
        letter if member.mode >> (8 - place) & 1 else "-" for place, letter in enumerate("rwx" * 3)
    )
    leads = f" -> {member.target}" if member.kind == ustar.LINK else ""
    owner = f"{member.owner}/{member.group}"
    return f"{kind}{bits} {owner} {member.size:9d} {member.shown}{leads}\n"
