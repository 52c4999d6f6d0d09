"""The failures that there are: what each asks for, what it does to the simulation, how it ends.

One class each, and one literal table. `begin` breaks, `end` mends, `resume` breaks again after a
restart of the worker, before the nodes start.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from apimachinery.clock import Timer
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    invalid,
    not_found,
    not_supported,
    required,
)
from nodes.network.cuts import Cut, End
from nodes.runtime.cri import (
    ContainerEventResponse,
    ContainerEventType,
    RuntimeCallError,
    Subscription,
)
from nodes.runtime.simulated.references import parse_reference
from playground.machines import API_NODE

if TYPE_CHECKING:
    from playground.cluster import RunningCluster

MIB = 1024 * 1024
TARGET = Path("target")
_FORMS = "must be node/NAME, pod/NAMESPACE/NAME or service/NAMESPACE/NAME"
_UNBREAKABLE = "the node of the control plane and its pods cannot be broken"
# A request may take this much longer; kubectl gives up on nothing before that.
SLOWEST = 30_000


class Kind(ABC):
    """One kind of failure, in effect for one target."""

    name: ClassVar[str]
    # What `target` may hold, for the form that asks for it.
    fields: ClassVar[tuple[str, ...]]
    # Over as soon as it has happened: there is nothing to undo.
    instant = False

    def __init__(self, cluster: RunningCluster, target: dict[str, Any]) -> None:
        self.cluster, self.target = cluster, target

    @abstractmethod
    def errors(self) -> FieldErrors:
        """Yield what is wrong with the target."""

    @abstractmethod
    def says(self) -> str:
        """Return what is broken, in words that name the object."""

    def breaks(self) -> Hashable:
        """Return what is broken by it: once, since mending it mends it however it was broken."""
        return self.says()

    @abstractmethod
    async def begin(self) -> None: ...

    @abstractmethod
    async def end(self) -> None: ...

    async def resume(self) -> None:
        await self.begin()

    async def release(self) -> None:
        """Let go of what it holds when the worker ends; what is broken stays so."""
        return

    def text(self, key: str, default: str = "") -> str:
        found = self.target.get(key, default)
        return found if isinstance(found, str) else ""

    def number(self, key: str, default: int) -> Any:
        return self.target.get(key, default)

    def needs(self, key: str, known: Callable[[str], bool]) -> FieldErrors:
        """Yield what is wrong with a name that has to be somebody's."""
        name = self.text(key)
        if not name:
            yield required(TARGET / key)
        elif not known(name):
            yield not_found(TARGET / key, name)

    def needs_machine(self, key: str) -> FieldErrors:
        """Yield what is wrong with the name of a node that is to be broken."""
        if self.text(key) == API_NODE and self.cluster.control_plane is not None:
            yield invalid(TARGET / key, API_NODE, _UNBREAKABLE)
        else:
            yield from self.needs(key, lambda name: name in self.cluster.nodes)

    def find(self, resource: str, key: str) -> Obj | None:
        """Return the object that a target names as NAMESPACE/NAME."""
        namespace, _, name = self.text(key).partition("/")
        return self.cluster.api.objects.get(resource, namespace, name)


