"""Every namespace has a ServiceAccount `default`, and gets it back if it is deleted."""

from __future__ import annotations

from apimachinery.errors import AlreadyExists, ApiError
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of
from nodes.client.controller import DONE, Mapped, Result
from nodes.client.lister import Key
from nodes.client.resources import NAMESPACES, SERVICEACCOUNTS
from nodes.controllers.common.base import ManagedController
from nodes.controllers.common.refusals import is_terminating

DEFAULT = "default"


def _namespace_of_default(controller: ServiceAccountController, account: Obj) -> list[Key]:
    del controller
    return [Key("", namespace_of(account))] if name_of(account) == DEFAULT else []


class ServiceAccountController(ManagedController):
    """Keys are namespaces."""

    name = "serviceaccount-controller"
    service_account = "service-account-controller"
    component = "serviceaccount-controller"
    reconciles = NAMESPACES
    watches = (Mapped(SERVICEACCOUNTS, _namespace_of_default),)

    async def reconcile(self, key: Key) -> Result:
        namespace = self.informer(NAMESPACES).get("", key.name)
        if namespace is None or is_deleting(namespace):
            return DONE
        if self.informer(SERVICEACCOUNTS).get(key.name, DEFAULT) is not None:
            return DONE
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": DEFAULT, "namespace": key.name},
        }
        try:
            await self.client.create(account, SERVICEACCOUNTS)
        except AlreadyExists:
            return DONE
        except ApiError as error:
            if not is_terminating(error):
                raise
        return DONE
