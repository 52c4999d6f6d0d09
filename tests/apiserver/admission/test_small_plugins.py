"""The plugins that fill in one thing or check one right."""

from __future__ import annotations

import base64
import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apimachinery.errors import Forbidden, NotFound
from apiserver.admission.interfaces import CREATE, DELETE, UPDATE
from apiserver.admission.order import Surroundings, admission_chain, nobody_may
from apiserver.admission.plugins.certificate_approval import CertificateApproval
from apiserver.admission.plugins.certificate_signing import CertificateSigning
from apiserver.admission.plugins.certificate_subject_restriction import (
    CertificateSubjectRestriction,
)
from apiserver.admission.plugins.default_ingress_class import DefaultIngressClass
from apiserver.admission.plugins.default_storage_class import DefaultStorageClass
from apiserver.admission.plugins.node_restriction import NodeRestriction
from apiserver.admission.plugins.persistent_volume_claim_resize import (
    PersistentVolumeClaimResize,
)
from apiserver.admission.plugins.runtime_class import RuntimeClass
from apiserver.admission.plugins.storage_object_in_use_protection import (
    StorageObjectInUseProtection,
)
from apiserver.admission.plugins.taint_nodes_by_condition import TaintNodesByCondition
from apiserver.auth.user import User
from tests.apiserver.admission.support import Reader, named, pod, request

CSR = "certificatesigningrequests.certificates.k8s.io"


def refusal(run, asked):
    with pytest.raises(Forbidden) as caught:
        run(asked)
    return caught.value.message.partition(" is forbidden: ")[2]


def test_order_is_kube_apiservers():
    names = admission_chain(Surroundings(Reader(), random.Random(0))).names

    assert names[:3] == ("NamespaceLifecycle", "LimitRanger", "ServiceAccount")
    assert names[-1] == "ResourceQuota"


def test_new_node_is_tainted_once():
    node = named("n1")
    for _ in range(2):
        TaintNodesByCondition().admit(request(node, "nodes"))

    assert node["spec"]["taints"] == [
        {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    ]


@pytest.mark.parametrize(
    ("resource", "finalizer"),
    [
        ("persistentvolumeclaims", "kubernetes.io/pvc-protection"),
        ("persistentvolumes", "kubernetes.io/pv-protection"),
    ],
)
def test_storage_is_protected(resource, finalizer):
    obj = named("x")
    obj["metadata"]["finalizers"] = ["own"]

    StorageObjectInUseProtection().admit(request(obj, resource))

    assert obj["metadata"]["finalizers"] == ["own", finalizer]


def marked(name, key, born="2026-01-01T00:00:00Z", **fields):
    made = named(name, **fields)
    made["metadata"] |= {"annotations": {key: "true"}, "creationTimestamp": born}
    return made


@pytest.mark.parametrize(
    ("spec", "chosen"),
    [({}, "young"), ({"storageClassName": ""}, ""), ({"storageClassName": "own"}, "own")],
)
def test_default_storage_class(spec, chosen):
    key = "storageclass.kubernetes.io/is-default-class"
    reader = Reader(
        storageclasses__storage__k8s__io=[
            marked("old", key),
            marked("young", key, born="2026-01-02T00:00:00Z"),
            named("other"),
        ]
    )
    claim = named("c", "ns", spec=dict(spec))

    DefaultStorageClass(reader).admit(request(claim, "persistentvolumeclaims"))

    assert claim["spec"]["storageClassName"] == chosen


def test_default_ingress_class():
    key = "ingressclass.kubernetes.io/is-default-class"
    reader = Reader(ingressclasses__networking__k8s__io=[marked("b", key), marked("a", key)])
    plain, legacy = named("i", "ns"), marked("i", "kubernetes.io/ingress.class")
    for ingress in (plain, legacy):
        DefaultIngressClass(reader).admit(request(ingress, "ingresses.networking.k8s.io"))

    assert plain["spec"]["ingressClassName"] == "a"
    assert "spec" not in legacy


def claim(size, phase="Bound", storage_class="fast"):
    spec = {"storageClassName": storage_class, "resources": {"requests": {"storage": size}}}
    return named("c", "ns", spec=spec, status={"phase": phase})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (claim("1Gi"), claim("2Gi"), ""),
        (claim("1Gi", "Pending"), claim("1Gi"), ""),
        (
            claim("1Gi", "Pending"),
            claim("2Gi"),
            "Only bound persistent volume claims can be expanded",
        ),
        (
            claim("1Gi", storage_class="slow"),
            claim("2Gi", storage_class="slow"),
            (
                "only dynamically provisioned pvc can be resized and the storageclass that "
                "provisions the pvc must support resize"
            ),
        ),
    ],
)
def test_growing_claims(old, new, words):
    classes = [named("fast", allowVolumeExpansion=True), named("slow")]
    plugin = PersistentVolumeClaimResize(Reader(storageclasses__storage__k8s__io=classes))
    asked = request(new, "persistentvolumeclaims", UPDATE, old_object=old)

    if words:
        assert refusal(plugin.validate, asked) == words
    else:
        plugin.validate(asked)


