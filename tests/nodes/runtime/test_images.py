"""Pulling: which images exist, how long it takes, and the words when it fails."""

from __future__ import annotations

import asyncio

import pytest

from nodes.runtime.cri import (
    Code,
    ContainerConfig,
    ContainerMetadata,
    ImageSpec,
    RuntimeCallError,
)
from nodes.runtime.simulated.catalogue import FAMILIES
from nodes.runtime.simulated.imageservice import resolve
from nodes.runtime.simulated.references import parse_reference

NOT_FOUND = "{0}: not found"
DENIED = (
    "pull access denied, repository does not exist or may require authorization: "
    "server message: insufficient_scope: authorization failed"
)
NO_HOST = (
    'failed to do request: Head "https://registry.invalid/v2/app/manifests/v1": '
    "dial tcp: lookup registry.invalid: no such host"
)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("acme/app", "docker.io/acme/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("localhost:5000/a/b:c", "localhost:5000/a/b:c"),
        ("nginx@sha256:" + "a" * 64, "docker.io/library/nginx@sha256:" + "a" * 64),
        ("nginx:1.27@sha256:" + "a" * 64, "docker.io/library/nginx@sha256:" + "a" * 64),
    ],
)
def test_references(text, full):
    assert str(parse_reference(text)) == full


@pytest.mark.parametrize("text", ["", "Nginx", "a b", "nginx:", "nginx:!", "a//b", "-x"])
def test_bad_references(text):
    with pytest.raises(RuntimeCallError, match="invalid reference format") as caught:
        parse_reference(text)
    assert caught.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "name",
    [
        *("nginx", "nginx:1.27", "nginx:1.14.2", "nginx:1.27-alpine", "nginx:stable-alpine3.20"),
        *("redis:7", "redis:8-alpine", "busybox:1.28", "busybox:1.36.1-musl", "alpine:3.20"),
        *("ubuntu:22.04", "ubuntu:noble", "python:3.12-slim", "postgres:16", "httpd:2.4"),
        *("registry.k8s.io/pause:3.10", "registry.k8s.io/e2e-test-images/agnhost:2.40"),
        *("gcr.io/google-samples/hello-app:2.0", "acme/app:v1.2.3", "ghcr.io/a/b:sha-123"),
        *("golang:1.25", "wordpress:6", "polinux/stress", "perl:5.34.0"),
    ],
)
def test_images_that_exist(name):
    assert resolve(parse_reference(name)).id.startswith("sha256:")


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        ("nginx:nope", Code.NOT_FOUND, NOT_FOUND),
        ("nginx:1.161", Code.NOT_FOUND, NOT_FOUND),
        ("nginx:999", Code.NOT_FOUND, NOT_FOUND),
        ("nginx:doesnotexist", Code.NOT_FOUND, NOT_FOUND),
        ("nginx:bad", Code.NOT_FOUND, NOT_FOUND),
        ("nginx:broken", Code.NOT_FOUND, NOT_FOUND),
        ("nginx:lates", Code.NOT_FOUND, NOT_FOUND),
        ("acme/app:nonexistent", Code.NOT_FOUND, NOT_FOUND),
        ("ngnix", Code.UNKNOWN, DENIED),
        ("acme/doesnotexist", Code.UNKNOWN, DENIED),
        (
            "registry.invalid/app:v1",
            Code.UNKNOWN,
            NO_HOST,
        ),
    ],
)
def test_images_that_do_not_exist(name, code, why):
    reference = parse_reference(name)
    with pytest.raises(RuntimeCallError) as caught:
        resolve(reference)
    assert caught.value.code is code
    assert caught.value.message == (
        f'failed to pull and unpack image "{reference}": failed to resolve reference '
        f'"{reference}": {why.format(reference)}'
    )


@pytest.mark.looptime
async def test_a_pull_takes_time_once(lab):
    images = lab.runtime.images
    started = lab.clock.seconds()
    first = await images.pull_image(ImageSpec("nginx"))
    took = lab.clock.seconds() - started
    assert 0.05 < took <= 0.3
    assert await images.pull_image(ImageSpec("docker.io/library/nginx:latest")) == first
    assert lab.clock.seconds() - started == took


@pytest.mark.looptime
async def test_pulls_of_one_image_at_a_time_are_one(lab):
    images = lab.runtime.images
    started = lab.clock.seconds()
    await asyncio.gather(*[images.pull_image(ImageSpec("mysql:8")) for _ in range(5)])
    assert lab.clock.seconds() - started <= 0.3
    assert len(await images.list_images()) == 1


