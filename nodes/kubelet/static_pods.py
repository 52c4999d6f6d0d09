"""Static pods: the node runs them by itself, and shows them in the API as mirror pods.

What becomes of a mirror pod changes nothing of what runs: one that is deleted is made again, and
stands for the same containers as before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from hashlib import md5

import orjson

from apimachinery.clock import Clock
from apimachinery.errors import AlreadyExists, ApiError, NotFound
from apimachinery.meta import Obj, annotations_of, name_of, namespace_of, uid_of
from nodes.client import resources
from nodes.client.rest import Client
from nodes.client.supervise import TaskSet
from nodes.kubelet.host import RETRY
from nodes.kubelet.pod_worker import PodWorker

log = logging.getLogger(__name__)

_CONFIG = "kubernetes.io/config."
MIRROR, HASH, SEEN, SOURCE = (f"{_CONFIG}{name}" for name in ("mirror", "hash", "seen", "source"))
# What a kubelet lets static pods tolerate: they are not driven away.
_STAY = {"operator": "Exists", "effect": "NoExecute"}
# Seconds within which a lost mirror pod is made again at the latest.
_LONGEST_RETRY = 60.0

_Key = tuple[str, str]


class StaticPods:
    """Those of one node."""

    def __init__(
        self, node: str, manifests: Sequence[Obj], client: Client, clock: Clock, tasks: TaskSet
    ) -> None:
        """`manifests`: pods as files of the node's staticPodPath have them; not changed."""
        self._node, self._client, self._clock, self._tasks = node, client, clock, tasks
        seen = clock.timestamp()
        made = [static_pod(manifest, node, seen) for manifest in manifests]
        self._pods = {_key(pod): pod for pod in made}
        # Containers whose mirror pod has gone.
        self._left: dict[_Key, PodWorker] = {}
        self._making: set[_Key] = set()

    def __bool__(self) -> bool:
        return bool(self._pods)

    def start(self, known: Iterable[Obj]) -> None:
        """See to it that each has its mirror pod; `known` are the pods that the node has."""
        there = {_key(pod) for pod in known if self.mirrored_by(pod)}
        for key in self._pods:
            if key not in there:
                self._make(key)

    def mirrored_by(self, pod: Obj) -> bool:
        """Tell whether an object of the API is the mirror pod of one of these."""
        own = self._pods.get(_key(pod))
        return own is not None and _hash(pod) == _hash(own)

    def renew(self, pod: Obj) -> None:
        """Let a mirror pod that somebody deletes go at once: nothing has to end for it."""
        self._tasks.spawn("delete mirror pod", self._delete(pod))

    def lost(self, pod: Obj, worker: PodWorker | None) -> None:
        """A mirror pod is gone: keep what runs, and make another."""
        key = _key(pod)
        if worker is not None:
            self._left[key] = worker
        self._make(key)

    def worker_of(self, pod: Obj) -> PodWorker | None:
        """Return what runs already for a mirror pod that has been made again."""
        return self._left.pop(_key(pod), None) if self.mirrored_by(pod) else None

    def _make(self, key: _Key) -> None:
        if key not in self._making:
            self._making.add(key)
            self._tasks.spawn("mirror pod", self._until_made(key))

    async def _until_made(self, key: _Key) -> None:
        wait = RETRY
        try:
            while True:
                try:
                    await self._create(self._pods[key])
                except NotFound:
                    return  # the node itself is gone; it begins anew when it registers again
                except ApiError as error:
                    log.warning("no mirror pod: %s/%s: %s", *key, error.message)
                else:
                    return
                await self._clock.sleep(wait)
                wait = min(wait * 2, _LONGEST_RETRY)
        finally:
            self._making.discard(key)

    async def _create(self, pod: Obj) -> None:
        node = await self._client.get(resources.NODES, "", self._node)
        mirror = mirror_of(pod, node)
        try:
            await self._client.create(mirror, resources.PODS)
        except AlreadyExists:
            found = await self._client.find(resources.PODS, *_key(pod))
            if found is not None and not self.mirrored_by(found):
                await self._delete(found)
                await self._client.create(mirror, resources.PODS)

    async def _delete(self, pod: Obj) -> None:
        try:
            await self._client.delete(resources.PODS, *_key(pod), uid=uid_of(pod), grace=0)
        except ApiError as error:
            log.debug("mirror pod stays: %s/%s: %s", *_key(pod), error.message)


def mirror_of(pod: Obj, node: Obj) -> Obj:
    """Return the mirror pod of a static pod, which is its node's."""
    owner = {
        "apiVersion": "v1",
        "kind": "Node",
        "name": name_of(node),
        "uid": uid_of(node),
        "controller": True,
    }
    return {**pod, "metadata": {**pod["metadata"], "ownerReferences": [owner]}}


def static_pod(manifest: Obj, node: str, seen: str) -> Obj:
    """Return a pod as the kubelet has it that has read it from a file."""
    metadata, spec = manifest["metadata"], manifest["spec"]
    # Not a secret: kubelets name a manifest by its MD5.
    digest = md5(orjson.dumps([node, manifest], option=orjson.OPT_SORT_KEYS)).hexdigest()  # noqa: S324
    annotations = {HASH: digest, MIRROR: digest, SEEN: seen, SOURCE: "file"}
    return {
        **manifest,
        "metadata": {
            **metadata,
            "name": f"{metadata['name']}-{node}",
            "annotations": {**(metadata.get("annotations") or {}), **annotations},
        },
        "spec": {
            **spec,
            "nodeName": node,
            "tolerations": [*(spec.get("tolerations") or ()), _STAY],
        },
    }


def _key(pod: Obj) -> _Key:
    return namespace_of(pod), name_of(pod)


def _hash(pod: Obj) -> str | None:
    return annotations_of(pod).get(MIRROR)
