"""Ingresses, network policies and service addresses: networking.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy
from apiserver.registry.table import AGE, NAME, field, joined

_GROUP = GroupVersion("networking.k8s.io", "v1")


class IngressClassStrategy(Strategy):
    """The structure of a IngressClass alone is checked."""

    has_generation = True


INGRESSCLASSES = Resource(
    kind=_GROUP.kind("IngressClass"),
    plural="ingressclasses",
    singular="ingressclass",
    namespaced=False,
    strategy=IngressClassStrategy(),
    columns=(
        NAME,
        Column("Controller", field("spec.controller")),
        AGE,
    ),
)


class IngressStrategy(Strategy):
    """The structure of a Ingress alone is checked."""

    has_generation = True


_INGRESSES = IngressStrategy()
INGRESSES = Resource(
    kind=_GROUP.kind("Ingress"),
    plural="ingresses",
    singular="ingress",
    short=("ing",),
    strategy=_INGRESSES,
    subresources={"status": Subresource(strategy=StatusStrategy(_INGRESSES))},
    columns=(
        NAME,
        AGE,
    ),
)

IPADDRESSES = Resource(
    kind=_GROUP.kind("IPAddress"),
    plural="ipaddresses",
    singular="ipaddress",
    namespaced=False,
    short=("ip",),
    strategy=Strategy(),
    columns=(NAME,),
)


class NetworkPolicyStrategy(Strategy):
    """The structure of a NetworkPolicy alone is checked."""

    has_generation = True


NETWORKPOLICIES = Resource(
    kind=_GROUP.kind("NetworkPolicy"),
    plural="networkpolicies",
    singular="networkpolicy",
    short=("netpol",),
    strategy=NetworkPolicyStrategy(),
    columns=(
        NAME,
        AGE,
    ),
)

_SERVICECIDRS = Strategy()
SERVICECIDRS = Resource(
    kind=_GROUP.kind("ServiceCIDR"),
    plural="servicecidrs",
    singular="servicecidr",
    namespaced=False,
    strategy=_SERVICECIDRS,
    subresources={"status": Subresource(strategy=StatusStrategy(_SERVICECIDRS))},
    columns=(
        NAME,
        Column("CIDRs", joined("spec.cidrs")),
        AGE,
    ),
)

RESOURCES: tuple[Resource, ...] = (
    INGRESSCLASSES,
    INGRESSES,
    IPADDRESSES,
    NETWORKPOLICIES,
    SERVICECIDRS,
)
