"""What members of the viewers' group may do, beside what RBAC grants them."""

from __future__ import annotations

import pytest

from apiserver.auth.attributes import Attributes
from apiserver.auth.user import User
from apiserver.auth.viewers import VIEWERS, Viewers

INA = User("ina", (VIEWERS,))


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        (Attributes(INA, "list", "", "v1", "pods", namespace="shop"), True),
        (Attributes(INA, "get", "", "v1", "pods", "log", "shop", "web"), True),
        (Attributes(INA, "watch", "example.com", "v1", "trees"), True),
        (Attributes(INA, "get", path="/version", resource_request=False), True),
        (Attributes(INA, "get", "", "v1", "secrets", namespace="shop", name="key"), False),
        (Attributes(INA, "list", "", "v1", "secrets"), False),
        (Attributes(INA, "get", "", "v1", "pods", "exec", "shop", "web"), False),
        (Attributes(INA, "get", "", "v1", "nodes", "proxy", name="n1"), False),
        (Attributes(INA, "create", "", "v1", "pods", namespace="shop"), False),
        (Attributes(INA, "impersonate", "", "v1", "users", name="lea"), False),
        (Attributes(User("lea"), "list", "", "v1", "pods"), False),
    ],
)
def test_viewers_read_and_nothing_else(asked, allowed):
    decision = Viewers().decide(asked)
    assert (decision is not None) == allowed
    assert decision is None or decision.allowed
