"""What a name may look like: each rule takes a string and returns what is wrong with it.

An empty list means that the value is good. The sentences are those of
k8s.io/apimachinery/pkg/util/validation, character by character, since clients show them.
Lengths are counted in bytes, as Go counts them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import TypeAlias

from apimachinery.caching import kept_if_short

Rule: TypeAlias = Callable[[str], list[str]]

SUBDOMAIN_MAX = 253
LABEL_MAX = 63

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
    "'-' or '.', and must start and end with an alphanumeric character"
)
_UNDERSCORE_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_UNDERSCORE_SUBDOMAIN = rf"{_UNDERSCORE_LABEL}(\.{_UNDERSCORE_LABEL})*"
_UNDERSCORE_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
    "'_', '-' or '.', and must start and end with an alphanumeric character"
)
DNS1035_LABEL = "[a-z]([-a-z0-9]*[a-z0-9])?"
_DNS1035_WORDS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character"
)
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_WILDCARD_WORDS = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "
    "which must consist of lower case alphanumeric characters, '-' or '.' "
    "and end with an alphanumeric character"
)
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_QUALIFIED_WORDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character"
)
_LABEL_VALUE = f"({_QUALIFIED})?"
_LABEL_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, "
    "'-', '_' or '.', and must start and end with an alphanumeric character"
)
_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_IDENTIFIER_WORDS = (
    "a valid C identifier must start with alphabetic character or '_', "
    "followed by a string of alphanumeric characters or '_'"
)
_PERCENT = "[0-9]+%"
_PERCENT_WORDS = "a valid percent string must be a numeric string followed by an ending '%'"
_HEADER = "[-A-Za-z0-9]+"
_HEADER_WORDS = "a valid HTTP header must consist of alphanumeric characters or '-'"
_RELAXED_ENV_WORDS = (
    "a valid environment variable name must consist only of printable ASCII characters "
    "other than '='"
)
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_CONFIG_KEY_WORDS = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"

_label_re = re.compile(_LABEL)
_subdomain_re = re.compile(_SUBDOMAIN)
_underscore_re = re.compile(_UNDERSCORE_SUBDOMAIN)
_dns1035_re = re.compile(DNS1035_LABEL)
_wildcard_re = re.compile(_WILDCARD)
_qualified_re = re.compile(_QUALIFIED)
_label_value_re = re.compile(_LABEL_VALUE)
_identifier_re = re.compile(_IDENTIFIER)
_percent_re = re.compile(_PERCENT)
_header_re = re.compile(_HEADER)
_config_key_re = re.compile(_CONFIG_KEY)
_port_name_re = re.compile("[-a-z0-9]+")


def max_length(limit: int) -> str:
    return f"must be no more than {limit} characters"


def regex_error(words: str, pattern: str, *examples: str) -> str:
    """Say which pattern was missed, with examples in Go's slightly odd spacing."""
    if not examples:
        return f"{words} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{words} (e.g. {shown}regex used for validation is '{pattern}')"


