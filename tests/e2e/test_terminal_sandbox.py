"""What a hostile user tries from inside a terminal, and gets nothing of."""

from __future__ import annotations

import base64
import errno
import re
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from tests.support.server import Playground
from tests.support.shells import Shell, Visitor, operator

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def user(playground: Playground) -> Iterator[Visitor]:
    with operator(playground) as visitor:
        yield visitor


@pytest.fixture
def shell(user: Visitor) -> Iterator[Shell]:
    with user.shell() as opened:
        opened.prompt()
        yield opened


def test_only_the_api_of_the_cluster_is_reached(shell: Shell, playground: Playground) -> None:
    site, api = playground.ports
    for port in (site, api, 22, 80, 8000, 6444):
        said = shell.run(f"nc 127.0.0.1 {port} </dev/null; echo code-$?")
        assert "code-1" in said, said
    said = shell.run("cat /proc/net/dev | tail -n +3")
    assert re.findall(r"(\w+):", said) == ["lo"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; tells the address of this machine
        address = probe.getsockname()[0]
    for target in (address, "192.0.2.1", "169.254.169.254"):
        said = shell.run(f"nc -w 2 {target} {site} </dev/null; echo code-$?")
        assert "code-1" in said, said


def test_no_other_cluster_is_reached(shell: Shell, playground: Playground, user: Visitor) -> None:
    playground.make_cluster("elsewhere", nodes=0)
    try:
        for path in (
            "/clusters/elsewhere/api/v1/namespaces",
            "/../elsewhere/api/v1/namespaces",
            "/%2e%2e/elsewhere/api/v1/namespaces",
            "/api/../../elsewhere/api/v1/namespaces",
            "/..%2felsewhere/api/v1/namespaces",
            "/%252e%252e/elsewhere/api/v1/namespaces",
            "/../../kubeground/v1/clusters",
            "//kubeground/v1/clusters",
        ):
            said = shell.run(f"kubectl get --raw '{path}'")
            assert "NamespaceList" not in said, path
            assert "admin" not in said, path
    finally:
        playground.delete_cluster("elsewhere")


def test_no_file_of_the_machine_is_there(shell: Shell, playground: Playground) -> None:
    for path in (playground.data_dir, "/root", "/work", "/var/lib", "/sys", "/etc/shadow", "/boot"):
        assert "No such file" in shell.run(f"ls {path}"), path
    assert len(shell.run("cat /etc/passwd").splitlines()) == 1
    for attempt in ("echo x > /etc/x", "touch /usr/bin/x", "rm -f /usr/bin/kubectl", "mkdir /x"):
        assert "Read-only file system" in shell.run(attempt), attempt
    said = shell.run("ln -s /proc/1/root up; ls up/; ls /proc/1/cwd; ls -d /proc/*/root/data")
    assert "Permission denied" in said or "No such file" in said
    # Nothing that was open in the processes before is open in this one.
    assert "memfd" not in shell.run("ls -l /proc/self/fd /proc/1/fd")
    for file in ("cmdline", "keys"):
        assert "Permission denied" in shell.run(f"cat /proc/{file}")


def test_no_secret_is_there(shell: Shell, playground: Playground) -> None:
    token = playground.token
    said = shell.run("env; cat ~/.kube/config; cat /etc/kubeground/*; cat /proc/*/environ")
    assert token not in said
    assert "PRIVATE KEY" not in said
    said = shell.run("kubectl get nodes -v=9 2>&1 | grep -i authorization")
    assert token not in said
    # The memory of the processes around is not readable.
    said = shell.run("head -c 10 /proc/1/mem; head -c 10 /proc/1/maps; ls /proc/1/map_files")
    assert "denied" in said or "No such" in said or "rror" in said


def test_no_right_and_no_call_is_left(shell: Shell) -> None:
    said = shell.run("grep -E 'Cap|NoNewPrivs|Seccomp:' /proc/self/status")
    assert re.findall(r"Cap\w+:\s+(\w+)", said) == ["0" * 16] * 5
    assert re.search(r"NoNewPrivs:\s+1", said)
    assert re.search(r"Seccomp:\s+2", said)
    for attempt in (
        "busybox mount -t tmpfs x /tmp",
        "busybox unshare -r true",
        "busybox unshare -n true",
        "busybox chroot / true",
        "busybox nsenter -t 1 -m true",
        "busybox hostname evil",
        "busybox dmesg",
        "busybox su root -c id",
        "busybox insmod x.ko",
        "busybox swapon /tmp/x",
        "busybox date -s 2020-01-01",
        "busybox reboot -f",
    ):
        said = shell.run(f"{attempt} 2>&1; echo code-$?")
        assert "code-0" not in said or "not permitted" in said, said


def test_system_calls_are_refused(shell: Shell) -> None:
    """By a program that the user brings along: it makes each call and prints what came of it."""
    wanted = {
        "ptrace": (101, (0, 0, 0, 0), -errno.EPERM),
        "mount": (165, (0, 0, 0, 0), -errno.EPERM),
        "unshare": (272, (0x20000,), -errno.EPERM),
        "setns": (308, (0, 0), -errno.EPERM),
        "keyctl": (250, (0, 0, 0), -errno.EPERM),
        "add_key": (248, (0, 0, 0), -errno.EPERM),
        "bpf": (321, (0, 0, 0), -errno.EPERM),
        "perf_event_open": (298, (0, 0, 0), -errno.EPERM),
        "userfaultfd": (323, (0,), -errno.EPERM),
        "open_by_handle_at": (304, (0, 0, 0), -errno.EPERM),
        "a new user namespace": (56, (0x10000011, 0, 0, 0), -errno.EPERM),
        "io_uring_setup": (425, (1, 0), -errno.EPERM),
        "typing for the user": (16, (0, 0x5412, 0), -errno.EPERM),
        "clone3": (435, (0, 0), -errno.ENOSYS),
        "a socket to the hypervisor": (41, (40, 1, 0), -errno.EAFNOSUPPORT),
        "a packet socket": (41, (17, 3, 0), -errno.EAFNOSUPPORT),
        "a call that is not known yet": (463, (0,), -errno.ENOSYS),
        "a call that is allowed": (39, (), None),  # getpid
    }
    calls = [(number, arguments) for number, arguments, _ in wanted.values()]
    program = base64.encodebytes(_caller(calls)).decode()
    shell.run(f"base64 -d > calls <<'X'\n{program}X\nchmod +x calls")
    told = list(map(int, shell.run("./calls | od -An -td8 -v").split()))
    *refused, allowed = told
    assert allowed > 0
    expected = [verdict for _, _, verdict in wanted.values()][:-1]
    assert dict(zip(wanted, refused, strict=False)) == dict(zip(wanted, expected, strict=False))


def _caller(calls: list[tuple[int, tuple[int, ...]]]) -> bytes:
    """Return a program for x86-64 that makes these calls and writes what each returned."""
    base, registers = 0x400000, (b"\x48\xbf", b"\x48\xbe", b"\x48\xba", b"\x49\xba")

    def made(number: int, arguments: tuple[int, ...]) -> bytes:
        loads = zip(registers, arguments, strict=False)
        code = b"".join(register + struct.pack("<Q", value) for register, value in loads)
        return code + b"\x48\xb8" + struct.pack("<Q", number) + b"\x0f\x05"

    # Results are pushed, so the last one comes first: the calls are made the other way round.
    code = b"".join(made(*call) + b"\x50" for call in reversed(calls))
    code += b"\x48\x89\xe6\x48\xbf" + struct.pack("<Q", 1)  # rsi = the stack, rdi = stdout
    code += b"\x48\xba" + struct.pack("<Q", 8 * len(calls))
    code += b"\x48\xb8" + struct.pack("<Q", 1) + b"\x0f\x05" + made(60, (0,))
    head = struct.pack(
        "<4sBBBB8xHHIQQQIHHHHHH",
        b"\x7fELF",
        2,
        1,
        1,
        0,
        2,
        62,
        1,
        base + 120,
        64,
        0,
        0,
        64,
        56,
        1,
        0,
        0,
        0,
    )
    size = 120 + len(code)
    return head + struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096) + code


