"""core/v1: pods and what they need, and the older kinds that have no group."""

from __future__ import annotations

from apiserver.registry.core.bindings import BINDINGS
from apiserver.registry.core.componentstatuses import COMPONENTSTATUSES
from apiserver.registry.core.configmaps import CONFIGMAPS
from apiserver.registry.core.endpoints import ENDPOINTS
from apiserver.registry.core.events import EVENTS
from apiserver.registry.core.limitranges import LIMITRANGES
from apiserver.registry.core.namespaces import NAMESPACES
from apiserver.registry.core.nodes import NODES
from apiserver.registry.core.persistentvolumeclaims import PERSISTENTVOLUMECLAIMS
from apiserver.registry.core.persistentvolumes import PERSISTENTVOLUMES
from apiserver.registry.core.pods import PODS
from apiserver.registry.core.podtemplates import PODTEMPLATES
from apiserver.registry.core.replicationcontrollers import REPLICATIONCONTROLLERS
from apiserver.registry.core.resourcequotas import RESOURCEQUOTAS
from apiserver.registry.core.secrets import SECRETS
from apiserver.registry.core.serviceaccounts import SERVICEACCOUNTS
from apiserver.registry.core.services import SERVICES
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    BINDINGS,
    COMPONENTSTATUSES,
    CONFIGMAPS,
    ENDPOINTS,
    EVENTS,
    LIMITRANGES,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    PODTEMPLATES,
    REPLICATIONCONTROLLERS,
    RESOURCEQUOTAS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
)
