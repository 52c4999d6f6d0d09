"""LimitRanger and ResourceQuota: defaults, bounds, and counting what was let through."""

from __future__ import annotations

import pytest

from apimachinery.clock import ManualClock, parse_time
from apimachinery.errors import Forbidden
from apiserver.admission.interfaces import UPDATE, NotYet
from apiserver.admission.plugins.limit_ranger import LimitRanger
from apiserver.admission.plugins.resource_quota import ResourceQuota
from tests.apiserver.admission.support import Reader, named, pod, request


def ranger(*limits):
    return LimitRanger(Reader(limitranges=[named("l", "ns", spec={"limits": list(limits)})]))


def sized(requests=None, limits=None, **more):
    resources = {"requests": requests or {}, "limits": limits or {}}
    return pod(containers=[{"name": "c", "resources": resources}], **more)


def test_defaults_and_the_note_of_them():
    obj = pod(
        containers=[{"name": "c", "resources": {"requests": {"cpu": "1"}}}],
        initContainers=[{"name": "i"}],
    )
    defaults = {
        "type": "Container",
        "default": {"memory": "1Gi"},
        "defaultRequest": {"cpu": "100m", "memory": "512Mi"},
    }

    ranger(defaults).admit(request(obj))

    assert obj["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "1", "memory": "512Mi"},
        "limits": {"memory": "1Gi"},
    }
    assert obj["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": (
            "LimitRanger plugin set: memory request for container c; memory limit for container c;"
            " cpu, memory request for init container i; memory limit for init container i"
        )
    }


@pytest.mark.parametrize(
    ("limit", "obj", "words"),
    [
        (
            {"type": "Container", "min": {"cpu": "100m"}},
            sized({"cpu": "50m"}),
            "minimum cpu usage per Container is 100m, but request is 50m",
        ),
        (
            {"type": "Container", "min": {"cpu": "100m"}},
            sized(),
            "minimum cpu usage per Container is 100m.  No request is specified",
        ),
        (
            {"type": "Container", "max": {"cpu": "1"}},
            sized({"cpu": "2"}, {"cpu": "2"}),
            "maximum cpu usage per Container is 1, but limit is 2",
        ),
        (
            {"type": "Container", "max": {"cpu": "1"}},
            sized({"cpu": "2"}),
            "maximum cpu usage per Container is 1.  No limit is specified",
        ),
        (
            {"type": "Pod", "maxLimitRequestRatio": {"cpu": "2"}},
            sized({"cpu": "1"}, {"cpu": "3"}),
            "cpu max limit to request ratio per Pod is 2, but provided ratio is 3.000000",
        ),
        (
            {"type": "Container", "min": {"cpu": "1", "memory": "1Gi"}},
            sized(),
            (
                "[minimum cpu usage per Container is 1.  No request is specified, minimum memory "
                "usage per Container is 1Gi.  No request is specified]"
            ),
        ),
    ],
)
def test_bounds_of_pods(limit, obj, words):
    with pytest.raises(Forbidden) as caught:
        ranger(limit).validate(request(obj))

    assert caught.value.message == f'pods "p" is forbidden: {words}'


@pytest.mark.parametrize(
    ("storage", "words"),
    [
        ("500Mi", "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi"),
        ("3Gi", "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi"),
    ],
)
def test_bounds_of_claims(storage, words):
    limit = {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}
    claim = named("c", "ns", spec={"resources": {"requests": {"storage": storage}}})

    with pytest.raises(Forbidden, match=words):
        ranger(limit).validate(request(claim, "persistentvolumeclaims"))


def test_update_of_a_pod_is_not_looked_at():
    limit = {"type": "Container", "min": {"cpu": "1"}}

    ranger(limit).validate(request(sized(), operation=UPDATE, old_object=sized()))


CLOCK = ManualClock(1_767_600_000.0)


def plugin_of(reader):
    return ResourceQuota(reader, CLOCK)


def quota(hard, used=None, revision=1, **spec):
    made = named("q", "ns", spec={"hard": hard, **spec}, status={"hard": hard})
    made["status"]["used"] = dict.fromkeys(hard, "0") if used is None else used
    made["metadata"] |= {"uid": "q", "resourceVersion": str(revision)}
    return made


def config_map(name):
    return request(named(name, "ns"), "configmaps")


