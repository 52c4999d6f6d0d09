"""What a namespace is born with, and how it goes."""

import pytest

from apimachinery.errors import InternalError, ServiceUnavailable
from apimachinery.meta import is_deleting
from nodes.client.resources import CONFIGMAPS, NAMESPACES, PODS, SERVICEACCOUNTS
from tests.support.builders import namespace, obj, pod

pytestmark = pytest.mark.looptime

NAMESPACE = "namespace-controller"


def conditions(rig, name):
    found = rig.need("namespaces", name)["status"].get("conditions", [])
    return [(c["type"], c["status"], c["reason"], c["message"]) for c in found]


async def test_a_namespace_is_born_with_an_account_and_the_root_certificate(rig):
    await rig.run("serviceaccount-controller", "root-ca-certificate-publisher-controller")
    await rig.create(namespace("a"))
    await rig.settle()
    assert rig.get("serviceaccounts", "default", "a") is not None
    bundle = rig.need("configmaps", "kube-root-ca.crt", "a")
    assert bundle["data"] == {"ca.crt": "PEM"}
    assert bundle["metadata"]["annotations"]["kubernetes.io/description"].startswith(
        "Contains a CA bundle that can be used to verify the kube-apiserver"
    )


async def test_they_come_back_and_are_mended(rig):
    await rig.run("serviceaccount-controller", "root-ca-certificate-publisher-controller")
    await rig.create(namespace("a"), namespace("b"))
    await rig.settle()
    await rig.client.delete(SERVICEACCOUNTS, "a", "default")
    await rig.client.patch(CONFIGMAPS, "b", "kube-root-ca.crt", {"data": {"ca.crt": "x"}})
    await rig.settle()
    assert rig.get("serviceaccounts", "default", "a") is not None
    assert rig.need("configmaps", "kube-root-ca.crt", "b")["data"] == {"ca.crt": "PEM"}


async def test_a_terminating_namespace_gets_nothing(rig):
    await rig.create(namespace("a"))
    await rig.client.delete(NAMESPACES, "", "a")
    await rig.run("serviceaccount-controller", "root-ca-certificate-publisher-controller")
    await rig.settle()
    assert rig.api.written(rig.account("service-account-controller")) == []
    assert rig.api.written(rig.account("root-ca-cert-publisher")) == []


async def test_a_deleted_namespace_goes_with_its_content(rig):
    await rig.create(namespace("a"), namespace("b"))
    await rig.create(pod("p", "a"), obj("ConfigMap", "c", "a"), obj("ConfigMap", "c", "b"))
    await rig.run(NAMESPACE)
    await rig.client.delete(NAMESPACES, "", "a")
    await rig.until(lambda: rig.names("namespaces") == ["b"])
    assert rig.names("pods") == []
    assert rig.names("configmaps") == ["c"]


async def test_pods_go_before_all_else(rig):
    await rig.create(namespace("a"))
    await rig.create(pod("p", "a").on("n1"), obj("ConfigMap", "c", "a"))
    await rig.run(NAMESPACE)
    await rig.client.delete(NAMESPACES, "", "a")
    await rig.settle()
    assert is_deleting(rig.need("pods", "p", "a"))
    assert rig.names("configmaps") == ["c"]
    assert conditions(rig, "a")[3] == (
        "NamespaceContentRemaining",
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: pods. has 1 resource instances",
    )
    await rig.client.delete(PODS, "a", "p", grace=0)
    await rig.until(lambda: rig.names("namespaces") == [])


async def test_what_holds_it_is_said_in_the_conditions(rig):
    await rig.create(namespace("a"))
    await rig.create(obj("ConfigMap", "c", "a").finalizers("example.com/hold"))
    await rig.run(NAMESPACE)
    await rig.client.delete(NAMESPACES, "", "a")
    await rig.settle()
    hold = "example.com/hold in 1 resource instances"
    assert conditions(rig, "a") == [
        (
            "NamespaceDeletionDiscoveryFailure",
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        (
            "NamespaceContentRemaining",
            "True",
            "SomeResourcesRemain",
            "Some resources are remaining: configmaps. has 1 resource instances",
        ),
        (
            "NamespaceFinalizersRemaining",
            "True",
            "SomeFinalizersRemain",
            f"Some content in the namespace has finalizers remaining: {hold}",
        ),
    ]
    await rig.client.patch(CONFIGMAPS, "a", "c", {"metadata": {"finalizers": None}})
    await rig.until(lambda: rig.names("namespaces") == [], within=20)


async def test_failures_are_said_and_tried_again(rig):
    await rig.create(namespace("a"))
    await rig.create(obj("ConfigMap", "c", "a"))
    await rig.run(NAMESPACE)
    faults = rig.transport_for(rig.account(NAMESPACE))
    faults.fail("deletecollection", "configmaps", InternalError("broken"), times=2)
    await rig.client.delete(NAMESPACES, "", "a")
    await rig.settle(0.05)
    assert conditions(rig, "a")[2] == (
        "NamespaceDeletionContentFailure",
        "True",
        "ContentDeletionFailed",
        "Failed to delete all resource types, 1 remaining: Internal error occurred: broken",
    )
    await rig.until(lambda: rig.names("namespaces") == [])


async def test_nothing_goes_while_discovery_fails(rig):
    await rig.create(namespace("a"))
    await rig.create(obj("ConfigMap", "c", "a"))
    await rig.run(NAMESPACE)
    served = rig.resources

    class Away(list):
        def __iter__(self):
            raise ServiceUnavailable("no answer")

    rig.resources = Away()
    await rig.client.delete(NAMESPACES, "", "a")
    await rig.settle()
    assert conditions(rig, "a")[0][:3] == (
        "NamespaceDeletionDiscoveryFailure",
        "True",
        "DiscoveryFailed",
    )
    assert rig.names("configmaps") == ["c"]
    rig.resources = served
    await rig.until(lambda: rig.names("namespaces") == [])