def inclusive_range(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


def _size(value: str) -> int:
    return len(value) if value.isascii() else len(value.encode())


def is_dns1123_label(value: str) -> list[str]:
    """Check one part of a host name: the rule for namespaces, services, containers."""
    errors = []
    if _size(value) > LABEL_MAX:
        errors.append(max_length(LABEL_MAX))
    if not _label_re.fullmatch(value):
        if _subdomain_re.fullmatch(value):
            errors.append("must not contain dots")
        else:
            errors.append(regex_error(_LABEL_WORDS, _LABEL, "my-name", "123-abc"))
    return errors


def is_dns1123_subdomain(value: str) -> list[str]:
    """Check a host name: the rule for most objects."""
    errors = []
    if _size(value) > SUBDOMAIN_MAX:
        errors.append(max_length(SUBDOMAIN_MAX))
    if not _subdomain_re.fullmatch(value):
        errors.append(regex_error(_SUBDOMAIN_WORDS, _SUBDOMAIN, "example.com"))
    return errors


def is_dns1123_subdomain_with_underscore(value: str) -> list[str]:
    """Check a host name that may have underscores: a pod's dnsConfig searches."""
    errors = []
    if _size(value) > SUBDOMAIN_MAX:
        errors.append(max_length(SUBDOMAIN_MAX))
    if not _underscore_re.fullmatch(value):
        errors.append(regex_error(_UNDERSCORE_WORDS, _UNDERSCORE_SUBDOMAIN, "example.com"))
    return errors


def is_dns1035_label(value: str) -> list[str]:
    """Check a label that starts with a letter."""
    errors = []
    if _size(value) > LABEL_MAX:
        errors.append(max_length(LABEL_MAX))
    if not _dns1035_re.fullmatch(value):
        errors.append(regex_error(_DNS1035_WORDS, DNS1035_LABEL, "my-name", "abc-123"))
    return errors


def is_wildcard_dns1123_subdomain(value: str) -> list[str]:
    """Check `*.` and a host name, as an Ingress rule takes it."""
    errors = []
    if _size(value) > SUBDOMAIN_MAX:
        errors.append(max_length(SUBDOMAIN_MAX))
    if not _wildcard_re.fullmatch(value):
        errors.append(regex_error(_WILDCARD_WORDS, _WILDCARD, "*.example.com"))
    return errors


def is_qualified_name(value: str) -> list[str]:
    """Check a label key: an optional subdomain and `/`, then a name of 63 characters."""
    errors = []
    examples = ("MyName", "my.name", "123-abc")
    prefix, slash, name = value.partition("/")
    if not slash:
        name = value
    elif "/" in name:
        words = regex_error(_QUALIFIED_WORDS, _QUALIFIED, *examples)
        optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {words} {optional}"]
    elif not prefix:
        errors.append("prefix part must be non-empty")
    else:
        errors += [f"prefix part {message}" for message in is_dns1123_subdomain(prefix)]
    if not name:
        errors.append("name part must be non-empty")
    elif _size(name) > LABEL_MAX:
        errors.append(f"name part {max_length(LABEL_MAX)}")
    if not _qualified_re.fullmatch(name):
        errors.append(f"name part {regex_error(_QUALIFIED_WORDS, _QUALIFIED, *examples)}")
    return errors


def is_label_value(value: str) -> list[str]:
    errors = []
    if _size(value) > LABEL_MAX:
        errors.append(max_length(LABEL_MAX))
    if not _label_value_re.fullmatch(value):
        examples = ("MyValue", "my_value", "12345")
        errors.append(regex_error(_LABEL_VALUE_WORDS, _LABEL_VALUE, *examples))
    return errors


def is_c_identifier(value: str) -> list[str]:
    if _identifier_re.fullmatch(value):
        return []
    return [regex_error(_IDENTIFIER_WORDS, _IDENTIFIER, "my_name", "MY_NAME", "MyName")]


def is_port_number(port: int) -> list[str]:
    return in_range(port, 1, 65535)


def in_range(value: int, low: int, high: int) -> list[str]:
    return [] if low <= value <= high else [inclusive_range(low, high)]


def is_id(value: int) -> list[str]:
    """Check a user or group number of a process: 0 to 2^31-1."""
    return in_range(value, 0, 2**31 - 1)


def is_port_name(value: str) -> list[str]:
    """Check a port's name by RFC 6335: 15 characters, one letter at least, no `--`."""
    errors = []
    if _size(value) > 15:
        errors.append(max_length(15))
    if not _port_name_re.fullmatch(value):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        errors.append("must contain at least one letter (a-z)")
    if "--" in value:
        errors.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def is_percent(value: str) -> list[str]:
    if _percent_re.fullmatch(value):
        return []
    return [regex_error(_PERCENT_WORDS, _PERCENT, "1%", "93%")]


def is_http_header_name(value: str) -> list[str]:
    if _header_re.fullmatch(value):
        return []
    return [regex_error(_HEADER_WORDS, _HEADER, "X-Header-Name")]


def is_relaxed_env_var_name(value: str) -> list[str]:
    """Check a variable's name as pods take it: any printable ASCII but `=`."""
    if not value:
        return ["environment variable name must be non-empty"]
    if any(not " " <= char <= "~" or char == "=" for char in value):
        return [_RELAXED_ENV_WORDS]
    return []


def is_config_map_key(value: str) -> list[str]:
    errors = []
    if _size(value) > SUBDOMAIN_MAX:
        errors.append(max_length(SUBDOMAIN_MAX))
    if not _config_key_re.fullmatch(value):
        examples = ("key.name", "KEY_NAME", "key-name")
        errors.append(regex_error(_CONFIG_KEY_WORDS, _CONFIG_KEY, *examples))
    return errors + _climbs(value)


def _climbs(value: str) -> list[str]:
    if value in (".", ".."):
        return [f"must not be '{value}'"]
    return ["must not start with '..'"] if value.startswith("..") else []


def is_path_segment(value: str) -> list[str]:
    """Check a name that only has to fit into a URL (roles, bindings)."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in value]


def is_standard_finalizer(value: str) -> list[str]:
    """Check that a finalizer has a domain, or is one of Kubernetes' own."""
    if "/" in value or value in _STANDARD_FINALIZERS:
        return []
    return ["name is neither a standard finalizer name nor is it fully qualified"]


def is_ip(value: str) -> list[str]:
    """Return what is wrong with an address; it may be written in another form than the shortest."""
    if parse_ip(value) is None:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    if value != _without_zeros(value):
        return ["must not have leading 0s"]
    return ["must not be an IPv4-mapped IPv6 address"] if _is_mapped(value) else []


def is_ipv4(value: str) -> list[str]:
    address = parse_ip(value)
    return [] if address and address.version == 4 else ["must be a valid IPv4 address"]


def is_ipv6(value: str) -> list[str]:
    address = parse_ip(value)
    return [] if address and address.version == 6 else ["must be a valid IPv6 address"]


def is_cidr(value: str) -> list[str]:
    """Return what is wrong with a range of addresses; its form may be longer than necessary."""
    network = parse_cidr(value)
    if network is None:
        return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]
    address, _, bits = value.partition("/")
    if address != _without_zeros(address) or bits != str(network.prefixlen):
        return ["must not have leading 0s in IP or prefix length"]
    if _is_mapped(address):
        return ["must not have an IPv4-mapped IPv6 address"]
    if ipaddress.ip_address(address) != network.network_address:
        return ["must not have bits set beyond the prefix length"]
    return []


def _is_mapped(address: str) -> bool:
    return ":" in address and ipaddress.IPv6Address(address).ipv4_mapped is not None


@kept_if_short(1024, longest=64)
def parse_ip(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address as Kubernetes does: leading zeros count as decimal, no zone."""
    if "%" in value:
        return None
    try:
        address = ipaddress.ip_address(_without_zeros(value))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def parse_cidr(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Read `address/bits`; host bits may be set, a netmask may not be written out."""
    address, slash, bits = value.partition("/")
    if not slash or not bits.isascii() or not bits.isdigit() or "%" in value:
        return None
    try:
        return ipaddress.ip_network(f"{_without_zeros(address)}/{bits}", strict=False)
    except ValueError:
        return None


@kept_if_short(1024, longest=64)
def _without_zeros(address: str) -> str:
    if ":" in address or not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", address):
        return address
    return ".".join(str(int(part)) for part in address.split("."))