def test_exceeded_quota_tells_the_exceeded_alone():
    hard = {"pods": "0", "requests.cpu": "1", "requests.memory": "9Gi"}
    plugin = plugin_of(Reader(resourcequotas=[quota(hard)]))

    with pytest.raises(Forbidden) as caught:
        plugin.validate(request(sized({"cpu": "2", "memory": "1Gi"})))

    assert caught.value.message == (
        'pods "p" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=2, used: '
        "pods=0,requests.cpu=0, limited: pods=0,requests.cpu=1"
    )


def test_what_is_counted_must_be_said():
    plugin = plugin_of(Reader(resourcequotas=[quota({"requests.cpu": "1", "cpu": "1"})]))

    with pytest.raises(Forbidden) as caught:
        plugin.validate(request(pod()))

    assert caught.value.message == (
        'pods "p" is forbidden: failed quota: q: must specify cpu for: c; requests.cpu for: c'
    )


def test_status_that_is_not_there_yet():
    plugin = plugin_of(Reader(resourcequotas=[quota({"configmaps": "1"}, used={})]))

    with pytest.raises(NotYet, match="status unknown for quota: q, resources: configmaps"):
        plugin.validate(config_map("a"))


def test_burst_is_counted_before_the_status_is():
    reader = Reader(resourcequotas=[quota({"count/configmaps": "2"})])
    plugin = plugin_of(reader)
    plugin.validate(config_map("a"))
    plugin.validate(config_map("b"))

    with pytest.raises(Forbidden, match="used: count/configmaps=2"):
        plugin.validate(config_map("c"))


def test_charge_ends_when_the_status_has_caught_up():
    first = quota({"count/configmaps": "2"})
    reader = Reader(resourcequotas=[first])
    plugin = plugin_of(reader)
    plugin.validate(config_map("a"))
    reader.add("configmaps", named("a", "ns"))
    first["metadata"]["resourceVersion"] = "2"
    first["status"]["used"] = {"count/configmaps": "1"}

    plugin.validate(config_map("b"))

    with pytest.raises(Forbidden):
        plugin.validate(config_map("c"))


def counted(plugin_quota, used):
    """Write what the controller has counted."""
    plugin_quota["status"]["used"] = {"count/configmaps": str(used)}


def test_a_count_that_was_made_before_does_not_end_a_charge():
    first = quota({"count/configmaps": "3"})
    reader = Reader(resourcequotas=[first])
    plugin = plugin_of(reader)
    for name in ("a", "b"):
        plugin.validate(config_map(name))
        reader.add("configmaps", named(name, "ns"))
    counted(first, 1)  # before b was seen

    plugin.validate(config_map("c"))

    with pytest.raises(Forbidden, match="used: count/configmaps=3,"):
        plugin.validate(config_map("d"))


def test_what_is_stored_is_counted_before_a_refusal():
    first = quota({"count/configmaps": "3"}, used={"count/configmaps": "1"})
    reader = Reader(resourcequotas=[first], configmaps=[named("old", "ns")])
    plugin = plugin_of(reader)
    for name in ("a", "b"):
        plugin.validate(config_map(name))
        reader.add("configmaps", named(name, "ns"))
    reader.remove("configmaps", "ns", "old")
    counted(first, 2)  # as many as there are, though fewer than have come

    plugin.validate(config_map("c"))

    with pytest.raises(Forbidden, match="used: count/configmaps=3,"):
        plugin.validate(config_map("d"))


def test_what_changes_nothing_in_the_status_ends_no_charge():
    first = quota({"count/configmaps": "1"})
    reader = Reader(resourcequotas=[first])
    plugin = plugin_of(reader)
    plugin.validate(config_map("a"))
    for revision in "234":
        first["metadata"]["resourceVersion"] = revision

        with pytest.raises(Forbidden):
            plugin.validate(config_map("b"))


def test_dry_run_and_doubles_charge_nothing():
    reader = Reader(resourcequotas=[quota({"configmaps": "2"})], configmaps=[named("a", "ns")])
    plugin = plugin_of(reader)
    dry = config_map("b")
    dry.dry_run = True
    plugin.validate(dry)
    plugin.validate(config_map("a"))

    plugin.validate(config_map("c"))

    with pytest.raises(Forbidden):
        plugin.validate(config_map("d"))


