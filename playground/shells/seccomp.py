"""The system calls that a sandbox may not make, as a filter program for the kernel.

What is listed is refused with EPERM; what is younger than the list with ENOSYS, so that a new
kernel opens nothing. Namespaces cannot be made, no socket but IPv4, IPv6 and local ones opened,
and nothing typed into the terminal on the user's behalf (TIOCSTI).
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
# Where struct seccomp_data has the call's number, its architecture and its first two arguments.
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06

# CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NEW_NAMESPACES = 0x7E020080
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6; above all no AF_VSOCK: no namespace holds it
_TERMINAL_TRICKS = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
# The last call that was looked at (mseal); both architectures count alike from 424 on.
_NEWEST = 462

# Calls that both architectures have under one number.
_SHARED = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "process_mrelease": 448,
}
_CLONE3 = 435


@dataclass(frozen=True, slots=True)
class _Machine:
    """One architecture: its name to the kernel, the calls that need a look, those refused."""

    audit: int
    clone: int
    socket: int
    ioctl: int
    refused: tuple[int, ...]
    # x32 calls share the number space of x86-64, from this bit on.
    foreign: int = 0


_X86_64 = _Machine(
    audit=0xC000003E,
    clone=56,
    socket=41,
    ioctl=16,
    foreign=0x40000000,
    refused=(
        101,  # ptrace
        310,  # process_vm_readv
        311,  # process_vm_writev
        312,  # kcmp
        165,  # mount
        166,  # umount2
        155,  # pivot_root
        161,  # chroot
        272,  # unshare
        308,  # setns
        167,  # swapon
        168,  # swapoff
        169,  # reboot
        170,  # sethostname
        171,  # setdomainname
        172,  # iopl
        173,  # ioperm
        175,  # init_module
        176,  # delete_module
        313,  # finit_module
        246,  # kexec_load
        320,  # kexec_file_load
        163,  # acct
        159,  # adjtimex
        164,  # settimeofday
        227,  # clock_settime
        305,  # clock_adjtime
        248,  # add_key
        249,  # request_key
        250,  # keyctl
        298,  # perf_event_open
        321,  # bpf
        323,  # userfaultfd
        303,  # name_to_handle_at
        304,  # open_by_handle_at
        300,  # fanotify_init
        212,  # lookup_dcookie
        179,  # quotactl
        103,  # syslog
        135,  # personality
        237,  # mbind
        238,  # set_mempolicy
        239,  # get_mempolicy
        256,  # migrate_pages
        279,  # move_pages
        278,  # vmsplice
        154,  # modify_ldt
        134,  # uselib
        136,  # ustat
        139,  # sysfs
        180,  # nfsservctl
        153,  # vhangup
        156,  # _sysctl
    ),
)
_AARCH64 = _Machine(
    audit=0xC00000B7,
    clone=220,
    socket=198,
    ioctl=29,
    refused=(
        117,  # ptrace
        270,  # process_vm_readv
        271,  # process_vm_writev
        272,  # kcmp
        40,  # mount
        39,  # umount2
        41,  # pivot_root
        51,  # chroot
        97,  # unshare
        268,  # setns
        224,  # swapon
        225,  # swapoff
        142,  # reboot
        161,  # sethostname
        162,  # setdomainname
        105,  # init_module
        106,  # delete_module
        273,  # finit_module
        104,  # kexec_load
        294,  # kexec_file_load
        89,  # acct
        171,  # adjtimex
        170,  # settimeofday
        112,  # clock_settime
        266,  # clock_adjtime
        217,  # add_key
        218,  # request_key
        219,  # keyctl
        241,  # perf_event_open
        280,  # bpf
        282,  # userfaultfd
        264,  # name_to_handle_at
        265,  # open_by_handle_at
        262,  # fanotify_init
        18,  # lookup_dcookie
        60,  # quotactl
        116,  # syslog
        92,  # personality
        235,  # mbind
        237,  # set_mempolicy
        236,  # get_mempolicy
        238,  # migrate_pages
        239,  # move_pages
        75,  # vmsplice
        42,  # nfsservctl
        58,  # vhangup
    ),
)
MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64}


def supported() -> bool:
    """Tell whether there is a filter for this machine."""
    return platform.machine() in MACHINES


def program() -> bytes:
    """Return the filter for this machine, as `bwrap --seccomp` reads it."""
    machine = MACHINES[platform.machine()]
    refuse = _ERRNO | errno.EPERM
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, machine.audit, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    if machine.foreign:
        steps += [_step(_AT_LEAST, machine.foreign, 0, 1), _step(_RETURN, _KILL)]
    steps += [_step(_AT_LEAST, _NEWEST + 1, 0, 1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    for number in (*machine.refused, *_SHARED.values()):
        steps += [_step(_EQUAL, number, 0, 1), _step(_RETURN, refuse)]
    # The C library falls back to clone, whose flags can be looked at.
    steps += [_step(_EQUAL, _CLONE3, 0, 1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    steps += _guard(machine.clone, _FIRST, [_step(_ANY_BIT, _NEW_NAMESPACES, 0, 1)], refuse)
    steps += _guard(machine.ioctl, _SECOND, _any_of(_TERMINAL_TRICKS), refuse)
    steps += _none_but(machine.socket, _FIRST, _FAMILIES, _ERRNO | errno.EAFNOSUPPORT)
    steps.append(_step(_RETURN, _ALLOW))
    return b"".join(steps)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """Return one instruction; jumps count the instructions that they leave out."""
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _any_of(values: tuple[int, ...]) -> list[bytes]:
    """Return tests that go on where one is equal, and leave out one instruction where none is."""
    last = len(values) - 1
    return [
        _step(_EQUAL, value, last - index, int(index == last)) for index, value in enumerate(values)
    ]


def _guard(call: int, argument: int, tests: list[bytes], verdict: int) -> list[bytes]:
    """Return what refuses one call where a test of its argument says so, and allows it else."""
    body = [_step(_LOAD, argument), *tests, _step(_RETURN, verdict), _step(_RETURN, _ALLOW)]
    return [_step(_EQUAL, call, 0, len(body)), *body]


def _none_but(call: int, argument: int, values: tuple[int, ...], verdict: int) -> list[bytes]:
    """Return what allows one call for some values of its argument alone."""
    tests = _any_of(values)
    body = [_step(_LOAD, argument), *tests, _step(_RETURN, _ALLOW), _step(_RETURN, verdict)]
    return [_step(_EQUAL, call, 0, len(body)), *body]