class KillContainer(Kind):
    """`kill -9` of the main process, once or each time it has started."""

    name = "kill-container"
    fields = ("pod", "container", "again")

    def __init__(self, cluster: RunningCluster, target: dict[str, Any]) -> None:
        super().__init__(cluster, target)
        self.instant = not target.get("again")
        self._subscription: Subscription | None = None
        self._timer: Timer | None = None

    def errors(self) -> FieldErrors:
        pod = self.find("pods", "pod")
        yield from self.needs("pod", lambda _: pod is not None)
        if pod is None:
            return
        if not (node := pod["spec"].get("nodeName")):
            yield invalid(TARGET / "pod", self.text("pod"), "is on no node, so nothing of it runs")
        elif node == API_NODE and self.cluster.control_plane is not None:
            yield invalid(TARGET / "pod", self.text("pod"), _UNBREAKABLE)
        elif node not in self.cluster.nodes:
            yield invalid(TARGET / "pod", self.text("pod"), f"is on {node}, which is not simulated")
        names = [spec["name"] for spec in pod["spec"]["containers"]]
        if (container := self.text("container")) and container not in names:
            yield not_supported(TARGET / "container", container, names)
        if not self.target.get("again") and not list(self._running()):
            yield invalid(TARGET / "pod", self.text("pod"), "has no container that runs now")

    def says(self) -> str:
        container = self.text("container")
        whose = f"container {container} of pod" if container else "the containers of pod"
        when = " as often as they start" if self.target.get("again") else ""
        return f"Killed {whose} {self.text('pod')}{when}"

    async def begin(self) -> None:
        if not self.instant:
            node = self.cluster.nodes[self._node()]
            self._subscription = node.runtime.get_container_events(self._on_event)
        self._kill()

    async def resume(self) -> None:
        if self._node() in self.cluster.nodes:
            await self.begin()

    async def release(self) -> None:
        await self.end()

    async def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._subscription is not None:
            self._subscription.cancel()
            self._subscription = None

    def _node(self) -> str:
        pod = self.find("pods", "pod") or {}
        return str((pod.get("spec") or {}).get("nodeName") or "")

    def _running(self) -> Iterator[str]:
        namespace, _, name = self.text("pod").partition("/")
        kubelet = self.cluster.kubelets.get(self._node())
        wanted = self.text("container")
        for worker in kubelet.pods.values() if kubelet is not None else ():
            if worker.key == (namespace, name):
                for record in worker.containers.records:
                    if record.running and wanted in ("", record.name):
                        yield record.id

    def _kill(self) -> None:
        node = self.cluster.nodes.get(self._node())
        for container in list(self._running()):
            if node is not None:
                node.runtime.kill(container)

    def _on_event(self, event: ContainerEventResponse) -> None:
        """A container has started: let it run for a second, so that one sees that it did."""
        meta = event.pod_sandbox_metadata
        if event.container_event_type is not ContainerEventType.STARTED:
            return
        if f"{meta.namespace}/{meta.name}" == self.text("pod"):
            self._timer = self.cluster.clock.call_later(1.0, self._kill)


class StopNode(Kind):
    """The machine loses power."""

    name = "stop-node"
    fields = ("node",)

    def errors(self) -> FieldErrors:
        return self.needs_machine("node")

    def says(self) -> str:
        return f"Stopped node {self.text('node')}"

    async def begin(self) -> None:
        await self.cluster.nodes[self.text("node")].power_off()

    async def end(self) -> None:
        await self.cluster.nodes[self.text("node")].power_on()

    async def resume(self) -> None:
        self.cluster.nodes[self.text("node")].lose_power()


class CutLink(Kind):
    """Packets between two ends get lost; between a node and the control plane, its API too."""

    name = "cut-link"
    fields = ("from", "to")

    def errors(self) -> FieldErrors:
        for key in ("from", "to"):
            yield from self._errors(key)
        if self.text("from") and self.text("from") == self.text("to"):
            yield invalid(TARGET / "to", self.text("to"), "is the other end already")

    def _errors(self, key: str) -> FieldErrors:
        text = self.text(key)
        kind, slash, name = text.partition("/")
        known = {
            "node": self._node,
            "pod": self._object("pods"),
            "service": self._object("services"),
        }
        if not text:
            yield required(TARGET / key)
        elif kind not in known or not slash:
            yield invalid(
                TARGET / key,
                text,
                _FORMS,
            )
        elif not known[kind](name):
            yield not_found(TARGET / key, text)

    def _node(self, name: str) -> bool:
        return name in self.cluster.nodes or name == API_NODE

    def _object(self, resource: str) -> Callable[[str], bool]:
        def known(name: str) -> bool:
            namespace, _, rest = name.partition("/")
            return self.cluster.api.objects.get(resource, namespace, rest) is not None

        return known

    def says(self) -> str:
        return f"Cut the link between {self.text('from')} and {self.text('to')}"

    def breaks(self) -> Cut:
        return self._cut()

    async def begin(self) -> None:
        self.cluster.network.cut(self._cut())
        if name := self._cut_off():
            await self.cluster.nodes[name].cut_off()

    async def end(self) -> None:
        self.cluster.network.mend(self._cut())
        if name := self._cut_off():
            await self.cluster.nodes[name].join()

    def _cut(self) -> Cut:
        return frozenset({_end(self.text("from")), _end(self.text("to"))})

    def _cut_off(self) -> str:
        """Return the node that loses the control plane, if one does."""
        ends = {self.text("from"), self.text("to")}
        control_plane = f"node/{API_NODE}"
        other = next(iter(ends - {control_plane}), "")
        if control_plane in ends and other.startswith("node/"):
            return other.removeprefix("node/")
        return ""


