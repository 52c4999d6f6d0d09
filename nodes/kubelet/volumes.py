"""Volumes: what a pod's containers find under their mounts, filled and kept up to date.

Every volume is a directory of HostFiles below the pod's own. ConfigMap, Secret, projected and
downward API volumes are written whole at each change, so that a container never sees half. A claim
leads to the directory of its persistent volume, which outlives the pod.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from apimachinery.clock import Clock
from apimachinery.errors import ApiError
from apimachinery.meta import Obj, name_of, namespace_of, uid_of
from apimachinery.volumes import claim_name
from nodes.kubelet.claims import MountFailed, PersistentVolumes
from nodes.kubelet.environment import pod_field, resource_field
from nodes.kubelet.sources import Missing, Sources
from nodes.runtime.cri import HostFiles

# A token is made anew when four fifths of its life are over.
_RENEW_AT = 0.8

Files = dict[str, tuple[bytes, int]]
# (pod, audience, seconds) -> token
TokenSource = Callable[[Obj, str, int], Awaitable[str]]


class Volumes:
    """The volumes of a node's pods."""

    def __init__(
        self,
        files: HostFiles,
        sources: Sources,
        persistent: PersistentVolumes,
        token: TokenSource,
        clock: Clock,
        host_ip: str,
    ) -> None:
        self._files, self._sources, self._token = files, sources, token
        self._persistent = persistent
        # Where the claims of a pod lead: by its uid and the volume's name.
        self._claimed: dict[tuple[str, str], str] = {}
        self._clock, self._host_ip = clock, host_ip
        self._tokens: dict[tuple[str, str, str], tuple[str, float]] = {}

    async def mount(self, pod: Obj, pod_ips: tuple[str, ...]) -> None:
        """Make or refresh every volume of the pod. Raises MountFailed."""
        for volume in pod["spec"].get("volumes") or ():
            files = await self._files_of(pod, volume, pod_ips)
            path = await self._claimed_path(pod, volume) or volume_path(pod, volume)
            if files is None:
                if not self._files.is_dir(path):
                    self._files.mkdir(path, 0o777)
            else:
                self._files.replace(path, files)

    def unmount(self, pod: Obj) -> None:
        """Remove all that the pod had on the node's disk."""
        self._files.remove(pod_directory(pod))
        for key in [key for key in self._tokens if key[0] == uid_of(pod)]:
            del self._tokens[key]
        for claimed in [one for one in self._claimed if one[0] == uid_of(pod)]:
            del self._claimed[claimed]

    def recall(self, pod: Obj) -> Callable[[], Awaitable[None]] | None:
        """Return how to find out what a pod has that was found running; None if it has no claim.

        Until that is done whatever the node said to be in use counts as in use. It raises ApiError.
        """
        if not (claimed := _claimed(pod)):
            return None
        self._persistent.expect(pod)
        return lambda: self._persistent.recall(pod, claimed)

    async def release(self, pod: Obj) -> None:
        """Let go of what had to be attached to the node for the pod. Raises ApiError."""
        if _claimed(pod):
            await self._persistent.release(pod)

    async def _claimed_path(self, pod: Obj, volume: Obj) -> str:
        """Return where a volume's claim leads, "" if it has none. Raises MountFailed."""
        key = (uid_of(pod), volume["name"])
        if claim_name(pod, volume) and key not in self._claimed:
            self._claimed[key] = await self._persistent.path(pod, volume)
        return self._claimed.get(key, "")

    def path(self, pod: Obj, volume_name: str, sub_path: str = "") -> str:
        """Return the host path behind a mount, making a directory that is not there."""
        volume = next(
            (v for v in pod["spec"].get("volumes") or () if v["name"] == volume_name), None
        )
        claimed = self._claimed.get((uid_of(pod), volume_name))
        base = claimed or volume_path(pod, volume or {"name": volume_name, "emptyDir": {}})
        if volume is not None and "hostPath" in volume:
            base = "/host" + (volume["hostPath"].get("path") or "/")
            if not self._files.exists(base):
                self._files.mkdir(base)
        if not sub_path:
            return base
        whole = f"{base}/{sub_path}"
        if not self._files.exists(whole):
            self._files.mkdir(whole)
        return whole

    async def _files_of(self, pod: Obj, volume: Obj, pod_ips: tuple[str, ...]) -> Files | None:
        """Return what a volume holds, None for one that holds what containers write."""
        name = volume["name"]
        if "configMap" in volume:
            return await self._keyed(pod, name, "configmap", volume["configMap"], "name")
        if "secret" in volume:
            return await self._keyed(pod, name, "secret", volume["secret"], "secretName")
        if "downwardAPI" in volume:
            mode = volume["downwardAPI"].get("defaultMode", 0o644)
            return self._downward(pod, volume["downwardAPI"], mode, pod_ips)
        if "projected" in volume:
            return await self._projected(pod, volume, pod_ips)
        return None

    async def _keyed(
        self, pod: Obj, volume: str, kind: str, source: Obj, name_field: str, mode: int = 0o644
    ) -> Files:
        mode = source.get("defaultMode", mode)
        named = source.get(name_field) or ""
        try:
            data = await self._sources.data(kind, namespace_of(pod), named)
        except Missing as error:
            if source.get("optional") and error.is_sure:
                return {}
            raise MountFailed(
                f'MountVolume.SetUp failed for volume "{volume}" : {error}'
            ) from error
        items = source.get("items")
        if not items:
            return {key: (content, mode) for key, content in data.items()}
        files: Files = {}
        for item in items:
            if item["key"] in data:
                files[item["path"]] = (data[item["key"]], item.get("mode", mode))
            elif not source.get("optional"):
                raise MountFailed(
                    f'MountVolume.SetUp failed for volume "{volume}" : '
                    f"references non-existent {'config' if kind == 'configmap' else 'secret'} "
                    f"key: {item['key']}"
                )
        return files

    def _downward(self, pod: Obj, source: Obj, mode: int, pod_ips: tuple[str, ...]) -> Files:
        files: Files = {}
        for item in source.get("items") or ():
            if "fieldRef" in item:
                text = pod_field(pod, item["fieldRef"]["fieldPath"], pod_ips, self._host_ip)
            else:
                text = resource_field(pod, pod["spec"]["containers"][0], item["resourceFieldRef"])
            files[item["path"]] = (text.encode(), item.get("mode", mode))
        return files

    async def _projected(self, pod: Obj, volume: Obj, pod_ips: tuple[str, ...]) -> Files:
        mode = volume["projected"].get("defaultMode", 0o644)
        files: Files = {}
        for source in volume["projected"].get("sources") or ():
            if "serviceAccountToken" in source:
                given = source["serviceAccountToken"]
                token = await self._current_token(pod, volume["name"], given)
                files[given["path"]] = (token.encode(), mode)
            elif "configMap" in source:
                files |= await self._keyed(
                    pod, volume["name"], "configmap", source["configMap"], "name", mode
                )
            elif "secret" in source:
                files |= await self._keyed(
                    pod, volume["name"], "secret", source["secret"], "name", mode
                )
            elif "downwardAPI" in source:
                files |= self._downward(pod, source["downwardAPI"], mode, pod_ips)
        return files

    async def _current_token(self, pod: Obj, volume: str, source: Obj) -> str:
        key = (uid_of(pod), volume, source["path"])
        known = self._tokens.get(key)
        if known is not None and self._clock.seconds() < known[1]:
            return known[0]
        seconds = source.get("expirationSeconds") or 3600
        try:
            token = await self._token(pod, source.get("audience") or "", seconds)
        except ApiError as error:
            raise MountFailed(
                f'MountVolume.SetUp failed for volume "{volume}" : failed to fetch token: '
                f"{error.message}"
            ) from error
        self._tokens[key] = (token, self._clock.seconds() + seconds * _RENEW_AT)
        return token


def _claimed(pod: Obj) -> list[Obj]:
    return [one for one in pod["spec"].get("volumes") or () if claim_name(pod, one)]


def pod_directory(pod: Obj) -> str:
    return f"/var/lib/kubelet/pods/{uid_of(pod)}"


# The plugins' names, as they stand in the paths of a real kubelet.
_PLUGINS = {
    "configMap": "kubernetes.io~configmap",
    "secret": "kubernetes.io~secret",
    "downwardAPI": "kubernetes.io~downward-api",
    "projected": "kubernetes.io~projected",
    "emptyDir": "kubernetes.io~empty-dir",
    "hostPath": "kubernetes.io~host-path",
}


def volume_path(pod: Obj, volume: Obj) -> str:
    plugin = next((name for field, name in _PLUGINS.items() if field in volume), "")
    return f"{pod_directory(pod)}/volumes/{plugin or 'kubernetes.io~csi'}/{volume['name']}"


def log_directory(pod: Obj) -> str:
    return f"/var/log/pods/{namespace_of(pod)}_{name_of(pod)}_{uid_of(pod)}"
