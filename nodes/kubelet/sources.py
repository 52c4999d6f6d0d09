"""ConfigMaps and Secrets that pods of the node use: each followed by a watch while it is used.

A kubelet may read only what its pods refer to, by name; so each object has a watch of its own,
and the last pod that uses it ends it.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from functools import partial

from apimachinery.meta import Obj, namespace_of, uid_of
from nodes.client import resources
from nodes.client.informer import Informer, Informers
from nodes.client.resources import Res

_RESOURCES: dict[str, Res] = {"configmap": resources.CONFIGMAPS, "secret": resources.SECRETS}

# How long (real seconds) the first answer is waited for.
_PATIENCE = 30.0

Ref = tuple[str, str, str]  # configmap or secret, namespace, name


class Missing(Exception):
    """There is no such ConfigMap or Secret."""

    # Whether whoever can do without it may go on.
    is_sure = True


class NotHeard(Missing):
    """The API does not say whether there is one."""

    is_sure = False


class Sources:
    """The objects that pods refer to, shared by the pods of one node."""

    def __init__(self, informers: Informers, changed: Callable[[str], None]) -> None:
        """`changed(pod uid)` is called when something that the pod uses has changed."""
        self._informers, self._changed = informers, changed
        self._users: dict[Ref, set[str]] = {}

    def use(self, pod: Obj, references: set[Ref]) -> None:
        """Follow these objects for a pod, from now on."""
        for reference in references:
            users = self._users.get(reference)
            if users is None:
                users = self._users[reference] = set()
                self._informer(reference).on_change(partial(self._on_change, reference))
            users.add(uid_of(pod))

    def release(self, pod: Obj) -> None:
        """Follow them no more for this pod."""
        for reference, users in list(self._users.items()):
            users.discard(uid_of(pod))
            if not users:
                del self._users[reference]
                kind, namespace, name = reference
                self._informers.drop(_RESOURCES[kind], f"metadata.name={name}", namespace)

    async def data(self, kind: str, namespace: str, name: str) -> dict[str, bytes]:
        """Return key -> content. Raises Missing. The object must be in use."""
        informer = self._informer((kind, namespace, name))
        if not informer.synced.is_set():
            try:
                await asyncio.wait_for(informer.synced.wait(), _PATIENCE)
            except TimeoutError:
                why = f"failed to sync {kind} cache: timed out waiting for the condition"
                raise NotHeard(why) from None
        found = informer.get(namespace, name)
        if found is None:
            raise Missing(f'{kind} "{name}" not found')
        return contents(found)

    def _informer(self, reference: Ref) -> Informer:
        kind, namespace, name = reference
        return self._informers.get(_RESOURCES[kind], f"metadata.name={name}", namespace)

    def _on_change(self, reference: Ref, old: Obj | None, new: Obj | None) -> None:
        if old is None and new is None:
            return
        for uid in list(self._users.get(reference, ())):
            self._changed(uid)


def contents(obj: Obj) -> dict[str, bytes]:
    """Return what a ConfigMap or Secret holds, as bytes."""
    data = obj.get("data") or {}
    if obj.get("kind") == "Secret":
        return {key: base64.b64decode(value or "") for key, value in data.items()}
    found = {key: value.encode() for key, value in data.items()}
    for key, value in (obj.get("binaryData") or {}).items():
        found[key] = base64.b64decode(value)
    return found


def text_of(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def references(pod: Obj) -> set[Ref]:
    """Return every ConfigMap and Secret that the pod's environment and volumes name."""
    namespace, spec = namespace_of(pod), pod["spec"]
    found: set[Ref] = set()
    for part in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(part) or ():
            found |= _of_container(container, namespace)
    for volume in spec.get("volumes") or ():
        found |= _of_volume(volume, namespace)
    for secret in spec.get("imagePullSecrets") or ():
        if secret.get("name"):
            found.add(("secret", namespace, secret["name"]))
    return found


def _of_container(container: Obj, namespace: str) -> set[Ref]:
    found = set()
    for source in container.get("envFrom") or ():
        for field, kind in (("configMapRef", "configmap"), ("secretRef", "secret")):
            if source.get(field):
                found.add((kind, namespace, source[field].get("name") or ""))
    for entry in container.get("env") or ():
        source = entry.get("valueFrom") or {}
        for field, kind in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
            if source.get(field):
                found.add((kind, namespace, source[field].get("name") or ""))
    return found


def _of_volume(volume: Obj, namespace: str) -> set[Ref]:
    found = set()
    if "configMap" in volume:
        found.add(("configmap", namespace, volume["configMap"].get("name") or ""))
    if "secret" in volume:
        found.add(("secret", namespace, volume["secret"].get("secretName") or ""))
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "configMap" in source:
            found.add(("configmap", namespace, source["configMap"].get("name") or ""))
        if "secret" in source:
            found.add(("secret", namespace, source["secret"].get("name") or ""))
    return found
