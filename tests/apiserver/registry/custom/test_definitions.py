"""Definitions: when their kinds are served, under which names, and how they go."""

import pytest

from apiserver.registry.custom.service import CustomResources
from apiserver.storage import Key
from tests.apiserver.registry.custom.conftest import (
    DEFINITIONS,
    MERGE,
    WIDGETS,
    Cluster,
    conditions,
    definition,
    version,
    widget,
)


async def test_a_kind_is_served_as_soon_as_its_definition_is_stored(cluster: Cluster):
    assert (await cluster.get(WIDGETS)).status == 404
    made = await cluster.post(DEFINITIONS, definition())
    assert made.json()["status"]["conditions"] is None
    assert (await cluster.post(WIDGETS, widget())).status == 201


async def test_the_server_says_that_names_are_accepted(cluster: Cluster):
    crd = await cluster.define(definition())
    assert conditions(crd) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert crd["status"]["acceptedNames"] == {
        "plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList",
    }  # fmt: skip
    assert crd["metadata"]["generation"] == 1
    parts = {one["manager"]: one.get("subresource") for one in crd["metadata"]["managedFields"]}
    assert parts["kube-apiserver"] == "status"


async def test_discovery_follows(cluster: Cluster):
    names = {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"], "categories": ["all"]}
    parts = {"status": {}, "scale": {
        "specReplicasPath": ".spec.size", "statusReplicasPath": ".status.replicas",
    }}  # fmt: skip
    await cluster.define(definition(version(subresources=parts), names=names))
    rows = (await cluster.get("/apis/example.com/v1")).json()["resources"]
    assert [row["name"] for row in rows] == ["widgets", "widgets/scale", "widgets/status"]
    assert rows[0]["shortNames"] == ["wd"]
    assert rows[0]["categories"] == ["all"]
    await cluster.delete(f"{DEFINITIONS}/widgets.example.com")
    await cluster.settle()
    assert (await cluster.get("/apis/example.com/v1")).status == 404


async def test_names_that_are_taken_are_not_accepted(cluster: Cluster):
    await cluster.define(definition(names={"plural": "widgets", "kind": "A", "shortNames": ["x"]}))
    other = definition(plural="gadgets", names={"plural": "gadgets", "singular": "g", "kind": "A"})
    crd = await cluster.define(other)
    assert conditions(crd) == {
        "NamesAccepted": ("False", "KindConflict"),
        "Established": ("False", "NotAccepted"),
    }
    gadgets = "/apis/example.com/v1/namespaces/default/gadgets"
    assert (await cluster.get(gadgets)).status == 404
    # They are, once the first one is gone.
    await cluster.delete(f"{DEFINITIONS}/widgets.example.com")
    await cluster.settle()
    assert (await cluster.get(gadgets)).status == 200
    crd = await cluster.definition("gadgets.example.com")
    assert conditions(crd)["Established"] == ("True", "InitialNamesAccepted")


async def test_what_is_built_in_cannot_be_taken_over(cluster: Cluster):
    crd = definition(plural="ingresses", group="networking.k8s.io")
    crd["metadata"] = {
        "name": "ingresses.networking.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved"},
    }
    await cluster.define(crd)
    served = cluster.api.catalog.get("ingresses.networking.k8s.io")
    assert served is not None
    assert not served.custom


