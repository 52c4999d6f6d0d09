"""What a scheduler plugin is given and gives back, as in the scheduling framework of v1.36.

A plugin is one small class. Its base classes name the extension points that it joins; what it
answers is a value: a Status with a code, the plugin and reasons. The code says what the queue
does next: UNSCHEDULABLE may be cured by preemption or by another pod's going, UNRESOLVABLE only
by a change of the node or of the pod itself.

An attempt asks preFilter, filter, preScore and score; a pod that has a node goes through reserve,
permit and preBind before it is bound. Where one of these fails, unreserve takes all back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, TypeVar

from apimachinery.labels import Selector
from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.volumes import claim_names
from nodes.scheduler.company import Company, Kind
from nodes.scheduler.devices.lacking import Lack
from nodes.scheduler.images import Images
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.tally import Labels, Where, Who, parted

MAX_SCORE = 100
# Who has refused a pod, where that was no plugin: an extender, or there being no node at all.
EXTENDER, NO_NODES = "Extender", ""
# One for each node that is scored, in their order.
Scores: TypeAlias = Sequence[int]
_Found = TypeVar("_Found", bound=Hashable)


class Code(Enum):
    """How a plugin's answer is to be taken."""

    SUCCESS = "Success"
    UNSCHEDULABLE = "Unschedulable"
    UNRESOLVABLE = "UnschedulableAndUnresolvable"
    # The plugin has nothing to say of this pod: it is left out of the points that follow.
    SKIP = "Skip"
    # The pod stays reserved and unbound until the plugin lets it go on (permit alone).
    WAIT = "Wait"
    ERROR = "Error"


@dataclass(frozen=True, slots=True)
class Status:
    """An answer: SUCCESS, or why not."""

    code: Code
    reasons: tuple[str, ...] = ()
    # The nodes that preFilter leaves; None: all of them.
    nodes: frozenset[str] | None = None

    @property
    def ok(self) -> bool:
        return self.code is Code.SUCCESS

    @staticmethod
    def error(reason: str) -> Status:
        return Status(Code.ERROR, (reason,))

    @staticmethod
    def only(nodes: frozenset[str]) -> Status:
        """Return preFilter's success for these nodes alone."""
        return Status(Code.SUCCESS, (), nodes)

    @staticmethod
    def unschedulable(*reasons: str) -> Status:
        return Status(Code.UNSCHEDULABLE, reasons)

    @staticmethod
    def unresolvable(*reasons: str) -> Status:
        return Status(Code.UNRESOLVABLE, reasons)


SUCCESS = Status(Code.SUCCESS)
SKIP = Status(Code.SKIP)