def test_other_processes_are_out_of_reach(user: Visitor, shell: Shell) -> None:
    with user.shell() as other:
        other.prompt()
        other.type("sleep 4321 &\n")
        other.prompt()
        assert "4321" not in shell.run("ps")
        shell.run("kill -9 -1")
        assert other.run("jobs").startswith("[1]")
        assert "calm" in shell.run("echo calm")


def test_what_eats_everything_eats_its_own(user: Visitor, playground: Playground) -> None:
    with user.shell() as shell, user.shell() as other:
        shell.prompt()
        other.prompt()
        # Files: /tmp and the home are small, and in memory.
        assert "No space left" in shell.run("dd if=/dev/zero of=/tmp/big bs=1M count=100 2>&1")
        assert "No space left" in shell.run("dd if=/dev/zero of=big bs=1M count=100 2>&1")
        shell.run("rm -f /tmp/big big")
        # Processes.
        shell.type("f() { f | f & }; f\n")
        begun = time.monotonic()
        answer = user.http.get("/api/clusters/default/terminals")
        assert answer.status_code == 200
        assert time.monotonic() - begun < 5
        number = shell.about["id"]
        assert user.http.delete(f"/api/clusters/default/terminals/{number}").status_code == 200
        assert shell.note("exit", within=60)["code"] == 137
        # The same user's other shell breathes again.
        assert "calm" in other.run("echo calm", within=60)


def test_memory_is_bounded(shell: Shell) -> None:
    said = shell.run("head -c 2000000000 /dev/zero | tail -c 1999999999 | wc -c", within=120)
    assert "out of memory" in said or "Killed" in said, said
    assert "calm" in shell.run("echo calm")