def test_counts_that_lag_let_nothing_through_that_exceeds():
    first = quota({"count/configmaps": "3"})
    reader = Reader(resourcequotas=[first])
    plugin = plugin_of(reader)
    for name in ("a", "b", "c"):
        plugin.validate(config_map(name))
        reader.add("configmaps", named(name, "ns"))
    for late in (3, 1, 2, 0):
        counted(first, late)

        with pytest.raises(Forbidden, match="used: count/configmaps=3,"):
            plugin.validate(config_map("d"))


def test_a_worker_that_begins_counts_what_is_stored():
    stored = [named(name, "ns") for name in ("a", "b")]
    reader = Reader(resourcequotas=[quota({"count/configmaps": "2"})], configmaps=stored)

    with pytest.raises(Forbidden, match="used: count/configmaps=2,"):
        plugin_of(reader).validate(config_map("c"))


def test_a_pod_that_a_lost_node_keeps_takes_no_share_for_ever():
    stuck = pod()
    stuck["metadata"] |= {
        "name": "stuck",
        "deletionTimestamp": "2026-01-05T08:00:30Z",
        "deletionGracePeriodSeconds": 30,
    }
    reader = Reader(resourcequotas=[quota({"pods": "1"})], pods=[stuck])
    clock = ManualClock(parse_time("2026-01-05T08:00:59Z").timestamp())
    plugin = ResourceQuota(reader, clock)
    with pytest.raises(Forbidden):
        plugin.validate(request(pod()))
    clock.advance(2)

    plugin.validate(request(pod()))


def test_what_a_quota_did_not_limit_for_a_while_is_counted_anew():
    held = quota({"count/configmaps": "2", "pods": "9"})
    reader = Reader(resourcequotas=[held])
    plugin = plugin_of(reader)

    def limit(**hard):
        held["status"] = {"hard": hard, "used": dict.fromkeys(hard, "0")}

    for name in ("a", "b"):
        plugin.validate(config_map(name))
        reader.add("configmaps", named(name, "ns"))
        limit(pods="9")
        plugin.validate(request(pod()))
    limit(pods="9", **{"count/configmaps": "2"})

    with pytest.raises(Forbidden, match="used: count/configmaps=2,"):
        plugin.validate(config_map("c"))


def test_what_never_came_is_forgotten():
    first = quota({"count/configmaps": "1"})
    plugin = plugin_of(Reader(resourcequotas=[first]))
    plugin.validate(config_map("refused-later"))
    first["status"]["used"] = {"count/configmaps": "0", "pods": "1"}
    with pytest.raises(Forbidden):
        plugin.validate(config_map("a"))
    first["status"]["used"] = {"count/configmaps": "0", "pods": "2"}

    plugin.validate(config_map("a"))


@pytest.mark.parametrize(
    ("spec", "obj", "counted"),
    [
        ({"scopes": ["BestEffort"]}, pod(), True),
        ({"scopes": ["BestEffort"]}, sized({"cpu": "1"}), False),
        ({"scopes": ["Terminating"]}, pod(activeDeadlineSeconds=5), True),
        ({"scopes": ["NotTerminating"]}, pod(activeDeadlineSeconds=5), False),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [
                        {"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}
                    ]
                }
            },
            pod(priorityClassName="high"),
            True,
        ),
    ],
)
def test_scopes(spec, obj, counted):
    plugin = plugin_of(Reader(resourcequotas=[quota({"pods": "0"}, **spec)]))

    if counted:
        with pytest.raises(Forbidden, match="exceeded quota"):
            plugin.validate(request(obj))
    else:
        plugin.validate(request(obj))


def service(**spec):
    return named("s", "ns", spec=spec)


GOLD = {"scopeName": "VolumeAttributesClass", "operator": "In", "values": ["gold"]}