class Event(Enum):
    """What happened in the cluster that may let a refused pod fit: a resource and an action."""

    NODE_ADDED = "Node/Add"
    NODE_GONE = "Node/Delete"
    NODE_TAINTS = "Node/UpdateNodeTaint"
    NODE_LABELS = "Node/UpdateNodeLabel"
    NODE_ALLOCATABLE = "Node/UpdateNodeAllocatable"
    NODE_FEATURES = "Node/UpdateNodeDeclaredFeature"
    # Pods that have a node.
    POD_ADDED = "AssignedPod/Add"
    POD_LABELS = "AssignedPod/UpdatePodLabel"
    POD_SCALED_DOWN = "AssignedPod/UpdatePodScaleDown"
    POD_GONE = "AssignedPod/Delete"
    # Pods that have none: the one that waits among them.
    UNSCHEDULED_ADDED = "UnscheduledPod/Add"
    OWN_LABELS = "UnscheduledPod/UpdatePodLabel"
    OWN_SCALED_DOWN = "UnscheduledPod/UpdatePodScaleDown"
    OWN_TOLERATIONS = "UnscheduledPod/UpdatePodToleration"
    OWN_GATES = "UnscheduledPod/UpdatePodSchedulingGatesEliminated"
    OWN_CLAIMS = "UnscheduledPod/UpdatePodGeneratedResourceClaim"
    CLAIM_ADDED = "PersistentVolumeClaim/Add"
    CLAIM_CHANGED = "PersistentVolumeClaim/Update"
    VOLUME_ADDED = "PersistentVolume/Add"
    VOLUME_CHANGED = "PersistentVolume/Update"
    CLASS_ADDED = "StorageClass/Add"
    CLASS_CHANGED = "StorageClass/Update"
    CSINODE_ADDED = "CSINode/Add"
    CSINODE_CHANGED = "CSINode/Update"
    DRIVER_CHANGED = "CSIDriver/Update"
    CAPACITY_ADDED = "CSIStorageCapacity/Add"
    CAPACITY_CHANGED = "CSIStorageCapacity/Update"
    ATTACHMENT_GONE = "VolumeAttachment/Delete"
    DEVICE_CLAIM_ADDED = "ResourceClaim/Add"
    DEVICE_CLAIM_CHANGED = "ResourceClaim/Update"
    DEVICE_CLAIM_GONE = "ResourceClaim/Delete"
    DEVICE_CLASS_ADDED = "DeviceClass/Add"
    DEVICE_CLASS_CHANGED = "DeviceClass/Update"
    DEVICES_ADDED = "ResourceSlice/Add"
    DEVICES_CHANGED = "ResourceSlice/Update"
    GROUP_ADDED = "PodGroup/Add"


class Change(NamedTuple):
    """An event with its object before and after; None where there was, or is, none."""

    event: Event
    old: Obj | None = None
    new: Obj | None = None

    @property
    def obj(self) -> Obj:
        """Return the object as it is, or was last."""
        return self.new or self.old or {}


class Reader(Protocol):
    """Reads of other kinds, from informers."""

    def get(self, namespace: str, name: str) -> Obj | None: ...

    def list(self, namespace: str = "", selector: Selector | None = None) -> list[Obj]: ...


class PodCounts(ABC):
    """How many pods of a kind stand where; kept up to date, not counted."""

    @abstractmethod
    def by_node(self, who: Who) -> Mapping[str, int]:
        """Return node name -> count; shared, never to be changed."""

    def by_part(self, nodes: Sequence[NodeInfo], who: Who, where: Where) -> Mapping[str, int]:
        """Return how many stand in each part of the nodes, which are all that there are."""
        return parted(self.by_node(who), nodes, where)


def _nowhere(uid: str) -> str | None:
    return None


@dataclass(slots=True)
class CycleState:
    """What plugins keep from one extension point to the next, for one attempt at one pod."""

    nodes: Sequence[NodeInfo]
    counts: PodCounts
    readers: dict[str, Reader]
    data: dict[str, Any] = field(default_factory=dict)
    # What plugins know from one attempt to the next, for all profiles.
    kept: dict[str, Any] = field(default_factory=dict)
    # What the nodes hold, and the pods on them that mind others; None: look.
    images: Images | None = None
    company: Company | None = None
    labels: Labels = field(default_factory=Labels)
    # Of some nodes: why the devices there do not do.
    lacks: dict[str, list[Lack]] = field(default_factory=dict)
    # Where a pod stands, or is about to stand, by its uid.
    place_of: Callable[[str], str | None] = _nowhere

    def holders(self, image: str) -> Mapping[str, int]:
        """Return the nodes that hold an image, with its bytes."""
        if self.images is None:
            self.images = Images(self.nodes)
        return self.images.holders(image)

    def labelled(self, key: str) -> Mapping[str, str]:
        """Return the nodes that have a label, with its value."""
        return self.labels.of(self.nodes, key)

    def minding_others(self) -> Iterable[Kind]:
        """Return the kinds of pods that have terms of (anti-)affinity to others."""
        if self.company is None:
            self.company = Company(self.nodes)
        return self.company.kinds()


