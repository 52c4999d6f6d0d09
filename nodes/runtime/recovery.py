"""What a runtime is told of pods that ran before its memory was lost.

A real runtime finds its containers again by what it keeps on the node's disk. One that lives in the
memory of a process is told by the kubelet, which knows it from the API: which pods ran, under which
ids and addresses, since when. Their programs go on when they are needed: `rouse` is awaited before
anybody meets them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nodes.runtime.cri import ContainerConfig, ContainerStatus, Image, PodSandboxConfig


@dataclass(slots=True, frozen=True)
class KnownContainer:
    """A container as it was. `config` need not have its variables and mounts yet."""

    config: ContainerConfig
    status: ContainerStatus


@dataclass(slots=True, frozen=True)
class KnownPod:
    """A pod as it was; `ip` is empty where it is in the host's network."""

    sandbox: PodSandboxConfig
    ip: str
    containers: Sequence[KnownContainer]
    rouse: Callable[[], Awaitable[None]]


@dataclass(slots=True, frozen=True)
class Recovered:
    """A pod that the runtime has again. `sleeps`: nothing is lost while nobody rouses it."""

    sandbox_id: str
    images: Mapping[str, Image]  # by container id
    sleeps: bool


class RecoveryService(Protocol):
    """What a runtime has to be told after it has lost its memory."""

    def recover(self, pod: KnownPod) -> Recovered | None:
        """Have the pod again as it was, whole; None where that cannot be."""

    async def resume(self, container_id: str, config: ContainerConfig) -> None:
        """Let the program of a recovered container go on; nothing happens if it does."""
