"""What people should know about addresses and ranges that are accepted all the same.

Kubernetes reads some addresses more generously than others do: with leading zeros, as IPv4 inside
IPv6, or with bits set after the prefix. The texts go into Warning headers and are its own.
"""

from __future__ import annotations

import ipaddress
import re

from apimachinery.validation.field import Path
from apimachinery.validation.names import parse_cidr, parse_ip

_FUTURE = "will be considered invalid in a future Kubernetes release: use"
_RFC = "should be in RFC 5952 canonical format"
_LEADING_ZERO = re.compile(r"(^|\.)0[0-9]")


def ip_warnings(value: str, path: Path) -> list[str]:
    """Return what is odd about a valid address."""
    address = parse_ip(value)
    if address is None:
        return []
    if _is_odd(value):
        return [f'{path}: non-standard IP address "{value}" {_FUTURE} "{address}"']
    if address.version == 6 and str(address) != value:
        return [f'{path}: IPv6 address "{value}" {_RFC} ("{address}")']
    return []


def cidr_warnings(value: str, path: Path) -> list[str]:
    """Return what is odd about a valid range."""
    network, found = parse_cidr(value), []
    text, _, bits = value.partition("/")
    address = parse_ip(text)
    if network is None or address is None:
        return []
    shown = _shown(network, bits)
    if not _is_first(address, network):
        alone = f"{address}/{address.max_prefixlen}"
        found.append(
            f'{path}: CIDR value "{value}" is ambiguous in this context '
            f'(should be "{shown}" or "{alone}"?)'
        )
    if _is_odd(text):
        found.append(f'{path}: non-standard CIDR value "{value}" {_FUTURE} "{shown}"')
    if not found and network.version == 6 and shown != value:
        found.append(f'{path}: IPv6 CIDR value "{value}" {_RFC} ("{shown}")')
    return found


def _is_odd(address: str) -> bool:
    """Tell whether others would not read an address, or not as the same one."""
    if ":" not in address:
        return _LEADING_ZERO.search(address) is not None
    return ipaddress.IPv6Address(address).ipv4_mapped is not None


def _is_first(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> bool:
    if address.version == network.version:
        return address == network.network_address
    mapped = ipaddress.IPv6Address(int(network.network_address)).ipv4_mapped
    return address == mapped


def _shown(network: ipaddress.IPv4Network | ipaddress.IPv6Network, bits: str) -> str:
    """Return a range as Go prints it: IPv4 inside IPv6 loses its 96 bits."""
    if network.version == 6:
        mapped = ipaddress.IPv6Address(int(network.network_address)).ipv4_mapped
        if mapped is not None:
            return f"{mapped}/{int(bits) - 96}"
    return str(network)