def _end(text: str) -> End:
    kind, _, name = text.partition("/")
    return End(kind.capitalize(), name)


class SlowApi(Kind):
    """Each request to the API server takes longer."""

    name = "slow-api"
    fields = ("milliseconds",)

    def errors(self) -> FieldErrors:
        delay = self.number("milliseconds", 500)
        if isinstance(delay, bool) or not isinstance(delay, int) or not 1 <= delay <= SLOWEST:
            yield invalid(
                TARGET / "milliseconds", delay, f"must be between 1 and {SLOWEST}, inclusive"
            )

    def says(self) -> str:
        return f"Slowed the API server down by {self.number('milliseconds', 500)} ms a request"

    def breaks(self) -> str:
        return "the API server"

    async def begin(self) -> None:
        self.cluster.api.trouble.delay = self.number("milliseconds", 500) / 1000

    async def end(self) -> None:
        self.cluster.api.trouble.delay = 0.0


class ExpireCredentials(Kind):
    """Whatever a user shows, a certificate or a token, counts as expired."""

    name = "expire-credentials"
    fields = ("user",)

    def errors(self) -> FieldErrors:
        if not self.text("user"):
            yield required(TARGET / "user", "whose certificates and tokens are to be refused")

    def says(self) -> str:
        return f"Let the credentials of {self.text('user')} expire"

    async def begin(self) -> None:
        self.cluster.api.trouble.expired.add(self.text("user"))

    async def end(self) -> None:
        self.cluster.api.trouble.expired.discard(self.text("user"))


class MissingImage(Kind):
    """The registry has an image no more; nodes may have it still."""

    name = "image-missing"
    fields = ("image", "forget")

    def errors(self) -> FieldErrors:
        if not self.text("image"):
            yield required(TARGET / "image")
            return
        try:
            parse_reference(self.text("image"))
        except RuntimeCallError as error:
            yield invalid(TARGET / "image", self.text("image"), str(error))

    def says(self) -> str:
        also = " and from the disks of the nodes" if self.target.get("forget") else ""
        return f"Removed image {self.text('image')} from its registry{also}"

    def breaks(self) -> str:
        return self._key()

    async def begin(self) -> None:
        self.cluster.ground.registries.missing.add(self._key())
        if self.target.get("forget"):
            for node in self.cluster.nodes.values():
                node.runtime.images.forget(self._key())

    async def end(self) -> None:
        self.cluster.ground.registries.missing.discard(self._key())

    def _key(self) -> str:
        """Return a name with its tag where one was given, else the repository: any tag of it."""
        text = self.text("image")
        reference = parse_reference(text)
        tagged = "@" in text or ":" in text.rpartition("/")[2]
        return str(reference) if tagged else reference.repository


class RegistryDown(Kind):
    """No registry answers: nothing can be pulled."""

    name = "registry-down"
    fields = ()

    def errors(self) -> FieldErrors:
        return iter(())

    def says(self) -> str:
        return "Cut the nodes off from all image registries"

    async def begin(self) -> None:
        self.cluster.ground.registries.down = True

    async def end(self) -> None:
        self.cluster.ground.registries.down = False


class FullDisk(Kind):
    """Something that is no pod's fills the disk of a node."""

    name = "disk-full"
    fields = ("node", "freeMebibytes")

    def errors(self) -> FieldErrors:
        yield from self.needs_machine("node")
        free = self.number("freeMebibytes", 1024)
        if isinstance(free, bool) or not isinstance(free, int) or not 0 <= free <= 1024 * 1024:
            yield invalid(
                TARGET / "freeMebibytes", free, "must be between 0 and 1048576, inclusive"
            )

    def says(self) -> str:
        free = self.number("freeMebibytes", 1024)
        return f"Filled the disk of node {self.text('node')} up to the last {free} MiB"

    def breaks(self) -> str:
        return self.text("node")

    async def begin(self) -> None:
        hardware = self.cluster.nodes[self.text("node")].hardware
        hardware.fill(self.number("freeMebibytes", 1024) * MIB)

    async def end(self) -> None:
        self.cluster.nodes[self.text("node")].hardware.clear()


KINDS: dict[str, type[Kind]] = {
    kind.name: kind
    for kind in (
        KillContainer,
        StopNode,
        CutLink,
        SlowApi,
        ExpireCredentials,
        MissingImage,
        RegistryDown,
        FullDisk,
    )
}
