"""The API of the past: what was, to whom it is shown, and what it refuses."""

import orjson
import pytest

from playground.api import Application
from tests.apiserver.endpoints.support import Client, config_map
from tests.integration.serving import definition
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


class Past:
    """A cluster's API now, and as it was."""

    def __init__(self, fleet, cluster):
        self.cluster = cluster
        self.http = Client(cluster.api, "admin-token")
        self.http.app = Application(fleet, "admin-token", cluster.name)

    @property
    def revision(self):
        return self.cluster.store.revision

    async def now(self, method, path, body=None, **headers):
        place = f"/clusters/{self.cluster.name}{path}"
        answer = await self.http.request(method, place, body, headers)
        assert answer.status < 300, answer.body
        return answer.json()

    async def at(self, revision, path, method="GET", body=None, **headers):
        place = f"/kubeground/v1/clusters/{self.cluster.name}/at/{revision}{path}"
        return await self.http.request(method, place, body, headers)

    async def names(self, revision, path=MAPS):
        items = (await self.at(revision, path)).json()["items"]
        names = [item["metadata"]["name"] for item in items]
        return [name for name in names if name != "kube-root-ca.crt"]


@pytest.fixture
async def past(fleet, lab):
    return Past(fleet, lab.cluster)


async def test_one_object_as_it_was(past):
    made = await past.now("POST", MAPS, config_map("a", n="1"))
    first = int(made["metadata"]["resourceVersion"])
    changed = await past.now("PUT", f"{MAPS}/a", config_map("a", n="2"))
    second = int(changed["metadata"]["resourceVersion"])
    await past.now("DELETE", f"{MAPS}/a")
    assert (await past.at(first, f"{MAPS}/a")).json()["data"] == {"n": "1"}
    assert (await past.at(second, f"{MAPS}/a")).json() == changed
    gone = await past.at(past.revision, f"{MAPS}/a")
    assert (gone.status, gone.message) == (404, 'configmaps "a" not found')
    assert (await past.at(first - 1, f"{MAPS}/a")).status == 404


async def test_lists_tables_and_pages_as_they_were(past):
    for name in "abc":
        body = config_map(name) | {"metadata": {"name": name, "labels": {"is": name}}}
        await past.now("POST", MAPS, body)
    then = past.revision
    await past.now("DELETE", f"{MAPS}/b")
    assert await past.names(then) == ["a", "b", "c"]
    assert await past.names(then, f"{MAPS}?labelSelector=is%3Db") == ["b"]
    assert await past.names(then, f"{MAPS}?fieldSelector=metadata.name%3Dc") == ["c"]
    assert await past.names(then - 1) == ["a", "b"]
    assert await past.names(past.revision) == ["a", "c"]
    page = (await past.at(then, f"{MAPS}?limit=2")).json()
    assert page["metadata"]["resourceVersion"] == str(then)
    rest = await past.at(then, f"{MAPS}?limit=9&continue={page['metadata']['continue']}")
    seen = [item["metadata"]["name"] for item in page["items"] + rest.json()["items"]]
    assert seen == ["a", "b", "c", "kube-root-ca.crt"]
    table = (await past.at(then, f"{MAPS}?labelSelector=is%3Db", **TABLE)).json()
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["rows"][0]["cells"][:2] == ["b", 0]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_ages_are_counted_to_the_time_of_the_revision(past):
    await past.now("POST", MAPS, config_map("a"))
    await past.cluster.clock.sleep(90)
    await past.now("POST", MAPS, config_map("b"))
    then = past.revision
    await past.cluster.clock.sleep(3600)
    table = (await past.at(then, f"{MAPS}?fieldSelector=metadata.name%3Da", **TABLE)).json()
    assert table["rows"][0]["cells"] == ["a", 0, "90s"]


async def test_custom_kinds_are_those_of_then(past):
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    crons = "/apis/example.com/v1/namespaces/default/crons"
    made = definition("example.com", "crons", "Cron", [("v1", True, None)])
    body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", **made}
    before = past.revision
    await past.now("POST", crds, body)
    cron = {"apiVersion": "example.com/v1", "kind": "Cron", "metadata": {"name": "c"}, "spec": {}}
    stored = await past.now("POST", crons, cron)
    then = past.revision
    await past.now("DELETE", f"{crds}/crons.example.com")
    while past.cluster.api.catalog.find("example.com", "v1", "crons"):
        await past.cluster.clock.sleep(1)
    assert (await past.at(then, f"{crons}/c")).json() == stored
    assert await past.names(then, crons) == ["c"]
    assert (await past.at(before, crons)).status == 404
    assert (await past.at(past.revision, crons)).status == 404


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("POST", MAPS, "nothing can be changed there"),
        ("DELETE", f"{MAPS}/a", "nothing can be changed there"),
        ("PATCH", f"{MAPS}/a", "nothing can be changed there"),
        ("GET", f"{MAPS}?watch=1", "it does not change, so there is nothing to watch"),
        ("GET", "/api/v1/namespaces/default/pods/p/log", "log can be had of the present only"),
        ("POST", "/api/v1/namespaces/default/pods/p/exec", "exec can be had of the present only"),
    ],
)
async def test_the_past_is_read_and_nothing_else(past, method, path, words):
    answer = await past.at(3, path, method, config_map("a") if method == "POST" else None)
    assert (answer.status, answer.json()["reason"]) == (405, "MethodNotAllowed")
    assert answer.message == f"this is the cluster as it was at revision 3: {words}"


async def test_what_is_forgotten_and_what_has_not_come_yet(past):
    now = past.revision
    late = await past.at(now + 1, MAPS)
    assert (late.status, late.json()["details"]["causes"][0]["reason"]) == (
        504,
        "ResourceVersionTooLarge",
    )
    await past.cluster.store.compact(now - 2)
    for path in (MAPS, f"{MAPS}/a"):
        gone = await past.at(now - 3, path)
        assert (gone.status, gone.json()["reason"]) == (410, "Expired")
        assert gone.message == f"too old resource version: {now - 3} ({now - 2})"
    for odd in ("x", "-1", "1" * 30):
        assert (await past.at(odd, MAPS)).status == 400


async def test_the_rights_of_the_user_count(past):
    someone = {"impersonate-user": "someone", "impersonate-group": "system:authenticated"}
    refused = await past.at(3, MAPS, **someone)
    assert (refused.status, refused.json()["reason"]) == (403, "Forbidden")
    assert (await past.at(3, "/apis", **someone)).status == 200
    for token in ("", "Bearer wrong"):
        assert (await past.at(3, MAPS, authorization=token)).status == 401


async def test_discovery_is_that_of_now(past):
    found = (await past.at(3, "/api/v1")).json()
    assert "pods" in [resource["name"] for resource in found["resources"]]


async def test_the_present_and_its_revision_agree(past):
    """Whatever is listed at the newest revision is what is there."""
    for path in (
        "/api/v1/pods",
        "/api/v1/nodes",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    ):
        now = await past.http.get(f"/clusters/lab{path}")
        then = await past.at(past.revision, path)
        assert orjson.loads(now.body) == orjson.loads(then.body)
