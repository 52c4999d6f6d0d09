"""The StatefulSet controller: one step at a time, in the order of the ordinals.

OrderedReady: a pod is made when all before it are ready, and taken away from the end; Parallel
waits for nobody. An update replaces pods from the end down to the partition, each when those
after it are available again; with MaxUnavailableStatefulSet as many as `maxUnavailable` allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from apimachinery.errors import AlreadyExists, ApiError, Conflict, NotFound
from apimachinery.features import SEVERAL_AT_A_TIME
from apimachinery.intorstring import scaled
from apimachinery.labels import Selector, from_label_selector
from apimachinery.meta import (
    Obj,
    controller_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from apimachinery.pods import is_terminal, phase_of
from apimachinery.workloads import desired_replicas
from nodes.client.controller import DONE, Owned, Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import (
    CONTROLLERREVISIONS,
    PERSISTENTVOLUMECLAIMS,
    PODS,
    STATEFULSETS,
)
from nodes.controllers.common import podfacts
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.claims import Claims, candidates, index_orphans
from nodes.controllers.common.refusals import is_terminating
from nodes.controllers.common.revisions import Revisions, template_of
from nodes.controllers.statefulset import identity
from nodes.controllers.statefulset.retention import Retention


class _NoClaims(ApiError):
    """Why some of a pod's claims could not be made, as client-go puts several errors."""

    code = 500

    def __init__(self, errors: Sequence[tuple[str, ApiError]]) -> None:
        said = [f"failed to create PVC {name}: {error.message}" for name, error in errors]
        super().__init__(said[0] if len(said) == 1 else f"[{', '.join(said)}]")


