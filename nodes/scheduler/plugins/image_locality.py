"""ImageLocality: better where the pod's images already are."""

from __future__ import annotations

from collections.abc import Sequence

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
        containers = pod.spec.get("containers") or ()
        total = len(state.nodes)
        found = [0] * len(nodes)
        for container in containers:
            sizes = state.holders(_normal(container.get("image") or ""))
            if sizes:
                size, many = sizes.get, len(sizes)
                found = [
                    known + size(node.name, 0) * many // total
                    for known, node in zip(found, nodes, strict=True)
                ]
        most = _MOST * max(len(containers), 1)
        return each(
            found,
            lambda size: MAX_SCORE * (min(max(size, _LEAST), most) - _LEAST) // (most - _LEAST),
        )


def _normal(image: str) -> str:
    """Put `:latest` behind a name without tag or digest."""
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"
