"""The default profile: the plugins in their order, with kube-scheduler's weights."""

from __future__ import annotations

from collections.abc import Sequence

from nodes.scheduler.framework import (
    FilterPlugin,
    PermitPlugin,
    Plugin,
    PreBindPlugin,
    PreEnqueuePlugin,
    PreFilterPlugin,
    PreScorePlugin,
    ReservePlugin,
    ScorePlugin,
)
from nodes.scheduler.plugins.balanced_allocation import NodeResourcesBalancedAllocation
from nodes.scheduler.plugins.image_locality import ImageLocality
from nodes.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from nodes.scheduler.plugins.node_affinity import NodeAffinity
from nodes.scheduler.plugins.node_name import NodeName
from nodes.scheduler.plugins.node_ports import NodePorts
from nodes.scheduler.plugins.node_resources_fit import NodeResourcesFit
from nodes.scheduler.plugins.node_unschedulable import NodeUnschedulable
from nodes.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from nodes.scheduler.plugins.pod_topology_spread import PodTopologySpread
from nodes.scheduler.plugins.scheduling_gates import SchedulingGates
from nodes.scheduler.plugins.taint_toleration import TaintToleration
from nodes.scheduler.plugins.volume_binding import VolumeBinding
from nodes.scheduler.plugins.volume_restrictions import VolumeRestrictions
from nodes.scheduler.plugins.volume_zone import VolumeZone

# (plugin, weight of its score); the order is that in which filters are asked.
DEFAULT_PLUGINS: tuple[tuple[type[Plugin], int], ...] = (
    (SchedulingGates, 0),
    (NodeUnschedulable, 0),
    (NodeName, 0),
    (TaintToleration, 3),
    (NodeAffinity, 2),
    (NodePorts, 0),
    (NodeResourcesFit, 1),
    (VolumeRestrictions, 0),
    (NodeVolumeLimits, 0),
    (VolumeBinding, 0),
    (VolumeZone, 0),
    (PodTopologySpread, 2),
    (InterPodAffinity, 2),
    (NodeResourcesBalancedAllocation, 1),
    (ImageLocality, 1),
)


class Profile:
    """The plugins of one scheduler, by extension point."""

    def __init__(
        self,
        name: str = "default-scheduler",
        plugins: tuple[tuple[type[Plugin], int], ...] = DEFAULT_PLUGINS,
    ) -> None:
        self.name = name
        made = [(plugin(), weight) for plugin, weight in plugins]
        self.plugins = {plugin.name: plugin for plugin, _ in made}
        self.pre_enqueue = [p for p, _ in made if isinstance(p, PreEnqueuePlugin)]
        self.pre_filter = [p for p, _ in made if isinstance(p, PreFilterPlugin)]
        self.filter = [p for p, _ in made if isinstance(p, FilterPlugin)]
        self.pre_score = [p for p, _ in made if isinstance(p, PreScorePlugin)]
        self.reserve = [p for p, _ in made if isinstance(p, ReservePlugin)]
        self.permit = [p for p, _ in made if isinstance(p, PermitPlugin)]
        self.pre_bind = [p for p, _ in made if isinstance(p, PreBindPlugin)]
        self.score = [(p, weight) for p, weight in made if isinstance(p, ScorePlugin) and weight]

    def points(self) -> dict[str, list[dict[str, str | int]]]:
        """Return the plugins of each extension point in their order, scores with their weights."""
        points: dict[str, Sequence[Plugin]] = {
            "preEnqueue": self.pre_enqueue,
            "preFilter": self.pre_filter,
            "filter": self.filter,
            "preScore": self.pre_score,
            "reserve": self.reserve,
            "permit": self.permit,
            "preBind": self.pre_bind,
        }
        found: dict[str, list[dict[str, str | int]]] = {
            point: [{"name": plugin.name} for plugin in plugins]
            for point, plugins in points.items()
        }
        found["score"] = [{"name": p.name, "weight": weight} for p, weight in self.score]
        return found
