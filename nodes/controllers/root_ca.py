"""Every namespace has a ConfigMap kube-root-ca.crt, by which pods know the API server."""

from __future__ import annotations

from apimachinery.errors import AlreadyExists, ApiError
from apimachinery.meta import Obj, annotations_of, is_deleting, name_of, namespace_of
from nodes.client.controller import DONE, Mapped, Result
from nodes.client.lister import Key
from nodes.client.resources import CONFIGMAPS, NAMESPACES
from nodes.controllers.common.base import ManagedController
from nodes.controllers.common.refusals import is_terminating

NAME = "kube-root-ca.crt"
_DESCRIPTION = "kubernetes.io/description"
_TEXT = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal"
    " endpoints such as the internal service IP or kubernetes.default.svc. No other usage is"
    " guaranteed across distributions of Kubernetes clusters."
)


def _namespace_of_bundle(controller: RootCAPublisher, configmap: Obj) -> list[Key]:
    del controller
    return [Key("", namespace_of(configmap))] if name_of(configmap) == NAME else []


class RootCAPublisher(ManagedController):
    """Keys are namespaces."""

    name = "root-ca-certificate-publisher-controller"
    service_account = "root-ca-cert-publisher"
    component = "root-ca-cert-publisher"
    reconciles = NAMESPACES
    watches = (Mapped(CONFIGMAPS, _namespace_of_bundle),)

    async def reconcile(self, key: Key) -> Result:
        namespace = self.informer(NAMESPACES).get("", key.name)
        if namespace is None or is_deleting(namespace):
            return DONE
        found = self.informer(CONFIGMAPS).get(key.name, NAME)
        data = {"ca.crt": self.manager.root_ca}
        if found is None:
            await self._create(key.name, data)
        elif found.get("data") != data or annotations_of(found).get(_DESCRIPTION) != _TEXT:
            annotations = annotations_of(found) | {_DESCRIPTION: _TEXT}
            metadata = {**found["metadata"], "annotations": annotations}
            await self.client.update({**found, "metadata": metadata, "data": data})
        return DONE

    async def _create(self, namespace: str, data: dict[str, str]) -> None:
        metadata = {"name": NAME, "namespace": namespace, "annotations": {_DESCRIPTION: _TEXT}}
        configmap = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        try:
            await self.client.create(configmap, CONFIGMAPS)
        except AlreadyExists:
            return
        except ApiError as error:
            if not is_terminating(error):
                raise