Readers: TypeAlias = Mapping[str, Reader]
# Says whether a change may help a pod that the plugin refused.
Hint: TypeAlias = Callable[[PodInfo, Change, Readers], bool]


def always(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Say that every such event may help."""
    return True


def never(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Say that such an event does not help by itself."""
    return False


def is_its_claim(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a PersistentVolumeClaim is one of the pod's."""
    mine = namespace_of(change.obj) == pod.namespace
    return mine and name_of(change.obj) in claim_names(pod.obj)


class Plugin(ABC):
    """A rule of the scheduler."""

    name: ClassVar[str]

    def hints(self) -> Mapping[Event, Hint]:
        """Return the events that may help a pod that this plugin refused, with a hint for each.

        A pod is tried again where the hint of a plugin that refused it says so, and for no other
        event (EventsToRegister).
        """
        return {}

    def looks_at(self, pod: PodInfo) -> Hashable:
        """Return what the hints look at of a pod, but for its own changes.

        They are asked once about all pods of which this is equal; unless it is said, about each.
        """
        return pod.uid

    def configure(self, args: Mapping[str, Any]) -> None:  # noqa: B027 - most have no arguments
        """Take the arguments of a profile's pluginConfig; they are complete and valid."""


class PreEnqueuePlugin(Plugin):
    """Says whether a pod may enter the queue at all."""

    @abstractmethod
    def pre_enqueue(self, pod: PodInfo, readers: Readers) -> Status: ...


class QueueSortPlugin(Plugin):
    """Says in which order pods are tried: the queue's own is the only one that there is."""


@dataclass(frozen=True, slots=True)
class Write:
    """A merge patch of an object, of a kind that plugins read; `last`: it is deleted then."""

    kind: str
    obj: Obj
    patch: Obj
    subresource: str = ""
    last: bool = False


class PostFilterPlugin(Plugin):
    """Is asked where no node fits: whether something can be done about it."""

    def post_filter(self, state: CycleState, pod: PodInfo) -> tuple[str, tuple[Write, ...]]:
        """Return what to say of it, and what to write; "" where the plugin is asked otherwise."""
        return "", ()


class BindPlugin(Plugin):
    """Writes the binding."""


class PostBindPlugin(Plugin):
    """Is told of a pod that has been bound."""


class PreFilterPlugin(Plugin):
    """Looks at the pod once before the nodes; SKIP leaves the plugin's filter out."""

    # What it finds depends on the pods that stand on nodes.
    counts_pods: ClassVar[bool] = False

    @abstractmethod
    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status: ...


class FilterPlugin(Plugin):
    """Says whether a pod can stand on a node."""

    @abstractmethod
    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status: ...


class PreScorePlugin(Plugin):
    """Looks at the nodes that are left once before they are scored; SKIP leaves `score` out."""

    @abstractmethod
    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status: ...


class ScorePlugin(Plugin):
    """Says how good nodes are for a pod; higher is better, after `normalize` 0 to 100."""

    @abstractmethod
    def scores(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Scores: ...

    def normalize(self, state: CycleState, pod: PodInfo, scores: Scores) -> Scores:
        return scores


class NodeScorePlugin(ScorePlugin):
    """Says of each node by itself how good it is, by nothing but the node and the pod.

    That is remembered; `memory` has to know of each part of the pod that is looked at.
    """

    @abstractmethod
    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int: ...

    def scores(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Scores:
        return [self.score(state, pod, node) for node in nodes]


class ReservePlugin(Plugin):
    """Keeps what a pod needs on the node that was chosen, until it is bound or given up."""

    @abstractmethod
    def reserve(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status: ...

    @abstractmethod
    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None: ...


class PodGroups(Protocol):
    """Pods by the group that they name in spec.schedulingGroup."""

    def known(self, key: tuple[str, str]) -> int:
        """Return how many pods of a group there are, with nodes or without."""

    def placed(self, key: tuple[str, str], place_of: Callable[[str], str | None]) -> int:
        """Return how many of them stand, or are about to stand, on a node."""


class GroupPlugin(Plugin):
    """Looks at the groups of pods, which the scheduler hands it where it schedules by groups."""

    # None: pods are scheduled one by one, and there are no PodGroup objects either.
    groups: PodGroups | None = None
    # PodGroup objects.
    group_objects: Reader


class Placement(NamedTuple):
    """Nodes on which the pods of a group could stand together."""

    name: str
    nodes: Sequence[NodeInfo]


class Assignment(NamedTuple):
    """A pod of a group with the node that was found for it."""

    pod: PodInfo
    node: str


class PlacementError(Exception):
    """It cannot be said where a group may stand."""


class PlacementGeneratePlugin(Plugin):
    """Says which nodes the pods of a group could have together."""

    @abstractmethod
    def placements(
        self, group: Obj, nodes: Sequence[NodeInfo], there: Sequence[tuple[str, NodeInfo]]
    ) -> list[Placement]:
        """`there`: pods of the group that have nodes already. Raises PlacementError."""


class PlacementScorePlugin(Plugin):
    """Says how good a placement is for a group; higher is better."""

    @abstractmethod
    def score_placement(
        self, placement: Placement, assigned: Sequence[Assignment], already: int
    ) -> int:
        """`assigned` are the pods that would come, `already` is how many of the group are there."""

    def normalize_placements(self, scores: Sequence[int]) -> list[int]:
        return list(scores)


class PermitPlugin(Plugin):
    """Lets a pod be bound, refuses it, or has it WAIT until `Waiters.allow` or `.reject`."""

    @abstractmethod
    def permit(self, state: CycleState, pod: PodInfo, node: str) -> tuple[Status, float]:
        """Return the answer, and after how many seconds of waiting a pod is refused."""


class Writer(Protocol):
    """What a plugin may write before a pod is bound, and how it waits for what comes of it."""

    async def patch(self, kind: str, obj: Obj, patch: Obj, subresource: str = "") -> Obj:
        """Merge a patch into an object of a kind that plugins read. Raises ApiError."""

    async def create(self, kind: str, obj: Obj) -> Obj:
        """Make an object. Raises ApiError."""

    async def delete(self, kind: str, obj: Obj) -> None:
        """Delete an object. Raises ApiError."""

    def now(self) -> str:
        """Return the time as it is written."""

    def say(self, pod: PodInfo, reason: str, note: str) -> None:
        """Tell of a pod that is being scheduled: a normal event."""

    async def until(self, there: Callable[[], bool], seconds: float) -> bool:
        """Wait for a change of a watched object after which something holds."""


class PreBindPlugin(Plugin):
    """Does what has to be done before a pod may be bound: makes its volumes, say."""

    def needs_pre_bind(self, state: CycleState, pod: PodInfo) -> bool:
        """Tell whether there is anything to do; for most pods there is not."""
        return True

    @abstractmethod
    async def pre_bind(
        self, state: CycleState, pod: PodInfo, node: str, writer: Writer
    ) -> Status: ...


def normalized(scores: Scores, *, reverse: bool = False) -> Scores:
    """Stretch scores to 0..100 by the highest (helper.DefaultNormalizeScore)."""
    highest = max(scores, default=0)
    if highest == 0:
        return [MAX_SCORE] * len(scores) if reverse else scores
    if reverse:
        return each(scores, lambda score: MAX_SCORE - MAX_SCORE * score // highest)
    return each(scores, lambda score: MAX_SCORE * score // highest)


def each(found: Sequence[_Found], rate: Callable[[_Found], int]) -> Scores:
    """Return the score of what was found of each node; of equals, as most are, it is asked once."""
    rated = {one: rate(one) for one in set(found)}
    return [*map(rated.__getitem__, found)]
