"""What a machine can offer: control groups of both kinds, and each reason for which it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.shells import cgroups, host
from playground.shells.cgroups import Groups
from playground.shells.host import Host
from playground.shells.launching import LaunchError

CA = Path("ca.crt")


class Launching:
    """A launcher that answers as it is told, and starts a program that ends at once."""

    listener = None

    def __init__(self, prepared=None, refused="", said=b"", code=0):
        self.prepared = prepared or {"root": "/root-of-sandboxes"}
        self.refused, self.said, self.code = refused, said, code

    async def prepare(self, ca):
        return self.prepared

    async def home(self, key, uid):
        return f"/homes/{uid}"

    async def start(self, order):
        if self.refused:
            raise LaunchError(self.refused)
        return self

    async def output(self):
        yield self.said

    async def exit_code(self):
        return self.code

    def close(self): ...


@pytest.fixture
def able(monkeypatch):
    monkeypatch.setattr(host.seccomp, "supported", lambda: True)
    monkeypatch.setattr(host.shutil, "which", lambda name: f"/usr/bin/{name}")
    return monkeypatch


async def tried(launching, tmp_path):
    found = Host(launching, Groups(tmp_path / "none"), CA)
    await found.ready()
    return found


async def test_a_trial_that_works_is_the_proof(able, tmp_path):
    found = await tried(Launching(), tmp_path)
    assert (found.can_sandbox, found.why_not) == (True, "")


async def test_without_bubblewrap_it_is_said_what_to_install(able, tmp_path):
    able.setattr(host.shutil, "which", lambda name: None)
    found = await tried(Launching(), tmp_path)
    assert (found.can_sandbox, found.why_not) == (False, "This machine lacks bwrap.")
    assert found.install == ("bubblewrap",)


async def test_programs_that_a_sandbox_needs_are_named(able, tmp_path):
    found = await tried(Launching({"missing": ["busybox", "kubectl"]}), tmp_path)
    assert found.why_not == "This machine lacks busybox, kubectl."
    assert found.install == ("busybox-static",)


async def test_where_users_may_make_no_namespaces_it_is_said_how_to_allow_it(able, tmp_path):
    found = await tried(Launching(refused="unshare: Operation not permitted"), tmp_path)
    assert not found.can_sandbox
    assert "kernel.unprivileged_userns_clone=1" in found.why_not
    assert found.why_not.endswith("The system said: unshare: Operation not permitted")


async def test_what_a_sandbox_says_that_does_not_start_is_told(able, tmp_path):
    found = await tried(Launching(said=b"bwrap: setting up uid map: denied\n", code=1), tmp_path)
    assert found.why_not == (
        "A sandbox does not start here. It said: bwrap: setting up uid map: denied"
    )


async def test_without_a_filter_of_system_calls_there_is_no_sandbox(able, tmp_path):
    able.setattr(host.seccomp, "supported", lambda: False)
    found = await tried(Launching(), tmp_path)
    assert "no system call filter" in found.why_not


@pytest.mark.parametrize("root", [True, False])
async def test_only_root_gives_shells_a_user_and_a_home_of_their_own(able, tmp_path, root):
    able.setattr(host.os, "getuid", lambda: 0 if root else 1000)
    found = await tried(Launching(), tmp_path)
    order = await found.sandboxed({}, "ann@demo", 24, 80)
    again = await found.sandboxed({}, "ann@demo", 24, 80)
    other = await found.sandboxed({}, "eve@demo", 24, 80)
    assert (order.uid >= 0) is root
    assert order.uid == again.uid
    assert (order.uid != other.uid) is root
    assert ("NPROC" in order.limits) is root
    # Without a user of its own the limit of processes is the shell's own.
    assert ("ulimit -u" in " ".join(order.argv)) is not root


def test_limits_of_unified_control_groups(monkeypatch, tmp_path):
    monkeypatch.setattr(cgroups, "_own", lambda root, controller: "system.slice/kubeground.service")
    (tmp_path / "system.slice").mkdir()
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    groups = Groups(tmp_path)
    assert groups.limited == {"cpu", "memory", "pids"}
    (parent,) = (tmp_path / "system.slice").iterdir()  # beside our own group, not in it
    assert set((parent / "cgroup.subtree_control").read_text().split()) == {
        *("+cpu", "+memory", "+pids")
    }
    group = parent / "1000"
    group.mkdir()
    for file in ("memory.max", "pids.max", "cpu.max", "cpu.weight"):  # as the kernel makes them
        (group / file).write_text("max")
    assert groups.add("1000") == [str(group / "cgroup.procs")]
    assert (group / "memory.max").read_text() == str(320 << 20)
    assert (group / "pids.max").read_text() == "256"
    assert (group / "cpu.max").read_text() == "100000 100000"
    assert (group / "cpu.weight").read_text() == "12"


def test_without_rights_to_make_any_nothing_is_limited_and_nothing_fails(tmp_path):
    groups = Groups(tmp_path / "nowhere")
    assert groups.limited == frozenset()
    assert groups.add("1000") == []
    groups.close()
