"""What stays of a machine, whichever kubelet runs on it: its disk, and when it lost power."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from apimachinery.meta import Obj


class Hardware:
    """`foreign` are the bytes on the disk that no pod and no image accounts for.

    `manifests` are the static pods that stand on it, in /etc/kubernetes/manifests.
    """

    def __init__(self, capacity: int = 0, manifests: Sequence[Obj] = ()) -> None:
        self.capacity, self.manifests = capacity, manifests
        self.foreign = 0
        # The cluster's second at which it lost power, if it ever did.
        self.off_since = 0.0
        self.on_change: Callable[[], None] | None = None

    def fill(self, free: int) -> None:
        """Write so much onto the disk that `free` bytes are left, of what pods and images leave."""
        self.foreign = max(self.capacity - free, 0)
        self._tell()

    def clear(self) -> None:
        """Take that away again."""
        self.foreign = 0
        self._tell()

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change()
