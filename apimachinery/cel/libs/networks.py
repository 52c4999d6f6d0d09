"""IP addresses and networks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from apimachinery.cel.errors import EvalError
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.libs.addresses import refusal
from apimachinery.cel.values import Opaque
from apimachinery.gotext import quoted

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_PREFIX = re.compile("[0-9]|[1-9][0-9]{1,17}")


@dataclass(frozen=True, slots=True)
class Ip(Opaque):
    """An address."""

    address: Address
    type_name = "net.IP"

    @property
    def cost_size(self) -> int:
        return self.address.max_prefixlen // 8


@dataclass(frozen=True, slots=True)
class Cidr(Opaque):
    """An address and how many of its bits name the network."""

    address: Address
    bits: int
    type_name = "net.CIDR"

    @property
    def cost_size(self) -> int:
        return -(-self.bits // 8)

    @property
    def network(self) -> Network:
        return ipaddress.ip_network((self.address, self.bits), strict=False)


def parse_ip(text: str) -> Ip:
    """Read an address; no zones, and no IPv4 within IPv6. Raises EvalError."""
    try:
        address, zone = _address(text)
    except ValueError:
        raise EvalError(
            f"IP Address {quoted(text)} parse error during conversion from string: {refusal(text)}"
        ) from None
    if zone:
        raise EvalError(f"IP address {quoted(text)} with zone value is not allowed")
    if _is_mapped(address):
        raise EvalError(f"IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return Ip(address)


def _address(text: str) -> tuple[Address, str]:
    """Return an address and the zone behind it. Raises ValueError."""
    front, sign, zone = text.partition("%")
    if sign and (not zone or ":" not in front):
        raise ValueError(text)
    return ipaddress.ip_address(front), zone


def _is_mapped(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None


def parse_cidr(text: str) -> Cidr:
    """Read `address/bits`. Raises EvalError."""
    front, slash, bits = text.rpartition("/")
    why, address, zone = "no '/'", None, ""
    if slash:
        try:
            address, zone = _address(front)
        except ValueError:
            why = refusal(front)
    if address is not None and zone:
        address, why = None, "IPv6 zones cannot be present in a prefix"
    elif address is not None and not _PREFIX.fullmatch(bits):
        address, why = None, f"bad bits after slash: {quoted(bits)}"
    elif address is not None and int(bits) > address.max_prefixlen:
        address, why = None, "prefix length out of range"
    if address is None:
        raise EvalError(
            "network address parse error during conversion from string: "
            f"netip.ParsePrefix({quoted(text)}): {why}"
        )
    if _is_mapped(address):
        raise EvalError(f"IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return Cidr(address, int(bits))


def _reads(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    def reads(text: str) -> bool:
        try:
            parse(text)
        except EvalError:
            return False
        return True

    return reads


def _is_global(ip: Ip) -> bool:
    address = ip.address
    return not (
        address.is_unspecified
        or address.is_loopback
        or address.is_multicast
        or _is_link_local(ip)
        or str(address) == "255.255.255.255"
    )


def _is_link_local(ip: Ip) -> bool:
    address = ip.address
    within = "169.254.0.0/16" if address.version == 4 else "fe80::/10"
    return address in ipaddress.ip_network(within)


def _is_link_local_multicast(ip: Ip) -> bool:
    packed = ip.address.packed
    if ip.address.version == 4:
        return packed[:3] == b"\xe0\x00\x00"
    return packed[0] == 0xFF and packed[1] & 0x0F == 0x02


def _contains_ip(cidr: Cidr, given: Ip | str) -> bool:
    ip = given if isinstance(given, Ip) else parse_ip(given)
    return ip.address.version == cidr.address.version and ip.address in cidr.network


def _contains_cidr(cidr: Cidr, given: Cidr | str) -> bool:
    inner = given if isinstance(given, Cidr) else parse_cidr(given)
    if inner.address.version != cidr.address.version:
        return False
    return inner.bits >= cidr.bits and inner.address in cidr.network


def _masked(cidr: Cidr) -> Cidr:
    return Cidr(cidr.network.network_address, cidr.bits)


NETWORKS: list[Overload] = [
    function("ip(string) -> IP", parse_ip),
    function("isIP(string) -> bool", _reads(parse_ip)),
    function("ip.isCanonical(string) -> bool", lambda text: str(parse_ip(text).address) == text),
    function("string(IP) -> string", lambda ip: str(ip.address)),
    function("IP.family() -> int", lambda ip: ip.address.version),
    function("IP.isUnspecified() -> bool", lambda ip: ip.address.is_unspecified),
    function("IP.isLoopback() -> bool", lambda ip: ip.address.is_loopback),
    function("IP.isLinkLocalMulticast() -> bool", _is_link_local_multicast),
    function("IP.isLinkLocalUnicast() -> bool", _is_link_local),
    function("IP.isGlobalUnicast() -> bool", _is_global),
    function("cidr(string) -> CIDR", parse_cidr),
    function("isCIDR(string) -> bool", _reads(parse_cidr)),
    function("string(CIDR) -> string", lambda cidr: f"{cidr.address}/{cidr.bits}"),
    function("CIDR.containsIP(IP) -> bool", _contains_ip),
    function("CIDR.containsIP(string) -> bool", _contains_ip),
    function("CIDR.containsCIDR(CIDR) -> bool", _contains_cidr),
    function("CIDR.containsCIDR(string) -> bool", _contains_cidr),
    function("CIDR.ip() -> IP", lambda cidr: Ip(cidr.address)),
    function("CIDR.masked() -> CIDR", _masked),
    function("CIDR.prefixLength() -> int", lambda cidr: cidr.bits),
]
