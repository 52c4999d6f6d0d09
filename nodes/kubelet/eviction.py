"""A node whose disk runs full: the kubelet says so, and makes room by its own rules.

As pkg/kubelet/eviction does: what is below the threshold is seen at the next look, the node says
DiskPressure, images that nobody uses go first, then one pod at each look, those that use more than
they asked for before the others. New pods are turned away meanwhile. Once there is room again the
node says so only after a while. Nothing is looked at while the disk is as it should be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apimachinery import quantity
from apimachinery.clock import Timer
from apimachinery.errors import ApiError
from apimachinery.meta import Obj
from nodes.client import resources
from nodes.client.events import NORMAL, WARNING
from nodes.client.rest import STRATEGIC_PATCH
from nodes.kubelet.admission import is_critical
from nodes.kubelet.hardware import Hardware
from nodes.kubelet.pod_worker import PodWorker
from nodes.runtime.cri import ContainerStats, ImageSpec

if TYPE_CHECKING:
    from nodes.kubelet.kubelet import Kubelet

# The kubelet's defaults: nodefs.available<10%, --housekeeping-interval, and
# --eviction-pressure-transition-period.
THRESHOLD, LOOK_EVERY, TRANSITION = 0.10, 10.0, 300.0
TURNED_AWAY = "The node had condition: [DiskPressure]. "


@dataclass(frozen=True, slots=True)
class _Room:
    available: int
    by_container: dict[str, ContainerStats]


class Evictions:
    """The eviction manager of one kubelet."""

    def __init__(self, kubelet: Kubelet, disk: Hardware) -> None:
        self._kubelet, self._disk = kubelet, disk
        self._timer: Timer | None = None
        self._seen = 0.0
        self.pressed = False

    def start(self) -> None:
        """Look at the disk as it is, and from now on whenever it is told to be filled."""
        self._disk.on_change = self._look_soon
        if self._disk.foreign:
            self._look_soon()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._disk.on_change = None

    def turns_away(self, pod: Obj) -> bool:
        """Tell whether a pod may not start here now."""
        return self.pressed and not is_critical(pod)

    def _look_soon(self) -> None:
        if self._timer is None:
            self._timer = self._kubelet.host.clock.call_later(LOOK_EVERY, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._kubelet.host.tasks.spawn("eviction", self._look())

    async def _look(self) -> None:
        clock = self._kubelet.host.clock
        room = await self._room()
        if room.available < THRESHOLD * self._disk.capacity:
            self._seen = clock.seconds()
            try:
                await self._press(pressed=True)
                await self._reclaim(room)
            finally:
                self._look_soon()
        elif self.pressed:
            left = self._seen + TRANSITION - clock.seconds()
            if left > 0:
                self._timer = self._timer or clock.call_later(left, self._on_timer)
            else:
                await self._press(pressed=False)

    async def _room(self) -> _Room:
        host = self._kubelet.host
        stats = await host.runtime.list_container_stats()
        images = await self._kubelet.images.image_fs_info()
        written = sum(one.writable_layer_used_bytes for one in stats)
        used = self._disk.foreign + images.used_bytes + written
        return _Room(max(self._disk.capacity - used, 0), {one.id: one for one in stats})

    async def _press(self, *, pressed: bool) -> None:
        """Say of the node whether its disk is full; the API may be away."""
        if self.pressed == pressed:
            return
        kubelet, now = self._kubelet, self._kubelet.host.clock.timestamp()
        condition = {
            "type": "DiskPressure",
            "status": "True" if pressed else "False",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
            "reason": "KubeletHasDiskPressure" if pressed else "KubeletHasNoDiskPressure",
            "message": f"kubelet has {'' if pressed else 'no '}disk pressure",
        }
        body = {"status": {"conditions": [condition]}}
        try:
            await kubelet.host.client.patch(
                resources.NODES, "", kubelet.name, body, STRATEGIC_PATCH, "status"
            )
        except ApiError:
            self._look_soon()
            return
        self.pressed = pressed
        state = "NodeHasDiskPressure" if pressed else "NodeHasNoDiskPressure"
        kubelet.tell(NORMAL, state, f"Node {kubelet.name} status is now: {state}")

    async def _reclaim(self, room: _Room) -> None:
        """Make room: images that nobody uses, then one pod."""
        self._kubelet.tell(
            WARNING, "EvictionThresholdMet", "Attempting to reclaim ephemeral-storage"
        )
        if await self._remove_images():
            room = await self._room()
        threshold = int(THRESHOLD * self._disk.capacity)
        if room.available >= threshold:
            return
        ranked = sorted(
            (one for one in self._kubelet.pods.values() if _may_go(one)),
            key=lambda worker: _rank(worker, room),
        )
        if ranked:
            words = (
                "The node was low on resource: ephemeral-storage. "
                f"Threshold quantity: {_size(threshold)}, available: {_size(room.available)}. "
            )
            ranked[0].evict(words + _consumers(ranked[0], room))

    async def _remove_images(self) -> bool:
        """Remove the images that no container was made of; tell whether there were any."""
        images = self._kubelet.images
        used = {
            record.image.id
            for worker in self._kubelet.pods.values()
            for record in worker.containers.records
            if record.image is not None
        }
        unused = [one for one in await images.list_images() if one.id not in used]
        for image in unused:
            await images.remove_image(ImageSpec(image.id))
        return bool(unused)


def _may_go(worker: PodWorker) -> bool:
    return not worker.over and not worker.ends and not is_critical(worker.pod)


def _usage(worker: PodWorker, room: _Room) -> dict[str, int]:
    """Return what each container of a pod has written, by its name."""
    return {
        record.name: room.by_container[record.id].writable_layer_used_bytes
        for record in worker.containers.records
        if record.id in room.by_container
    }


def _request(spec: Obj) -> int:
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("ephemeral-storage")
    return int(quantity.parse(str(asked)).value()) if asked else 0


def _rank(worker: PodWorker, room: _Room) -> tuple[bool, int, int]:
    """Order pods as rankDiskPressureFunc does: the first goes first."""
    used = sum(_usage(worker, room).values())
    asked = sum(_request(spec) for spec in worker.pod["spec"].get("containers") or ())
    return (used <= asked, int(worker.pod["spec"].get("priority") or 0), asked - used)


def _consumers(worker: PodWorker, room: _Room) -> str:
    used, found = _usage(worker, room), ""
    for spec in worker.pod["spec"].get("containers") or ():
        if used.get(spec["name"], 0) > (asked := _request(spec)):
            found += (
                f"Container {spec['name']} was using {_size(used[spec['name']])}, request is "
                f"{_size(asked)}, has larger consumption of ephemeral-storage. "
            )
    return found


def _size(amount: int) -> str:
    return str(quantity.Quantity(amount * quantity.NANO, quantity.Format.BINARY_SI))