class _Set(NamedTuple):
    """A StatefulSet, its revisions and its pods as one reconcile sees them."""

    obj: Obj
    current: Obj
    update: Obj
    collisions: int
    pods: list[Obj]

    @property
    def ordered(self) -> bool:
        return bool(self.obj["spec"].get("podManagementPolicy") != "Parallel")

    @property
    def ordinals(self) -> range:
        start = identity.first_ordinal(self.obj)
        return range(start, start + desired_replicas(self.obj))

    @property
    def partition(self) -> int | None:
        """The ordinals below are not updated; None: updates are not rolled out at all."""
        strategy = self.obj["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return None
        rolling = strategy.get("rollingUpdate") or {}
        return self.ordinals.start + int(rolling.get("partition") or 0)

    @property
    def most_unavailable(self) -> int:
        """How many pods may be unavailable while they are replaced."""
        rolling = (self.obj["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        most = rolling.get("maxUnavailable") or 1
        return max(1, scaled(most, len(self.ordinals), round_up=False))


class StatefulSetController(ManagedController):
    """Keys are StatefulSets."""

    name = "statefulset-controller"
    service_account = "statefulset-controller"
    component = "statefulset-controller"
    reconciles = STATEFULSETS
    watches = (Owned(PODS),)

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._claims = Claims(self.client, STATEFULSETS, PODS)
        self._revisions = Revisions(self.client, STATEFULSETS)
        known = self.informer(PERSISTENTVOLUMECLAIMS)
        self._retention = Retention(self.client, self.recorder, known)
        self._several = SEVERAL_AT_A_TIME in context.served.features

    def start(self) -> None:
        super().start()
        for resource in (PODS, CONTROLLERREVISIONS):
            index_orphans(self.informer(resource))
        self.informer(PODS).on_change(self._on_orphan)
        self.informer(PERSISTENTVOLUMECLAIMS).on_change(self._on_claim)

    def _on_claim(self, old: Obj | None, new: Obj | None) -> None:
        """Go on where a pod had to wait until the claims of its predecessor were gone."""
        if new is None and old is not None:
            for one in self.informer(STATEFULSETS).list(namespace_of(old)):
                if identity.is_claim_of(one, name_of(old)):
                    self.queue.add(key_of(one))

    def _on_orphan(self, old: Obj | None, new: Obj | None) -> None:
        if new is None or controller_of(new) is not None or is_deleting(new):
            return
        for one in self.informer(STATEFULSETS).list(namespace_of(new)):
            if identity.ordinal_of(one, new) >= 0 and self._selector(one).matches(labels_of(new)):
                self.queue.add(key_of(one))

    def _selector(self, statefulset: Obj) -> Selector:
        return from_label_selector(statefulset["spec"].get("selector"))

    async def reconcile(self, key: Key) -> Result:
        statefulset = self.informer(STATEFULSETS).get(*key)
        if statefulset is None:
            return DONE
        found = [
            pod
            for pod in candidates(self.informer(PODS), statefulset)
            if identity.ordinal_of(statefulset, pod) >= 0
        ]
        pods = await self._claims.claim(statefulset, self._selector(statefulset), found)
        history = await self._revisions.claimed(
            statefulset, candidates(self.informer(CONTROLLERREVISIONS), statefulset)
        )
        status = statefulset.get("status") or {}
        update, collisions = await self._revisions.present(
            statefulset, history, int(status.get("collisionCount") or 0)
        )
        named = [one for one in history if name_of(one) == status.get("currentRevision")]
        seen = _Set(statefulset, named[0] if named else update, update, collisions, pods)
        try:
            if not is_deleting(statefulset):
                await self._step(seen)
        finally:
            await self._report(seen)
        live = {identity.revision_of(pod) for pod in pods}
        live |= {name_of(seen.current), name_of(seen.update)}
        await self._revisions.clean_up(statefulset, history, live)
        waits = [self._available_in(statefulset, pod) for pod in pods]
        return Result(requeue_after=min((w for w in waits if w), default=None))

    # One step.

    async def _step(self, seen: _Set) -> None:
        """Do what may be done now; what it changes brings the next step."""
        by_ordinal = {identity.ordinal_of(seen.obj, pod): pod for pod in seen.pods}
        for ordinal in seen.ordinals:
            done = await self._bring_up(seen, ordinal, by_ordinal.get(ordinal))
            if not done and seen.ordered:
                return
        for ordinal, pod in by_ordinal.items():
            if ordinal not in seen.ordinals:
                await self._retention.keep(seen.obj, pod, condemned=True)
        if await self._take_away(seen, by_ordinal):
            await (self._roll_several if self._several else self._roll)(seen, by_ordinal)

    async def _take_away(self, seen: _Set, by_ordinal: dict[int, Obj]) -> bool:
        """Delete pods beyond the wanted number; tell whether there is nothing to wait for."""
        missing = [o for o in sorted(by_ordinal) if not self._is_well(seen.obj, by_ordinal[o])]
        for ordinal in sorted((o for o in by_ordinal if o not in seen.ordinals), reverse=True):
            pod = by_ordinal[ordinal]
            blocked = ordinal in missing and missing[0] != ordinal
            if not is_deleting(pod) and not (blocked and seen.ordered):
                await self._delete(seen.obj, pod)
            if seen.ordered:
                return False
        return True

    async def _bring_up(self, seen: _Set, ordinal: int, pod: Obj | None) -> bool:
        """See to one ordinal; tell whether the next may be seen to."""
        if pod is not None and is_terminal(pod) and not is_deleting(pod):
            await self._delete(seen.obj, pod)
            return False
        if pod is None:
            if not self._retention.blocks(seen.obj, identity.pod_name(seen.obj, ordinal)):
                await self._create(seen, ordinal)
            return False
        if is_deleting(pod):
            return False
        pending = phase_of(pod) == "Pending"
        if pending:
            await self._see_to_claims(seen.obj, pod)
        well = identity.is_running_and_ready(pod) and self._available_in(seen.obj, pod) == 0
        if well or not seen.ordered:
            await self._repair(seen.obj, pod)
            if not pending:
                await self._retention.keep(seen.obj, pod, condemned=False)
        return well

    def _available_in(self, statefulset: Obj, pod: Obj) -> float | None:
        min_ready = int(statefulset["spec"].get("minReadySeconds") or 0)
        return podfacts.available_in(pod, min_ready, self.clock.seconds())

    def _is_well(self, statefulset: Obj, pod: Obj) -> bool:
        """Tell whether a pod is there to stay, runs, and has been ready for long enough."""
        running = identity.is_running_and_ready(pod) and not is_deleting(pod)
        return running and self._available_in(statefulset, pod) == 0

    async def _roll(self, seen: _Set, by_ordinal: dict[int, Obj]) -> None:
        """Replace the last pod that is of an old revision, if all after it are well."""
        if seen.partition is None:
            return
        for ordinal in reversed(seen.ordinals):
            pod = by_ordinal.get(ordinal)
            if ordinal < seen.partition or pod is None:
                return
            if identity.revision_of(pod) != name_of(seen.update):
                if not is_deleting(pod):
                    await self._delete(seen.obj, pod)
                return
            if not self._is_well(seen.obj, pod):
                return

    async def _roll_several(self, seen: _Set, by_ordinal: dict[int, Obj]) -> None:
        """Replace the last pods that are of an old revision, as many as may be unavailable."""
        if seen.partition is None:
            return
        pods = {ordinal: by_ordinal.get(ordinal) for ordinal in seen.ordinals}
        gone = sum(pod is None or not self._is_well(seen.obj, pod) for pod in pods.values())
        for ordinal in reversed(seen.ordinals):
            pod = pods[ordinal]
            if ordinal < seen.partition or gone >= seen.most_unavailable:
                return
            if pod is None or is_deleting(pod):
                continue
            if identity.revision_of(pod) != name_of(seen.update):
                await self._delete(seen.obj, pod)
                gone += 1

    def _revision_for(self, seen: _Set, ordinal: int) -> Obj:
        """Return which revision a new pod is of: below the partition the current one."""
        if seen.partition is None:
            return seen.update
        strategy = seen.obj["spec"].get("updateStrategy") or {}
        if strategy.get("rollingUpdate") is None:
            kept = int((seen.obj.get("status") or {}).get("currentReplicas") or 0)
            return seen.current if ordinal < seen.ordinals.start + kept else seen.update
        return seen.current if ordinal < seen.partition else seen.update

    # The writes, and what is said of them.

    async def _create(self, seen: _Set, ordinal: int) -> None:
        revision = self._revision_for(seen, ordinal)
        pod = identity.build_pod(seen.obj, template_of(revision), ordinal, name_of(revision))
        if leaving := self._leaving_claim(seen.obj, name_of(pod)):
            self._tell(seen.obj, "Create", pod, f"pvc {leaving} is being deleted")
            return
        try:
            await self._see_to_claims(seen.obj, pod)
        except _NoClaims as missing:
            self._tell(seen.obj, "Create", pod, missing.message)
            raise
        try:
            await self.client.create(pod, PODS)
        except AlreadyExists:
            raise  # another's pod of that name has to go first: nobody tells when it has
        except ApiError as error:
            if not is_terminating(error):
                self._tell(seen.obj, "Create", pod, error.message)
                raise
            return
        self._tell(seen.obj, "Create", pod)

    def _leaving_claim(self, statefulset: Obj, pod: str) -> str:
        """Return the name of a claim that has to be gone before the pod can have it anew."""
        claims = self._retention.claims_of(statefulset, pod)
        return next((name_of(claim) for claim in claims if is_deleting(claim)), "")

    async def _see_to_claims(self, statefulset: Obj, pod: Obj) -> None:
        """Make the claims that a pod lacks, and give them their owners. Raises _NoClaims."""
        await self._make_claims(statefulset, name_of(pod))
        await self._retention.keep(statefulset, pod, condemned=False)

    async def _make_claims(self, statefulset: Obj, pod: str) -> None:
        known = self.informer(PERSISTENTVOLUMECLAIMS)
        errors: list[tuple[str, ApiError]] = []
        for claim in identity.build_claims(statefulset, pod):
            name = name_of(claim)
            if known.get(namespace_of(claim), name) is not None:
                continue
            within = f"Pod {pod} in StatefulSet {name_of(statefulset)}"
            try:
                await self.client.create(claim, PERSISTENTVOLUMECLAIMS)
            except AlreadyExists:
                continue
            except ApiError as error:
                if is_terminating(error):
                    raise
                message = f"Create Claim {name} for {within} failed error: {error.message}"
                self.recorder.event(statefulset, WARNING, "FailedCreate", message)
                errors.append((name, error))
                continue
            words = f"Create Claim {name} {within} success"
            self.recorder.event(statefulset, NORMAL, "SuccessfulCreate", words)
        if errors:
            raise _NoClaims(errors)

    async def _repair(self, statefulset: Obj, pod: Obj) -> None:
        """Give an adopted pod its labels; its volumes too, which the API server refuses."""
        repaired = identity.repaired(statefulset, pod)
        if repaired is pod:
            return
        if repaired["spec"] != pod["spec"]:
            try:
                await self._make_claims(statefulset, name_of(pod))
            except _NoClaims as missing:
                self._tell(statefulset, "Update", pod, missing.message)
                raise
        try:
            await self.client.update(repaired, resource=PODS)
        except Conflict:
            raise  # others have changed it meanwhile: what is next is seen then
        except ApiError as error:
            self._tell(statefulset, "Update", pod, error.message)
            raise
        self._tell(statefulset, "Update", pod)

    async def _delete(self, statefulset: Obj, pod: Obj) -> None:
        try:
            await self.client.delete(PODS, namespace_of(pod), name_of(pod), uid=uid_of(pod))
        except NotFound:
            return
        except ApiError as error:
            self._tell(statefulset, "Delete", pod, error.message)
            raise
        self._tell(statefulset, "Delete", pod)

    def _tell(self, statefulset: Obj, verb: str, pod: Obj, error: str = "") -> None:
        words = f"{verb} Pod {name_of(pod)} in StatefulSet {name_of(statefulset)}"
        if not error:
            self.recorder.event(statefulset, NORMAL, f"Successful{verb}", f"{words} successful")
        else:
            message = f"{words} failed error: {error}"
            self.recorder.event(statefulset, WARNING, f"Failed{verb}", message)

    # The status.

    async def _report(self, seen: _Set) -> None:
        status = self._status(seen)
        if status != (seen.obj.get("status") or {}):
            await self.client.update_status({**seen.obj, "status": status}, STATEFULSETS)

    def _status(self, seen: _Set) -> Obj:
        current, update = name_of(seen.current), name_of(seen.update)
        going = [pod for pod in seen.pods if not is_deleting(pod)]
        ready = [pod for pod in seen.pods if identity.is_running_and_ready(pod)]
        updated = sum(identity.revision_of(pod) == update for pod in going)
        counts = {
            "readyReplicas": len(ready),
            "currentReplicas": sum(identity.revision_of(pod) == current for pod in going),
            "updatedReplicas": updated,
        }
        rolling = seen.partition is not None
        if rolling and updated == len(seen.pods) == len(ready):
            # The roll is over: what was the update is what there is.
            counts["currentReplicas"], current = updated, update
        status: Obj = {
            "observedGeneration": seen.obj["metadata"].get("generation") or 0,
            "replicas": len(seen.pods),
            "availableReplicas": sum(self._available_in(seen.obj, p) == 0 for p in ready),
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": seen.collisions,
        }
        status |= {name: count for name, count in counts.items() if count}
        if conditions := (seen.obj.get("status") or {}).get("conditions"):
            status["conditions"] = conditions
        return status
