"""Discovery, versions, tables, pages of lists, and the nodes that tests need."""

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.integration.serving import definition
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TEMPLATES = f"/api/v1/namespaces/{NAMESPACE}/podtemplates"
ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


async def resources(world, root):
    """Return group, version and plural of all that aggregated discovery shows."""
    found = await world.get(root, accept=AGGREGATED)
    assert found["kind"] == "APIGroupDiscoveryList"
    assert found["apiVersion"] == "apidiscovery.k8s.io/v2"
    return {
        (group["metadata"].get("name", ""), version["version"], resource["resource"])
        for group in found["items"]
        for version in group["versions"]
        for resource in version.get("resources", ())
    }


BUILT_IN = {
    ("", "v1", "pods"),
    ("", "v1", "namespaces"),
    ("apps", "v1", "deployments"),
    ("batch", "v1", "jobs"),
    ("apiregistration.k8s.io", "v1", "apiservices"),
    ("rbac.authorization.k8s.io", "v1", "roles"),
}


@pytest.mark.conformance(
    "[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface"
)
@pytest.mark.conformance(
    "[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery endpoint"
    " Accept headers"
)
async def test_aggregated_discovery(world):
    shown = await resources(world, "/api") | await resources(world, "/apis")
    assert shown >= BUILT_IN
    for accept in ("application/json", AGGREGATED.replace("v=v2", "v=v1") + ",application/json"):
        assert (await world.get("/apis", accept=accept))["kind"] == "APIGroupList"
    both = await world.client.get("/apis", accept=f"{AGGREGATED},application/json")
    assert both.headers["content-type"] == AGGREGATED
    await world.get("/apis", accept="text/html", expect=406)


@pytest.mark.conformance(
    "[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface for CRDs"
)
@pytest.mark.conformance(
    "[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery request for"
    " CRDs"
)
async def test_custom_kinds_are_discovered(world):
    await world.create(DEFINITIONS, definition("example.com", "lamps", "Lamp", [("v1", True, ANY)]))
    assert ("example.com", "v1", "lamps") in await resources(world, "/apis")
    await world.delete(f"{DEFINITIONS}/lamps.example.com")
    await world.gone(f"{DEFINITIONS}/lamps.example.com")
    assert ("example.com", "v1", "lamps") not in await resources(world, "/apis")


@pytest.mark.conformance(
    "[sig-api-machinery] Discovery should validate PreferredVersion for each APIGroup"
)
@pytest.mark.conformance(
    "[sig-api-machinery] Discovery should locate the groupVersion and a resource within each"
    " APIGroup"
)
async def test_every_group_has_a_preferred_version_and_resources(world):
    groups = (await world.get("/apis"))["groups"]
    assert len(groups) > 15
    for listed in groups:
        group = await world.get(f"/apis/{listed['name']}")
        assert group["preferredVersion"] in group["versions"]
        assert group["preferredVersion"] == listed["preferredVersion"]
        for version in group["versions"]:
            assert version["groupVersion"] == f"{group['name']}/{version['version']}"
            found = await world.get(f"/apis/{version['groupVersion']}")
            assert found["groupVersion"] == version["groupVersion"]
            assert all(one["name"] and one["kind"] and one["verbs"] for one in found["resources"])
            assert found["resources"]


@pytest.mark.conformance("[sig-api-machinery] server version should find the server version")
async def test_the_version_is_of_numbers(world):
    version = await world.get("/version")
    assert version["major"].isdigit()
    assert version["minor"].isdigit()


@pytest.mark.conformance(
    "[sig-architecture] Conformance Tests should have at least two untainted nodes"
)
async def test_two_nodes_take_pods(world):
    nodes = (await world.get("/api/v1/nodes"))["items"]
    free = [n for n in nodes if not n["spec"].get("taints") and not n["spec"].get("unschedulable")]
    assert len(free) >= 2


@pytest.mark.conformance(
    "[sig-api-machinery] Servers with support for Table transformation should return a 406 for a"
    " backend which does not implement metadata"
)
async def test_what_has_no_metadata_is_no_table(world):
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    refused = await world.create(path, review, accept=table, expect=406)
    assert refused["reason"] == "NotAcceptable"


async def pages(world, query, limit, wanted):
    """Follow a list to its end; return the names, and the revision of each page."""
    names, revisions, left = [], [], wanted
    token = ""
    while True:
        page = await world.get(f"{TEMPLATES}?limit={limit}{query}{token}")
        meta, items = page["metadata"], page["items"]
        assert len(items) <= limit
        names += [one["metadata"]["name"] for one in items]
        revisions.append(meta["resourceVersion"])
        left -= len(items)
        if "continue" not in meta:
            assert "remainingItemCount" not in meta
            return names, revisions
        assert meta["remainingItemCount"] == left
        token = f"&continue={meta['continue']}"


async def templates(world, count):
    made = [f"template-{number:04}" for number in range(count)]
    pod = {"spec": {"containers": [{"name": "test", "image": "test2"}]}}
    for name in made:
        await world.create(TEMPLATES, {"metadata": {"name": name}, "template": pod})
    return made


@pytest.mark.conformance(
    "[sig-api-machinery] Servers with support for API chunking should return chunks of results for"
    " list calls"
)
async def test_lists_come_in_pages(world):
    made = await templates(world, 40)
    names, revisions = await pages(world, "", 17, 40)
    assert names == made
    assert len(set(revisions)) == 1
    whole = await world.get(TEMPLATES)
    assert [one["metadata"]["name"] for one in whole["items"]] == made


@pytest.mark.conformance(
    "[sig-api-machinery] Servers with support for API chunking should support continue listing from"
    " the last key if the original version has been compacted away, though the list is"
    " inconsistent [Slow]"
)
async def test_a_list_goes_on_when_its_moment_is_forgotten(world):
    made = await templates(world, 40)
    first = await world.get(f"{TEMPLATES}?limit=10")
    names = [one["metadata"]["name"] for one in first["items"]]
    await world.create(TEMPLATES, {"metadata": {"name": "zz"}, "template": {}}, expect=422)
    store = world.lab.cluster.store
    await world.patch(f"{TEMPLATES}/{made[-1]}", {"metadata": {"labels": {"a": "b"}}})
    await store.compact(store.revision)
    token = first["metadata"]["continue"]
    gone = await world.get(f"{TEMPLATES}?limit=10&continue={token}", expect=410)
    assert gone["reason"] == "Expired"
    token = gone["metadata"]["continue"]
    second = await world.get(f"{TEMPLATES}?limit=10&continue={token}")
    assert second["metadata"]["remainingItemCount"] == 20
    names += [one["metadata"]["name"] for one in second["items"]]
    token = second["metadata"]["continue"]
    rest = await world.get(f"{TEMPLATES}?continue={token}")
    names += [one["metadata"]["name"] for one in rest["items"]]
    assert names == made
