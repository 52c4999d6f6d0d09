"""What objects have to do with each other: the rules, the picture, and what is folded."""

from __future__ import annotations

import random

import pytest

from playground.objects import relations
from playground.objects.relations import edges as rules
from playground.objects.relations import graph, headings, standing
from playground.objects.relations.edges import PODS, SLICES, between
from playground.objects.relations.graph import Fold, draw, layers, near
from tests.playground.objects import node, pod

TITLES = {
    "ReplicaSet": "replicasets.apps",
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "Loop": "loops.example.com",
}


def key_of(version, kind, namespace, name):
    title = TITLES.get(kind)
    return (title, namespace, name) if title else None


def thing(name, owner=None, **more):
    owners = [{"apiVersion": "x/v1", "kind": owner[0], "name": owner[1]}] if owner else []
    meta = {"name": name, "namespace": "default", "ownerReferences": owners}
    return {"metadata": meta, **more}


def web(pods=2):
    """A Deployment, its ReplicaSet and pods, and what stands around them."""
    chosen = {"matchLabels": {"app": "web"}}
    targets = [
        {"targetRef": {"kind": "Pod", "name": f"web-{number}"}, "conditions": {"ready": True}}
        for number in range(pods)
    ]
    labels = {"kubernetes.io/service-name": "web"}
    slice_ = thing("web-x1", endpoints=targets)
    slice_["metadata"]["labels"] = labels
    made = []
    for number in range(pods):
        one = pod(f"web-{number}", f"n{number % 3}")
        one["metadata"]["ownerReferences"] = thing("", ("ReplicaSet", "web-7c9"))["metadata"][
            "ownerReferences"
        ]
        one["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": "app"}}]
        one["spec"]["serviceAccountName"] = "runner"
        made.append(one)
    scale = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {
        "deployments.apps": [thing("web", spec={"selector": chosen}, status={"replicas": pods})],
        "replicasets.apps": [thing("web-7c9", ("Deployment", "web"), status={"replicas": pods})],
        PODS: [*made, pod("other", "n1", app="other")],
        "services": [thing("web", spec={"selector": {"app": "web"}})],
        SLICES: [slice_],
        rules.INGRESSES: [
            thing(
                "front",
                spec={
                    "rules": [
                        {"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}},
                    ],
                    "tls": [{"secretName": "cert"}],
                },
            )
        ],
        rules.POLICIES: [
            thing("deny-all", spec={"podSelector": {}}),
            thing("web-only", spec={"podSelector": chosen}),
        ],
        rules.BUDGETS: [thing("web-pdb", spec={"selector": chosen})],
        rules.SCALERS: [thing("web-hpa", spec={"scaleTargetRef": scale})],
        "configmaps": [thing("app")],
    }


def seen(objects, title, name, namespace="default"):
    return near((title, namespace, name), between(objects, key_of))


def named(found, title):
    return sorted(name for kind, _namespace, name in found.found if kind == title)


def pairs(objects):
    return {(one.source[2], one.verb, one.target[2]) for one in between(objects, key_of)}


def test_what_acts_on_what():
    found = pairs(web())
    assert {
        ("web", "owns", "web-7c9"),
        ("web-7c9", "owns", "web-0"),
        ("web-hpa", "scales", "web"),
        ("front", "routes", "web"),
        ("front", "uses", "cert"),
        ("web", "endpoints", "web-x1"),
        ("web-x1", "lists", "web-0"),
        ("web-only", "applies", "web-1"),
        ("deny-all", "applies", "other"),
        ("web-pdb", "protects", "web-0"),
        ("web-0", "uses", "app"),
        ("web-0", "uses", "runner"),
        ("web-0", "runs", "n0"),
    } <= found
    assert ("web-only", "applies", "other") not in found
    # A pod that a slice lists is not selected a second time.
    assert ("web", "selects", "web-0") not in found


def test_a_service_selects_pods_that_no_slice_has_yet():
    objects = web()
    objects[SLICES] = []
    assert ("web", "selects", "web-0") in pairs(objects)


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ({"matchLabels": {"app": "web"}}, {"web-0", "web-1"}),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, {"other"}),
        ({}, {"web-0", "web-1", "other"}),
    ],
)
def test_policies_choose_pods_by_any_selector(selector, chosen):
    objects = {**web(), rules.POLICIES: [thing("one", spec={"podSelector": selector})]}
    found = {target for source, verb, target in pairs(objects) if verb == "applies"}
    assert found == chosen


