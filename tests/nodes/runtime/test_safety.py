"""What a hostile container may not do: reach the host, hold up the loop, or eat its memory."""

from __future__ import annotations

import asyncio
import time

import pytest

from nodes.runtime.cri import Mount
from nodes.runtime.simulated.logs import KEPT_BYTES
from nodes.runtime.simulated.volume import MAX_BYTES


@pytest.fixture
async def pod(lab):
    return await lab.pod("busybox", "sleep", "1000")


@pytest.mark.parametrize(
    "script",
    [
        "cat {path}",
        "head -1 < {path}",
        ". {path}",
        "cp {path} /tmp/x && cat /tmp/x",
        "ln -s {path} /tmp/l; cat /tmp/l",
        "grep -r . {path}",
        "awk '{{print}}' {path}",
        "cd {directory} && cat {name}",
        "tar cf - {path}",
        "while read x; do echo $x; done < {path}",
    ],
)
async def test_no_file_of_the_host_is_read(pod, tmp_path, script):
    secret = tmp_path / "secret"
    secret.write_text("the host's own secret\n")
    said = await pod.sh(script.format(path=secret, directory=tmp_path, name="secret"))
    assert "the host's own secret" not in str(said)


async def test_no_file_of_the_host_is_written(pod, tmp_path):
    await pod.sh(f"mkdir -p {tmp_path}; echo pwned > {tmp_path}/x; touch {tmp_path}/y")
    assert list(tmp_path.iterdir()) == []


async def test_no_process_of_the_host_is_started(pod, tmp_path):
    mark = tmp_path / "mark"
    await pod.sh(
        f"/usr/bin/touch {mark}; $(echo /usr/bin/touch) {mark}; exec /usr/bin/touch {mark}"
    )
    assert not mark.exists()
    assert "PATH=/usr/local/sbin" in await pod.sh("env")
    assert "VIRTUAL_ENV" not in await pod.sh("env; cat /proc/self/environ 2>/dev/null")


async def test_no_socket_of_the_host_is_reached(pod):
    hits = []

    async def serve(reader, writer):
        hits.append(1)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await pod.sh(
        f"wget -T 1 -qO- http://127.0.0.1:{port}; nc -w 1 127.0.0.1 {port}; "
        f"echo > /dev/tcp/127.0.0.1/{port}; http http://127.0.0.1:{port}"
    )
    server.close()
    await server.wait_closed()
    assert hits == []


@pytest.mark.parametrize(
    "script",
    [
        "while true; do :; done",
        "while true; do echo x; done > /dev/null",
        "f() { f; }; f",
        ":() { :|:& }; :; wait",
        "x=a; while true; do x=$x$x; done",
        "awk 'BEGIN { while (1) {} }'",
        "seq 1 1000000000 | sort | wc -l",
        "yes | head -c 1000000000 | wc -c",
        "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done",
    ],
)
async def test_a_busy_script_neither_blocks_the_loop_nor_lasts(pod, script):
    started = time.monotonic()
    gaps = [0.0]

    async def heartbeat():
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            gaps.append(time.monotonic() - before)

    beating = asyncio.ensure_future(heartbeat())
    await pod.sh(script)
    beating.cancel()
    assert time.monotonic() - started < 8
    assert max(gaps) < 0.5


async def test_python_in_a_loop_is_ended(lab):
    pod = await lab.pod("python:3.12", "sleep", "1000")
    started = time.monotonic()
    answer = await pod.run("python", "-c", "while True: pass")
    assert answer.exit_code == 137
    assert time.monotonic() - started < 8


async def test_output_of_an_exec_is_bounded(pod):
    answer = await pod.run("sh", "-c", "for i in 1 2 3 4 5; do head -c 900000 /dev/zero; done")
    assert len(answer.stdout) <= 1024 * 1024


async def test_a_session_that_nobody_reads_waits(lab, pod):
    session = await pod.session("sh", "-c", "while true; do echo 0123456789; done", tty=False)
    await asyncio.sleep(0.3)
    await session.close()
    size = sum([len(data) async for _, data in session.output()])
    assert size < 2 * 1024 * 1024


async def test_logs_are_bounded(lab):
    pod = await lab.pod("busybox", "sh", "-c", "for i in $(seq 1 9000); do echo line $i; done")
    await asyncio.sleep(1.5)
    log = await pod.log()
    assert len(log) <= KEPT_BYTES
    assert log.endswith("line 9000\n")


async def test_disks_are_bounded(lab):
    root = "/var/lib/kubelet/pods/u/volumes/kubernetes.io~empty-dir/d"
    lab.files.mkdir(root)
    pod = await lab.pod("busybox", "sleep", "100", mounts=(Mount("/d", root),))
    await pod.sh("for i in $(seq 1 40); do head -c 1000000 /dev/zero > /d/$i; done")
    assert lab.files.used_bytes(root) <= MAX_BYTES
    await pod.sh("for i in $(seq 1 40); do head -c 1000000 /dev/zero > /$i; done")
    stats = await lab.runtime.container_stats(pod.id)
    assert stats.writable_layer_used_bytes <= MAX_BYTES


async def test_a_tenants_shell_sees_no_other_container(lab, pod):
    other = await lab.pod("busybox", "sleep", "1000", envs=(("TOKEN", "other's"),))
    await other.sh("echo private > /tmp/private; X=private")
    said = await pod.sh("cat /tmp/private; echo $X; env; ps; ls -R / | grep private")
    assert "other's" not in str(said)
    assert "private\n" not in str(said).replace("/tmp/private", "")
