"""What a Service is given: IP families, cluster addresses, node ports; and what it lets go.

The values are chosen before validation, as Kubernetes does; nothing is taken for a Service that
would be refused, or in a dry run.
"""

from __future__ import annotations

from typing import Any

from apimachinery.errors import InternalError, Invalid
from apimachinery.gvk import GroupKind
from apimachinery.meta import Obj, name_of
from apimachinery.validation.field import FieldError, Path, invalid
from apimachinery.validation.names import parse_ip
from apiserver.registry.core.allocators import (
    NODE_PORTS,
    SERVICE_IPS,
    AddressRange,
    Exhausted,
    Holds,
    Owner,
    PortRange,
    Taken,
    open_allocators,
    owner_of,
    service_addresses,
    service_ports,
)
from apiserver.registry.strategy import StrategyContext

_SPEC = Path("spec")
_KIND = GroupKind("", "Service")
_WITH_ADDRESS = ("ClusterIP", "NodePort", "LoadBalancer")


def needs_address(spec: Obj) -> bool:
    return spec.get("type") in _WITH_ADDRESS


def needs_node_ports(spec: Obj) -> bool:
    if spec.get("type") == "LoadBalancer":
        return spec.get("allocateLoadBalancerNodePorts") is not False
    return spec.get("type") == "NodePort"


def needs_health_port(spec: Obj) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def is_headless(spec: Obj) -> bool:
    return spec.get("clusterIPs") == ["None"]


def externally_accessible(spec: Obj) -> bool:
    """Tell whether a Service can be reached from outside of the cluster."""
    if spec.get("type") in ("LoadBalancer", "NodePort"):
        return True
    return spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs"))


def sync_cluster_ips(new: Obj, old: Obj | None) -> None:
    """Keep clusterIP and clusterIPs in step, whichever of the two a client knows."""
    if old is None:
        if new.get("clusterIP") and not new.get("clusterIPs"):
            new["clusterIPs"] = [new["clusterIP"]]
        return
    before, after = old.get("clusterIP") or "", new.get("clusterIP") or ""
    if after == before:
        return
    if (new.get("clusterIPs") or []) == (old.get("clusterIPs") or []):
        if after:
            new["clusterIPs"] = [after]
        else:
            new.pop("clusterIPs", None)


def adopt(new: Obj, old: Obj) -> None:
    """Fill in what an update left out and the Service already has."""
    if needs_address(new) and needs_address(old):
        _adopt_address(new, old)
    if needs_node_ports(new) and needs_node_ports(old):
        _adopt_ports(new.get("ports") or (), old.get("ports") or ())
    health = old.get("healthCheckNodePort")
    if health and needs_health_port(new) and needs_health_port(old):
        new["healthCheckNodePort"] = new.get("healthCheckNodePort") or health


def _adopt_address(new: Obj, old: Obj) -> None:
    if not new.get("clusterIP") and old.get("clusterIP"):
        new["clusterIP"] = old["clusterIP"]
    same = new.get("clusterIP") == old.get("clusterIP")
    if same and not new.get("clusterIPs") and old.get("clusterIPs"):
        new["clusterIPs"] = list(old["clusterIPs"])


def _adopt_ports(new: Any, old: Any) -> None:
    used = {p.get("nodePort") for p in old} & {p.get("nodePort") for p in new}
    by_name = {p.get("name") or "": p.get("nodePort") for p in old}
    for port in new:
        known = by_name.get(port.get("name") or "")
        if not port.get("nodePort") and known and known not in used:
            port["nodePort"] = known
            used.add(known)


