"""The cluster's names, as CoreDNS serves them: Services, headless endpoints, SRV, PTR, pods.

Objects come in through `update_*` and `delete_*`, as an informer's handlers call them; a question
is answered from tables kept by name, so it costs the same in a large cluster. Names outside of the
cluster's domain do not exist here: nothing in a playground reaches the real internet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address
from typing import Any, NamedTuple

Obj = dict[str, Any]


class Rcode(StrEnum):
    NOERROR = "NOERROR"
    NXDOMAIN = "NXDOMAIN"


class Record(NamedTuple):
    """One line of an answer; data is an address, a name, or "priority weight port name"."""

    name: str
    type: str
    data: str


@dataclass(slots=True, frozen=True)
class Answer:
    rcode: Rcode
    records: tuple[Record, ...] = ()

    def addresses(self) -> list[str]:
        return [record.data for record in self.records if record.type == "A"]


@dataclass(slots=True, frozen=True)
class ResolvConf:
    """What a pod's /etc/resolv.conf says."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    ndots: int = 1

    @classmethod
    def of(
        cls, servers: Iterable[str], searches: Iterable[str], options: Iterable[str]
    ) -> ResolvConf:
        """Read the three lists of a pod's DNS configuration."""
        ndots = 1
        for option in options:
            key, _, value = option.partition(":")
            if key == "ndots" and value.isdigit():
                ndots = min(int(value), 15)
        return cls(tuple(servers), tuple(searches), ndots)

    def candidates(self, name: str) -> list[str]:
        """Return the full names to ask for, in the order in which libc asks."""
        if name.endswith("."):
            return [name[:-1]]
        searched = [f"{name}.{search.strip('.')}" for search in self.searches if search.strip(".")]
        return [name, *searched] if name.count(".") >= self.ndots else [*searched, name]


class _Endpoint(NamedTuple):
    ip: str
    hostname: str


@dataclass(slots=True)
class _Service:
    ips: tuple[str, ...] = ()
    headless: bool = False
    external_name: str = ""
    # (port name, protocol in lower case) -> number
    ports: dict[tuple[str, str], int] = field(default_factory=dict)
    publish_not_ready: bool = False


@dataclass(slots=True)
class _Slice:
    owner: str
    ready: tuple[_Endpoint, ...]
    all: tuple[_Endpoint, ...]
    ports: dict[tuple[str, str], int]


