"""Where a claim leads: the directory of the persistent volume that it is bound to.

A claim that waits for its first consumer is bound when the pod has a node, so a kubelet may come
a moment too early: it waits a little before it calls that a failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from apimachinery.clock import Clock
from apimachinery.errors import ApiError
from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.volumes import claim_name
from nodes.client.resources import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES
from nodes.client.rest import Client, may_pass
from nodes.kubelet.attachments import Attachments

_PERSISTENT = "/var/lib/kubelet/plugins/kubeground.io~simulated/"
_WAITS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


class MountFailed(Exception):
    """A volume cannot be made now: a FailedMount event with this message, and another try."""


class NotAttached(MountFailed):
    """A volume is not attached to the node yet: its pod is woken when it is."""

    def __init__(self, volume: str) -> None:
        super().__init__(
            f"Unable to attach or mount volumes: unmounted volumes=[{volume}], unattached"
            f" volumes=[{volume}], failed to process volumes=[]: context deadline exceeded"
        )


class PersistentVolumes:
    """Finds the volumes behind the claims of a node's pods."""

    def __init__(self, client: Client, clock: Clock, attachments: Attachments) -> None:
        self._client, self._clock = client, clock
        self._attachments = attachments

    async def path(self, pod: Obj, volume: Obj) -> str:
        """Return the host path of a volume's claim. Raises MountFailed."""
        namespace, claim, name = namespace_of(pod), claim_name(pod, volume), volume["name"]
        try:
            bound = await self._bound(namespace, claim)
        except ApiError as error:
            why = f"failed to fetch PVC from API server: {error.message}"
            raise MountFailed(_unmounted(name, namespace, claim, why)) from error
        if not bound:
            raise MountFailed(_unmounted(name, namespace, claim, "PVC is not bound"))
        try:
            found = await self._client.get(PERSISTENTVOLUMES, "", bound)
        except ApiError as error:
            why = f"failed to fetch PV {bound} from API server: {error.message}"
            raise MountFailed(_unmounted(name, namespace, claim, why)) from error
        try:
            ready = await self._attachments.is_ready(pod, found)
        except ApiError as error:
            why = f"failed to ask whether PV {bound} is attached: {error.message}"
            raise MountFailed(_unmounted(name, namespace, claim, why)) from error
        if not ready:
            raise NotAttached(name)
        return directory(found)

    def expect(self, pod: Obj) -> None:
        """The pod was found running, with claims that `recall` will find out about."""
        self._attachments.expect(pod)

    async def recall(self, pod: Obj, volumes: Iterable[Obj]) -> None:
        """Find out what a pod has that was found running.

        Raises ApiError where the API cannot be asked or told.
        """
        for volume in volumes:
            try:
                await self.path(pod, volume)
            except MountFailed as error:
                # Of a claim that is gone, or was never bound, the pod has nothing.
                if isinstance(why := error.__cause__, ApiError) and may_pass(why):
                    raise why from error
        await self._attachments.known(pod)

    async def release(self, pod: Obj) -> None:
        """The pod has let go of its volumes. Raises ApiError where the API cannot be told."""
        await self._attachments.release(pod)

    async def _bound(self, namespace: str, claim: str) -> str:
        """Return the name of the volume that a claim is bound to, "" if it is not bound."""
        for wait in (*_WAITS, 0.0):
            found = await self._client.get(PERSISTENTVOLUMECLAIMS, namespace, claim)
            if (found.get("status") or {}).get("phase") == "Bound":
                return str(found["spec"]["volumeName"])
            if wait:
                await self._clock.sleep(wait)
        return ""


def directory(volume: Obj) -> str:
    """Return where a node finds a persistent volume."""
    spec = volume["spec"]
    for source in ("hostPath", "local"):
        if source in spec:
            return "/host" + str(spec[source].get("path") or "/")
    if "nfs" in spec:
        # Volumes of one export hold the same files.
        export = f"nfs:{spec['nfs'].get('server')}:{spec['nfs'].get('path')}"
        return _PERSISTENT + quote(export, safe="")
    return _PERSISTENT + name_of(volume)


def _unmounted(volume: str, namespace: str, claim: str, why: str) -> str:
    return (
        f"Unable to attach or mount volumes: unmounted volumes=[{volume}], unattached volumes=[],"
        f" failed to process volumes=[{volume}]: error processing PVC {namespace}/{claim}: {why}"
    )