def drop_by_type(new: Obj, old: Obj) -> None:
    """Drop what the new type has no use for, unless this very update sets it."""
    if needs_address(old) and not needs_address(new):
        _drop_same(new, old, ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"))
    if needs_node_ports(old) and not needs_node_ports(new):
        ports, before = new.get("ports") or (), old.get("ports") or ()
        if [p.get("nodePort") for p in ports] == [p.get("nodePort") for p in before]:
            for port in ports:
                port.pop("nodePort", None)
    if needs_health_port(old) and not needs_health_port(new):
        _drop_same(new, old, ("healthCheckNodePort",))
    if old.get("type") == "LoadBalancer" and new.get("type") != "LoadBalancer":
        _drop_same(new, old, ("allocateLoadBalancerNodePorts", "loadBalancerClass"))
    if externally_accessible(old) and not externally_accessible(new):
        _drop_same(new, old, ("externalTrafficPolicy",))
    if needs_address(old) and new.get("type") == "ExternalName":
        _drop_same(new, old, ("internalTrafficPolicy",))


def _drop_same(new: Obj, old: Obj, names: tuple[str, ...]) -> None:
    for name in names:
        if new.get(name) == old.get(name):
            new.pop(name, None)


def _refuse(service: Obj, *errors: FieldError) -> Invalid:
    return Invalid(_KIND, name_of(service), errors)


def init_families(service: Obj, old: Obj | None) -> None:
    """Choose the IP families, and the policy about how many. Raises Invalid."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return
    headless_alone = spec.get("clusterIP") == "None" and not spec.get("selector")
    if spec.get("ipFamilyPolicy") is None:
        before = (old or {}).get("spec", {}).get("ipFamilyPolicy")
        spec["ipFamilyPolicy"] = before or ("RequireDualStack" if headless_alone else "SingleStack")
    policy, path = spec["ipFamilyPolicy"], _SPEC / "ipFamilyPolicy"
    if policy == "SingleStack" and old is not None:
        _shrink(spec, old["spec"])
    addresses, families = spec.get("clusterIPs") or [], list(spec.get("ipFamilies") or ())
    errors = list(_family_errors(policy, addresses, families, path))
    for at, address in enumerate(addresses):
        parsed = parse_ip(address)
        if parsed is None or at < len(families):
            continue
        if parsed.version == 6:
            errors.append(
                invalid(
                    (_SPEC / "clusterIPs")[at],
                    addresses,
                    "IPv6 is not configured on this cluster",
                )
            )
        else:
            families.append("IPv4")
    if errors:
        raise _refuse(service, *errors)
    if headless_alone:
        families = families or ["IPv4"]
        if len(families) == 1 and policy != "SingleStack":
            families.append("IPv6" if families[0] == "IPv4" else "IPv4")
    else:
        families = _configured(service, policy, families)
    spec["ipFamilies"] = families


def _shrink(new: Obj, old: Obj) -> None:
    """A Service that goes back to one family keeps the first of each list."""
    for name in ("clusterIPs", "ipFamilies"):
        if new.get(name) == old.get(name) and len(new.get(name) or ()) > 1:
            new[name] = new[name][:1]


def _family_errors(
    policy: str, addresses: list[str], families: list[str], path: Path
) -> list[FieldError]:
    if policy != "SingleStack":
        return []
    words = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"
    errors = []
    if len(addresses) == 2:
        errors.append(invalid(path, policy, words.format("cluster IPs")))
    if len(families) == 2:
        errors.append(invalid(path, policy, words.format("IP families")))
    return errors


def _configured(service: Obj, policy: str, families: list[str]) -> list[str]:
    """Check what was asked for against what this cluster has: IPv4 alone."""
    errors = []
    if policy == "RequireDualStack":
        errors.append(
            invalid(
                _SPEC / "ipFamilyPolicy",
                policy,
                "this cluster is not configured for dual-stack services",
            )
        )
    errors += [
        invalid((_SPEC / "ipFamilies")[at], family, "not configured on this cluster")
        for at, family in enumerate(families)
        if family != "IPv4"
    ]
    if errors:
        raise _refuse(service, *errors)
    return families or ["IPv4"]


class Allocation:
    """Chooses the values of one Service, and takes them once it is known to be right."""

    def __init__(self, service: Obj, ctx: StrategyContext) -> None:
        allocators = ctx.allocators
        if SERVICE_IPS not in allocators:
            allocators = open_allocators(ctx.objects.list("services"))
        self.addresses: AddressRange = allocators[SERVICE_IPS]
        self.ports: PortRange = allocators[NODE_PORTS]
        self.service = service
        # A namespace may still be missing from the object itself.
        self.owner: Owner = (owner_of(service)[0] or ctx.namespace, name_of(service))
        self.now = ctx.clock.seconds()
        self._objects = ctx.objects

    def choose(self) -> None:
        """Fill in free values where none are asked for. Raises Invalid where one is taken."""
        spec = self.service["spec"]
        if needs_address(spec) and not is_headless(spec):
            self._choose_address(spec)
        if needs_node_ports(spec):
            self._choose_ports(spec)
        else:
            for port in spec.get("ports") or ():
                if port.get("nodePort") == 0:
                    del port["nodePort"]
        if needs_health_port(spec):
            self._choose_health_port(spec)

    def take(self) -> None:
        """Enter all values into the ledgers."""
        for address in service_addresses(self.service):
            self.addresses.ledger.record(self.addresses.number(address), self.owner, self.now)
        for port in service_ports(self.service):
            self.ports.ledger.record(port, self.owner, self.now)

    def _choose_address(self, spec: Obj) -> None:
        given = spec.get("clusterIPs") or []
        if given:
            for address in given:
                if parse_ip(address) is not None:
                    self._check_address(address, given)
            return
        try:
            number = self.addresses.ledger.any_free(self.owner, self.now, self._address_held())
        except Exhausted as error:
            raise InternalError(f"failed to allocate a serviceIP: {error}") from error
        spec["clusterIP"] = self.addresses.text(number)
        spec["clusterIPs"] = [spec["clusterIP"]]

    def _check_address(self, address: str, given: list[str]) -> None:
        ledger, why = self.addresses.ledger, ""
        try:
            number = self.addresses.number(address)
        except Taken as error:
            why = str(error)
        else:
            if ledger.is_taken(number, self.owner, self.now, self._address_held()):
                why = "provided IP is already allocated"
        if why:
            text = f"failed to allocate IP {address}: {why}"
            raise _refuse(self.service, invalid(_SPEC / "clusterIPs", given, text))

    def _choose_ports(self, spec: Obj) -> None:
        by_port: dict[int, list[tuple[str, int]]] = {}
        for at, port in enumerate(spec.get("ports") or ()):
            path = (_SPEC / "ports")[at] / "nodePort"
            shared = by_port.setdefault(port.get("port") or 0, [])
            protocol = port.get("protocol") or "TCP"
            if port.get("nodePort"):
                self._check_port(port["nodePort"], path)
            else:
                port["nodePort"] = self._same_port(shared, protocol) or self._free_port()
            shared.append((protocol, port["nodePort"]))

    @staticmethod
    def _same_port(shared: list[tuple[str, int]], protocol: str) -> int:
        """Give one node port to TCP and UDP of the same port, as DNS needs it."""
        if any(known == protocol for known, _ in shared):
            return 0
        return shared[0][1] if shared else 0

    def _choose_health_port(self, spec: Obj) -> None:
        if port := spec.get("healthCheckNodePort"):
            self._check_port(port, _SPEC / "healthCheckNodePort")
        else:
            spec["healthCheckNodePort"] = self._free_port()

    def _free_port(self) -> int:
        chosen = set(service_ports(self.service))
        ledger = self.ports.ledger
        for _ in range(len(chosen) + 1):
            try:
                port = ledger.any_free(self.owner, self.now, self._port_held())
            except Exhausted as error:
                raise InternalError(f"failed to allocate a nodePort: {error}") from error
            if port not in chosen:
                return port
        # All draws met the Service's own ports: take the next one that is free.
        return next(
            port
            for port in range(ledger.low, ledger.high + 1)
            if port not in chosen
            and not ledger.is_taken(port, self.owner, self.now, self._port_held())
        )

    def _check_port(self, port: int, path: Path) -> None:
        ledger, why = self.ports.ledger, ""
        try:
            number = self.ports.number(port)
        except Taken as error:
            why = str(error)
        else:
            if ledger.is_taken(number, self.owner, self.now, self._port_held()):
                why = "provided port is already allocated"
        if why:
            raise _refuse(self.service, invalid(path, port, why))

    def _address_held(self) -> Holds:
        def holds(owner: Owner, number: int) -> bool:
            service = self._objects.get("services", *owner)
            return service is not None and self.addresses.text(number) in service_addresses(service)

        return holds

    def _port_held(self) -> Holds:
        def holds(owner: Owner, port: int) -> bool:
            service = self._objects.get("services", *owner)
            return service is not None and port in service_ports(service)

        return holds
