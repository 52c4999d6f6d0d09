"""A namespace that is deleted: its content goes first, pods before all else, then itself.

Each attempt deletes what it finds, says in the conditions what is left and why, and comes again
until nothing is; then the finalizer `kubernetes` goes, and with it the namespace.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from apimachinery.errors import ApiError, MethodNotAllowed, NotFound
from apimachinery.gvk import GroupResource
from apimachinery.meta import Obj, is_deleting, replace_in
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key
from nodes.client.resources import NAMESPACES, PODS, Res
from nodes.controllers.common.base import EVENTS_OF_OLD_AND_NEW, ManagedController, ManagerContext
from nodes.controllers.common.conditions import condition, put_in_place

FINALIZER = "kubernetes"

# Content goes when kubelets and finalizers have done their part: look soon, then less often.
_FIRST_LOOK, _LAST_LOOK = 0.1, 8.0

# type -> (reason, message) when all is well, in the order in which they are shown.
_WELL = {
    "NamespaceDeletionDiscoveryFailure": (
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": (
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
}


@dataclass(slots=True)
class _Attempt:
    """What one pass over the content has found."""

    discovery_error: str = ""
    errors: list[str] = field(default_factory=list)
    remaining: Counter[str] = field(default_factory=Counter)
    finalizers: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        return not (self.discovery_error or self.errors or self.remaining)

    def failures(self) -> dict[str, tuple[str, str]]:
        """Return type -> (reason, message) of what is not well."""
        found: dict[str, tuple[str, str]] = {}
        if self.discovery_error:
            found["NamespaceDeletionDiscoveryFailure"] = ("DiscoveryFailed", self.discovery_error)
        if self.errors:
            all_errors = ", ".join(sorted(self.errors))
            found["NamespaceDeletionContentFailure"] = (
                "ContentDeletionFailed",
                f"Failed to delete all resource types, {len(self.errors)} remaining: {all_errors}",
            )
        if self.remaining:
            counts = _counted(self.remaining, "has {} resource instances")
            found["NamespaceContentRemaining"] = (
                "SomeResourcesRemain",
                f"Some resources are remaining: {counts}",
            )
        if self.finalizers:
            counts = _counted(self.finalizers, "in {} resource instances")
            found["NamespaceFinalizersRemaining"] = (
                "SomeFinalizersRemain",
                f"Some content in the namespace has finalizers remaining: {counts}",
            )
        return found


def _stale(versions: Sequence[str]) -> str:
    """Return what client-go says where some servers cannot be asked what they serve."""
    each = ", ".join(f"{one}: stale GroupVersion discovery: {one}" for one in versions)
    return (
        f"Discovery failed for some groups, {len(versions)} failing: "
        f"unable to retrieve the complete list of server APIs: {each}"
    )


def _counted(counter: Counter[str], words: str) -> str:
    return ", ".join(sorted(f"{name} {words.format(n)}" for name, n in counter.items()))


class NamespaceController(ManagedController):
    """Keys are namespaces."""

    name = "namespace-controller"
    service_account = "namespace-controller"
    component = "namespace-controller"
    reconciles = NAMESPACES
    workers = 10

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._looks: Counter[Key] = Counter()

    async def reconcile(self, key: Key) -> Result:
        cached = self.informer(NAMESPACES).get("", key.name)
        if cached is None or not is_deleting(cached):
            self._looks.pop(key, None)
            return DONE
        namespace = await self.client.find(NAMESPACES, "", key.name)
        if namespace is None or not is_deleting(namespace):
            return DONE
        if FINALIZER not in (namespace.get("spec") or {}).get("finalizers", ()):
            return DONE
        namespace = await self._say_terminating(namespace)
        attempt = await self._delete_content(key.name)
        namespace = await self._say(namespace, attempt)
        if attempt.clean:
            await self._finalize(namespace)
            self._looks.pop(key, None)
            return DONE
        self._looks[key] += 1
        wait = _FIRST_LOOK * 2.0 ** min(self._looks[key] - 1, 10)
        return Result(requeue_after=min(wait, _LAST_LOOK))

    async def _say_terminating(self, namespace: Obj) -> Obj:
        if (namespace.get("status") or {}).get("phase") == "Terminating":
            return namespace
        changed = replace_in(namespace, ("status", "phase"), "Terminating")
        return await self.client.update_status(changed, NAMESPACES)

    async def _say(self, namespace: Obj, attempt: _Attempt) -> Obj:
        failures, at = attempt.failures(), self.clock.timestamp()
        old = (namespace.get("status") or {}).get("conditions") or []
        conditions = old
        for type_, well in _WELL.items():
            bad = failures.get(type_)
            reason, message = bad if bad is not None else well
            status = "True" if bad is not None else "False"
            conditions = put_in_place(conditions, condition(type_, status, reason, message, at))
        if conditions == old:
            return namespace
        changed = replace_in(namespace, ("status", "conditions"), conditions)
        return await self.client.update_status(changed, NAMESPACES)

    async def _finalize(self, namespace: Obj) -> None:
        left = [one for one in namespace["spec"]["finalizers"] if one != FINALIZER]
        changed = replace_in(namespace, ("spec", "finalizers"), left)
        await self.client.update(changed, "finalize", NAMESPACES)

    async def _delete_content(self, namespace: str) -> _Attempt:
        attempt = _Attempt()
        try:
            resources = [res for res in self.manager.served.resources() if res.namespaced]
        except ApiError as error:
            attempt.discovery_error = (
                f"Discovery failed for some groups, 1 failing: {error.message}"
            )
            return attempt
        stale = sorted(self.manager.served.stale())
        if stale:
            # What is known goes all the same; the namespace waits for what is not.
            attempt.discovery_error = _stale(stale)
        # Pods first: what they still use must not go before them.
        await self._delete_all(PODS, namespace, attempt)
        if not (attempt.errors or attempt.remaining):
            others = [
                res
                for res in resources
                if res.group_resource != PODS.group_resource and res.api_version not in stale
            ]
            await self._delete_others(others, namespace, attempt)
        return attempt

    async def _delete_others(
        self, resources: Sequence[Res], namespace: str, attempt: _Attempt
    ) -> None:
        seen: dict[GroupResource, Res] = {}
        for res in resources:
            # Of a resource that is served in several versions one is enough.
            if res.group_resource not in EVENTS_OF_OLD_AND_NEW or not res.group:
                seen.setdefault(res.group_resource, res)
        await asyncio.gather(*(self._delete_all(r, namespace, attempt) for r in seen.values()))

    async def _delete_all(self, resource: Res, namespace: str, attempt: _Attempt) -> None:
        try:
            items, _ = await self.client.list(resource, namespace)
            if not items:
                return
            await self._delete_items(resource, namespace, items)
            items, _ = await self.client.list(resource, namespace)
        except (NotFound, MethodNotAllowed):
            return  # no longer served, or not a resource that holds anything
        except ApiError as error:
            attempt.errors.append(error.message)
            return
        if items:
            attempt.remaining[f"{resource.plural}.{resource.group}"] += len(items)
        for item in items:
            attempt.finalizers.update(item["metadata"].get("finalizers") or ())

    async def _delete_items(self, resource: Res, namespace: str, items: Sequence[Obj]) -> None:
        try:
            await self.client.delete_collection(resource, namespace, "Background")
        except MethodNotAllowed:
            for item in items:
                name = item["metadata"]["name"]
                try:
                    await self.client.delete(resource, namespace, name, propagation="Background")
                except NotFound:
                    continue
