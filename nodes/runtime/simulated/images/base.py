"""Files that every image with a userland has."""

from __future__ import annotations

from nodes.runtime.simulated.image import BUSYBOX, DEBIAN, executables, text_files
from nodes.runtime.simulated.shell.commands import executable_paths
from nodes.runtime.simulated.volume import File

_USERS = (
    "root:x:0:0:root:/root:/bin/sh\n"
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
)
_DIRECTORIES = ("home", "mnt", "opt", "root", "run", "srv", "sys", "tmp", "usr/bin", "var/log")
_GROUP = "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnogroup:x:65534:\n"


def userland_files(userland: str, os_release: dict[str, str]) -> dict[str, File]:
    """Return the files of a userland."""
    release = "".join(f'{key}="{value}"\n' for key, value in os_release.items())
    return {
        **text_files({"/etc/passwd": _USERS, "/etc/group": _GROUP, "/etc/os-release": release}),
        **executables(*executable_paths(userland)),
        **{f"{name}/.keep": File(b"") for name in _DIRECTORIES},
    }


BUSYBOX_FILES = userland_files(BUSYBOX, {"NAME": "BusyBox", "ID": "busybox"})
ALPINE_FILES = userland_files(
    BUSYBOX,
    {"NAME": "Alpine Linux", "ID": "alpine", "VERSION_ID": "3.22", "PRETTY_NAME": "Alpine Linux"},
)
DEBIAN_FILES = userland_files(
    DEBIAN,
    {
        "NAME": "Debian GNU/Linux",
        "ID": "debian",
        "VERSION_ID": "12",
        "PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)",
    },
)
UBUNTU_FILES = userland_files(
    DEBIAN,
    {"NAME": "Ubuntu", "ID": "ubuntu", "VERSION_ID": "24.04", "PRETTY_NAME": "Ubuntu 24.04 LTS"},
)
