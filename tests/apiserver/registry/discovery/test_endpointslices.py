"""EndpointSlices: addresses of the slice's kind, ports once, and rows."""

from __future__ import annotations

import pytest

from apiserver.registry.discovery import ENDPOINTSLICES as SLICES
from tests.apiserver.registry.trying import cells, create_errors, created, update_errors


def slice_of(*addresses, kind="IPv4", **more):
    return {"addressType": kind, "endpoints": [{"addresses": list(addresses)}], **more}


WHERE = "endpoints[0].addresses"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (slice_of("10.0.0.1"), []),
        (slice_of("a.example.com", kind="FQDN"), []),
        (slice_of(), [f"{WHERE}: Required value: must contain at least 1 address"]),
        (
            slice_of("fd00::1"),
            [f'{WHERE}[0]: Invalid value: "fd00::1": must be a valid IPv4 address'],
        ),
        (
            slice_of("127.0.0.1"),
            [
                (
                    f'{WHERE}[0]: Invalid value: "127.0.0.1": '
                    "may not be in the loopback range (127.0.0.0/8, ::1/128)"
                )
            ],
        ),
        (
            slice_of("10.0.0.1", kind="IPX"),
            ['addressType: Unsupported value: "IPX": supported values: "FQDN", "IPv4", "IPv6"'],
        ),
        (
            slice_of("10.0.0.1", ports=[{"port": 1}, {"port": 2, "protocol": "ICMP"}]),
            [
                'ports[1].name: Duplicate value: ""',
                (
                    'ports[1].protocol: Unsupported value: "ICMP": '
                    'supported values: "SCTP", "TCP", "UDP"'
                ),
            ],
        ),
    ],
)
def test_slices(body, errors):
    assert create_errors(SLICES, **body) == errors


def test_address_type_is_for_good():
    old = created(SLICES, **slice_of("10.0.0.1"))
    new = slice_of("fd00::1", kind="IPv6")
    assert update_errors(SLICES, old, lambda s: s.update(new)) == [
        'addressType: Invalid value: "IPv6": field is immutable'
    ]


def test_labels_count_as_content():
    old = created(SLICES, **slice_of("10.0.0.1"))
    labelled = old | {"metadata": old["metadata"] | {"labels": {"a": "b"}}}
    noted = old | {"metadata": old["metadata"] | {"annotations": {"a": "b"}}}
    assert SLICES.strategy.spec_changed(labelled, old)
    assert not SLICES.strategy.spec_changed(noted, old)


def test_row():
    addresses = [f"10.0.0.{n}" for n in range(1, 6)]
    made = created(SLICES, **slice_of(*addresses, ports=[{"port": 80}, {"name": "x"}]))
    assert cells(SLICES, made)[1:4] == ["IPv4", "80,x", "10.0.0.1,10.0.0.2,10.0.0.3 + 2 more..."]
    assert cells(SLICES, created(SLICES, addressType="IPv4"))[2:4] == ["<unset>", "<unset>"]
