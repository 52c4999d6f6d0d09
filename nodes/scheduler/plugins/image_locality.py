"""ImageLocality: better where the pod's images already are."""

from __future__ import annotations

from nodes.scheduler.framework import MAX_SCORE, CycleState, ScorePlugin
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

_MB = 1024 * 1024
# Below 23 MB an image is not worth going for; from 1000 MB a container on, more does not count.
_LEAST, _MOST = 23 * _MB, 1000 * _MB


class ImageLocality(ScorePlugin):
    """Scores by the bytes of the pod's images on the node, less for images that few hold."""

    name = "ImageLocality"

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        held = state.data.get(self.name)
        if held is None:
            held = state.data[self.name] = _held(state)
        if not held:
            return 0
        containers = pod.spec.get("containers") or ()
        total = len(state.nodes)
        size = 0
        for container in containers:
            name = _normal(container.get("image") or "")
            sizes = held.get(name)
            if sizes and node.name in sizes:
                size += sizes[node.name] * len(sizes) // total
        most = _MOST * max(len(containers), 1)
        return MAX_SCORE * (min(max(size, _LEAST), most) - _LEAST) // (most - _LEAST)


def _held(state: CycleState) -> dict[str, dict[str, int]]:
    """Return image name -> node name -> bytes; made once a cycle."""
    found: dict[str, dict[str, int]] = {}
    for node in state.nodes:
        for image in (node.obj.get("status") or {}).get("images") or ():
            for name in image.get("names") or ():
                found.setdefault(name, {})[node.name] = image.get("sizeBytes") or 0
    return found


def _normal(image: str) -> str:
    """Put `:latest` behind a name without tag or digest."""
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"
