"""The small parts: trees of files, the node's disk, log rings, meters, statistics of memory."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from nodes.runtime.cri import STDERR, STDOUT, LogOptions
from nodes.runtime.simulated.hostfiles import MemoryHostFiles
from nodes.runtime.simulated.logs import LONGEST_LINE, LogRing, rfc3339_nano
from nodes.runtime.simulated.usage import Meter
from nodes.runtime.simulated.volume import File, NoSpace, Volume

LOWER = {"etc/a": File(b"a"), "etc/b": File(b"b", 0o755), "usr/x/y": File(b"y")}


def test_a_tree_over_an_image():
    tree = Volume(LOWER)
    assert tree.read("etc/a") == b"a"
    assert tree.read("etc") is None
    assert tree.mode("etc/b") == 0o755
    assert [tree.is_dir(path) for path in ("usr/x", "", "etc/a")] == [True, True, False]
    assert tree.names("etc") == ["a", "b"]
    assert tree.names("usr") == ["x/"]
    tree.write("etc/c/d", b"new")
    tree.append("etc/a", b"+")
    tree.remove("etc/b")
    tree.mkdir("empty/dir")
    assert tree.names("etc") == ["a", "c/"]
    assert tree.read("etc/a") == b"a+"
    assert [tree.exists(path) for path in ("empty/dir", "etc/b")] == [True, False]
    assert LOWER["etc/a"].data == b"a"
    tree.remove("etc")
    assert not tree.exists("etc/c/d")
    assert "etc/" not in tree.names("")


def test_a_tree_is_bounded():
    with pytest.raises(NoSpace):
        Volume().write("x", b"x" * (64 * 1024 * 1024))


@pytest.fixture
def disk():
    return MemoryHostFiles()


POD = "/var/lib/kubelet/pods/uid-1"


def test_the_nodes_disk(disk):
    disk.mkdir(f"{POD}/volumes/kubernetes.io~empty-dir/tmp")
    disk.write(f"{POD}/etc-hosts", b"hosts")
    disk.replace(f"{POD}/volumes/kubernetes.io~secret/s", {"a": (b"1", 0o400), "b": (b"2", 0o400)})
    disk.replace(f"{POD}/volumes/kubernetes.io~secret/s", {"b": (b"3", 0o400)})
    assert disk.read(f"{POD}/etc-hosts", 3) == b"sts"
    assert disk.read(f"{POD}/volumes/kubernetes.io~secret/s/a") is None
    assert disk.read(f"{POD}/volumes/kubernetes.io~secret/s/b") == b"3"
    assert disk.is_dir(f"{POD}/volumes/kubernetes.io~empty-dir/tmp")
    assert disk.used_bytes(POD) == 6
    disk.remove(POD)
    assert not disk.exists(f"{POD}/etc-hosts")
    assert disk.used_bytes("/") == 0


def test_a_mounted_directory_becomes_a_tree_of_its_own(disk):
    disk.write("/data/a/one", b"1")
    tree = disk.mounted("/data/a")
    assert tree.read("one") == b"1"
    tree.write("two", b"2")
    assert disk.read("/data/a/two") == b"2"
    disk.write("/data/a/three", b"3")
    assert tree.read("three") == b"3"
    assert disk.inner_mounts("/data") == [("a", tree)]


async def lines(ring, **options):
    return [line async for line in ring.read(LogOptions(**options))]


async def test_log_lines_are_joined_and_split():
    ring = LogRing()
    ring.write(1, STDOUT, b"a")
    ring.write(2, STDERR, b"err\n")
    ring.write(3, STDOUT, b"b\nc\n")
    ring.write(4, STDOUT, b"x" * (LONGEST_LINE + 5))
    ring.close(5)
    assert await lines(ring, tail_lines=3) == [b"c\n", b"x" * LONGEST_LINE + b"\n", b"xxxxx\n"]
    assert (await lines(ring))[:2] == [b"err\n", b"ab\n"]
    assert await lines(ring, tail_lines=0) == []
    assert await lines(ring, since=5) == [b"xxxxx\n"]


def test_times_of_logs():
    assert rfc3339_nano(1_767_323_045_000_000_042) == "2026-01-02T03:04:05.000000042Z"


def test_a_meter():
    meter = Meter(seed=0, started=0, cores=0.0, memory=1000)
    meter.work(100, 1.5)
    assert meter.cores(101) == pytest.approx(0.1, abs=0.01)
    assert meter.cores(200) == 0
    meter.spin(200, 2)
    meter.limit_cores = 0.5
    assert meter.cores(210) == 0.5
    assert meter.core_seconds(210) == pytest.approx(1.5 + 5)
    meter.spin(210, 0)
    assert meter.core_seconds(300) == pytest.approx(6.5)
    assert 950 < meter.memory(77) < 1050


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("image", "command"),
    [
        ("nginx", ()),
        ("busybox", ("sleep", "100000")),
        ("redis", ()),
        ("busybox", ("sh", "-c", "tail -f /dev/null")),
    ],
)
async def test_an_idle_container_takes_little_memory(lab, image, command):
    await lab.pod(image, *command)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    count = 100
    for _ in range(count):
        await lab.pod(image, *command)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # 8 KiB for the container; its log of nginx's first lines and the sandbox come on top.
    assert (after - before) / count < 12 * 1024