def test_a_claim_s_class_may_be_in_the_annotation_of_old_days():
    def claim(size):
        made = named("c", "ns", spec={"resources": {"requests": {"storage": size}}})
        made["metadata"]["annotations"] = {"volume.beta.kubernetes.io/storage-class": "fast"}
        return made | {"status": {"phase": "Bound"}}

    classes = [named("fast", allowVolumeExpansion=True)]
    plugin = PersistentVolumeClaimResize(Reader(storageclasses__storage__k8s__io=classes))
    new, old = claim("2Gi"), claim("1Gi")
    plugin.validate(request(new, "persistentvolumeclaims", UPDATE, old_object=old))


KATA = named(
    "kata",
    overhead={"podFixed": {"cpu": "250m"}},
    scheduling={"nodeSelector": {"kata": "yes"}, "tolerations": [{"key": "kata"}]},
)


def runtime(**spec):
    plugin = RuntimeClass(Reader(runtimeclasses__node__k8s__io=[KATA]))
    obj = pod(**spec)
    plugin.admit(request(obj))
    plugin.validate(request(obj))
    return obj["spec"]


def test_runtime_class():
    spec = runtime(runtimeClassName="kata", nodeSelector={"a": "b"})

    assert spec["overhead"] == {"cpu": "250m"}
    assert spec["nodeSelector"] == {"a": "b", "kata": "yes"}
    assert spec["tolerations"] == [{"key": "kata"}]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"runtimeClassName": "gone"}, 'RuntimeClass "gone" not found'),
        ({"overhead": {"cpu": "1"}}, "Pod Overhead set without corresponding RuntimeClass"),
        (
            {"runtimeClassName": "kata", "overhead": {"cpu": "1"}},
            "Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        ),
        (
            {"runtimeClassName": "kata", "nodeSelector": {"kata": "no"}},
            r"conflict: runtimeClass\.scheduling\.nodeSelector\[kata\] = yes",
        ),
    ],
)
def test_runtime_class_refusals(spec, words):
    with pytest.raises(Forbidden, match=words):
        runtime(**spec)


def csr(**status):
    return named("c", spec={"signerName": "example.com/s"}, status=status)


@pytest.mark.parametrize("granted", ["example.com/s", "example.com/*", ""])
@pytest.mark.parametrize(
    ("plugin", "subresource", "verb", "words"),
    [
        (CertificateApproval, "approval", "approve", "user not permitted to approve requests"),
        (CertificateSigning, "status", "sign", "user not permitted to sign requests"),
    ],
)
def test_signers(plugin, subresource, verb, words, granted):
    def may(user, asked, group, resource, name):
        assert (group, resource) == ("certificates.k8s.io", "signers")
        return (asked, name) == (verb, granted)

    new = csr(certificate="x")
    asked = request(new, CSR, UPDATE, subresource=subresource, old_object=csr())

    if granted:
        plugin(may).validate(asked)
    else:
        told = refusal(plugin(may).validate, asked)
        assert told == f'{words} with signerName "example.com/s"'


def test_signing_leaves_other_status_alone():
    asked = request(csr(), CSR, UPDATE, subresource="status", old_object=csr())

    CertificateSigning(lambda *_: False).validate(asked)


def certificate_request(group):
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)])
    key = ec.generate_private_key(ec.SECP256R1())
    signed = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    pem = signed.public_bytes(serialization.Encoding.PEM)
    return base64.b64encode(pem).decode()


def test_nobody_asks_for_masters():
    signer = "kubernetes.io/kube-apiserver-client"
    plugin = CertificateSubjectRestriction()

    def asked(group, signer=signer):
        spec = {"signerName": signer, "request": certificate_request(group)}
        return request(named("c", spec=spec), CSR)

    plugin.validate(asked("devs"))
    plugin.validate(asked("system:masters", "example.com/s"))
    assert refusal(plugin.validate, asked("system:masters")) == (
        f"use of {signer} signer with system:masters group is not allowed"
    )


N1 = User("system:node:n1", ("system:nodes",))
MIRROR = {"kubernetes.io/config.mirror": "x"}
NODE = named("n1")
NODE["metadata"]["uid"] = "u1"
MINE, OTHER = pod(nodeName="n1"), pod(nodeName="n2")
OTHER["metadata"]["name"] = "other"
OWNER = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u1", "controller": True}


