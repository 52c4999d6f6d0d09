"""Which tokens a node may ask for: those that the volumes of its pods want."""

from __future__ import annotations

import pytest

from apimachinery.errors import Forbidden
from apiserver.admission.interfaces import CREATE, DELETE, UPDATE
from apiserver.admission.plugins.node_restriction import NodeRestriction
from apiserver.auth.user import User
from tests.apiserver.admission.support import Reader, named, pod, request

N1 = User("system:node:n1", ("system:nodes",))


def nobody(*_):
    return False


def projected(audience):
    token = {"path": "token"} | ({"audience": audience} if audience else {})
    return {"name": "t", "projected": {"sources": [{"serviceAccountToken": token}]}}


def cluster(*volumes):
    running = pod(nodeName="n1", volumes=list(volumes))
    running["metadata"]["uid"] = "1"
    return Reader(
        pods=[running],
        persistentvolumeclaims=[
            named("data", "ns", spec={"volumeName": "v"}),
            named("p-own", "ns", spec={"volumeName": "v"}),
        ],
        persistentvolumes=[named("v", spec={"csi": {"driver": "disks"}})],
        csidrivers__storage__k8s__io=[
            named("disks", spec={"tokenRequests": [{"audience": "vault"}]})
        ],
    )


def ask(objects, *audiences, may=nobody):
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": "1"}
    spec = {"boundObjectRef": bound, "audiences": list(audiences)}
    obj = named("robot", "ns", spec=spec)
    asked = request(obj, "serviceaccounts", CREATE, user=N1, subresource="token")
    NodeRestriction(objects, may).admit(asked)


@pytest.mark.parametrize(
    ("volume", "audience"),
    [
        (projected(""), ""),
        (projected("shop"), "shop"),
        ({"name": "c", "csi": {"driver": "disks"}}, "vault"),
        ({"name": "c", "persistentVolumeClaim": {"claimName": "data"}}, "vault"),
        ({"name": "own", "ephemeral": {}}, "vault"),
    ],
)
def test_an_audience_is_one_of_the_pod_s_volumes(volume, audience):
    ask(cluster(volume), *([audience] if audience else []))
    with pytest.raises(Forbidden) as caught:
        ask(cluster(), audience)
    assert caught.value.message == (
        f'serviceaccounts "robot" is forbidden: audience "{audience}" not found in pod spec '
        "volume, system:node:n1 is not authorized to request tokens for this audience"
    )


def test_a_node_asks_for_one_audience():
    objects = cluster(projected("a"), projected("b"))
    with pytest.raises(Forbidden, match="node may only request 0 or 1 audiences"):
        ask(objects, "a", "b")


def test_a_right_to_the_audience_is_enough():
    asked = []

    def may(*question):
        asked.append(question[1:])
        return True

    ask(cluster(), "https://shop.example/a", may=may)
    verb = "request-serviceaccounts-token-audience"
    assert asked == [(verb, "", "https://shop.example/a", "robot", "ns")]


def test_a_node_s_slices_are_its_own():
    kind = "resourceslices.resource.k8s.io"
    plugin = NodeRestriction(Reader(), nobody)
    mine, other = named("s", spec={"nodeName": "n1"}), named("s", spec={"nodeName": "n2"})
    plugin.admit(request(mine, kind, CREATE, user=N1))
    plugin.admit(request(other, kind, UPDATE, user=N1, old_object=other))
    words = "ResourceSlice with the same NodeName as the requesting node"
    with pytest.raises(Forbidden, match=f"can only create {words}"):
        plugin.admit(request(other, kind, CREATE, user=N1))
    with pytest.raises(Forbidden, match=f"can only delete {words}"):
        plugin.admit(request(None, kind, DELETE, user=N1, old_object=other))


def test_labels_that_steer_workloads_stay_as_they_are():
    old, new = named("n1"), named("n1")
    new["metadata"]["labels"] = {"node-restriction.kubernetes.io/a": "b"}
    asked = request(new, "nodes", UPDATE, user=N1, old_object=old)
    with pytest.raises(Forbidden) as caught:
        NodeRestriction(Reader(), nobody).admit(asked)
    assert caught.value.message == (
        'nodes "n1" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io/a'
    )
