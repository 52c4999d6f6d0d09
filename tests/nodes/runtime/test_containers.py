"""The life of containers: start, exit, stop, signals, memory, events, lists, stats, logs."""

from __future__ import annotations

import pytest

from nodes.runtime.cri import (
    ContainerFilter,
    ContainerState,
    ImageSpec,
    LinuxContainerResources,
    LogOptions,
    NamespaceMode,
    NamespaceOption,
    PodSandboxConfig,
    PodSandboxFilter,
    PodSandboxMetadata,
    PodSandboxState,
    PortMapping,
    RuntimeCallError,
)
from nodes.runtime.simulated.container import MAX_EXECS

pytestmark = pytest.mark.looptime

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("command", "code", "reason"),
    [
        (("true",), 0, "Completed"),
        (("sh", "-c", "exit 7"), 7, "Error"),
        (("sh", "-c", "nosuchcommand"), 127, "Error"),
        (("sh",), 0, "Completed"),
        (("sleep", "5"), 0, "Completed"),
        (("sh", "-c", "echo hi; sleep 5"), 0, "Completed"),
        (("cat", "/nope"), 1, "Error"),
        (("sleep", "abc"), 1, "Error"),
    ],
)
async def test_exits(lab, command, code, reason):
    pod = await lab.pod("busybox", *command)
    await lab.until(lambda: exited(pod))
    status = await pod.status()
    assert (status.exit_code, status.reason) == (code, reason)
    assert status.finished_at >= status.started_at >= status.created_at > 0


async def exited(pod):
    return (await pod.status()).state is ContainerState.EXITED


async def test_a_sleep_takes_its_time(lab):
    pod = await lab.pod("busybox", "sh", "-c", "sleep 1h 2>/dev/null; sleep 90")
    await lab.clock.sleep(4000)
    status = await pod.status()
    assert (status.state, status.exit_code) == (ContainerState.EXITED, 0)
    assert (status.finished_at - status.started_at) // 10**9 == 3690


@pytest.mark.parametrize(
    ("image", "command", "grace", "code", "seconds"),
    [
        ("nginx", (), 30, 0, 0),
        ("redis", (), 30, 0, 0),
        ("httpd", (), 30, 0, 0),
        ("registry.k8s.io/pause:3.10", (), 30, 0, 0),
        ("acme/unknown:v1", (), 30, 0, 0),
        ("busybox", ("sleep", "1000"), 30, 137, 30),
        ("busybox", ("sh", "-c", "while true; do sleep 1; done"), 5, 137, 5),
        ("busybox", ("tail", "-f", "/dev/null"), 0, 137, 0),
        ("busybox", ("sh", "-c", "trap 'exit 4' TERM; while :; do sleep 1; done"), 30, 4, 0),
        ("busybox", ("sh", "-c", "trap 'sleep 2; exit 4' 15; while :; do sleep 1; done"), 9, 4, 2),
        ("busybox", ("sh", "-c", "trap '' TERM; sleep 1000 & wait"), 3, 137, 3),
        ("nginx", ("sh", "-c", "sleep 0; exec nginx -g 'daemon off;'"), 30, 0, 0),
        ("python", ("python", "-m", "http.server"), 2, 137, 2),
    ],
)
async def test_stopping(lab, image, command, grace, code, seconds):
    pod = await lab.pod(image, *command)
    await lab.clock.sleep(0.5)
    started = lab.clock.seconds()
    assert await pod.stop(grace) == code
    assert lab.clock.seconds() - started == pytest.approx(seconds, abs=0.05)


@pytest.mark.parametrize(
    ("image", "command", "words"),
    [
        ("busybox", ("nope",), 'exec: "nope": executable file not found in $PATH: unknown'),
        ("busybox", ("/bin/nope",), 'exec: "/bin/nope": stat /bin/nope: no such file or directory'),
        ("busybox", ("/etc/passwd",), 'exec: "/etc/passwd": permission denied'),
        ("busybox", ("/etc",), 'exec: "/etc": is a directory'),
        ("registry.k8s.io/pause:3.10", ("sh",), 'exec: "sh": executable file not found in $PATH'),
    ],
)
async def test_what_cannot_start(lab, image, command, words):
    with pytest.raises(RuntimeCallError) as caught:
        await lab.pod(image, *command)
    assert words in str(caught.value)
    assert str(caught.value).startswith(
        "rpc error: code = Unknown desc = failed to create containerd task: "
    )
    [container] = await lab.runtime.list_containers()
    status = await lab.runtime.container_status(container.id)
    assert (status.state, status.exit_code, status.reason) == (
        ContainerState.EXITED,
        128,
        "StartError",
    )


