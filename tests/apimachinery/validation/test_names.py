"""Name rules: which values pass, and the first words of each refusal."""

import pytest

from apimachinery.validation import names

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
    "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (names.is_dns1123_label, "a-1"),
        (names.is_dns1123_subdomain, "a.b-c.1"),
        (names.is_dns1123_subdomain_with_underscore, "_tcp.a"),
        (names.is_dns1035_label, "a1"),
        (names.is_wildcard_dns1123_subdomain, "*.a.b"),
        (names.is_qualified_name, "example.com/Name_1.x"),
        (names.is_qualified_name, "Name"),
        (names.is_label_value, ""),
        (names.is_label_value, "A_b.c-d"),
        (names.is_c_identifier, "_a1"),
        (names.is_port_name, "http-2"),
        (names.is_percent, "100%"),
        (names.is_http_header_name, "X-A"),
        (names.is_relaxed_env_var_name, "1 a!"),
        (names.is_config_map_key, "a.B_c-1"),
        (names.is_path_segment, "system:node"),
        (names.is_ip, "10.0.0.1"),
        (names.is_ip, "FD00:0::1"),
        (names.is_ipv4, "1.2.3.4"),
        (names.is_ipv6, "fd00::1"),
        (names.is_cidr, "10.0.0.0/8"),
        (names.is_cidr, "fd00::/64"),
    ],
)
def test_good_values(rule, value):
    assert rule(value) == []


@pytest.mark.parametrize(
    ("rule", "value", "starts"),
    [
        (names.is_dns1123_label, "a.b", ["must not contain dots"]),
        (names.is_dns1123_label, "A", [LABEL]),
        (names.is_dns1123_label, "a" * 64, ["must be no more than 63 characters"]),
        (names.is_dns1123_subdomain, "a..b", [SUBDOMAIN]),
        (names.is_dns1123_subdomain, "a\n", [SUBDOMAIN]),
        (names.is_dns1123_subdomain, "é" * 127, ["must be no more than 253", SUBDOMAIN]),
        (names.is_dns1035_label, "1a", ["a DNS-1035 label must consist"]),
        (names.is_wildcard_dns1123_subdomain, "*", ["a wildcard DNS-1123 subdomain"]),
        (names.is_qualified_name, "", ["name part must be non-empty", "name part must consist"]),
        (names.is_qualified_name, "/a", ["prefix part must be non-empty"]),
        (names.is_qualified_name, "A_b/a", ["prefix part a lowercase RFC 1123 subdomain"]),
        (names.is_qualified_name, "a/b/c", ["a valid label key must consist of alphanumeric"]),
        (names.is_qualified_name, "a" * 64, ["name part must be no more than 63 characters"]),
        (names.is_label_value, "a ", ["a valid label must be an empty string or consist"]),
        (names.is_c_identifier, "1a", ["a valid C identifier must start with"]),
        (names.is_port_name, "", ["must contain only", "must contain at least one letter"]),
        (names.is_port_name, "-a--", ["must not contain consecutive", "must not begin or end"]),
        (names.is_port_name, "a" * 16, ["must be no more than 15 characters"]),
        (names.is_percent, "abc", ["a valid percent string must be a numeric string"]),
        (names.is_http_header_name, "a b", ["a valid HTTP header must consist of"]),
        (names.is_relaxed_env_var_name, "", ["environment variable name must be non-empty"]),
        (names.is_relaxed_env_var_name, "a=b", ["a valid environment variable name must"]),
        (names.is_config_map_key, "c/d", ["a valid config key must consist of"]),
        (names.is_config_map_key, "..a", ["must not start with '..'"]),
        (names.is_path_segment, "a/b%", ["may not contain '/'", "may not contain '%'"]),
        (names.is_path_segment, ".", ["may not be '.'"]),
        (names.is_ip, "1.2.3", ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]),
        (names.is_ip, "fe80::1%eth0", ["must be a valid IP address"]),
        (names.is_ip, "010.0.0.1", ["must not have leading 0s"]),
        (names.is_ip, "::ffff:1.2.3.4", ["must not be an IPv4-mapped IPv6 address"]),
        (names.is_ipv4, "::1", ["must be a valid IPv4 address"]),
        (names.is_ipv6, "1.2.3.4", ["must be a valid IPv6 address"]),
        (names.is_cidr, "10.0.0.0", ["must be a valid CIDR value, (e.g. 10.9.8.0/24"]),
        (names.is_cidr, "10.0.0.0/255.0.0.0", ["must be a valid CIDR value"]),
        (names.is_cidr, "10.0.0.0/08", ["must not have leading 0s in IP or prefix length"]),
        (names.is_cidr, "010.0.0.0/8", ["must not have leading 0s in IP or prefix length"]),
        (names.is_cidr, "::ffff:1.1.1.0/120", ["must not have an IPv4-mapped IPv6 address"]),
        (names.is_cidr, "10.0.0.7/8", ["must not have bits set beyond the prefix length"]),
        (names.is_cidr, "10.0.0.0/33", ["must be a valid CIDR value"]),
    ],
)
def test_bad_values(rule, value, starts):
    errors = rule(value)
    assert len(errors) == len(starts)
    for error, start in zip(errors, starts, strict=True):
        assert error.startswith(start)


def test_numbers():
    assert names.is_port_number(65535) == []
    assert names.is_port_number(0) == ["must be between 1 and 65535, inclusive"]
    assert names.is_id(0) == []
    assert names.is_id(-1) == ["must be between 0 and 2147483647, inclusive"]
