"""Services: a name and an address for pods that come and go."""

from __future__ import annotations

from apimachinery.gvk import CORE_V1, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.services import service_addresses
from apimachinery.validation.field import FieldErrors, Path
from apimachinery.validation.names import is_dns1123_label
from apiserver.registry.core import servicevalues as values
from apiserver.registry.core.allocators import NODE_PORTS, SERVICE_IPS, owner_of, service_ports
from apiserver.registry.core.serviceaddresses import companions
from apiserver.registry.core.serviceallocation import Allocation
from apiserver.registry.core.servicevalidation import (
    load_balancer_status_errors,
    service_errors,
    update_errors,
)
from apiserver.registry.core.servicewarnings import service_warnings
from apiserver.registry.podspec.workload import format_labels, keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import (
    Companion,
    MetadataCheck,
    StatusStrategy,
    Strategy,
    StrategyContext,
)
from apiserver.registry.table import AGE, NAME, dig, field

_SPEC = Path("spec")
# Three hours: how long a client stays with a pod by default.
_AFFINITY_SECONDS = 10800


class ServiceStrategy(Strategy):
    """Addresses and node ports come from the cluster's ledgers; once given they stay."""

    metadata_checks = (MetadataCheck.CHANGES, MetadataCheck.WHOLE)
    allow_create_on_update = True
    returns_deleted = True
    name_rule = staticmethod(is_dns1123_label)

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        _default_affinity(spec)
        if not spec.get("type"):
            spec["type"] = "ClusterIP"
        for port in spec.get("ports") or ():
            if not port.get("protocol"):
                port["protocol"] = "TCP"
            if not port.get("targetPort"):
                port["targetPort"] = port.get("port") or 0
        if values.externally_accessible(spec) and not spec.get("externalTrafficPolicy"):
            spec["externalTrafficPolicy"] = "Cluster"
        if spec.get("internalTrafficPolicy") is None and values.needs_address(spec):
            spec["internalTrafficPolicy"] = "Cluster"
        if spec["type"] == "LoadBalancer":
            _default_balancer(obj, spec)

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {"loadBalancer": {}}
        values.sync_cluster_ips(obj["spec"], None)
        self._allocate(obj, None, ctx)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)
        values.adopt(new["spec"], old["spec"])
        values.sync_cluster_ips(new["spec"], old["spec"])
        values.drop_by_type(new["spec"], old["spec"])
        self._allocate(new, old, ctx)

    def _allocate(self, new: Obj, old: Obj | None, ctx: StrategyContext) -> None:
        allocation = Allocation(new, old, ctx)
        allocation.choose()
        # What is wrong is reported by validation; nothing is taken for it.
        wrong = any(service_errors(new)) or (old is not None and any(update_errors(new, old)))
        if not ctx.dry_run and not wrong:
            allocation.take()

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from service_errors(obj)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from update_errors(new, old)
        yield from service_errors(new)

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        return list(service_warnings(obj))

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return list(service_warnings(new))

    def companions(self, new: Obj | None, old: Obj | None) -> list[Companion]:
        return companions(new, old)

    def after_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        _free_ports(set(service_ports(old)) - set(service_ports(new)), old, ctx)

    def after_delete(self, obj: Obj, ctx: StrategyContext) -> None:
        if SERVICE_IPS not in ctx.allocators:
            return
        for address in service_addresses(obj):
            ctx.allocators[SERVICE_IPS].forget(address, owner_of(obj))
        # What could not be created may have the name, and the ports, of one that is there.
        there = ctx.objects.get("services", *owner_of(obj))
        kept = set() if there is None else set(service_ports(there))
        _free_ports(set(service_ports(obj)) - kept, obj, ctx)


def _free_ports(ports: set[int], service: Obj, ctx: StrategyContext) -> None:
    for port in ports if NODE_PORTS in ctx.allocators else ():
        ctx.allocators[NODE_PORTS].ledger.forget(port, owner_of(service))


def _default_affinity(spec: Obj) -> None:
    affinity = spec.get("sessionAffinity")
    if not affinity:
        affinity = spec["sessionAffinity"] = "None"
    if affinity == "None":
        spec.pop("sessionAffinityConfig", None)
    elif affinity == "ClientIP":
        config = spec.get("sessionAffinityConfig") or {}
        if (config.get("clientIP") or {}).get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _AFFINITY_SECONDS}}


def _default_balancer(service: Obj, spec: Obj) -> None:
    if spec.get("allocateLoadBalancerNodePorts") is None:
        spec["allocateLoadBalancerNodePorts"] = True
    for ingress in dig(service, ("status", "loadBalancer", "ingress")) or ():
        if ingress.get("ip") and ingress.get("ipMode") is None:
            ingress["ipMode"] = "VIP"


class ServiceStatusStrategy(StatusStrategy):
    """Whoever provides load balancers writes their addresses here."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from load_balancer_status_errors(new, Path("status") / "loadBalancer")


def _cluster_ip(obj: Obj, now: float) -> str:
    addresses = obj["spec"].get("clusterIPs")
    if addresses:
        return str(addresses[0])
    return obj["spec"].get("clusterIP") or "<none>"


def _external_ip(obj: Obj, now: float) -> str:
    spec = obj["spec"]
    external = ",".join(spec.get("externalIPs") or ())
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or ""
    if spec.get("type") != "LoadBalancer":
        return external or "<none>"
    balanced = _ingress(obj)
    return ",".join(part for part in (balanced, external) if part) or "<pending>"


def _ingress(obj: Obj) -> str:
    found = {
        ingress.get("ip") or ingress.get("hostname")
        for ingress in dig(obj, ("status", "loadBalancer", "ingress")) or ()
    }
    return ",".join(sorted(text for text in found if text))


def _ports(obj: Obj, now: float) -> str:
    shown = []
    for port in obj["spec"].get("ports") or ():
        number = f"{port['port']}:{port['nodePort']}" if port.get("nodePort") else str(port["port"])
        shown.append(f"{number}/{port.get('protocol') or 'TCP'}")
    return ",".join(shown) or "<none>"


def _selector(obj: Obj, now: float) -> str:
    return format_labels(obj["spec"].get("selector"))


_STRATEGY = ServiceStrategy()
SERVICES = Resource(
    kind=CORE_V1.kind("Service"),
    plural="services",
    short=("svc",),
    categories=("all",),
    strategy=_STRATEGY,
    subresources={
        "proxy": Subresource(
            verbs=("create", "delete", "get", "patch", "update"),
            kind=GroupVersionKind("", "v1", "ServiceProxyOptions"),
        ),
        "status": Subresource(strategy=ServiceStatusStrategy(_STRATEGY)),
    },
    selectable={
        "spec.clusterIP": lambda obj: obj["spec"].get("clusterIP") or "",
        "spec.type": lambda obj: obj["spec"].get("type") or "",
    },
    columns=(
        NAME,
        Column("Type", field("spec.type")),
        Column("Cluster-IP", _cluster_ip),
        Column("External-IP", _external_ip),
        Column("Port(s)", _ports),
        AGE,
        Column("Selector", _selector, priority=1),
    ),
)