async def test_events_come_in_order(lab):
    seen = []
    watch = lab.runtime.get_container_events(
        lambda event: seen.append(event.container_event_type.split("_")[1])
    )
    pod = await lab.pod("busybox", "true")
    await lab.until(lambda: exited(pod))
    await lab.runtime.remove_container(pod.id)
    assert seen == ["CREATED", "STARTED", "STOPPED", "DELETED"]
    watch.cancel()
    await lab.pod("busybox", "true")
    assert len(seen) == 4


async def test_memory_beyond_the_limit_kills(lab):
    limit = LinuxContainerResources(memory_limit_in_bytes=100 * MIB)
    pod = await lab.pod(
        "polinux/stress", "stress", "--vm", "1", "--vm-bytes", "250M", resources=limit
    )
    await lab.clock.sleep(2)
    status = await pod.status()
    assert (status.exit_code, status.reason) == (137, "OOMKilled")


async def test_lowering_the_limit_of_a_running_container(lab):
    pod = await lab.pod("polinux/stress", "stress", "--vm", "1", "--vm-bytes", "250M")
    await lab.clock.sleep(2)
    assert (await pod.status()).state is ContainerState.RUNNING
    await lab.runtime.update_container_resources(
        pod.id, LinuxContainerResources(memory_limit_in_bytes=64 * MIB)
    )
    assert (await pod.status()).reason == "OOMKilled"


async def test_stats_follow_the_work(lab):
    idle = await lab.pod("nginx")
    busy = await lab.pod("polinux/stress", "stress", "--cpu", "2")
    capped = await lab.pod(
        "polinux/stress",
        args=("stress", "--cpu", "2"),
        resources=LinuxContainerResources(cpu_quota=50_000),
    )
    await lab.clock.sleep(60)
    cores = [
        (await lab.runtime.container_stats(pod.id)).cpu_usage_nano_cores / 1e9
        for pod in (idle, busy, capped)
    ]
    assert cores == pytest.approx([0.0001, 2.0, 0.5], abs=0.001)
    total = (await lab.runtime.container_stats(busy.id)).cpu_usage_core_nano_seconds / 1e9
    assert total == pytest.approx(120, abs=1)


async def test_a_busy_loop_shows_as_load_and_stops(lab):
    pod = await lab.pod(
        "busybox",
        "sh",
        "-c",
        "while true; do :; done",
        resources=LinuxContainerResources(cpu_quota=20_000),
    )
    await lab.clock.sleep(30)
    stats = await lab.runtime.container_stats(pod.id)
    assert stats.cpu_usage_nano_cores == pytest.approx(0.2e9, rel=0.05)
    assert await pod.stop(1) == 137


async def test_logs(lab):
    pod = await lab.pod("busybox", "sh", "-c", "echo one; sleep 1; echo two >&2; printf three")
    await lab.until(lambda: exited(pod))
    assert await pod.log() == "one\ntwo\nthree\n"
    assert await pod.log(tail_lines=1) == "three\n"
    assert await pod.log(stream="Stderr") == "two\n"
    assert await pod.log(limit_bytes=5) == "one\nt"
    since = (await pod.status()).started_at + 500_000_000
    assert await pod.log(since=since) == "two\nthree\n"
    first = (await pod.log(timestamps=True)).splitlines()[0]
    assert first.startswith("2026-01-02T03:04:05.")
    assert first.endswith("Z one")


async def test_following_a_log_ends_with_the_container(lab):
    pod = await lab.pod("busybox", "sh", "-c", "echo a; sleep 5; echo b; sleep 5; echo c")
    seen = [
        (line, int(lab.clock.seconds() - 1_767_323_045))
        async for line in lab.runtime.read_log(pod.id, "", LogOptions(follow=True))
    ]
    assert [line for line, _ in seen] == [b"a\n", b"b\n", b"c\n"]
    assert [second for _, second in seen] == [0, 5, 10]


