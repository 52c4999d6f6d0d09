"""Volumes go to the nodes of the pods that use them, and leave when no pod there does.

One VolumeAttachment asks a volume's driver for one node; what is attached stands in the node's
status, for its kubelet. Nothing is detached while the kubelet says that it uses it, unless the
node has been ill for six minutes. A volume for one node alone waits until it has left the other.
Nothing is followed before there is a volume of a driver.
"""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery import attachments
from apimachinery.errors import AlreadyExists, ApiError, NotFound
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of, uid_of
from apimachinery.nodes import is_out_of_service, is_ready
from apimachinery.pods import is_terminal, node_name
from apimachinery.volumes import claim_names
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.lister import NODE, Key, by_node, key_of
from nodes.client.resources import (
    CSIDRIVERS,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    VOLUMEATTACHMENTS,
)
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.volumes import users

# How long a node that is not well may go on using what is to be detached.
UNMOUNT = 360.0
_VOLUME = "volume"


class AttachDetachController(ManagedController):
    """Keys are nodes; one is worked on at a time, so that no disk goes to two."""

    name = "persistentvolume-attach-detach-controller"
    service_account = "attachdetach-controller"
    component = "attachdetach-controller"
    reconciles = NODES
    workers = 1

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._following = False
        self._told: set[tuple[str, str]] = set()  # (node, volume): of its sharing, or its error
        # Attachments that were asked for and that the cache does not show yet.
        self._asked: dict[str, Obj] = {}
        self._leaving: dict[str, float] = {}  # attachments by name: since when they are to go

    # What wakes it.

    def start(self) -> None:
        users.index_claims(self.informer(PODS))
        self.informer(PERSISTENTVOLUMES).on_change(self._on_volume)
        self.informer(PERSISTENTVOLUMECLAIMS).on_change(self._on_claim)
        self.informer(PODS).on_change(self._on_pod)
        self.informer(NODES).on_change(self._on_node)

    def _follow(self) -> None:
        self._following = True
        following = self.informer(VOLUMEATTACHMENTS)
        following.add_index(NODE, by_node)
        following.add_index(_VOLUME, lambda one: [attachments.volume_of(one)])
        following.on_change(self._on_attachment)
        self.informer(CSIDRIVERS).on_change(self._on_driver)

    def _on_volume(self, old: Obj | None, new: Obj | None) -> None:
        volume = new if new is not None else old
        if volume is None or not attachments.driver_of(volume):
            return
        if not self._following:
            self._follow()
        self._wake_users(volume)

    def _on_claim(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and self._following:
            self._wake(users.users_of(self.informer(PODS), key_of(new)))

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        if self._following:
            self._wake(pod for pod in (old, new) if pod is not None and claim_names(pod))

    def _on_node(self, old: Obj | None, new: Obj | None) -> None:
        node = new if new is not None else old
        if node is None or not self._following:
            return
        if old is None or new is None or _shown(old) != _shown(new):
            self.queue.add(key_of(node))

    def _on_attachment(self, old: Obj | None, new: Obj | None) -> None:
        found = new if new is not None else old
        if found is None:
            return
        self._asked.pop(name_of(found), None)
        self.queue.add(Key("", found["spec"]["nodeName"]))
        if new is None:
            self._leaving.pop(name_of(found), None)
            volume = self.informer(PERSISTENTVOLUMES).get("", attachments.volume_of(found))
            if volume is not None:
                self._wake_users(volume)

    def _on_driver(self, old: Obj | None, new: Obj | None) -> None:
        for node in self.informer(NODES).list():
            self.queue.add(key_of(node))

    def _wake_users(self, volume: Obj) -> None:
        if claim := volume["spec"].get("claimRef"):
            key = Key(claim.get("namespace") or "", claim.get("name") or "")
            self._wake(users.users_of(self.informer(PODS), key))

    def _wake(self, pods: Iterable[Obj]) -> None:
        for pod in pods:
            if node := node_name(pod):
                self.queue.add(Key("", node))

    # What is to be, and what is.

    async def reconcile(self, key: Key) -> Result:
        if not self._following:
            return DONE
        for resource in (VOLUMEATTACHMENTS, CSIDRIVERS):
            await self.informer(resource).settled.wait()
        node = self.informer(NODES).get("", key.name)
        wanted = self._wanted(key.name) if node is not None else {}
        there = self.informer(VOLUMEATTACHMENTS).by_index(NODE, key.name)
        known = {attachments.volume_of(one): one for one in there}
        self._told = {
            (at, volume) for at, volume in self._told if at != key.name or volume in wanted
        }
        for volume, pods in wanted.values():
            await self._attach(key.name, volume, pods, known.get(name_of(volume)))
        going = [one for name, one in known.items() if name and name not in wanted]
        waits = [self._wait(node, one) for one in going]
        ready = [one for one, wait in zip(going, waits, strict=True) if wait == 0]
        if node is not None:
            await self._show(node, known, {name_of(one) for one in ready})
        for one in ready:
            await self._detach(one)
        return Result(requeue_after=min((wait for wait in waits if wait), default=None))

    def _wanted(self, node: str) -> dict[str, tuple[Obj, list[Obj]]]:
        """Return the volumes that a node's pods need attached, each with these pods."""
        found: dict[str, tuple[Obj, list[Obj]]] = {}
        for pod in self.informer(PODS).by_index(NODE, node):
            if is_terminal(pod) or _has_stopped(pod):
                continue
            for volume in self._volumes(pod):
                found.setdefault(name_of(volume), (volume, []))[1].append(pod)
        return found

    def _volumes(self, pod: Obj) -> list[Obj]:
        found = []
        for name in claim_names(pod):
            claim = self.informer(PERSISTENTVOLUMECLAIMS).get(namespace_of(pod), name)
            if claim is None or (claim.get("status") or {}).get("phase") != "Bound":
                continue
            bound = claim["spec"].get("volumeName") or ""
            volume = self.informer(PERSISTENTVOLUMES).get("", bound)
            if volume is not None and self._is_attachable(volume):
                found.append(volume)
        return found

    def _is_attachable(self, volume: Obj) -> bool:
        driver = self.informer(CSIDRIVERS).get("", attachments.driver_of(volume))
        return attachments.needs_attaching(volume, driver)

    # Attaching.

    async def _attach(self, node: str, volume: Obj, pods: list[Obj], known: Obj | None) -> None:
        if known is not None:
            self._tell_error(node, volume, pods, known)
            return
        others = self._elsewhere(volume, node)
        if others and not attachments.may_be_shared(volume):
            self._tell_sharing(node, volume, pods, others)
            return
        wanted = attachments.attachment(volume, node)
        if name_of(wanted) in self._asked:
            return
        self._asked[name_of(wanted)] = wanted
        try:
            await self.client.create(wanted, VOLUMEATTACHMENTS)
        except AlreadyExists:
            return  # the cache is about to show it
        except ApiError:
            self._asked.pop(name_of(wanted), None)
            raise

    def _elsewhere(self, volume: Obj, node: str) -> list[str]:
        """Return the other nodes that a volume is attached to, or about to be."""
        there = self.informer(VOLUMEATTACHMENTS).by_index(_VOLUME, name_of(volume))
        known = (*there, *self._asked.values())
        return sorted(
            {
                str(one["spec"]["nodeName"])
                for one in known
                if attachments.volume_of(one) == name_of(volume) and one["spec"]["nodeName"] != node
            }
        )

    def _tell_error(self, node: str, volume: Obj, pods: list[Obj], known: Obj) -> None:
        """Say what the driver says, once."""
        error = (known.get("status") or {}).get("attachError")
        if attachments.is_attached(known) or not error:
            return
        if (node, name_of(volume)) not in self._told:
            self._told.add((node, name_of(volume)))
            words = f"AttachVolume.Attach failed for volume {_quoted(volume)} : "
            for pod in pods:
                why = words + str(error.get("message") or "")
                self.recorder.event(pod, WARNING, "FailedAttachVolume", why)

    def _tell_sharing(self, node: str, volume: Obj, pods: list[Obj], others: list[str]) -> None:
        """Say once who has the volume; pods of other namespaces are not named."""
        if (node, name_of(volume)) in self._told:
            return
        self._told.add((node, name_of(volume)))
        users = [
            pod
            for other in others
            for pod in self.informer(PODS).by_index(NODE, other)
            if any(name_of(one) == name_of(volume) for one in self._volumes(pod))
        ]
        for pod in pods:
            why = f"Multi-Attach error for volume {_quoted(volume)} {said_of_users(pod, users)}"
            self.recorder.event(pod, WARNING, "FailedAttachVolume", why)

    # What the kubelet is told, and detaching.

    async def _show(self, node: Obj, known: dict[str, Obj], going: set[str]) -> None:
        """Write what is attached into the node's status."""
        names = []
        for name, one in known.items():
            volume = self.informer(PERSISTENTVOLUMES).get("", name)
            if volume is None or name_of(one) in going or not attachments.is_attached(one):
                continue
            names.append(attachments.unique_name(volume))
        before = [one["name"] for one in (node.get("status") or {}).get("volumesAttached") or ()]
        if sorted(names) == sorted(before):
            return
        shown = [{"name": name, "devicePath": ""} for name in sorted(names)]
        body = {"status": {"volumesAttached": shown or None}}
        await self.client.patch(NODES, "", name_of(node), body, subresource="status")
        self._tell_attached(name_of(node), set(names) - set(before))

    def _tell_attached(self, node: str, names: set[str]) -> None:
        for volume, pods in self._wanted(node).values():
            if attachments.unique_name(volume) in names:
                words = f"AttachVolume.Attach succeeded for volume {_quoted(volume)} "
                for pod in pods:
                    self.recorder.event(pod, NORMAL, "SuccessfulAttachVolume", words)

    def _wait(self, node: Obj | None, one: Obj) -> float | None:
        """Return in how many seconds a volume may leave: 0 is now, None when its node lets go."""
        since = self._leaving.setdefault(name_of(one), self.clock.seconds())
        left = max(since + UNMOUNT - self.clock.seconds(), 0.0)
        if node is None:
            return left
        volume = self.informer(PERSISTENTVOLUMES).get("", attachments.volume_of(one))
        used = (node.get("status") or {}).get("volumesInUse") or ()
        if volume is None or attachments.unique_name(volume) not in used or is_out_of_service(node):
            return 0.0
        return None if is_ready(node) else left

    async def _detach(self, one: Obj) -> None:
        if is_deleting(one):
            return
        try:
            await self.client.delete(VOLUMEATTACHMENTS, "", name_of(one), uid=uid_of(one))
        except NotFound:
            return


def _shown(node: Obj) -> tuple[object, ...]:
    """Return all of a node that matters here."""
    status = node.get("status") or {}
    in_use, attached = status.get("volumesInUse"), status.get("volumesAttached")
    return in_use, attached, is_ready(node), is_out_of_service(node)


def _has_stopped(pod: Obj) -> bool:
    """Tell whether a pod that is to go has no container left that runs."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return is_deleting(pod) and not any("running" in (one.get("state") or {}) for one in statuses)


def _quoted(volume: Obj) -> str:
    return f'"{name_of(volume)}"'


def said_of_users(pod: Obj, users: list[Obj]) -> str:
    """Say who has a volume, as a user of the pod's namespace may hear it."""
    if not users:
        return "Volume is already exclusively attached to one node and can't be attached to another"
    near = [name_of(one) for one in users if namespace_of(one) == namespace_of(pod)]
    far = len(users) - len(near)
    if not near:
        return f"Volume is already used by {far} pod(s) in different namespaces"
    more = f" and {far} pod(s) in different namespaces" if far else ""
    return f"Volume is already used by pod(s) {', '.join(near)}{more}"