class ClusterDNS:
    """One cluster's zone."""

    def __init__(self, domain: str = "cluster.local") -> None:
        self.domain = domain
        self._services: dict[str, _Service] = {}
        self._slices: dict[str, _Slice] = {}
        self._slices_of: dict[str, set[str]] = {}
        self._names: dict[str, str] = {}  # cluster IP -> service key, for PTR

    # -- objects ---------------------------------------------------------------------------------

    def update_service(self, service: Obj) -> None:
        """Take a Service as it is now."""
        key = _key(service)
        self.delete_service(service)
        spec = service.get("spec") or {}
        ips = tuple(spec.get("clusterIPs") or filter(None, (spec.get("clusterIP"),)))
        external = spec.get("externalName", "") if spec.get("type") == "ExternalName" else ""
        headless = "None" in ips
        self._services[key] = _Service(
            ips=() if headless else ips,
            headless=headless,
            external_name=external.rstrip("."),
            ports={
                (port.get("name", ""), port.get("protocol", "TCP").lower()): port["port"]
                for port in spec.get("ports") or ()
            },
            publish_not_ready=bool(spec.get("publishNotReadyAddresses")),
        )
        for ip in self._services[key].ips:
            self._names[ip] = key

    def delete_service(self, service: Obj) -> None:
        """Forget a Service; fine if it is not known."""
        key = _key(service)
        old = self._services.pop(key, None)
        for ip in old.ips if old else ():
            self._names.pop(ip, None)

    def update_endpointslice(self, endpointslice: Obj) -> None:
        """Take an EndpointSlice as it is now."""
        key = _key(endpointslice)
        self.delete_endpointslice(endpointslice)
        meta = endpointslice["metadata"]
        name = (meta.get("labels") or {}).get("kubernetes.io/service-name", "")
        if not name:
            return
        owner = f"{meta.get('namespace', '')}/{name}"
        every: list[_Endpoint] = []
        ready: list[_Endpoint] = []
        for endpoint in endpointslice.get("endpoints") or ():
            found = [
                _Endpoint(ip, endpoint.get("hostname") or ip.replace(".", "-"))
                for ip in endpoint.get("addresses") or ()
            ]
            every += found
            if (endpoint.get("conditions") or {}).get("ready", True):
                ready += found
        ports = {
            (port.get("name") or "", (port.get("protocol") or "TCP").lower()): port["port"]
            for port in endpointslice.get("ports") or ()
            if port.get("port")
        }
        self._slices[key] = _Slice(owner, tuple(ready), tuple(every), ports)
        self._slices_of.setdefault(owner, set()).add(key)

    def delete_endpointslice(self, endpointslice: Obj) -> None:
        """Forget an EndpointSlice; fine if it is not known."""
        key = _key(endpointslice)
        old = self._slices.pop(key, None)
        if old is not None:
            keys = self._slices_of[old.owner]
            keys.discard(key)
            if not keys:
                del self._slices_of[old.owner]

    # -- questions -------------------------------------------------------------------------------

    def lookup(self, name: str, qtype: str = "A") -> Answer:
        """Answer one question about one full name."""
        name = name.rstrip(".").lower()
        if qtype == "PTR" or name.endswith(".in-addr.arpa"):
            return self._reverse(name)
        suffix = f".{self.domain}"
        if not name.endswith(suffix):
            return _NOTHING
        labels = name[: -len(suffix)].split(".")
        if labels[-1] == "svc":
            return self._in_services(name, labels[:-1], qtype)
        if labels[-1] == "pod" and len(labels) == 3:
            return _pod(name, labels[0], qtype)
        return _NOTHING

    def resolve(self, name: str, conf: ResolvConf) -> tuple[str, Answer]:
        """Go through the search path; return the name that answered, and its answer."""
        answer = _NOTHING
        full = name
        for full in conf.candidates(name):
            answer = self.lookup(full)
            if answer.rcode is Rcode.NOERROR and answer.records:
                return full, answer
        return full, answer

    def _in_services(self, name: str, labels: list[str], qtype: str) -> Answer:
        if len(labels) < 2:
            return Answer(Rcode.NOERROR) if not labels else self._namespace(labels[0])
        key = f"{labels[-1]}/{labels[-2]}"
        service = self._services.get(key)
        if service is None:
            return _NOTHING
        below = labels[:-2]
        if service.external_name:
            return self._external(name, service, qtype) if not below else _NOTHING
        if len(below) == 2 and below[0].startswith("_") and below[1].startswith("_"):
            return self._srv(name, key, service, (below[0][1:], below[1][1:]))
        return self._addresses(name, key, service, below, qtype)

    def _namespace(self, namespace: str) -> Answer:
        known = any(key.startswith(f"{namespace}/") for key in self._services)
        return Answer(Rcode.NOERROR) if known else _NOTHING

    def _addresses(
        self, name: str, key: str, service: _Service, below: list[str], qtype: str
    ) -> Answer:
        if not service.headless:
            ips = list(service.ips) if not below else []
        elif not below:
            ips = sorted({endpoint.ip for endpoint in self._endpoints(key, service)})
        else:
            ips = [
                endpoint.ip
                for endpoint in self._endpoints(key, service)
                if len(below) == 1 and endpoint.hostname == below[0]
            ]
        if not ips:
            return _NOTHING
        if qtype == "SRV" and not below:
            return self._srv(name, key, service, None)
        kind = "AAAA" if qtype == "AAAA" else "A"
        chosen = [ip for ip in ips if (":" in ip) == (kind == "AAAA")]
        return Answer(Rcode.NOERROR, tuple(Record(name, kind, ip) for ip in chosen))

    def _endpoints(self, key: str, service: _Service) -> list[_Endpoint]:
        found: list[_Endpoint] = []
        for slice_key in sorted(self._slices_of.get(key, ())):
            part = self._slices[slice_key]
            found += part.all if service.publish_not_ready else part.ready
        return found

    def _srv(
        self, name: str, key: str, service: _Service, wanted: tuple[str, str] | None
    ) -> Answer:
        namespace, _, service_name = key.partition("/")
        zone = f"{service_name}.{namespace}.svc.{self.domain}"
        targets: list[tuple[int, str]] = []
        if not service.headless:
            targets = [
                (port, zone) for name_, port in service.ports.items() if wanted in (None, name_)
            ]
        else:
            for slice_key in sorted(self._slices_of.get(key, ())):
                part = self._slices[slice_key]
                ready = part.all if service.publish_not_ready else part.ready
                targets += [
                    (port, f"{endpoint.hostname}.{zone}")
                    for name_, port in part.ports.items()
                    if wanted in (None, name_)
                    for endpoint in ready
                ]
        if not targets:
            return _NOTHING
        weight = max(1, 100 // len(targets))
        return Answer(
            Rcode.NOERROR,
            tuple(Record(name, "SRV", f"0 {weight} {port} {target}.") for port, target in targets),
        )

    def _external(self, name: str, service: _Service, qtype: str) -> Answer:
        alias = Record(name, "CNAME", f"{service.external_name}.")
        if qtype == "CNAME":
            return Answer(Rcode.NOERROR, (alias,))
        target = service.external_name
        # An alias of an alias is followed once: loops end here.
        inner = self.lookup(target, qtype) if not self._is_external(target) else _NOTHING
        return Answer(Rcode.NOERROR, (alias, *inner.records))

    def _is_external(self, name: str) -> bool:
        labels = name.split(".")
        service = self._services.get(f"{labels[1]}/{labels[0]}") if len(labels) > 1 else None
        return service is not None and bool(service.external_name)

    def _reverse(self, name: str) -> Answer:
        ip = ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
        key = self._names.get(ip)
        if key is not None:
            namespace, _, service = key.partition("/")
            target = f"{service}.{namespace}.svc.{self.domain}."
            return Answer(Rcode.NOERROR, (Record(name, "PTR", target),))
        for part in self._slices.values():
            for endpoint in part.ready:
                if endpoint.ip == ip:
                    namespace, _, service = part.owner.partition("/")
                    target = f"{endpoint.hostname}.{service}.{namespace}.svc.{self.domain}."
                    return Answer(Rcode.NOERROR, (Record(name, "PTR", target),))
        return _NOTHING


_NOTHING = Answer(Rcode.NXDOMAIN)


def _key(obj: Obj) -> str:
    meta = obj["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"


def _pod(name: str, dashed: str, qtype: str) -> Answer:
    try:
        ip = str(IPv4Address(dashed.replace("-", ".")))
    except AddressValueError:
        return _NOTHING
    return Answer(Rcode.NOERROR, (Record(name, "A", ip),) if qtype == "A" else ())
