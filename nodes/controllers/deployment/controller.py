"""The Deployment controller: which ReplicaSets there are, and how many pods each may have.

RollingUpdate goes in steps within surge and unavailability; Recreate waits until the last old
pod is gone. A paused Deployment is scaled and otherwise left alone. Each step is one reconcile:
what it changes comes back as an event, and with it the next step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from apimachinery.errors import AlreadyExists, ApiError, NotFound
from apimachinery.labels import from_label_selector
from apimachinery.meta import (
    Obj,
    annotations_of,
    controller_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from apimachinery.pods import is_terminal
from apimachinery.workloads import (
    HASH_LABEL,
    REVISION,
    desired_replicas,
    find_new_replicaset,
    is_rolling_update,
    revision,
    same_template,
    status_of,
    template_hash,
)
from nodes.client.controller import DONE, Owned, Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import DEPLOYMENTS, PODS, REPLICASETS
from nodes.controllers.common import conditions
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.claims import Claims, candidates, index_orphans
from nodes.controllers.common.refusals import is_terminating
from nodes.controllers.common.templates import with_label
from nodes.controllers.deployment import facts, scaling
from nodes.controllers.deployment import status as statuses


class State(NamedTuple):
    """A Deployment and its ReplicaSets as one reconcile sees them."""

    deployment: Obj
    newest: Obj | None
    old: list[Obj]

    @property
    def every(self) -> list[Obj]:
        return [*self.old, self.newest] if self.newest is not None else self.old


class DeploymentController(ManagedController):
    """Keys are Deployments."""

    name = "deployment-controller"
    service_account = "deployment-controller"
    component = "deployment-controller"
    reconciles = DEPLOYMENTS
    watches = (Owned(REPLICASETS),)

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._claims = Claims(self.client, DEPLOYMENTS, REPLICASETS)

    def start(self) -> None:
        super().start()
        replicasets = self.informer(REPLICASETS)
        index_orphans(replicasets)
        replicasets.on_change(self._on_orphan)
        self.informer(PODS).on_change(self._on_pod)

    async def reconcile(self, key: Key) -> Result:
        deployment = self.informer(DEPLOYMENTS).get(*key)
        if deployment is None:
            return DONE
        selector = from_label_selector(deployment["spec"].get("selector"))
        if selector.empty:
            await self._refuse_everything(deployment)
            return DONE
        found = candidates(self.informer(REPLICASETS), deployment)
        mine = await self._claims.claim(deployment, selector, found)
        if is_deleting(deployment):
            state = self._state(deployment, mine)
            await self._write_status(state, self._calculate(state))
            return DONE
        deployment = await self._say_paused(deployment)
        return await self._step(deployment, mine)

    async def _step(self, deployment: Obj, mine: Sequence[Obj]) -> Result:
        if deployment["spec"].get("paused") or facts.is_scaling(deployment, mine):
            state = await self._with_newest(deployment, mine, create=False)
            if state is not None:
                await self._scale(state)
            return DONE
        if is_rolling_update(deployment):
            state = await self._with_newest(deployment, mine, create=True)
            return await self._roll(state) if state is not None else DONE
        return await self._recreate(deployment, mine)

    # Which ReplicaSets there are.

    def _state(self, deployment: Obj, mine: Sequence[Obj]) -> State:
        newest = find_new_replicaset(deployment, mine)
        old = [one for one in mine if one is not newest]
        return State(deployment, newest, old)

    async def _with_newest(
        self, deployment: Obj, mine: Sequence[Obj], *, create: bool
    ) -> State | None:
        """Return the state, the new ReplicaSet made or brought up to date; None: come again."""
        state = self._state(deployment, mine)
        number = max((revision(one) for one in state.old), default=0) + 1
        if state.newest is not None:
            return await self._bring_up_to_date(state, state.newest, number)
        if not create:
            return state
        return await self._create_newest(state, number)

    async def _bring_up_to_date(self, state: State, newest: Obj, number: int) -> State:
        deployment = state.deployment
        annotations = facts.revised_annotations(deployment, newest, number)
        min_ready = deployment["spec"].get("minReadySeconds") or 0
        if (
            annotations != annotations_of(newest)
            or (newest["spec"].get("minReadySeconds") or 0) != min_ready
        ):
            newest = await self.client.update(
                {
                    **newest,
                    "metadata": {**newest["metadata"], "annotations": annotations},
                    "spec": {**newest["spec"], "minReadySeconds": min_ready},
                },
                resource=REPLICASETS,
            )
        present = (deployment.get("status") or {}).get("conditions")
        wanted = present or []
        if (
            facts.progress_deadline(deployment) is not None
            and conditions.find(present, statuses.PROGRESSING) is None
        ):
            words = f'Found new replica set "{name_of(newest)}"'
            wanted = self._progressing(present, "True", "FoundNewReplicaSet", words)
        text = annotations_of(newest).get(REVISION, str(number))
        deployment = await self._write_revision(deployment, text, wanted)
        return State(deployment, newest, state.old)

    async def _create_newest(self, state: State, number: int) -> State | None:
        deployment = state.deployment
        wanted = self._new_replicaset(deployment, state.old, number)
        existed = False
        try:
            created = await self.client.create(wanted, REPLICASETS)
        except AlreadyExists:
            found = await self._ours_after_all(deployment, wanted)
            if found is None:
                raise
            created, existed = found, True
        except ApiError as error:
            if is_terminating(error):
                return None
            await self._say_failed(deployment, wanted, error)
            raise
        if not existed and (size := desired_replicas(created)) > 0:
            self._tell_scaled(deployment, created, "up", 0, size)
        present = (deployment.get("status") or {}).get("conditions") or []
        if not existed and facts.progress_deadline(deployment) is not None:
            words = f'Created new replica set "{name_of(created)}"'
            present = self._progressing(present, "True", "NewReplicaSetCreated", words)
        deployment = await self._write_revision(deployment, str(number), present)
        return State(deployment, created, state.old)

    def _new_replicaset(self, deployment: Obj, old: Sequence[Obj], number: int) -> Obj:
        spec = deployment["spec"]
        collisions = (deployment.get("status") or {}).get("collisionCount")
        hashed = template_hash(spec["template"], collisions)
        template = with_label(spec["template"], HASH_LABEL, hashed)
        selector = spec["selector"]
        exact = {**(selector.get("matchLabels") or {}), HASH_LABEL: hashed}
        replicaset: Obj = {
            "apiVersion": REPLICASETS.api_version,
            "kind": REPLICASETS.kind,
            "metadata": {
                "name": f"{name_of(deployment)}-{hashed}",
                "namespace": namespace_of(deployment),
                "ownerReferences": [owner_reference(deployment)],
                "labels": template["metadata"]["labels"],
                "annotations": {
                    **facts.inherited_annotations(deployment),
                    REVISION: str(number),
                    **facts.replicas_annotations(deployment),
                },
            },
            "spec": {
                "replicas": 0,
                "selector": {**selector, "matchLabels": exact},
                "template": template,
            },
        }
        if spec.get("minReadySeconds"):
            replicaset["spec"]["minReadySeconds"] = spec["minReadySeconds"]
        replicaset["spec"]["replicas"] = facts.new_size(deployment, [*old, replicaset], replicaset)
        return replicaset

    async def _ours_after_all(self, deployment: Obj, wanted: Obj) -> Obj | None:
        """The name is taken: by ours, which the cache did not show, or by a stranger's hash."""
        found = await self.client.find(REPLICASETS, namespace_of(wanted), name_of(wanted))
        if found is None:
            return None
        controller = controller_of(found)
        if (
            controller is not None
            and controller.get("uid") == uid_of(deployment)
            and same_template(found["spec"]["template"], deployment["spec"]["template"])
        ):
            return found
        status = dict(deployment.get("status") or {})
        status["collisionCount"] = int(status.get("collisionCount") or 0) + 1
        await self.client.update_status({**deployment, "status": status}, DEPLOYMENTS)
        return None

    # The two strategies, and scaling.

    async def _roll(self, state: State) -> Result:
        state, scaled = await self._grow_newest(state)
        if not scaled:
            state, scaled = await self._shrink_old(state)
        if not scaled and facts.is_complete(state.deployment, state.deployment.get("status") or {}):
            await self._clean_up(state)
        return await self._report(state)

    async def _grow_newest(self, state: State) -> tuple[State, bool]:
        newest = state.newest
        if newest is None:
            return state, False
        wanted = desired_replicas(state.deployment)
        size = wanted
        if desired_replicas(newest) < wanted:
            size = facts.new_size(state.deployment, state.every, newest)
        resized = await self._resize(state.deployment, newest, size)
        return state._replace(newest=resized), desired_replicas(newest) != size

    async def _shrink_old(self, state: State) -> tuple[State, bool]:
        """Take pods from old ReplicaSets, broken ones first, as far as availability allows."""
        old, newest = facts.active(state.old), state.newest
        if not old or newest is None:
            return state, False
        _, unavailable = facts.surge_and_unavailable(state.deployment)
        minimum = desired_replicas(state.deployment) - unavailable
        missing = desired_replicas(newest) - status_of(newest, "availableReplicas")
        most = facts.total(state.every) - minimum - missing
        if most <= 0:
            return state, False
        sizes = {name_of(one): desired_replicas(one) for one in old}
        ordered = facts.oldest_first(old)
        for one in ordered:
            broken = desired_replicas(one) - status_of(one, "availableReplicas")
            taken = min(max(most, 0), max(broken, 0))
            sizes[name_of(one)] -= taken
            most -= taken
        spare = sum(status_of(o, "availableReplicas") for o in [*old, newest]) - minimum
        for one in ordered:
            taken = min(max(spare, 0), sizes[name_of(one)])
            sizes[name_of(one)] -= taken
            spare -= taken
        return await self._resize_old(state, sizes)

    async def _resize_old(self, state: State, sizes: dict[str, int]) -> tuple[State, bool]:
        scaled, result = False, []
        for one in state.old:
            size = sizes.get(name_of(one), desired_replicas(one))
            scaled = scaled or size != desired_replicas(one)
            result.append(
                await self._resize(state.deployment, one, size)
                if size != desired_replicas(one)
                else one
            )
        return state._replace(old=result), scaled

    async def _recreate(self, deployment: Obj, mine: Sequence[Obj]) -> Result:
        state = await self._with_newest(deployment, mine, create=False)
        if state is None:
            return DONE
        none = {name_of(one): 0 for one in state.old}
        state, scaled = await self._resize_old(state, none)
        if scaled or self._old_pods_run(state):
            return await self._report(state)
        if state.newest is None:
            state = await self._with_newest(state.deployment, state.old, create=True)
        if state is None or state.newest is None:
            return DONE
        wanted = desired_replicas(state.deployment)
        newest = await self._resize(state.deployment, state.newest, wanted)
        state = state._replace(newest=newest)
        if facts.is_complete(state.deployment, state.deployment.get("status") or {}):
            await self._clean_up(state)
        return await self._report(state)

    def _old_pods_run(self, state: State) -> bool:
        pods = self.informer(PODS)
        return any(not is_terminal(pod) for one in state.old for pod in pods.owned_by(one))

    async def _scale(self, state: State) -> None:
        """Give the wanted number to whom it is due, without going on with a roll."""
        deployment, newest = state.deployment, state.newest
        sizes: list[tuple[Obj, int]] = []
        alone = scaling.only_active_or_latest(newest, state.old)
        if alone is not None:
            sizes = [(alone, desired_replicas(deployment))]
        elif facts.is_saturated(deployment, newest):
            sizes = [(one, 0) for one in facts.active(state.old)]
        elif is_rolling_update(deployment):
            sizes = scaling.proportional(deployment, facts.active(state.every))
        resized = {name_of(one): await self._resize(deployment, one, size) for one, size in sizes}
        state = State(
            deployment,
            resized.get(name_of(newest), newest) if newest is not None else None,
            [resized.get(name_of(one), one) for one in state.old],
        )
        if deployment["spec"].get("paused"):
            await self._clean_up(state)
        await self._write_status(state, self._calculate(state))

    async def _resize(self, deployment: Obj, replicaset: Obj, size: int) -> Obj:
        """Give a ReplicaSet its size and note what the whole was then; tell if it changed."""
        before = desired_replicas(replicaset)
        annotations = annotations_of(replicaset) | facts.replicas_annotations(deployment)
        if before == size and annotations == annotations_of(replicaset):
            return replicaset
        metadata = {**replicaset["metadata"], "annotations": annotations}
        spec = {**replicaset["spec"], "replicas": size}
        changed = await self.client.update(
            {**replicaset, "metadata": metadata, "spec": spec}, resource=REPLICASETS
        )
        if before != size:
            self._tell_scaled(
                deployment, replicaset, "up" if before < size else "down", before, size
            )
        return changed

    async def _clean_up(self, state: State) -> None:
        """Delete the oldest revisions beyond the limit, unless they still have pods."""
        limit = facts.history_limit(state.deployment)
        if limit is None:
            return
        alive = [one for one in state.old if not is_deleting(one)]
        for one in sorted(alive, key=revision)[: max(len(alive) - limit, 0)]:
            metadata, observed = one["metadata"], status_of(one, "observedGeneration")
            if (
                status_of(one, "replicas")
                or desired_replicas(one)
                or (metadata.get("generation") or 0) > observed
            ):
                continue
            try:
                await self.client.delete(REPLICASETS, namespace_of(one), name_of(one))
            except NotFound:
                continue

    # What is said.

    def _calculate(self, state: State) -> Obj:
        return statuses.calculate(
            state.deployment, state.every, state.newest, self.clock.timestamp()
        )

    async def _report(self, state: State) -> Result:
        """Write the status of a roll; come again when its deadline would have passed."""
        now = self.clock.seconds()
        status = statuses.with_progress(
            state.deployment,
            self._calculate(state),
            state.every,
            state.newest,
            self.clock.timestamp(),
            now,
        )
        await self._write_status(state, status)
        left = facts.deadline_left(state.deployment, status, now)
        # Timestamps have no fractions: a second later it is certain.
        return Result(requeue_after=left + 1.0) if left is not None else DONE

    async def _write_status(self, state: State, status: Obj) -> None:
        if status != (state.deployment.get("status") or {}):
            changed = {**state.deployment, "status": status}
            await self.client.update_status(changed, DEPLOYMENTS)

    async def _write_revision(self, deployment: Obj, number: str, present: list[Obj]) -> Obj:
        """Note the revision, and the conditions with it (a status write may change both)."""
        status = deployment.get("status") or {}
        if (
            annotations_of(deployment).get(REVISION) == number
            and (status.get("conditions") or []) == present
        ):
            return deployment
        annotations = {**annotations_of(deployment), REVISION: number}
        changed = {
            **deployment,
            "metadata": {**deployment["metadata"], "annotations": annotations},
            "status": {**status, "conditions": present},
        }
        return await self.client.update_status(changed, DEPLOYMENTS)

    def _progressing(
        self, present: Sequence[Obj] | None, status: str, reason: str, words: str
    ) -> list[Obj]:
        at = self.clock.timestamp()
        new = statuses.condition(statuses.PROGRESSING, status, reason, words, at)
        return conditions.put_last(present, new)

    async def _say_paused(self, deployment: Obj) -> Obj:
        """Note a pause and its end, so that time spent paused is not taken for no progress."""
        if facts.progress_deadline(deployment) is None:
            return deployment
        status = deployment.get("status") or {}
        present = status.get("conditions")
        current = conditions.find(present, statuses.PROGRESSING) or {}
        if current.get("reason") == "ProgressDeadlineExceeded":
            return deployment
        paused = bool(deployment["spec"].get("paused"))
        if paused == (current.get("reason") == "DeploymentPaused"):
            return deployment
        reason, words = (
            ("DeploymentPaused", "Deployment is paused")
            if paused
            else ("DeploymentResumed", "Deployment is resumed")
        )
        changed = self._progressing(present, "Unknown", reason, words)
        return await self.client.update_status(
            {**deployment, "status": {**status, "conditions": changed}}, DEPLOYMENTS
        )

    async def _say_failed(self, deployment: Obj, wanted: Obj, error: ApiError) -> None:
        words = f'Failed to create new replica set "{name_of(wanted)}": {error.message}'
        self.recorder.event(deployment, WARNING, "ReplicaSetCreateError", words)
        if facts.progress_deadline(deployment) is None:
            return
        status = deployment.get("status") or {}
        present = self._progressing(
            status.get("conditions"), "False", "ReplicaSetCreateError", words
        )
        if present != (status.get("conditions") or []):
            changed = {**deployment, "status": {**status, "conditions": present}}
            await self.client.update_status(changed, DEPLOYMENTS)

    async def _refuse_everything(self, deployment: Obj) -> None:
        words = "This deployment is selecting all pods. A non-empty selector is required."
        self.recorder.event(deployment, WARNING, "SelectingAll", words)
        generation = deployment["metadata"].get("generation") or 0
        status = deployment.get("status") or {}
        if (status.get("observedGeneration") or 0) < generation:
            changed = {**deployment, "status": {**status, "observedGeneration": generation}}
            await self.client.update_status(changed, DEPLOYMENTS)

    def _tell_scaled(
        self, deployment: Obj, replicaset: Obj, direction: str, before: int, size: int
    ) -> None:
        words = f"Scaled {direction} replica set {name_of(replicaset)} from {before} to {size}"
        self.recorder.event(deployment, NORMAL, "ScalingReplicaSet", words)

    # What wakes it.

    def _on_orphan(self, old: Obj | None, new: Obj | None) -> None:
        if new is None or controller_of(new) is not None or is_deleting(new):
            return
        labels = labels_of(new)
        for deployment in self.informer(DEPLOYMENTS).list(namespace_of(new)):
            selector = from_label_selector(deployment["spec"].get("selector"))
            if labels and not selector.empty and selector.matches(labels):
                self.queue.add(key_of(deployment))

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        """The last old pod is gone: a Recreate may go on."""
        if new is not None and not is_terminal(new):
            return
        pod = new if new is not None else old
        owner = controller_of(pod) if pod is not None else None
        if pod is None or owner is None or owner.get("kind") != REPLICASETS.kind:
            return
        replicaset = self.informer(REPLICASETS).get(namespace_of(pod), owner["name"])
        deployment = self.owner_of(replicaset) if replicaset is not None else None
        if deployment is not None and not is_rolling_update(deployment):
            self.queue.add(key_of(deployment))