@pytest.mark.parametrize(
    ("requirement", "claim", "counted"),
    [
        (GOLD, {"spec": {"volumeAttributesClassName": "gold"}}, True),
        (GOLD, {"spec": {"volumeAttributesClassName": "silver"}}, False),
        (GOLD, {}, False),
        (GOLD, {"status": {"currentVolumeAttributesClassName": "gold"}}, True),
        (
            GOLD,
            {"status": {"modifyVolumeStatus": {"targetVolumeAttributesClassName": "gold"}}},
            True,
        ),
        (GOLD | {"operator": "NotIn"}, {}, True),
        (
            {"scopeName": "VolumeAttributesClass", "operator": "Exists"},
            {"spec": {"volumeAttributesClassName": "silver"}},
            True,
        ),
        ({"scopeName": "VolumeAttributesClass", "operator": "DoesNotExist"}, {}, True),
        ({"scopeName": "PriorityClass", "operator": "DoesNotExist"}, {}, False),
    ],
)
def test_scopes_of_claims(requirement, claim, counted):
    selector = {"matchExpressions": [requirement]}
    held = quota({"persistentvolumeclaims": "0"}, scopeSelector=selector)
    plugin = plugin_of(Reader(resourcequotas=[held]))
    asked = request(named("c", "ns", **claim), "persistentvolumeclaims")

    if counted:
        with pytest.raises(Forbidden, match="exceeded quota"):
            plugin.validate(asked)
    else:
        plugin.validate(asked)


DEVICES = ".deviceclass.resource.k8s.io/devices"


def devices(name, mode="ExactCount", **more):
    return {"deviceClassName": name, "allocationMode": mode, **more}


@pytest.mark.parametrize(
    ("requests", "asked"),
    [
        ([{"exactly": devices("gpu", count=2)}], "2"),
        ([{"exactly": devices("gpu", "All")}], "32"),
        ([{"exactly": devices("gpu", count=2)}, {"exactly": devices("gpu", count=3)}], "5"),
        ([{"firstAvailable": [devices("gpu", count=2), devices("gpu", count=3)]}], "3"),
        ([{"firstAvailable": [devices("nic", count=9), devices("gpu", count=1)]}], "1"),
    ],
)
def test_devices_are_counted_by_class(requests, asked):
    plugin = plugin_of(Reader(resourcequotas=[quota({f"gpu{DEVICES}": "0"})]))
    claim = named("c", "ns", spec={"devices": {"requests": requests}})

    with pytest.raises(Forbidden, match=f"requested: gpu{DEVICES}={asked},"):
        plugin.validate(request(claim, "resourceclaims.resource.k8s.io"))


CLAIMS = "resourceclaims.resource.k8s.io"
GPUS, OWN = "requests.example.com/gpu", "requests.deviceclass.resource.kubernetes.io/gpu"
EXTENDED = "resource.kubernetes.io/extended-resource-claim"


def device_claim(name, count, **metadata):
    spec = {"devices": {"requests": [{"exactly": devices("gpu", count=count)}]}}
    made = named(name, "ns", spec=spec)
    made["metadata"] |= metadata
    return made


def made_for(name, count, owner, created="2026-01-05T08:00:00Z"):
    """A claim as the scheduler makes it for a pod's extended resources."""
    reference = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": owner, "controller": True}
    return device_claim(
        name,
        count,
        annotations={EXTENDED: "true"},
        ownerReferences=[reference],
        creationTimestamp=created,
    )


def gpu_cluster(hard, *stored):
    held = quota({GPUS: hard, OWN: hard, f"gpu{DEVICES}": hard})
    classes = [named("gpu", spec={"extendedResourceName": "example.com/gpu"})]
    reader = Reader(resourcequotas=[held], deviceclasses__resource__k8s__io=classes)
    reader.add(CLAIMS, *stored)
    return reader


def test_devices_of_a_claim_count_as_the_resources_of_their_class():
    plugin = plugin_of(gpu_cluster("1"))

    with pytest.raises(Forbidden) as caught:
        plugin.validate(request(device_claim("c", 2), CLAIMS))

    assert caught.value.message == (
        'resourceclaims.resource.k8s.io "c" is forbidden: exceeded quota: q, '
        f"requested: gpu{DEVICES}=2,{OWN}=2,{GPUS}=2, used: gpu{DEVICES}=0,{OWN}=0,{GPUS}=0, "
        f"limited: gpu{DEVICES}=1,{OWN}=1,{GPUS}=1"
    )


def test_a_class_that_is_not_there_stands_for_nothing():
    reader = Reader(resourcequotas=[quota({GPUS: "0", OWN: "0"})])

    plugin_of(reader).validate(request(device_claim("c", 2), CLAIMS))