@pytest.mark.looptime
async def test_a_failed_pull_leaves_nothing_and_may_be_tried_again(lab):
    images = lab.runtime.images
    both = [images.pull_image(ImageSpec("nginx:nope")) for _ in range(2)]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert all(isinstance(result, RuntimeCallError) for result in results)
    assert await images.image_status(ImageSpec("nginx:nope")) is None


@pytest.mark.looptime
async def test_status_usage_and_removal(lab):
    images = lab.runtime.images
    await images.pull_image(ImageSpec("nginx"))
    status = await images.image_status(ImageSpec("nginx"))
    assert (await images.image_status(ImageSpec(status.id))).id == status.id
    assert (await images.image_fs_info()).used_bytes > status.size
    await images.remove_image(ImageSpec("nginx"))
    assert await images.list_images() == []


@pytest.mark.looptime
async def test_a_container_needs_its_image(lab):
    pod = await lab.pod("busybox", "sleep", "10")
    await lab.runtime.images.remove_image(ImageSpec("busybox"))
    with pytest.raises(RuntimeCallError, match="not found"):
        await lab.runtime.create_container(
            pod.sandbox,
            ContainerConfig(ContainerMetadata("x"), ImageSpec("busybox")),
            None,
        )


def test_each_repository_is_in_one_family():
    names = [name for family in FAMILIES for name in family.repositories]
    assert len(names) == len(set(names))


@pytest.mark.looptime
@pytest.mark.parametrize(
    "family", [family for family in FAMILIES if family.entrypoint or family.cmd]
)
async def test_each_image_starts(lab, family):
    env = (("POSTGRES_PASSWORD", "x"), ("MYSQL_ROOT_PASSWORD", "x"))
    pod = await lab.pod(family.repositories[0], envs=env)
    await lab.clock.sleep(3)
    status = await pod.status()
    assert (status.exit_code, status.reason) in {(0, ""), (0, "Completed")} or (
        # A bare `perl -de0`, `curl --help` and python without a terminal have nothing to do.
        family.repositories[0].rpartition("/")[2] in {"perl", "curl"}
    )
    for port in family.exposed:
        assert (port, "TCP") in lab.net.listening(pod.ip)


@pytest.mark.looptime
@pytest.mark.parametrize("image", ["postgres:16", "mysql:8"])
async def test_databases_want_a_password(lab, image):
    pod = await lab.pod(image)
    await lab.clock.sleep(1)
    assert (await pod.status()).exit_code == 1
    assert "specif" in await pod.log()


@pytest.mark.looptime
async def test_the_pi_job(lab):
    pod = await lab.pod("perl:5.34.0", "perl", "-Mbignum=bpi", "-wle", "print bpi(100)")
    await lab.clock.sleep(5)
    text = (await pod.log()).strip()
    assert text.startswith("3.14159265358979323846264338327950288419716939937510")
    assert len(text) == 101
    # The hundred digits of every table, the last one cut off and not rounded.
    assert text.endswith("5342117067")


@pytest.mark.looptime
async def test_hello_world_and_agnhost(lab):
    hello = await lab.pod("hello-world")
    await lab.clock.sleep(1)
    assert "Hello from" in await hello.log()
    agnhost = await lab.pod(
        "registry.k8s.io/e2e-test-images/agnhost:2.40",
        args=("netexec", "--http-port=8080"),
        name="net-1",
    )
    client = await lab.pod("busybox", "sleep", "100")
    assert await client.sh(f"wget -qO- {agnhost.ip}:8080/hostname") == "net-1"
    assert await client.sh(f"wget -qO- '{agnhost.ip}:8080/echo?msg=a%20b'") == "a b"
    await client.sh(f"wget -qO- '{agnhost.ip}:8080/exit?code=3'")
    await lab.clock.sleep(1)
    assert (await agnhost.status()).exit_code == 3


@pytest.mark.looptime
async def test_http_echo_and_php_apache(lab):
    echo = await lab.pod("hashicorp/http-echo", args=("-text=apple", "-listen=:5678"))
    php = await lab.pod("registry.k8s.io/hpa-example")
    client = await lab.pod("busybox", "sleep", "100")
    assert await client.sh(f"wget -qO- {echo.ip}:5678") == "apple\n"
    assert await client.sh(f"for i in 1 2 3 4 5; do wget -qO- {php.ip}; done") == "OK!" * 5
    stats = await lab.runtime.container_stats(php.id)
    assert stats.cpu_usage_core_nano_seconds / 1e9 == pytest.approx(0.5, abs=0.02)