def test_volumes_of_a_stateful_set():
    stateful = thing(
        "db",
        spec={"volumeClaimTemplates": [{"metadata": {"name": "data"}}], "serviceName": "db"},
        status={"replicas": 2},
    )
    claim = thing("data-db-0", spec={"volumeName": "pv-1"})
    volume = {
        "metadata": {"name": "pv-1"},
        "spec": {
            "claimRef": {"namespace": "default", "name": "data-db-0"},
            "storageClassName": "fast",
        },
    }
    objects = {"statefulsets.apps": [stateful], rules.CLAIMS: [claim], rules.VOLUMES: [volume]}
    found = seen(objects, rules.VOLUMES, "pv-1", namespace="")
    assert named(found, rules.CLAIMS) == ["data-db-0"]
    assert named(found, "statefulsets.apps") == ["db"]
    assert named(found, rules.CLASSES) == ["fast"]


def test_a_config_map_has_those_who_use_it_and_their_owners_alone():
    found = seen(web(), "configmaps", "app")
    assert named(found, PODS) == ["web-0", "web-1"]
    assert named(found, "deployments.apps") == ["web"]
    assert named(found, rules.SCALERS) == ["web-hpa"]
    assert named(found, "services") == named(found, rules.POLICIES) == []


def test_a_workload_without_pods_uses_what_its_template_names():
    template = {"spec": {"volumes": [{"name": "v", "secret": {"secretName": "key"}}]}}
    objects = {"deployments.apps": [thing("idle", spec={"template": template}, status={})]}
    assert ("idle", "uses", "key") in pairs(objects)
    cron = thing("nightly", spec={"jobTemplate": {"spec": {"template": template}}})
    assert ("nightly", "uses", "key") in pairs({"cronjobs.batch": [cron]})


def test_a_workload_has_the_services_and_policies_of_its_pods():
    found = seen(web(), "deployments.apps", "web")
    assert named(found, "services") == ["web"]
    assert named(found, rules.INGRESSES) == ["front"]
    assert named(found, rules.POLICIES) == ["deny-all", "web-only"]
    assert named(found, "configmaps") == ["app"]
    assert named(found, "nodes") == []
    assert found.found[(rules.SCALERS, "default", "web-hpa")].direction == "up"
    assert found.found[("services", "default", "web")].direction == "beside"


def test_a_policy_has_its_pods_and_their_other_policies():
    found = seen(web(), rules.POLICIES, "web-only")
    assert named(found, PODS) == ["web-0", "web-1"]
    assert named(found, rules.POLICIES) == ["deny-all", "web-only"]


def test_columns_follow_what_acts_on_what():
    place = {
        key[2] + key[0][0]: column for key, column in layers(seen(web(), PODS, "web-0")).items()
    }
    assert place["webd"] < place["web-7c9r"] < place["web-0p"] < place["n0n"]
    # What nothing leads to stands right before what it acts on.
    assert place["web-onlyn"] == place["web-pdbp"] == place["web-0p"] - 1
    assert min(place.values()) == 0


def test_those_that_own_each_other_have_columns_too():
    objects = {
        "loops.example.com": [
            thing("a", ("Loop", "b")),
            thing("b", ("Loop", "a")),
            thing("c", ("Loop", "c")),
        ]
    }
    found = seen(objects, "loops.example.com", "a")
    assert sorted(layers(found).values()) == [0, 1]
    assert len(draw(("loops.example.com", "default", "a"), found, lambda one: False).edges) == 2
    alone = seen(objects, "loops.example.com", "c")
    assert list(alone.found) == [("loops.example.com", "default", "c")]


