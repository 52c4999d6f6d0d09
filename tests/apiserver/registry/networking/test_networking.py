"""Ingresses, network policies, and the addresses of Services."""

from __future__ import annotations

import pytest

from apiserver.registry.networking import (
    INGRESSCLASSES,
    INGRESSES,
    IPADDRESSES,
    NETWORKPOLICIES,
    SERVICECIDRS,
)
from tests.apiserver.registry.trying import cells, create_errors, created, read, update_errors

BACKEND = {"service": {"name": "s", "port": {"number": 80}}}


def ingress(path=None, **rule):
    one = {"path": "/", "pathType": "Prefix", "backend": BACKEND} | (path or {})
    return {"rules": [{"http": {"paths": [one]}, **rule}]}


PATH = "spec.rules[0].http.paths[0]"


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        (ingress(host="*.example.com"), []),
        ({"defaultBackend": BACKEND}, []),
        (
            {},
            ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"],
        ),
        (
            ingress(host="10.0.0.1"),
            [
                (
                    'spec.rules[0].host: Invalid value: "10.0.0.1": '
                    "must be a DNS name, not an IP address"
                )
            ],
        ),
        (
            ingress({"path": "x/../y/."}),
            [
                f'{PATH}.path: Invalid value: "x/../y/.": must be an absolute path',
                f"{PATH}.path: Invalid value: \"x/../y/.\": must not contain '/../'",
                f"{PATH}.path: Invalid value: \"x/../y/.\": cannot end with '/.'",
            ],
        ),
        (
            ingress({"pathType": "Odd"}),
            [
                (
                    f'{PATH}.pathType: Unsupported value: "Odd": '
                    'supported values: "Exact", "ImplementationSpecific", "Prefix"'
                )
            ],
        ),
        (
            ingress({"backend": {"service": {"name": "s", "port": {}}}}),
            [f"{PATH}.backend: Required value: port name or number is required"],
        ),
        (
            ingress({"backend": BACKEND | {"resource": {"kind": "K", "name": "n"}}}),
            [(f'{PATH}.backend: Invalid value: "": cannot set both resource and service backends')],
        ),
    ],
)
def test_ingress(spec, errors):
    assert create_errors(INGRESSES, spec=spec) == errors


def test_ingress_class_annotation_agrees_with_the_field():
    notes = {"annotations": {"kubernetes.io/ingress.class": "a"}}
    spec = ingress() | {"ingressClassName": "b"}
    assert create_errors(INGRESSES, metadata=notes, spec=spec) == [
        (
            'annotations.kubernetes.io/ingress.class: Invalid value: "a": '
            "must match `ingressClassName` when both are specified"
        )
    ]


def test_ingress_row():
    hosts = [{"host": f"{one}.example.com"} for one in "abcd"]
    obj = created(INGRESSES, spec={"rules": hosts, "tls": [{}]})
    obj["status"] = {"loadBalancer": {"ingress": [{"ip": "10.0.0.2"}, {"ip": "10.0.0.1"}]}}
    assert cells(INGRESSES, obj)[1:5] == [
        "<none>",
        "a.example.com,b.example.com,c.example.com + 1 more...",
        "10.0.0.1,10.0...",
        "80, 443",
    ]


def test_ingress_status_tells_addresses_from_names():
    old = created(INGRESSES, spec=ingress())
    status = {"loadBalancer": {"ingress": [{"ip": "nope"}, {"hostname": "10.0.0.1"}]}}
    found = update_errors(INGRESSES, old, lambda i: i.update(status=status), "status")
    assert [error.split(":")[0] for error in found] == [
        "status.loadBalancer.ingress[0].ip",
        "status.loadBalancer.ingress[1].hostname",
    ]


def test_ingress_class_parameters():
    spec = {"controller": "example.com/i", "parameters": {"kind": "K", "name": "n"}}
    made = created(INGRESSCLASSES, spec=spec)
    assert made["spec"]["parameters"]["scope"] == "Cluster"
    assert cells(INGRESSCLASSES, made)[2] == "K/n"
    spec["parameters"] |= {"scope": "Namespace"}
    assert create_errors(INGRESSCLASSES, spec=spec) == [
        "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"
    ]
    assert update_errors(
        INGRESSCLASSES, made, lambda c: c["spec"].update(controller="example.com/j")
    ) == ['spec.controller: Invalid value: "example.com/j": field is immutable']


