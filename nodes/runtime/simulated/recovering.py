"""Pods that ran before the worker was restarted, put together again from what the API knew.

What only reacts, a server, can sleep until it is met; a program with a body has to begin at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from nodes.runtime.cri import ContainerState, RuntimeCallError
from nodes.runtime.recovery import KnownContainer
from nodes.runtime.simulated.container import SimContainer
from nodes.runtime.simulated.image import PulledImage
from nodes.runtime.simulated.imageservice import SimulatedImages
from nodes.runtime.simulated.program import Server


def images_of(images: SimulatedImages, known: Sequence[KnownContainer]) -> list[PulledImage] | None:
    """Return the images that containers were made of, on the node again; None if one cannot be."""
    try:
        return [images.restore(each.status.image.image) for each in known]
    except RuntimeCallError:
        return None


def may_sleep(container: SimContainer) -> bool:
    """Tell whether a container may stay without its program until somebody meets it."""
    if container.state is not ContainerState.RUNNING:
        return True
    family, argv = container.image.family, container.argv()
    if container.config.stdin or not argv:
        return False
    factory = family.programs.get(argv[0].rpartition("/")[2]) or family.fallback
    return isinstance(factory, type) and issubclass(factory, Server)
