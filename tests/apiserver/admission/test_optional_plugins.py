"""The plugins that are off unless an operator names them, and those that look at nodes."""

from __future__ import annotations

import time

import pytest

from apimachinery.clock import ManualClock
from apimachinery.errors import ApiError, Forbidden, NotFound, TooManyRequests
from apiserver.admission.configuration import EventLimit
from apiserver.admission.interfaces import CREATE, UPDATE
from apiserver.admission.plugins.always_deny import AlwaysDeny
from apiserver.admission.plugins.always_pull_images import AlwaysPullImages
from apiserver.admission.plugins.cluster_trust_bundle_attest import ClusterTrustBundleAttest
from apiserver.admission.plugins.deny_service_external_ips import DenyServiceExternalIPs
from apiserver.admission.plugins.event_rate_limit import EventRateLimit
from apiserver.admission.plugins.extended_resource_toleration import ExtendedResourceToleration
from apiserver.admission.plugins.limit_pod_hard_anti_affinity_topology import (
    LimitPodHardAntiAffinityTopology,
)
from apiserver.admission.plugins.namespace_exists import NamespaceExists
from apiserver.admission.plugins.owner_references_permission_enforcement import (
    OwnerReferencesPermissionEnforcement,
)
from apiserver.admission.plugins.pod_node_selector import PodNodeSelector
from apiserver.admission.plugins.pod_resize_validator import PodResizeValidator
from apiserver.admission.plugins.pod_toleration_restriction import (
    MEMORY_PRESSURE,
    PodTolerationRestriction,
)
from apiserver.admission.plugins.pod_topology_labels import PodTopologyLabels
from apiserver.admission.tolerations import covers, merge
from apiserver.registry.catalog import Catalog
from tests.apiserver.admission.support import Reader, named, pod, request


def refused(run, asked):
    with pytest.raises(Forbidden) as caught:
        run(asked)
    return caught.value.message.partition(" is forbidden: ")[2]


def test_always_deny():
    words = "admission control is denying all modifications"
    assert refused(AlwaysDeny().admit, request(named("a"), "configmaps")) == words


# -- images ---------------------------------------------------------------------------------------


def test_images_are_always_pulled():
    made = pod(
        initContainers=[{"name": "i", "image": "a", "imagePullPolicy": "Never"}],
        volumes=[{"name": "v", "image": {"reference": "b"}}, {"name": "w", "emptyDir": {}}],
    )
    asked = request(made)
    words = refused(AlwaysPullImages().validate, asked)
    assert words == (
        '[spec.initContainers[0].imagePullPolicy: Unsupported value: "Never": supported values: '
        '"Always", spec.containers[0].imagePullPolicy: Unsupported value: "": supported values: '
        '"Always", spec.volumes[0].image.pullPolicy: Unsupported value: "": supported values: '
        '"Always"]'
    )
    AlwaysPullImages().admit(asked)
    AlwaysPullImages().validate(asked)
    assert made["spec"]["volumes"][0]["image"]["pullPolicy"] == "Always"


def test_a_pod_that_runs_stays_as_it_is():
    old = pod(containers=[{"name": "c", "image": "a", "imagePullPolicy": "Never"}])
    new = pod(containers=[{"name": "c", "image": "a", "imagePullPolicy": "Never"}])
    AlwaysPullImages().admit(request(new, operation=UPDATE, old_object=old))
    assert new == old


# -- services, signers, owners --------------------------------------------------------------------


def test_external_addresses_may_stay_and_go_but_not_come():
    def service(*addresses):
        return named("s", "ns", spec={"externalIPs": list(addresses)})

    def update(new, old):
        asked = request(new, "services", UPDATE, old_object=old)
        DenyServiceExternalIPs().validate(asked)

    update(service("192.0.2.1"), service("192.0.2.1", "192.0.2.2"))
    with pytest.raises(Forbidden, match=r"Use of external IPs is denied by admission control\."):
        update(service("192.0.2.1"), service())


class Rights:
    """Who may what: the questions that were asked, and those that are allowed."""

    def __init__(self, *allowed):
        self.allowed, self.asked = set(allowed), []

    def __call__(self, user, verb, group, resource, name, namespace="", subresource=""):
        where = f"{namespace}/" if namespace else ""
        part = f"/{subresource}" if subresource else ""
        self.asked.append(f"{verb} {group}:{resource}{part} {where}{name}")
        return self.asked[-1] in self.allowed


def bundle(signer="example.com/ca", **metadata):
    made = named("b", spec={"signerName": signer, "trustBundle": "x"})
    made["metadata"] |= metadata
    return made


def test_a_bundle_of_a_signer_takes_the_right_to_attest():
    kind = "clustertrustbundles.certificates.k8s.io"
    words = 'user not permitted to attest for signerName "example.com/ca"'
    assert refused(ClusterTrustBundleAttest(Rights()).validate, request(bundle(), kind)) == words
    domain = Rights("attest certificates.k8s.io:signers example.com/*")
    ClusterTrustBundleAttest(domain).validate(request(bundle(), kind))
    ClusterTrustBundleAttest(Rights()).validate(request(bundle(signer=""), kind))
    collected = request(bundle(finalizers=[]), kind, UPDATE, old_object=bundle())
    ClusterTrustBundleAttest(Rights()).validate(collected)