async def test_a_definition_goes_after_its_objects(cluster: Cluster):
    await cluster.define(definition())
    held = widget("held") | {"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
    await cluster.post(WIDGETS, held)
    await cluster.post(WIDGETS, widget("free"))
    gone = await cluster.delete(f"{DEFINITIONS}/widgets.example.com")
    meta = gone.json()["metadata"]
    assert meta["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    assert "deletionGracePeriodSeconds" not in meta
    await cluster.settle()
    names = [one["metadata"]["name"] for one in (await cluster.get(WIDGETS)).json()["items"]]
    assert names == ["held"]
    crd = await cluster.definition()
    assert conditions(crd)["Terminating"] == ("True", "InstanceDeletionInProgress")
    refused = await cluster.post(WIDGETS, widget("late"))
    assert (refused.status, refused.message) == (
        405, "create not allowed while custom resource definition is terminating",
    )  # fmt: skip
    await cluster.patch(f"{WIDGETS}/held", {"metadata": {"finalizers": None}}, MERGE)
    await cluster.settle()
    assert (await cluster.get(f"{DEFINITIONS}/widgets.example.com")).status == 404
    assert (await cluster.get(WIDGETS)).status == 404


async def test_a_cluster_that_opens_serves_what_is_defined(cluster: Cluster):
    await cluster.define(definition())
    await cluster.post(WIDGETS, widget())
    cluster.custom.stop()
    api = cluster.api
    api.catalog.remove("widgets.example.com")
    revision = api.store.revision
    again = CustomResources(api.catalog, api.registry, lambda name, work: work.close())
    again.start()
    assert (await cluster.get(f"{WIDGETS}/w")).status == 200
    assert api.store.revision == revision
    assert [resource.key for resource in again] == ["widgets.example.com"]
    again.stop()


async def test_watches_end_with_the_kind(cluster: Cluster):
    await cluster.define(definition())
    ended: list[str] = []
    cluster.api.store.hub.subscribe(
        "widgets.example.com",
        after=cluster.api.store.revision,
        sink=lambda events: None,
        closed=ended.append,
    )
    await cluster.delete(f"{DEFINITIONS}/widgets.example.com")
    await cluster.settle()
    assert len(ended) == 1


async def test_a_new_default_shows_in_objects_that_are_there(cluster: Cluster):
    await cluster.define(definition())
    await cluster.post(WIDGETS, widget())
    before = (await cluster.get(f"{WIDGETS}/w")).json()
    changed = version()
    properties = changed["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["weight"] = {"type": "integer", "default": 7}
    del properties["color"]
    await cluster.change(definition(changed))
    after = (await cluster.get(f"{WIDGETS}/w")).json()
    assert after["spec"] == {"size": 3, "weight": 7}
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    # A write of it stores that form.
    await cluster.patch(f"{WIDGETS}/w", {"spec": {"size": 4}}, MERGE)
    entry = cluster.api.store.get(Key("widgets.example.com", "default", "w"))
    assert entry is not None
    assert entry.obj()["spec"] == {"size": 4, "weight": 7}


async def test_a_status_of_a_definition_makes_nothing_anew(cluster: Cluster):
    await cluster.define(definition())
    generation = cluster.api.catalog.generation
    note = {"metadata": {"labels": {"a": "b"}}}
    await cluster.patch(f"{DEFINITIONS}/widgets.example.com", note, MERGE)
    await cluster.settle()
    assert cluster.api.catalog.generation == generation


@pytest.mark.parametrize(
    ("more", "warning"),
    [
        ({}, "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"),
        ({"deprecationWarning": "no more"}, "no more"),
    ],
)
async def test_deprecated_versions_warn(cluster: Cluster, more: dict[str, str], warning: str):
    old = version("v1beta1", storage=False, deprecated=True, **more)
    await cluster.define(definition(version(), old))
    answer = await cluster.get("/apis/example.com/v1beta1/namespaces/default/widgets")
    assert answer.headers["warning"] == f'299 - "{warning}"'
    assert "warning" not in (await cluster.get(WIDGETS)).headers


async def test_a_collection_of_definitions_goes_at_once_and_leaves_objects_behind(cluster: Cluster):
    await cluster.define(definition())
    await cluster.post(WIDGETS, widget())
    answer = await cluster.delete(DEFINITIONS)
    assert [one["metadata"]["name"] for one in answer.json()["items"]] == ["widgets.example.com"]
    await cluster.settle()
    assert (await cluster.get(f"{DEFINITIONS}/widgets.example.com")).status == 404
    assert (await cluster.get(WIDGETS)).status == 404
    await cluster.define(definition())
    assert (await cluster.get(f"{WIDGETS}/w")).status == 200


async def test_community_groups_need_approval(cluster: Cluster):
    given = definition(group="example.k8s.io")
    given["metadata"]["name"] = "widgets.example.k8s.io"
    refused = await cluster.post(DEFINITIONS, given)
    assert "metadata.annotations[api-approved.kubernetes.io]: Required value" in refused.message
    given["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a test"}
    assert (await cluster.post(DEFINITIONS, given)).status == 201
    await cluster.settle()
    made = (await cluster.get(f"{DEFINITIONS}/widgets.example.k8s.io")).json()
    first = made["status"]["conditions"][0]
    assert (first["type"], first["status"], first["reason"], first["message"]) == (
        "KubernetesAPIApprovalPolicyConformant",
        "False",
        "UnapprovedAnnotation",
        'not approved: "unapproved, a test"',
    )
