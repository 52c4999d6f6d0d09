"""ImageLocality: better where the pod's images already are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from nodes.scheduler.framework import MAX_SCORE, CycleState, ScorePlugin, Scores, each
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

_MB = 1024 * 1024
# Below 23 MB an image is not worth going for; from 1000 MB a container on, more does not count.
_LEAST, _MOST = 23 * _MB, 1000 * _MB


class ImageLocality(ScorePlugin):
    """Scores by the bytes of the pod's images on the node, less for images that few hold."""

    name = "ImageLocality"

    def scores(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Scores:
        containers = (pod.spec.get("initContainers") or (), pod.spec.get("containers") or ())
        images = [_normal(one.get("image") or "") for one in chain(*containers)]
        held = [found for image in images if (found := state.holders(image))]
        if not held:
            return [0] * len(nodes)
        total, most = len(state.nodes), _MOST * len(images)

        def rate(sizes: tuple[int, ...]) -> int:
            counted = (size * len(on) // total for size, on in zip(sizes, held, strict=True))
            return MAX_SCORE * (min(max(sum(counted), _LEAST), most) - _LEAST) // (most - _LEAST)

        return each([*zip(*([on.get(n.name, 0) for n in nodes] for on in held), strict=True)], rate)


def _normal(image: str) -> str:
    """Put `:latest` behind a name without tag or digest."""
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"
