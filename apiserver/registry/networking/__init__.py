"""Ingresses, network policies and service addresses: networking.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.networking.ingressclasses import INGRESSCLASSES
from apiserver.registry.networking.ingresses import INGRESSES
from apiserver.registry.networking.ipaddresses import IPADDRESSES
from apiserver.registry.networking.networkpolicies import NETWORKPOLICIES
from apiserver.registry.networking.servicecidrs import SERVICECIDRS
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    INGRESSCLASSES,
    INGRESSES,
    IPADDRESSES,
    NETWORKPOLICIES,
    SERVICECIDRS,
)
