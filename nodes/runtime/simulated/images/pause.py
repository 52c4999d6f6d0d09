"""pause: holds still until it is told to end."""

from __future__ import annotations

from nodes.runtime.simulated.image import MIB, ImageFamily
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.program import Server


class Pause(Server):
    """Does nothing."""

    def start(self, process: Process) -> None:
        return


PAUSE = ImageFamily(
    repositories=(
        "registry.k8s.io/pause",
        "k8s.gcr.io/pause",
        "gcr.io/google_containers/pause",
        "gcr.io/google-containers/pause",
        "registry.k8s.io/e2e-test-images/pause",
    ),
    programs={"pause": Pause},
    entrypoint=("/pause",),
    user="65535",
    size=MIB // 2,
    highest=(3, 10),
    cores=0.0,
    memory=MIB // 2,
)
