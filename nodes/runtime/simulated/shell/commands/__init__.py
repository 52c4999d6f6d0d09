"""The commands that touch the simulation, and which commands each userland has.

All others (cat, grep, sed, awk, ls...) are the interpreter's own.
"""

from __future__ import annotations

from nodes.runtime.simulated.image import BUSYBOX, DEBIAN
from nodes.runtime.simulated.shell.call import Call, Command
from nodes.runtime.simulated.shell.commands import archive, names, network, system
from nodes.runtime.simulated.shell.commands.stty import stty

COMMANDS: dict[str, Command] = {
    "apk": system.offline,
    "apt": system.offline,
    "apt-get": system.offline,
    "clear": system.nothing,
    "curl": network.curl,
    "date": system.date,
    "df": system.df,
    "dig": names.dig,
    "free": system.free,
    "getent": names.getent,
    "host": names.host,
    "hostname": system.hostname,
    "id": system.identity,
    "ifconfig": network.ifconfig,
    "ip": network.ip,
    "kill": system.kill,
    "less": system.no_editor,
    "mount": system.mount,
    "nano": system.no_editor,
    "nc": network.nc,
    "netstat": network.netstat,
    "nproc": system.nproc,
    "nslookup": names.nslookup,
    "ping": network.ping,
    "ps": system.ps,
    "reset": system.nothing,
    "sleep": system.sleep,
    "ss": network.netstat,
    "stty": stty,
    "sync": system.nothing,
    "tar": archive.tar,
    "top": system.top,
    "tty": system.tty,
    "uname": system.uname,
    "uptime": system.uptime,
    "vi": system.no_editor,
    "vim": system.no_editor,
    "wget": network.wget,
    "whoami": system.whoami,
}

_COMMON_WORDS = (
    "sh [ ash awk base64 basename cat chgrp chmod chown cksum clear cmp comm cp cut date dd df "
    "diff dirname du echo egrep env expand expr factor false fgrep find fold free getent grep "
    "groups gunzip gzip head hexdump hostname id ifconfig install ip kill less link ln ls "
    "md5sum mkdir mkfifo mktemp more mount mv nc netstat nice nl nohup nproc nslookup od paste "
    "ping printenv printf ps pwd readlink realpath reset rev rm rmdir sed seq sha1sum sha256sum "
    "sha512sum shuf sleep sort split stat strings stty sum sync tac tail tar tee test time "
    "timeout top touch tr true truncate tty uname uniq unlink uptime vi watch wc wget which "
    "whoami xargs xxd yes zcat"
)
_DEBIAN_WORDS = "bash curl dig host apt apt-get ss jq column join file tree nano vim"
# What the interpreter would have, but such an image has not.
_FOREIGN_WORDS = "git rg yq sqlite sqlite3 http ssh scp tsc ts node"
_NOT_IN_BUSYBOX_WORDS = f"{_DEBIAN_WORDS} {_FOREIGN_WORDS} python python3"

_COMMON = frozenset(_COMMON_WORDS.split())
_USERLANDS = {
    BUSYBOX: _COMMON | {"apk"},
    DEBIAN: _COMMON | frozenset(_DEBIAN_WORDS.split()),
}
_ABSENT = {
    BUSYBOX: frozenset(_NOT_IN_BUSYBOX_WORDS.split()),
    DEBIAN: frozenset(f"apk {_FOREIGN_WORDS}".split()),
}


def has_command(userland: str, name: str) -> bool:
    """Whether an image with this userland has a command."""
    return name in _USERLANDS.get(userland, ())


def commands_of(userland: str) -> dict[str, Command]:
    """Return what a shell of this userland gets beside the interpreter's own commands."""
    absent = _ABSENT.get(userland, frozenset())
    found = {name: command for name, command in COMMANDS.items() if name not in absent}
    return {**found, **dict.fromkeys(absent, _not_found)}


async def _not_found(call: Call) -> int:
    shell = "bash" if call.process.world.userland == DEBIAN else "sh"
    words = "command not found" if shell == "bash" else "not found"
    return await call.fail(f"{shell}: {call.name}: {words}", 127)


def executable_paths(userland: str) -> list[str]:
    """Return where the userland's commands lie."""
    return [f"/bin/{name}" for name in sorted(_USERLANDS.get(userland, ()))]