def owned(**reference):
    made = named("p", "ns")
    made["metadata"]["ownerReferences"] = [
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "1", **reference}
    ]
    return made


def enforce(obj, *allowed, old=None):
    plugin = OwnerReferencesPermissionEnforcement(Rights(*allowed), Catalog())
    plugin.validate(request(obj, operation=UPDATE if old else CREATE, old_object=old))


DELETE = "delete :pods ns/p"
FINALIZE = "update apps:replicasets/finalizers ns/r"


def test_an_owner_takes_the_right_to_delete():
    enforce(named("p", "ns"))
    enforce(owned(), DELETE)
    enforce(owned(), old=owned())
    words = "cannot set an ownerRef on a resource you can't delete: , <nil>"
    with pytest.raises(Forbidden, match=words):
        enforce(owned())


def test_an_owner_that_is_held_up_takes_the_right_to_its_finalizers():
    enforce(owned(blockOwnerDeletion=True), DELETE, FINALIZE)
    with pytest.raises(Forbidden, match="a resource you can't set finalizers on: , <nil>"):
        enforce(owned(blockOwnerDeletion=True), DELETE)
    with pytest.raises(Forbidden, match="a resource you can't set finalizers on: , <nil>"):
        enforce(owned(blockOwnerDeletion=True), DELETE, old=owned())
    node = owned(apiVersion="v1", kind="Node", name="n", blockOwnerDeletion=True)
    enforce(node, DELETE, "update :nodes/finalizers n")
    with pytest.raises(Forbidden, match="cannot find RESTMapping for APIVersion a/v1 Kind B: no"):
        enforce(owned(apiVersion="a/v1", kind="B", blockOwnerDeletion=True), DELETE)


# -- namespaces -----------------------------------------------------------------------------------


def annotated(**annotations):
    made = named("ns")
    made["metadata"]["annotations"] = {
        f"scheduler.alpha.kubernetes.io/{key.replace('_', '-')}": value
        for key, value in annotations.items()
    }
    return Reader(namespaces=[made])


def test_namespaces_must_exist():
    plugin = NamespaceExists(Reader(namespaces=[named("ns")]))
    plugin.validate(request(named("a", "ns"), "configmaps"))
    with pytest.raises(NotFound, match='namespaces "other" not found'):
        plugin.validate(request(named("a", "other"), "configmaps"))


def test_node_selectors_of_a_namespace():
    plugin = PodNodeSelector(annotated(node_selector="env=test, zone=a"), {"ns": "env=test,own=1"})
    made = pod(nodeSelector={"env": "test", "own": "1"})
    plugin.admit(request(made))
    assert made["spec"]["nodeSelector"] == {"env": "test", "zone": "a", "own": "1"}
    words = "pod node label selector conflicts with its namespace node label selector"
    assert refused(plugin.admit, request(pod(nodeSelector={"env": "live"}))) == words
    words = "pod node label selector labels conflict with its namespace whitelist"
    assert refused(plugin.validate, request(made)) == words
    default = PodNodeSelector(
        Reader(namespaces=[named("ns")]), {"clusterDefaultNodeSelector": "a=b"}
    )
    default.admit(request(made := pod()))
    assert made["spec"]["nodeSelector"] == {"a": "b"}


LONG = {"key": "gone", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}


@pytest.mark.parametrize(
    ("wide", "narrow", "does"),
    [
        ({"operator": "Exists"}, LONG, True),
        ({"key": "gone", "operator": "Exists"}, LONG, True),
        ({"key": "other", "operator": "Exists"}, LONG, False),
        (LONG, {**LONG, "tolerationSeconds": 10}, True),
        (LONG, {**LONG, "tolerationSeconds": 301}, False),
        (LONG, {**LONG, "effect": "NoSchedule"}, False),
        ({"key": "a", "value": "1"}, {"key": "a", "operator": "Equal", "value": "1"}, True),
        ({"key": "a", "value": "1"}, {"key": "a", "operator": "Equal", "value": "2"}, False),
    ],
)
def test_which_toleration_covers_which(wide, narrow, does):
    assert covers(wide, narrow) is does


def test_of_two_tolerations_the_wider_stays():
    short = {**LONG, "tolerationSeconds": 10}
    assert merge([short], [LONG]) == [LONG]
    assert merge([LONG], [dict(LONG)]) == [LONG]


def test_many_tolerations_are_merged_in_a_time_that_grows_with_their_number() -> None:
    many = [{"key": f"k{at}", "operator": "Equal", "value": "v"} for at in range(4_000)]
    before = time.process_time()
    assert merge(many, [{"operator": "Exists"}]) == [{"operator": "Exists"}]
    assert merge(many, many) == many
    assert time.process_time() - before < 1


