"""Programs that are asked besides the plugins: which nodes a pod may have, which it should have,
and who has to go for it.

They are spoken to as kube-scheduler does (k8s.io/kube-scheduler/extender/v1): POST of JSON to
PREFIX/VERB. One that may be ignored is, where it fails; otherwise the attempt fails with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from apimachinery.meta import Obj
from nodes.scheduler.attempt import Attempt, Column
from nodes.scheduler.config.reading import Extender
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.preemption import Candidate

# Sends a body to a URL of the cluster's network. Raises ExtenderError.
Ask: TypeAlias = Callable[[Extender, str, bytes], Awaitable[bytes]]
# Extenders score from 0 to 10, nodes are scored from 0 to 100.
_STRETCH = 10


class ExtenderError(Exception):
    """An extender could not be asked, or says that it cannot answer."""


async def no_ask(extender: Extender, url: str, body: bytes) -> bytes:
    """Stand for a network where there is none."""
    raise ExtenderError(f"failed to reach extender at URL {url}")


class Extenders:
    """The extenders of a scheduler, in the order in which they are asked."""

    def __init__(self, extenders: Sequence[Extender] = (), ask: Ask = no_ask) -> None:
        self._extenders, self._ask = extenders, ask

    def concerned(self, pod: PodInfo) -> list[Extender]:
        """Return those that have to do with a pod: all, or those that manage what it asks for."""
        if not self._extenders:
            return []
        asked: set[str] = set()
        for container in (*_of(pod, "containers"), *_of(pod, "initContainers")):
            resources = container.get("resources") or {}
            asked |= (resources.get("requests") or {}).keys()
            asked |= (resources.get("limits") or {}).keys()
        return [
            one for one in self._extenders if not one.managed or not asked.isdisjoint(one.managed)
        ]

    async def filter(
        self, asked: Sequence[Extender], pod: PodInfo, nodes: list[NodeInfo], attempt: Attempt
    ) -> list[NodeInfo]:
        """Return the nodes that are left; why others are not, the attempt is told.

        Raises ExtenderError.
        """
        for one in asked:
            if not one.filter or not nodes:
                continue
            try:
                answer = await self._post(one, one.filter, _arguments(one, pod, nodes))
                nodes = _left(one, nodes, answer, attempt)
            except ExtenderError:
                if one.ignorable:
                    continue
                raise
        return nodes

    async def prioritize(
        self, asked: Sequence[Extender], pod: PodInfo, nodes: list[NodeInfo]
    ) -> list[Column]:
        """Return what each extender gives the nodes; one that fails gives nothing."""
        columns = []
        for one in asked:
            if not one.prioritize:
                continue
            try:
                answer = await self._post(one, one.prioritize, _arguments(one, pod, nodes))
            except ExtenderError:
                continue
            given = {e["host"]: int(e.get("score") or 0) for e in answer.get("items", ())}
            raw = [given.get(node.name, 0) for node in nodes]
            even = [score * _STRETCH for score in raw]
            columns.append(Column(f"Extender {one.url}", one.weight, raw, even))
        return columns

    async def bind(self, pod: PodInfo, node: str) -> bool:
        """Have a pod bound by an extender in the scheduler's place; False where none does.

        Raises ExtenderError.
        """
        body = {"PodName": pod.name, "PodNamespace": pod.namespace, "PodUID": pod.uid, "Node": node}
        for one in self.concerned(pod):
            if not one.bind:
                continue
            try:
                await self._post(one, one.bind, body)
            except ExtenderError:
                if one.ignorable:
                    continue
                raise
            return True
        return False

    async def preempt(
        self,
        asked: Sequence[Extender],
        pod: PodInfo,
        candidates: Sequence[Candidate],
        nodes: Mapping[str, NodeInfo],
        attempt: Attempt,
    ) -> list[Candidate]:
        """Return where room may be made, and by whose going, as the extenders see it.

        Which of them wants a node left alone, the attempt is told. Raises ExtenderError.
        """
        left = list(candidates)
        for one in asked:
            if not one.preempt or not left:
                continue
            try:
                answer = await self._post(one, one.preempt, _victims(one, pod, left))
                found = _candidates(one, answer.get("nodenametometavictims") or {}, nodes)
            except ExtenderError:
                if one.ignorable:
                    continue
                raise
            there = {candidate.node for candidate in found}
            for candidate in left:
                if candidate.node not in there:
                    attempt.spared[candidate.node] = f"Extender {one.url}"
            left = found
        return left

    async def _post(self, one: Extender, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        url = f"{one.url.rstrip('/')}/{verb}"
        try:
            found = orjson.loads(await self._ask(one, url, orjson.dumps(body)))
        except orjson.JSONDecodeError as error:
            raise ExtenderError(str(error)) from None
        # A list is the answer of prioritize. Names of fields are read whatever their case.
        if isinstance(found, list):
            return {"items": [_lower(item) for item in found if isinstance(item, dict)]}
        answer = _lower(found) if isinstance(found, dict) else {}
        if why := answer.get("error"):
            raise ExtenderError(str(why))
        return answer


def _of(pod: PodInfo, which: str) -> Sequence[Obj]:
    return pod.spec.get(which) or ()


def _victims(one: Extender, pod: PodInfo, candidates: Sequence[Candidate]) -> dict[str, Any]:
    """Return what an extender is told: whole pods, or their uids where it knows the pods."""
    told = {
        candidate.node: {
            "Pods": [{"UID": v.uid} if one.node_cache else v.obj for v in candidate.victims],
            "NumPDBViolations": candidate.violations,
        }
        for candidate in candidates
    }
    if one.node_cache:
        return {"Pod": pod.obj, "NodeNameToVictims": None, "NodeNameToMetaVictims": told}
    return {"Pod": pod.obj, "NodeNameToVictims": told, "NodeNameToMetaVictims": None}


def _candidates(
    one: Extender, answer: Mapping[str, Any], nodes: Mapping[str, NodeInfo]
) -> list[Candidate]:
    """Read who has to go on which node. Raises ExtenderError for pods that are not there."""
    found = []
    for name, given in answer.items():
        node, told = nodes.get(name), _lower(given or {})
        if node is None:
            raise ExtenderError(f'nodeinfo not found for node name "{name}"')
        uids = [str(_lower(victim).get("uid") or "") for victim in told.get("pods") or ()]
        for uid in uids:
            if uid not in node.pods:
                raise ExtenderError(
                    f"extender: {one.url} claims to preempt pod (UID: {uid}) on node: {name}, but "
                    "the pod is not found on that node"
                )
        if uids:
            victims = tuple(node.pods[uid] for uid in uids)
            found.append(Candidate(name, victims, int(told.get("numpdbviolations") or 0)))
        elif not one.ignorable:
            raise ExtenderError(f'expected at least one victim pod on node "{name}"')
    return found


def _lower(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in given.items()}


def _arguments(one: Extender, pod: PodInfo, nodes: Sequence[NodeInfo]) -> dict[str, Any]:
    names = [node.name for node in nodes]
    if one.node_cache:
        return {"Pod": pod.obj, "Nodes": None, "NodeNames": names}
    items: list[Obj] = [node.obj for node in nodes]
    return {"Pod": pod.obj, "Nodes": {"metadata": {}, "items": items}, "NodeNames": None}


def _left(
    one: Extender, nodes: list[NodeInfo], answer: Mapping[str, Any], attempt: Attempt
) -> list[NodeInfo]:
    names = answer.get("nodenames")
    if names is None:
        items = (answer.get("nodes") or {}).get("items") or ()
        names = [item["metadata"]["name"] for item in items]
    kept, sent = set(names), {node.name for node in nodes}
    for name in names:
        if name not in sent:
            raise ExtenderError(
                f'extender "{one.url}" claims a filtered node "{name}" which is not found in the '
                "input node list"
            )
    for field in ("failednodes", "failedandunresolvablenodes"):
        for node, why in (answer.get(field) or {}).items():
            attempt.refused[node] = (f"Extender {one.url}", (str(why),))
            if field == "failedandunresolvablenodes":
                attempt.unresolvable.add(node)
    return [node for node in nodes if node.name in kept]
