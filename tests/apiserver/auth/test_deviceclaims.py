"""Which part of a claim's status somebody may write."""

import pytest

from apimachinery.errors import Invalid
from apiserver.auth.attributes import Attributes
from apiserver.auth.deviceclaims import check_claim_status
from apiserver.auth.user import User, service_account_user
from tests.apiserver.auth.fakes import FakeCluster, binding, new_auth, role, rule, user

GROUP = "resource.k8s.io"
BOB = User("bob", ("system:authenticated",))
ON_NODE = User(
    service_account_user("kube-system", "driver"),
    ("system:authenticated",),
    extra={"authentication.kubernetes.io/node-name": ("n1",)},
)
DEVICE = {"driver": "x.io", "pool": "p", "device": "d"}
FIELDS = [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]
ALLOCATED = {
    "devices": {"results": [{"request": "r", **DEVICE}]},
    "nodeSelector": {"nodeSelectorTerms": [{"matchFields": FIELDS}]},
}
READY = {**DEVICE, "conditions": [{"type": "Ready", "status": "True"}]}


def refusal(new, old, *held, by=BOB, verb="patch"):
    """Return why a change of the status is refused, "" where it is not."""
    cluster = FakeCluster()
    cluster.put(role("", "held", *held))
    cluster.put(binding("", "held", "ClusterRole/held", user(by.name)))
    asked = Attributes(by, verb, GROUP, "v1", "resourceclaims", "status", "ns", "c")
    metadata = {"name": "c", "namespace": "ns"}
    objects = ({"metadata": metadata, "status": status} for status in (new, old))
    try:
        check_claim_status(new_auth(cluster), asked, *objects)
    except Invalid as error:
        return error.message.removeprefix('ResourceClaim.resource.k8s.io "c" is invalid: ')
    return ""


BIND = rule("patch", GROUP, "resourceclaims/binding")


def test_devices_and_users_need_binding():
    assert refusal({"allocation": ALLOCATED}, {}) == (
        "status: Forbidden: changing status.allocation or status.reservedFor requires "
        'resource="resourceclaims/binding", verb="patch" permission: '
        'resourceclaims.resource.k8s.io is forbidden: User "bob" cannot patch resource '
        '"resourceclaims/binding" in API group "resource.k8s.io" at the cluster scope'
    )
    assert refusal({"allocation": ALLOCATED}, {}, BIND) == ""
    user_ = {"resource": "pods", "name": "p", "uid": "u"}
    assert refusal({"reservedFor": [user_]}, {}, BIND, verb="update")
    assert refusal({"allocation": ALLOCATED}, {"allocation": ALLOCATED}) == ""


@pytest.mark.parametrize(
    ("by", "verb", "name", "allowed"),
    [
        (BOB, "arbitrary-node:patch", "x.io", True),
        (BOB, "arbitrary-node:patch", "y.io", False),
        (BOB, "arbitrary-node:update", "x.io", False),
        (BOB, "associated-node:patch", "x.io", False),
        (ON_NODE, "associated-node:patch", "x.io", True),
        (ON_NODE, "arbitrary-node:patch", "x.io", True),
    ],
)
def test_what_is_said_of_devices_needs_the_driver(by, verb, name, allowed):
    old = {"allocation": ALLOCATED}
    held = rule(verb, GROUP, "resourceclaims/driver", name)
    assert (refusal({**old, "devices": [READY]}, old, held, by=by) == "") is allowed
    # Taking it back is a change like others.
    assert (refusal(old, {**old, "devices": [READY]}, held, by=by) == "") is allowed


def test_a_driver_elsewhere_speaks_for_its_own_node_alone():
    elsewhere = {"devices": ALLOCATED["devices"]}
    held = rule("associated-node:patch", GROUP, "resourceclaims/driver")
    old = {"allocation": elsewhere}
    why = refusal({**old, "devices": [READY]}, old, held, by=ON_NODE)
    assert why.startswith("status.devices: Forbidden: changing status.devices requires ")
    assert 'verb="[arbitrary-node:patch]" permission' in why


def test_what_is_said_of_devices_goes_with_them():
    assert refusal({}, {"allocation": ALLOCATED, "devices": [READY]}, BIND) == ""