def test_tolerations_of_a_namespace():
    mine = {"key": "mine", "operator": "Exists"}
    plugin = PodTolerationRestriction(
        annotated(
            defaultTolerations='[{"key": "mine", "operator": "Exists"}]',
            tolerationsWhitelist='[{"key": "mine", "operator": "Exists"}]',
        )
    )
    made = pod()
    plugin.admit(request(made))
    assert made["spec"]["tolerations"] == [mine]
    plugin.validate(request(made))
    made["spec"]["tolerations"].append({"key": "other", "operator": "Exists"})
    with pytest.raises(ApiError) as caught:
        plugin.validate(request(made))
    assert (caught.value.code, caught.value.reason) == (500, "")
    assert caught.value.message == (
        "pod tolerations (possibly merged with namespace default tolerations) conflict with its "
        "namespace whitelist"
    )


def test_pods_that_ask_for_memory_bear_its_pressure():
    plugin = PodTolerationRestriction(Reader(namespaces=[named("ns")]), default=[LONG])
    container = {"name": "c", "resources": {"requests": {"memory": "1Gi"}}}
    made = pod(containers=[container])
    plugin.admit(request(made))
    assert made["spec"]["tolerations"] == [LONG, MEMORY_PRESSURE]


# -- pods and their nodes -------------------------------------------------------------------------


def test_a_device_s_taint_is_tolerated_once():
    container = {"name": "c", "resources": {"requests": {"example.com/gpu": "1", "cpu": "1"}}}
    made = pod(containers=[container, container])
    for _ in range(2):
        ExtendedResourceToleration().admit(request(made))
    assert made["spec"]["tolerations"] == [
        {"key": "example.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]


def test_nobody_keeps_others_off_a_zone():
    def affinity(key):
        terms = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": key}]}
        return request(pod(affinity={"podAntiAffinity": terms}))

    LimitPodHardAntiAffinityTopology().validate(affinity("kubernetes.io/hostname"))
    assert refused(LimitPodHardAntiAffinityTopology().validate, affinity("zone")) == (
        "affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key "
        "kubernetes.io/hostname is allowed"
    )


def node(**labels):
    made = named("n1", status={"allocatable": {"cpu": "2", "memory": "1Ki"}})
    made["metadata"]["labels"] = labels
    return Reader(nodes=[made])


def test_a_pod_takes_over_its_node_s_zone():
    zone = "topology.kubernetes.io/zone"
    nodes = node(**{zone: "a", "topology.kubernetes.io/region": "r", "other": "x"})
    made = pod(nodeName="n1")
    made["metadata"]["labels"] = {zone: "own"}
    PodTopologyLabels(nodes).admit(request(made))
    assert made["metadata"]["labels"] == {zone: "own", "topology.kubernetes.io/region": "r"}
    for target, kept in (("Node", True), ("Other", False)):
        binding = named("p", "ns", target={"kind": target, "name": "n1"})
        PodTopologyLabels(nodes).admit(request(binding, subresource="binding"))
        assert ("labels" in binding["metadata"]) is kept


def resize(**requests):
    sized = [{"name": "c", "resources": {"requests": requests}}]
    new, old = pod(nodeName="n1", containers=sized), pod(nodeName="n1")
    return request(new, operation=UPDATE, subresource="resize", old_object=old)


def test_no_pod_grows_beyond_its_node():
    linux = PodResizeValidator(node(**{"kubernetes.io/os": "linux"}))
    linux.validate(resize(cpu="2", memory="1Ki"))
    with pytest.raises(Forbidden) as caught:
        linux.validate(resize(cpu="2001m", memory="2Ki"))
    assert caught.value.message.endswith(
        "Node didn't have enough allocatable resources: cpu, requested: 2001, allocatable: 2000; "
        "memory, requested: 2048, allocatable: 1024"
    )
    assert caught.value.details["causes"] == [{"reason": "NodeCapacity"}]
    assert refused(PodResizeValidator(node()).validate, resize(cpu="1")) == (
        'pod resize is only supported on linux nodes, node "n1" is ""'
    )
    assert refused(PodResizeValidator(Reader()).validate, resize(cpu="1")) == (
        'node "n1" not found'
    )


# -- events ---------------------------------------------------------------------------------------


def event(namespace="ns"):
    about = {"kind": "Pod", "namespace": namespace, "name": "p"}
    return request(named("e", namespace, involvedObject=about), "events")


def test_events_come_no_faster_than_allowed():
    clock = ManualClock()
    limits = [EventLimit("Namespace", 1, 2), EventLimit("Server", 10, 3)]
    plugin = EventRateLimit(limits, clock)
    for _ in range(2):
        plugin.validate(event())
    with pytest.raises(TooManyRequests) as caught:
        plugin.validate(event())
    assert caught.value.message == "limit reached on type Namespace for key ns"
    with pytest.raises(TooManyRequests) as caught:
        plugin.validate(event("other"))
    assert caught.value.message == "limit reached on type Server for key "
    clock.advance(1)
    plugin.validate(event())


def test_what_was_not_used_for_long_is_forgotten():
    plugin = EventRateLimit([EventLimit("Namespace", 1, 1, cache_size=1)], ManualClock())
    for namespace in ("a", "b", "a"):
        plugin.validate(event(namespace))
    with pytest.raises(TooManyRequests):
        plugin.validate(event("a"))