def test_policy_types_follow_the_rules():
    assert read(NETWORKPOLICIES, spec={})["spec"]["policyTypes"] == ["Ingress"]
    made = read(NETWORKPOLICIES, spec={"egress": [{"ports": [{"port": 53}]}]})
    assert made["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert made["spec"]["egress"][0]["ports"] == [{"port": 53, "protocol": "TCP"}]


HOLES = ["10.0.0.0/8", "11.0.0.0/9"]
PEER, PORT = "spec.ingress[0].from[0]", "spec.ingress[0].ports[0]"


@pytest.mark.parametrize(
    ("rule", "errors"),
    [
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}, []),
        ({"from": [{}]}, [f"{PEER}: Required value: must specify a peer"]),
        (
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]},
            [f"{PEER}: Forbidden: may not specify both ipBlock and another peer"],
        ),
        (
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": HOLES}}]},
            [
                (
                    f'{PEER}.ipBlock.except[0]: Invalid value: "10.0.0.0/8": '
                    "must be a strict subset of `cidr`"
                ),
                (
                    f'{PEER}.ipBlock.except[1]: Invalid value: "11.0.0.0/9": '
                    "must be a strict subset of `cidr`"
                ),
            ],
        ),
        (
            {"ports": [{"port": 90, "endPort": 80}]},
            [
                f"{PORT}.endPort: Invalid value: 80: must be greater than or equal to `port`",
            ],
        ),
        (
            {"ports": [{"port": "web", "endPort": 80, "protocol": "ICMP"}]},
            [
                (
                    f'{PORT}.protocol: Unsupported value: "ICMP": '
                    'supported values: "TCP", "UDP", "SCTP"'
                ),
                (
                    f"{PORT}.endPort: Invalid value: 80: "
                    "may not be specified when `port` is non-numeric"
                ),
            ],
        ),
    ],
)
def test_network_policy(rule, errors):
    assert create_errors(NETWORKPOLICIES, spec={"ingress": [rule]}) == errors


@pytest.mark.parametrize(
    ("cidrs", "why"),
    [
        (["10.0.0.0/24"], None),
        (["10.0.0.0/24", "fd00::/112"], None),
        ([], "spec.cidrs: Required value: at least one CIDR required"),
        (
            ["10.0.0.0/24", "10.1.0.0/24"],
            (
                'spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify '
                "no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
            ),
        ),
        (
            ["10.0.0.1/24"],
            (
                'spec.cidrs[0]: Invalid value: "10.0.0.1/24": '
                "must not have bits set beyond the prefix length"
            ),
        ),
    ],
)
def test_service_ranges(cidrs, why):
    assert create_errors(SERVICECIDRS, spec={"cidrs": cidrs}) == ([why] if why else [])


@pytest.mark.parametrize(
    ("cidrs", "errors"),
    [
        (["10.0.0.0/24", "fd00::/112"], []),
        (["10.1.0.0/24"], ['spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable']),
        (["10.0.0.0/24", "nope"], [
            ('spec.cidrs[1]: Invalid value: "nope": must be a valid CIDR value, '
            "(e.g. 10.9.8.0/24 or 2001:db8::/64)")]),
        ([], ["spec.cidrs: Invalid value: []: field is immutable"]),
    ],
)  # fmt: skip
def test_a_service_range_may_only_get_the_other_family(cidrs, errors):
    old = created(SERVICECIDRS, spec={"cidrs": ["10.0.0.0/24"]})
    change = {"cidrs": cidrs}
    assert update_errors(SERVICECIDRS, old, lambda new: new.update(spec=change)) == errors


def test_addresses_are_named_after_themselves():
    spec = {"parentRef": {"resource": "services", "namespace": "n", "name": "s"}}
    made = created(IPADDRESSES, "10.0.0.1", spec=spec)
    assert create_errors(IPADDRESSES, "10.0.0.1", spec=spec) == []
    assert cells(IPADDRESSES, made)[1] == "services/n/s"
    assert create_errors(IPADDRESSES, "fd00:0::1", spec=spec) == [
        'metadata.name: Invalid value: "fd00:0::1": must be in canonical form ("fd00::1")'
    ]
    assert create_errors(IPADDRESSES, "10.0.0.1") == ["spec.parentRef: Required value"]