def test_many_pods_are_counted_and_those_in_trouble_stay():
    focus = ("deployments.apps", "default", "web")
    found = seen(web(1250), *focus[::2])
    drawn = draw(focus, found, lambda one: one[2] == "web-777")
    (fold,) = [one for one, _column in drawn.nodes if isinstance(one, Fold)]
    assert fold.title == PODS
    assert len(fold.keys) == 1250 - graph.KEPT[0]
    assert (PODS, "default", "web-777") in [one for one, _column in drawn.nodes]
    assert len(drawn.nodes) < 40
    folded = [one for one, _column in drawn.nodes].index(fold)
    assert any(folded in edge[:2] for edge in drawn.edges)


def test_there_are_never_more_than_can_be_drawn():
    """Sixty kinds that an operator made, twenty of each."""
    objects = {
        f"kind{kind}.example.com": [
            thing(f"{kind}-{number}", ("Deployment", "web")) for number in range(20)
        ]
        for kind in range(60)
    }
    objects["deployments.apps"] = [thing("web")]
    focus = ("deployments.apps", "default", "web")
    drawn = draw(focus, seen(objects, *focus[::2]), lambda one: False)
    assert len(drawn.nodes) <= graph.DRAWN
    counted = sum(len(one.keys) if isinstance(one, Fold) else 1 for one, _column in drawn.nodes)
    assert counted == 60 * 20 + 1


def test_the_order_in_which_objects_came_does_not_matter():
    focus = ("deployments.apps", "default", "web")
    pictures = set()
    for seed in range(5):
        objects = web(40)
        for items in objects.values():
            random.Random(seed).shuffle(items)
        pictures.add(draw(focus, seen(objects, *focus[::2]), lambda one: False))
    assert len(pictures) == 1


def test_a_node_has_its_pods_and_their_owners():
    objects = {**web(), "nodes": [node("n0")]}
    found = seen(objects, "nodes", "n0", namespace="")
    assert named(found, PODS) == ["web-0"]
    assert named(found, "deployments.apps") == ["web"]


@pytest.mark.parametrize(
    ("focus", "headings"),
    [
        (
            ("deployments.apps", "web"),
            {"Owns: replicasets", "Owns: pods", "Uses: configmaps", "Uses: serviceaccounts"}
            | {"Scaled by: horizontalpodautoscalers"},
        ),
        (
            (PODS, "web-0"),
            {"Belongs to: replicasets", "Belongs to: deployments", "Runs on: nodes"}
            | {"Reached through: services", "Leading to services: ingresses"}
            | {"Scaling deployments: horizontalpodautoscalers", "Listed by: endpointslices"}
            | {"Under the rules of: networkpolicies", "Protected by: poddisruptionbudgets"}
            | {"Uses: configmaps", "Uses: serviceaccounts"},
        ),
        (
            ("services", "web"),
            {"Endpoints: endpointslices", "Sends to: pods", "Reached through: ingresses"}
            | {"Used by pods: configmaps", "Used by pods: serviceaccounts"},
        ),
        (
            ("configmaps", "app"),
            {"Used by: pods", "Used by: replicasets", "Used by: deployments"}
            | {"Scaling deployments: horizontalpodautoscalers"},
        ),
        (
            (rules.SCALERS, "web-hpa"),
            {"Scales: deployments", "Owned by deployments: replicasets"}
            | {"Owned by replicasets: pods", "Used by pods: configmaps"}
            | {"Used by pods: serviceaccounts"},
        ),
        (
            (rules.INGRESSES, "front"),
            {"Leads to: services", "Uses: secrets", "Endpoints of services: endpointslices"}
            | {"Listed by endpointslices: pods", "Used by pods: configmaps"}
            | {"Used by pods: serviceaccounts"},
        ),
    ],
)
def test_headings_are_true_of_whom_they_name(focus, headings):
    found = seen(web(), *focus).found
    told = {relations._heading(how, one[0]) for one, how in found.items() if how.verb}
    beside = {one for one in told if one.startswith("Also for these pods: ")}
    assert told - beside == headings


def test_every_verb_has_its_headings():
    every = [headings._down(), headings._up(), headings._down_by(), headings._up_by()]
    assert len({frozenset(one) for one in every}) == 1
    assert {edge.verb for edge in between(web(), key_of)} <= set(every[0])