def restrict(obj=None, resource="pods", operation=CREATE, **more):
    plugin = NodeRestriction(Reader(nodes=[NODE], pods=[MINE, OTHER]), nobody_may)
    return plugin.admit, request(obj, resource, operation, user=N1, **more)


def mirror(owners=(OWNER,), **spec):
    obj = pod(**{"nodeName": "n1", **spec})
    obj["metadata"] |= {"annotations": MIRROR, "ownerReferences": list(owners)}
    return obj


def labelled(**labels):
    made = named("n1")
    made["metadata"]["labels"] = {key.replace("__", "/"): value for key, value in labels.items()}
    return made


def status_of(obj, **more):
    return restrict(obj, operation=UPDATE, subresource="status", **more)


@pytest.mark.parametrize(
    "allowed",
    [
        restrict(mirror()),
        restrict(operation=DELETE, name="p", namespace="ns"),
        status_of(pod(nodeName="n1"), old_object=MINE),
        restrict(labelled(kubernetes__io="x"), "nodes"),
        restrict(operation=DELETE, resource="nodes", name="n1"),
        restrict(named("n1", "kube-node-lease"), "leases.coordination.k8s.io"),
        restrict(named("n1"), "csinodes.storage.k8s.io"),
    ],
)
def test_node_may(allowed):
    admit, asked = allowed
    admit(asked)


def token(**bound):
    spec = {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", **bound}} if bound else {}
    obj = named("robot", "ns", spec=spec)
    return restrict(obj, "serviceaccounts", subresource="token")


FORBIDDEN_LABEL = {"node-restriction.kubernetes.io__a": "b"}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (restrict(pod(nodeName="n1")), "can only create mirror pods"),
        (restrict(mirror(nodeName="n2")), "can only create pods with spec.nodeName set to itself"),
        (restrict(mirror(owners=())), "can only create pods with an owner reference set to itself"),
        (restrict(mirror(owners=[{**OWNER, "uid": "x"}])), "UID mismatch: expected x got u1"),
        (
            restrict(mirror(serviceAccountName="a")),
            "can not create pods that reference a service account",
        ),
        (
            restrict(mirror(volumes=[{"name": "v", "configMap": {"name": "c"}}])),
            "can not create pods that reference configmaps",
        ),
        (
            restrict(operation=DELETE, name="other", namespace="ns"),
            "can only delete pods with spec.nodeName set to itself",
        ),
        (
            status_of(pod(nodeName="n2"), old_object=OTHER),
            "can only update pod status for pods with spec.nodeName set to itself",
        ),
        (restrict(named("n2"), "nodes"), 'node "n1" is not allowed to modify node "n2"'),
        (
            restrict(labelled(**FORBIDDEN_LABEL), "nodes"),
            "is not allowed to set the following labels: node-restriction.kubernetes.io/a",
        ),
        (
            restrict(
                named("n1", spec={"taints": [{"key": "a"}]}),
                "nodes",
                UPDATE,
                old_object=named("n1"),
            ),
            "is not allowed to modify taints",
        ),
        (restrict(claim("1Gi"), "persistentvolumeclaims"), "may only update PVC status"),
        (
            restrict(named("n2", "kube-node-lease"), "leases.coordination.k8s.io"),
            "can only access node lease with the same name as the requesting node",
        ),
        (token(), "node requested token not bound to a pod"),
        (token(name="p"), "node requested token with a pod binding without a uid"),
    ],
)
def test_node_may_not(asked, words):
    assert words in refusal(*asked)


def test_node_and_a_pod_that_is_not_there():
    admit, asked = restrict(operation=DELETE, name="gone", namespace="ns")
    with pytest.raises(NotFound):
        admit(asked)


def test_others_are_not_restricted():
    plugin = NodeRestriction(Reader(), nobody_may)

    plugin.admit(request(named("n2"), "nodes", user=User("admin", ("system:masters",))))
    nameless = request(named("n2"), "nodes", user=User("x", ("system:nodes",)))
    assert refusal(plugin.admit, nameless) == 'could not determine node from user "x"'


def test_tolerations_of_a_runtime_class_are_merged():
    wide = {"key": "kata", "operator": "Exists"}
    assert runtime(runtimeClassName="kata", tolerations=[wide])["tolerations"] == [wide]
    narrow = {"key": "x", "operator": "Exists", "effect": "NoSchedule"}
    spec = runtime(runtimeClassName="kata", tolerations=[narrow, {"operator": "Exists"}])
    assert spec["tolerations"] == [{"operator": "Exists"}]