async def test_lists_are_filtered(lab):
    first = await lab.pod("nginx", labels={"app": "web"})
    second = await lab.pod("busybox", "true")
    await lab.until(lambda: exited(second))

    async def ids(**options):
        found = await lab.runtime.list_containers(ContainerFilter(**options))
        return [container.id for container in found]

    assert await ids() == [first.id, second.id]
    assert await ids(state=ContainerState.RUNNING) == [first.id]
    assert await ids(label_selector={"app": "web"}) == [first.id]
    assert await ids(pod_sandbox_id=second.sandbox) == [second.id]
    ready = PodSandboxFilter(state=PodSandboxState.READY)
    assert len(await lab.runtime.list_pod_sandbox(ready)) == 2


async def test_stopping_a_sandbox_frees_its_address(lab):
    pod = await lab.pod("nginx")
    await lab.runtime.stop_pod_sandbox(pod.sandbox)
    assert (await pod.status()).state is ContainerState.EXITED
    assert lab.net.owner(pod.ip) == ""
    await lab.runtime.remove_pod_sandbox(pod.sandbox)
    with pytest.raises(RuntimeCallError, match="not found"):
        await lab.runtime.container_status(pod.id)
    with pytest.raises(RuntimeCallError, match="not found"):
        await lab.runtime.pod_sandbox_status(pod.sandbox)


async def test_host_network_has_the_nodes_address(lab):
    config = PodSandboxConfig(
        PodSandboxMetadata("h", "u", "default"),
        namespace_options=NamespaceOption(network=NamespaceMode.NODE),
    )
    sandbox = await lab.runtime.run_pod_sandbox(config)
    assert (await lab.runtime.pod_sandbox_status(sandbox)).network.ip == ""


async def test_addresses_run_out(lab):
    lab.net.add_node("n1", "192.168.0.11", "10.244.9.0/30")
    await lab.pod("busybox", "true")
    with pytest.raises(RuntimeCallError, match="failed to setup network for sandbox"):
        await lab.pod("busybox", "true")


async def test_an_unknown_image_answers_on_its_declared_ports(lab):
    pod = await lab.pod(
        "acme/shop:v3", "/manager", declared_ports=(PortMapping(8080),), name="shop-1"
    )
    client = await lab.pod("busybox", "sleep", "1000")
    assert await client.sh(f"wget -qO- {pod.ip}:8080") == "shop-1\n"


async def test_two_containers_share_the_pods_ports(lab):
    pod = await lab.pod("nginx")
    with_shell = await lab.container(pod, "busybox", "sleep", "1000")
    assert "Welcome to nginx" in await with_shell.sh("wget -qO- localhost")
    second = await lab.container(pod, "nginx")
    status = await second.status()
    assert status.exit_code == 1
    assert "bind() to 0.0.0.0:80 failed (98: Address already in use)" in await second.log()


async def test_exec_in_what_does_not_run(lab):
    pod = await lab.pod("busybox", "true")
    await lab.until(lambda: exited(pod))
    with pytest.raises(RuntimeCallError, match="CONTAINER_EXITED"):
        await pod.run("ls")


async def test_exec_times_out(lab):
    pod = await lab.pod("busybox", "sleep", "1000")
    started = lab.clock.seconds()
    with pytest.raises(RuntimeCallError, match="timeout 3s exceeded"):
        await pod.run("sleep", "100", timeout=3)
    assert lab.clock.seconds() - started == pytest.approx(3)


async def test_processes_of_a_container_are_bounded(lab):
    pod = await lab.pod("busybox", "sleep", "1000")
    sessions = [await pod.session("sleep", "100", tty=False) for _ in range(MAX_EXECS)]
    with pytest.raises(RuntimeCallError, match="too many processes"):
        await pod.run("ls")
    await sessions[0].close()
    assert (await pod.run("true")).exit_code == 0


async def test_image_ids_repeat(lab):
    await lab.runtime.images.pull_image(ImageSpec("nginx:1.27"))
    [image] = await lab.runtime.images.list_images()
    assert image.repo_tags == ("docker.io/library/nginx:1.27",)
    assert image.repo_digests[0].startswith("docker.io/library/nginx@sha256:")
    assert len(image.id) == 71