def test_pods_and_claims_share_what_a_quota_allows():
    reader = gpu_cluster("3", device_claim("c", 2))
    plugin = plugin_of(reader)
    plugin.validate(request(sized({"example.com/gpu": "1"})))

    with pytest.raises(Forbidden, match=f"used: gpu{DEVICES}=2,{OWN}=2,{GPUS}=3, "):
        plugin.validate(request(device_claim("d", 2), CLAIMS))
    # Only the resource that the first pod asked for is used up.
    with pytest.raises(Forbidden, match=f"exceeded quota: q, requested: {GPUS}=1, used: {GPUS}=3,"):
        plugin.validate(request(sized({"example.com/gpu": "1"})))
    plugin.validate(request(sized({"deviceclass.resource.kubernetes.io/gpu": "1"})))


def test_a_claim_made_for_a_pod_counts_beyond_the_pod():
    reader = gpu_cluster("2")
    owner = sized({"example.com/gpu": "2"})
    owner["metadata"]["uid"] = "pod-uid"
    reader.add("pods", owner)
    plugin = plugin_of(reader)

    plugin.validate(request(made_for("first", 2, "pod-uid"), CLAIMS))

    reader.add(CLAIMS, made_for("first", 2, "pod-uid"))
    for wrong in (made_for("x", 1, "another"), made_for("y", 1, "pod-uid", "2026-01-05T08:00:01Z")):
        with pytest.raises(Forbidden, match=f"requested: gpu{DEVICES}=1,{OWN}=1,{GPUS}=1, "):
            plugin.validate(request(wrong, CLAIMS))
    owner["status"] = {"extendedResourceClaimStatus": {"resourceClaimName": "second"}}
    with pytest.raises(Forbidden, match=f"requested: gpu{DEVICES}=1,{OWN}=1,{GPUS}=1, "):
        plugin.validate(request(made_for("z", 1, "pod-uid"), CLAIMS))


@pytest.mark.parametrize(
    ("hard", "obj", "resource", "exceeded"),
    [
        ("services.nodeports", service(type="NodePort", ports=[{}]), "services", True),
        ("services.nodeports", service(type="ClusterIP", ports=[{}]), "services", False),
        ("services.loadbalancers", service(type="LoadBalancer"), "services", True),
        ("count/deployments.apps", named("d", "ns"), "deployments.apps", True),
        ("count/deployments.apps", named("d", "ns"), "replicasets.apps", False),
        (
            "fast.storageclass.storage.k8s.io/requests.storage",
            named(
                "c",
                "ns",
                spec={
                    "storageClassName": "fast",
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            ),
            "persistentvolumeclaims",
            True,
        ),
        (
            "slow.storageclass.storage.k8s.io/persistentvolumeclaims",
            {
                "metadata": {
                    "name": "c",
                    "namespace": "ns",
                    "annotations": {"volume.beta.kubernetes.io/storage-class": "slow"},
                },
                "spec": {"storageClassName": "fast"},
            },
            "persistentvolumeclaims",
            True,
        ),
    ],
)
def test_what_counts(hard, obj, resource, exceeded):
    plugin = plugin_of(Reader(resourcequotas=[quota({hard: "0"})]))

    if exceeded:
        with pytest.raises(Forbidden, match=f"requested: {hard}="):
            plugin.validate(request(obj, resource))
    else:
        plugin.validate(request(obj, resource))


def test_claim_that_grows_takes_the_difference():
    def claim(size, name="c"):
        return named(name, "ns", spec={"resources": {"requests": {"storage": size}}})

    hard = {"requests.storage": "3Gi"}
    held = quota(hard, used={"requests.storage": "2Gi"})
    reader = Reader(
        resourcequotas=[held], persistentvolumeclaims=[claim("1Gi"), claim("1Gi", "other")]
    )
    plugin = plugin_of(reader)

    def grow(size, name="c"):
        asked = claim(size, name)
        resource = "persistentvolumeclaims"
        plugin.validate(request(asked, resource, UPDATE, old_object=claim("1Gi", name)))

    grow("2Gi")
    with pytest.raises(Forbidden, match=r"requested: requests\.storage=1Gi"):
        grow("2Gi", "other")
    # What has grown and is stored counts once.
    reader.remove("persistentvolumeclaims", "ns", "c")
    reader.add("persistentvolumeclaims", claim("2Gi"))
    held["status"]["hard"] = {"requests.storage": "4Gi"}
    grow("2Gi", "other")
