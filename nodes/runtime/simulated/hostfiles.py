"""The disk of a simulated node: the trees that the kubelet fills and containers mount.

Each volume of a pod is a tree of its own, found by where the kubelet puts volumes; a path that is
mounted from anywhere else becomes a tree of its own then. So a mount is one tree, shared by all
containers that have it. Persistent volumes are trees that all nodes of a cluster have in common.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from nodes.runtime.simulated.volume import File, Volume

_PODS = "/var/lib/kubelet/pods/"
# Every node finds the persistent volumes of the cluster here.
PERSISTENT = "/var/lib/kubelet/plugins/kubeground.io~simulated/"


class SharedVolumes:
    """What the persistent volumes of a cluster hold, whichever node a pod is on."""

    def __init__(self) -> None:
        self.trees: dict[str, Volume] = {}

    def discard(self, name: str) -> None:
        """Forget what a volume held; fine if it held nothing."""
        root = PERSISTENT + name
        for path in [one for one in self.trees if one == root or one.startswith(f"{root}/")]:
            del self.trees[path]


class MemoryHostFiles:
    """Keeps cri.HostFiles for one node."""

    def __init__(self, shared: SharedVolumes | None = None) -> None:
        self._volumes: dict[str, Volume] = {"/": Volume()}
        self._shared = shared if shared is not None else SharedVolumes()

    # -- HostFiles -------------------------------------------------------------------------------

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        volume, inside = self.find(path)
        volume.mkdir(inside)

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        volume, inside = self.find(path)
        volume.write(inside, data, mode)

    def replace(self, path: str, files: Mapping[str, tuple[bytes, int]]) -> None:
        self.mounted(path).replace({name: File(*file) for name, file in files.items()})

    def read(self, path: str, limit: int = 0) -> bytes | None:
        volume, inside = self.find(path)
        data = volume.read(inside)
        return data[-limit:] if data is not None and limit else data

    def exists(self, path: str) -> bool:
        volume, inside = self.find(path)
        return volume.exists(inside)

    def is_dir(self, path: str) -> bool:
        volume, inside = self.find(path)
        return volume.is_dir(inside)

    def used_bytes(self, path: str) -> int:
        path = posixpath.normpath(path)
        volume, inside = self.find(path)
        prefix = f"{inside}/" if inside else ""
        own = sum(len(file.data) for name, file in volume.walk() if name.startswith(prefix))
        trees = self._trees(path)
        below = (tree for root, tree in trees.items() if root.startswith(f"{path}/"))
        return own + sum(tree.used_bytes() for tree in below)

    def remove(self, path: str) -> None:
        path = posixpath.normpath(path)
        volume, inside = self.find(path)
        volume.remove(inside)
        trees = self._trees(path)
        if not inside and path != "/":
            del trees[path]
        for root in [root for root in trees if root.startswith(f"{path}/")]:
            del trees[root]

    # -- for the runtime -------------------------------------------------------------------------

    def find(self, path: str) -> tuple[Volume, str]:
        """Return the tree that holds a path, and where in it that is."""
        path = posixpath.normpath(path)
        trees = self._trees(path)
        root = path
        while root not in trees:
            if own := _is_volume_root(root):
                trees[root] = Volume()
            root = root if own else posixpath.dirname(root)
        return trees[root], path[len(root) :].lstrip("/")

    def mounted(self, path: str) -> Volume:
        """Return the directory as a tree of its own, split from the one that held it if need be."""
        path = posixpath.normpath(path)
        volume, inside = self.find(path)
        if not inside:
            return volume
        own = Volume()
        prefix = f"{inside}/"
        for name, file in list(volume.walk()):
            if name.startswith(prefix):
                own.write(name[len(prefix) :], file.data, file.mode)
        volume.remove(inside)
        self._trees(path)[path] = own
        return own

    def inner_mounts(self, path: str) -> list[tuple[str, Volume]]:
        """Return the trees below a path, by where they are below it."""
        start = posixpath.normpath(path).rstrip("/") + "/"
        return [
            (root[len(start) :], tree)
            for root, tree in self._trees(start).items()
            if root.startswith(start)
        ]

    def _trees(self, path: str) -> dict[str, Volume]:
        """Return the trees among which a path is."""
        return self._shared.trees if path.startswith(PERSISTENT) else self._volumes


def _is_volume_root(path: str) -> bool:
    """Whether the path is <pods>/UID, <pods>/UID/volumes/PLUGIN/NAME or <persistent>/NAME."""
    if path.startswith(PERSISTENT):
        return "/" not in path[len(PERSISTENT) :]
    if not path.startswith(_PODS):
        return False
    parts = path[len(_PODS) :].split("/")
    return len(parts) == 1 or (len(parts) == 4 and parts[1] == "volumes")
