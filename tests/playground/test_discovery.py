"""What kinds are called."""

from __future__ import annotations

import pytest

from playground.objects.discovery import Resource


@pytest.mark.parametrize(
    ("kind", "plural", "many"),
    [
        ("Pod", "pods", "Pods"),
        ("NetworkPolicy", "networkpolicies", "NetworkPolicies"),
        ("Ingress", "ingresses", "Ingresses"),
        ("Endpoints", "endpoints", "Endpoints"),
        ("Person", "people", "People"),
        ("Cat", "dogs", "dogs"),
    ],
)
def test_several_of_a_kind(kind, plural, many):
    assert Resource("", "v1", plural, kind, True, (), ()).many == many