def test_what_is_of_the_whole_cluster():
    pod_ = thing("db", spec={"priorityClassName": "high"})
    policy = f"validatingadmissionpolicies.{rules.ADMISSION}"
    webhooks, bindings = rules.WEBHOOKS[0], policy.replace("policies", "policybindings")
    service = {"service": {"namespace": "ops", "name": "guard"}}
    made = {
        PODS: [pod_],
        bindings: [{"metadata": {"name": "b"}, "spec": {"policyName": "p"}}],
        webhooks: [
            {"metadata": {"name": "w"}, "webhooks": [{"name": "x", "clientConfig": service}]}
        ],
        rules.API_SERVICES: [{"metadata": {"name": "v1.a"}, "spec": service}],
        rules.DEFINITIONS: [{"metadata": {"name": "boats.harbour.example"}}],
        "boats.harbour.example": [thing("argo")],
    }
    assert pairs(made) >= {
        ("db", "class", "high"),
        ("b", "bound", "p"),
        ("w", "calls", "guard"),
        ("v1.a", "calls", "guard"),
        ("boats.harbour.example", "defines", "argo"),
    }


def test_pods_their_claims_of_devices_and_the_classes_of_these():
    claims, templates, classes = (
        f"{kind}.resource.k8s.io"
        for kind in ("resourceclaims", "resourceclaimtemplates", "deviceclasses")
    )
    wishes = [{"deviceClassName": "big"}, {"deviceClassName": "small"}]
    asked = {"devices": {"requests": [{"exactly": wishes[0]}, {"firstAvailable": wishes}]}}
    user = pod("p", "n1")
    user["spec"]["resourceClaims"] = [
        {"name": "own", "resourceClaimName": "shared"},
        {"name": "made", "resourceClaimTemplateName": "t"},
        {"name": "unmade", "resourceClaimTemplateName": "later"},
        {"name": "needless", "resourceClaimTemplateName": "t"},
    ]
    user["status"] |= {
        "resourceClaimStatuses": [
            {"name": "made", "resourceClaimName": "p-made-x"},
            {"name": "needless"},
        ],
        "extendedResourceClaimStatus": {"resourceClaimName": "p-extended-resources-y"},
    }
    objects = {PODS: [user], claims: [thing("shared", spec=asked)]}
    objects[templates] = [thing("t", spec={"spec": asked})]
    found = {(e.source[2], e.verb, e.target[0], e.target[2]) for e in between(objects, key_of)}
    assert {one for one in found if one[2].endswith("resource.k8s.io")} == {
        ("p", "uses", claims, "shared"),
        ("p", "uses", claims, "p-made-x"),
        ("p", "uses", templates, "later"),
        ("p", "uses", claims, "p-extended-resources-y"),
        ("shared", "class", classes, "big"),
        ("shared", "class", classes, "small"),
        ("t", "class", classes, "big"),
        ("t", "class", classes, "small"),
    }
    allocated = {"allocation": {"devices": {}}}
    words = [
        standing.of(claims, thing("c", status=status))
        for status in ({}, allocated, allocated | {"reservedFor": [{"uid": "u"}]})
    ]
    assert words == [
        ("pending", "waiting"),
        ("allocated", "plain"),
        ("reserved", "good"),
    ]


def test_pods_their_group_and_the_workload_it_is_made_after():
    groups, workloads = (f"{kind}.scheduling.k8s.io" for kind in ("podgroups", "workloads"))
    member = pod("p", "n1")
    member["spec"]["schedulingGroup"] = {"podGroupName": "g"}
    after = {"workload": {"workloadName": "w", "podGroupTemplateName": "t"}}
    claims = [{"name": "switch", "resourceClaimName": "c"}]
    group = thing("g", spec={"podGroupTemplateRef": after, "resourceClaims": claims})
    found = {
        (e.source[2], e.target[:1], e.target[2], e.remark)
        for e in between({PODS: [member], groups: [group]}, key_of)
    }
    assert ("p", (groups,), "g", "scheduled with") in found
    assert ("g", (workloads,), "w", "template t") in found
    assert ("g", ("resourceclaims.resource.k8s.io",), "c", "devices switch") in found
