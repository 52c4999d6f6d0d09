"""Profiles: which plugins a scheduler has, in which order and with which weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nodes.scheduler.config import args
from nodes.scheduler.config.reading import ConfigError, ProfileConfig
from nodes.scheduler.framework import (
    BindPlugin,
    FilterPlugin,
    PermitPlugin,
    PlacementGeneratePlugin,
    PlacementScorePlugin,
    Plugin,
    PostBindPlugin,
    PostFilterPlugin,
    PreBindPlugin,
    PreEnqueuePlugin,
    PreFilterPlugin,
    PreScorePlugin,
    QueueSortPlugin,
    ReservePlugin,
    ScorePlugin,
)
from nodes.scheduler.plugins.balanced_allocation import NodeResourcesBalancedAllocation
from nodes.scheduler.plugins.defaults import DefaultBinder, DefaultPreemption, PrioritySort
from nodes.scheduler.plugins.dynamic_resources import DynamicResources
from nodes.scheduler.plugins.gang_scheduling import GangScheduling
from nodes.scheduler.plugins.image_locality import ImageLocality
from nodes.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from nodes.scheduler.plugins.node_affinity import NodeAffinity
from nodes.scheduler.plugins.node_declared_features import NodeDeclaredFeatures
from nodes.scheduler.plugins.node_name import NodeName
from nodes.scheduler.plugins.node_ports import NodePorts
from nodes.scheduler.plugins.node_resources_fit import NodeResourcesFit
from nodes.scheduler.plugins.node_unschedulable import NodeUnschedulable
from nodes.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from nodes.scheduler.plugins.pod_group_pods_count import PodGroupPodsCount
from nodes.scheduler.plugins.pod_topology_spread import PodTopologySpread
from nodes.scheduler.plugins.scheduling_gates import SchedulingGates
from nodes.scheduler.plugins.taint_toleration import TaintToleration
from nodes.scheduler.plugins.topology_placement import TopologyPlacement
from nodes.scheduler.plugins.volume_binding import VolumeBinding
from nodes.scheduler.plugins.volume_restrictions import VolumeRestrictions
from nodes.scheduler.plugins.volume_zone import VolumeZone
from nodes.scheduler.podgroup import GroupFeatures

# (plugin, weight of its score); the order is that in which filters are asked.
DEFAULT_PLUGINS: tuple[tuple[type[Plugin], int], ...] = (
    (SchedulingGates, 0),
    (PrioritySort, 0),
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
    (DynamicResources, 2),
    (DefaultPreemption, 0),
    (NodeResourcesBalancedAllocation, 1),
    (ImageLocality, 1),
    (DefaultBinder, 0),
    (NodeDeclaredFeatures, 0),
)
# What comes to them where features of groups are on.
GANGS: tuple[tuple[type[Plugin], int], ...] = ((GangScheduling, 0),)
TOPOLOGY: tuple[tuple[type[Plugin], int], ...] = ((TopologyPlacement, 0), (PodGroupPodsCount, 1))
_BY_NAME = {plugin.name: plugin for plugin, _ in (*DEFAULT_PLUGINS, *GANGS, *TOPOLOGY)}
NO_GROUPS = GroupFeatures(gangs=False)

# Extension points, by the names that a configuration has for them.
POINTS: dict[str, type[Plugin]] = {
    "preEnqueue": PreEnqueuePlugin,
    "queueSort": QueueSortPlugin,
    "preFilter": PreFilterPlugin,
    "filter": FilterPlugin,
    "postFilter": PostFilterPlugin,
    "preScore": PreScorePlugin,
    "score": ScorePlugin,
    "reserve": ReservePlugin,
    "permit": PermitPlugin,
    "preBind": PreBindPlugin,
    "bind": BindPlugin,
    "postBind": PostBindPlugin,
}
# And those that have a meaning for groups alone.
GROUP_POINTS: dict[str, type[Plugin]] = {
    "placementGenerate": PlacementGeneratePlugin,
    "placementScore": PlacementScorePlugin,
}
_ALL_POINTS = {**POINTS, **GROUP_POINTS}
# A name, and the weight that was given with it: 0 for none.
_Enabled = tuple[str, int]


class Profile:
    """The plugins of one scheduler, by extension point. Raises ConfigError."""

    def __init__(
        self, config: ProfileConfig | None = None, features: GroupFeatures = NO_GROUPS
    ) -> None:
        config = config or ProfileConfig()
        defaults = list(DEFAULT_PLUGINS)
        defaults += GANGS if features.gangs else ()
        defaults += TOPOLOGY if features.topology else ()
        self._points = _ALL_POINTS if features.topology else POINTS
        self.name, self.percentage = config.name, config.percentage
        sets = config.plugins
        multi = _merged([(p.name, w) for p, w in defaults], sets.get("multiPoint"))
        try:
            named = {point: _expanded(point, multi, sets.get(point)) for point in self._points}
            used = {name for names in named.values() for name, _ in names}
            self.plugins = {name: _BY_NAME[name]() for name in _BY_NAME if name in used}
            self._configure(config.args)
            self._check(named)
        except ConfigError as error:
            raise ConfigError(
                f"initializing profiles: creating profile for scheduler name {self.name}: {error}"
            ) from None
        self._named = named
        self.pre_enqueue = [p for p in self._at("preEnqueue") if isinstance(p, PreEnqueuePlugin)]
        self.pre_filter = [p for p in self._at("preFilter") if isinstance(p, PreFilterPlugin)]
        self.filter = [p for p in self._at("filter") if isinstance(p, FilterPlugin)]
        self.post_filter = [p for p in self._at("postFilter") if isinstance(p, PostFilterPlugin)]
        self.pre_score = [p for p in self._at("preScore") if isinstance(p, PreScorePlugin)]
        self.reserve = [p for p in self._at("reserve") if isinstance(p, ReservePlugin)]
        self.permit = [p for p in self._at("permit") if isinstance(p, PermitPlugin)]
        self.pre_bind = [p for p in self._at("preBind") if isinstance(p, PreBindPlugin)]
        weights = _weights(named["score"], multi)
        self.score = [(p, weights[p.name]) for p in self._at("score") if isinstance(p, ScorePlugin)]
        generate, rate = self._at("placementGenerate"), self._at("placementScore")
        self.placement = [p for p in generate if isinstance(p, PlacementGeneratePlugin)]
        weights = _weights(named.get("placementScore", ()), multi)
        self.placement_score = [
            (p, weights[p.name]) for p in rate if isinstance(p, PlacementScorePlugin)
        ]

    def _at(self, point: str) -> list[Plugin]:
        return [self.plugins[name] for name, _ in self._named.get(point, ())]

    def _configure(self, given: Mapping[str, Mapping[str, Any]]) -> None:
        for name, plugin in self.plugins.items():
            if name in given:
                if why := args.unusable(name, given[name]):
                    raise ConfigError(f'initializing plugin "{name}": {why}')
                plugin.configure(given[name])

    def _check(self, named: Mapping[str, Sequence[_Enabled]]) -> None:
        where = f'profile with scheduler name "{self.name}"'
        sorts = len(named["queueSort"])
        if sorts != 1:
            found = f", but got {sorts}" if sorts else ""
            raise ConfigError(f"only one queue sort plugin required for {where}{found}")
        if not named["bind"]:
            raise ConfigError(f"at least one bind plugin is needed for {where}")

    def points(self) -> dict[str, list[dict[str, str | int]]]:
        """Return the plugins of each extension point in their order, scores with their weights."""
        found: dict[str, list[dict[str, str | int]]] = {
            point: [{"name": name} for name, _ in self._named[point]] for point in self._points
        }
        found["score"] = [{"name": p.name, "weight": weight} for p, weight in self.score]
        if "placementScore" in found:
            found["placementScore"] = [
                {"name": p.name, "weight": weight} for p, weight in self.placement_score
            ]
        return found


def _enabled(given: Mapping[str, Any] | None) -> list[_Enabled]:
    return [
        (one.get("name") or "", one.get("weight") or 0)
        for one in (given or {}).get("enabled") or ()
    ]


def _disabled(given: Mapping[str, Any] | None) -> set[str]:
    return {one.get("name") or "" for one in (given or {}).get("disabled") or ()}


def _merged(defaults: Sequence[_Enabled], given: Mapping[str, Any] | None) -> list[_Enabled]:
    """Lay a set over the default one: what is named again is replaced in its place."""
    enabled, disabled = _enabled(given), _disabled(given)
    again = dict(enabled)
    kept: list[_Enabled] = []
    if "*" not in disabled:
        kept = [
            (name, again.get(name, weight)) for name, weight in defaults if name not in disabled
        ]
    placed = {name for name, _ in kept}
    return kept + [one for one in enabled if one[0] not in placed]


def _expanded(
    point: str, multi: Sequence[_Enabled], given: Mapping[str, Any] | None
) -> list[_Enabled]:
    """Return the plugins of a point: those named for it that multiPoint names too come first,
    then the others of multiPoint, then the others that are named for it. Raises ConfigError.
    """
    kind = _ALL_POINTS[point]
    own = _enabled(given)
    for at, (name, _) in enumerate(own):
        _require(name, kind)
        if name in dict(own[:at]):
            raise ConfigError(f'plugin "{name}" already registered as "{kind.__name__}"')
    disabled = _disabled(given)
    if "*" in disabled:
        return own
    for name, _ in multi:
        if name not in _BY_NAME:
            raise ConfigError(f'{kind.__name__} "{name}" does not exist')
    named = {name for name, _ in own}
    shared = [one for one in multi if issubclass(_BY_NAME[one[0]], kind) and one[0] not in disabled]
    both = {name for name, _ in shared} & named
    return [
        *(one for one in own if one[0] in both),
        *(one for one in shared if one[0] not in both),
        *(one for one in own if one[0] not in both),
    ]


def _require(name: str, kind: type[Plugin]) -> None:
    plugin = _BY_NAME.get(name)
    if plugin is None:
        raise ConfigError(f'{kind.__name__} "{name}" does not exist')
    if not issubclass(plugin, kind):
        raise ConfigError(f'plugin "{name}" does not extend {kind.__name__} plugin')


def _weights(score: Sequence[_Enabled], multi: Sequence[_Enabled]) -> dict[str, int]:
    """Return the weight of each plugin that scores: its own, else that of multiPoint, else 1."""
    general = dict(multi)
    return {name: weight or general.get(name) or 1 for name, weight in score}
