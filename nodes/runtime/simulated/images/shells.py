"""Images that are little more than a shell: busybox, alpine, ubuntu, debian, curl, netshoot."""

from __future__ import annotations

from nodes.network.http import serve_http
from nodes.runtime.simulated.image import BUSYBOX, DEBIAN, MIB, ImageFamily, executables
from nodes.runtime.simulated.images.base import (
    ALPINE_FILES,
    BUSYBOX_FILES,
    DEBIAN_FILES,
    UBUNTU_FILES,
)
from nodes.runtime.simulated.images.files import FileServer
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.program import Server
from nodes.runtime.simulated.shell.options import parse_options


class BusyboxHttpd(Server):
    """busybox httpd [-f] [-p PORT] [-h DIRECTORY]."""

    def start(self, process: Process) -> None:
        options = parse_options(process.argv[1:], "fvi", "phcur")
        port = options.value("p", default="80").rpartition(":")[2]
        root = options.value("h", default=process.cwd)
        server = FileServer(process, root, "")
        try:
            process.listen(int(port), serve_http(server.answer))
        except (OSError, ValueError):
            process.complain("httpd: bind: Address already in use")
            process.exit(1)


BUSYBOX_IMAGE = ImageFamily(
    repositories=(
        "docker.io/library/busybox",
        "registry.k8s.io/e2e-test-images/busybox",
        "gcr.io/google-containers/busybox",
        "quay.io/prometheus/busybox",
    ),
    programs={"httpd": BusyboxHttpd},
    cmd=("sh",),
    files={**BUSYBOX_FILES, **executables("/bin/httpd")},
    userland=BUSYBOX,
    size=2 * MIB,
    highest=(1, 37),
    cores=0.0,
    memory=MIB // 2,
)
ALPINE = ImageFamily(
    repositories=("docker.io/library/alpine",),
    cmd=("/bin/sh",),
    files=ALPINE_FILES,
    userland=BUSYBOX,
    size=4 * MIB,
    highest=(8, 99),
    cores=0.0,
    memory=MIB // 2,
)
UBUNTU = ImageFamily(
    repositories=("docker.io/library/ubuntu",),
    cmd=("/bin/bash",),
    files=UBUNTU_FILES,
    userland=DEBIAN,
    size=29 * MIB,
    highest=(26, 10),
    cores=0.0,
    memory=MIB,
)
DEBIAN_IMAGE = ImageFamily(
    repositories=(
        "docker.io/library/debian",
        "docker.io/library/bash",
        "docker.io/nicolaka/netshoot",
        "registry.k8s.io/e2e-test-images/jessie-dnsutils",
        "docker.io/library/centos",
        "docker.io/library/fedora",
        "docker.io/library/rockylinux",
        "docker.io/library/buildpack-deps",
    ),
    cmd=("bash",),
    files=DEBIAN_FILES,
    userland=DEBIAN,
    size=46 * MIB,
    cores=0.0,
    memory=MIB,
)
CURL = ImageFamily(
    repositories=("docker.io/curlimages/curl",),
    entrypoint=("curl",),
    cmd=("--help",),
    files=DEBIAN_FILES,
    userland=DEBIAN,
    size=9 * MIB,
    cores=0.0,
    memory=MIB,
)
