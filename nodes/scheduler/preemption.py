"""DefaultPreemption: whom to send away so that a pod of higher priority fits.

A node is a candidate when the pod would fit there without the pods of lower priority. Of these as
many as possible are spared, the most important first; what is left are the victims. The node is
chosen that breaks the fewest disruption budgets, then has the least important victims, then the
fewest, then the youngest (pkg/scheduler/framework/preemption).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from apimachinery.labels import Selector, from_label_selector
from apimachinery.meta import Obj, is_deleting
from nodes.scheduler.attempt import CANDIDATES, VICTIMS, Choice, Victim
from nodes.scheduler.framework import Code, CycleState, FilterPlugin, PodCounts, Reader
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.plugins.defaults import DefaultPreemption
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.profile import Profile


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node, who would have to go, and how many budgets that breaks."""

    node: str
    victims: tuple[PodInfo, ...]
    violations: int

    @property
    def rank(self) -> tuple[int, int, int, int, str]:
        """Order candidates, the best first; the last part prefers victims that started late."""
        priorities = [victim.priority for victim in self.victims]
        return (
            self.violations,
            max(priorities),
            sum(priorities),
            len(priorities),
            _reversed(min(_started(v) for v in self.victims if v.priority == max(priorities))),
        )


class _CountsWithout:
    """Pod counts as they would be without some pods."""

    def __init__(self, counts: PodCounts, gone: Mapping[str, PodInfo], node: str) -> None:
        self._counts, self._gone, self._node = counts, gone, node

    def by_node(self, namespace: str, selector: Selector) -> dict[str, int]:
        found = dict(self._counts.by_node(namespace, selector))
        for pod in self._gone.values():
            if pod.namespace == namespace and selector.matches(pod.labels):
                found[self._node] = found.get(self._node, 0) - 1
        return found


class Preemption:
    """Finds candidates for one profile."""

    def __init__(self, profile: Profile, readers: dict[str, Reader], budgets: Reader) -> None:
        self._profile, self._readers, self._budgets = profile, readers, budgets
        found = [one for one in profile.post_filter if isinstance(one, DefaultPreemption)]
        self._plugin = found[0] if found else None

    @property
    def enabled(self) -> bool:
        """Tell whether the profile has anybody sent away."""
        return self._plugin is not None

    def not_eligible(self, pod: PodInfo, nodes: Sequence[NodeInfo]) -> str:
        """Say why the pod may not preempt; "" if it may."""
        if pod.spec.get("preemptionPolicy") == "Never":
            return "not eligible due to preemptionPolicy=Never."
        nominated = (pod.obj.get("status") or {}).get("nominatedNodeName")
        node = next((n for n in nodes if n.name == nominated), None)
        if node is None:
            return ""
        leaving = (is_deleting(p.obj) for p in node.pods.values() if p.priority < pod.priority)
        return (
            "not eligible due to a terminating pod on the nominated node." if any(leaving) else ""
        )

    def find(
        self,
        pod: PodInfo,
        nodes: Sequence[NodeInfo],
        counts: PodCounts,
        hopeless: Callable[[str], bool],
    ) -> list[Candidate]:
        """Return the nodes on which room could be made, the best first."""
        enough = self._plugin.candidates(len(nodes)) if self._plugin is not None else 0
        found: list[Candidate] = []
        for node in nodes:
            if hopeless(node.name):
                continue
            candidate = self._on(pod, node, nodes, counts)
            if candidate is not None:
                found.append(candidate)
                if len(found) >= enough:
                    break
        return sorted(found, key=lambda candidate: candidate.rank)

    def _on(
        self, pod: PodInfo, node: NodeInfo, nodes: Sequence[NodeInfo], counts: PodCounts
    ) -> Candidate | None:
        lower = {uid: p for uid, p in node.pods.items() if p.priority < pod.priority}
        if not lower:
            return None
        emptier = node.copy()
        for uid in lower:
            emptier.remove(uid)

        def fits() -> bool:
            gone = {uid: p for uid, p in lower.items() if uid not in emptier.pods}
            view = [emptier if n is node else n for n in nodes]
            state = CycleState(view, _CountsWithout(counts, gone, node.name), self._readers)
            return self._fits(state, pod, emptier)

        if not fits():
            return None
        breaking, harmless = self._by_budget(list(lower.values()))
        victims: list[PodInfo] = []
        violations = 0
        for group, breaks in ((breaking, True), (harmless, False)):
            for other in sorted(group, key=importance):
                emptier.add(other)
                if not fits():
                    emptier.remove(other.uid)
                    victims.append(other)
                    violations += breaks
        return Candidate(node.name, tuple(victims), violations) if victims else None

    def _fits(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> bool:
        skipped = set()
        for plugin in self._profile.pre_filter:
            status = plugin.pre_filter(state, pod)
            if status.code is Code.SKIP:
                skipped.add(plugin.name)
            elif not status.ok:
                return False
        filters: list[FilterPlugin] = [p for p in self._profile.filter if p.name not in skipped]
        return all(plugin.filter(state, pod, node).ok for plugin in filters)

    def _by_budget(self, pods: list[PodInfo]) -> tuple[list[PodInfo], list[PodInfo]]:
        """Divide pods into those whose going breaks a disruption budget, and the others."""
        left = [(b, (b.get("status") or {}).get("disruptionsAllowed") or 0) for b in self._all()]
        allowed = [amount for _, amount in left]
        breaking: list[PodInfo] = []
        harmless: list[PodInfo] = []
        for pod in sorted(pods, key=importance):
            breaks = False
            for at, (budget, _) in enumerate(left):
                if _covers(budget, pod):
                    allowed[at] -= 1
                    breaks = breaks or allowed[at] < 0
            (breaking if breaks else harmless).append(pod)
        return breaking, harmless

    def _all(self) -> list[Obj]:
        return self._budgets.list()


def _covers(budget: Obj, pod: PodInfo) -> bool:
    selector = (budget.get("spec") or {}).get("selector")
    if budget["metadata"].get("namespace") != pod.namespace or selector is None:
        return False
    disrupted = (budget.get("status") or {}).get("disruptedPods") or {}
    return pod.name not in disrupted and from_label_selector(selector).matches(pod.labels)


def choices(candidates: Sequence[Candidate]) -> tuple[Choice, ...]:
    """Return what an attempt keeps of candidates: the best."""
    return tuple(map(_choice, candidates[:CANDIDATES]))


def _choice(candidate: Candidate) -> Choice:
    named = candidate.victims[:VICTIMS]
    return Choice(
        candidate.node,
        tuple(Victim(f"{pod.namespace}/{pod.name}", pod.priority) for pod in named),
        len(candidate.victims),
        candidate.violations,
    )


def importance(pod: PodInfo) -> tuple[int, str]:
    """Sort the most important first: by priority, then by how long a pod has run."""
    return -pod.priority, _started(pod)


def _started(pod: PodInfo) -> str:
    return (pod.obj.get("status") or {}).get("startTime") or "9999"


def _reversed(stamp: str) -> str:
    """Turn an order of timestamps around: of two the later becomes the smaller."""
    return "".join(chr(0x10FFFF - ord(character)) for character in stamp)
