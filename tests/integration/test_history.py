"""What the log tells over the control API, and to whom."""

import asyncio

import pytest

from playground.history.comparing import compared
from tests.apiserver.endpoints.support import config_map
from tests.integration.conftest import deployment
from tests.integration.test_past import MAPS, Past
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

VIEWER = {"impersonate-user": "teacher", "impersonate-group": "kubeground:viewers"}
NOBODY = {"impersonate-user": "nobody"}
SECRETS = "/api/v1/namespaces/default/secrets"


@pytest.fixture
async def past(fleet, lab):
    return Past(fleet, lab.cluster)


async def asked(past, page, status=200, **headers):
    place = f"/kubeground/v1/clusters/lab/history{page}"
    answer = await past.http.request("GET", place, None, headers)
    assert answer.status == status, answer.body
    return answer.json()


async def test_how_busy_the_log_was(past, lab):
    then = await lab.quiet()
    for n in range(10):
        await past.now("POST", MAPS, config_map(f"m{n}"))
    found = await asked(past, f"?after={then}&parts=5")
    assert (found["oldest"], found["newest"]) == (0, past.revision)
    assert (found["after"], found["upto"], found["width"]) == (then, past.revision, 2)
    maps = next(one for one in found["density"] if one["resource"] == "configmaps")
    assert maps["parts"] == [[part, 2] for part in range(5)]
    assert found["moments"][-1][0] == past.revision
    whole = await asked(past, "")
    counted = sum(count for one in whole["density"] for _part, count in one["parts"])
    assert counted == past.revision, "each revision is one change"


async def test_the_next_revision_is_told_once_it_is_there(past, lab):
    then = await lab.quiet()
    place = f"/kubeground/v1/clusters/lab/revision?after={then}"
    asking = asyncio.create_task(past.http.request("GET", place))
    await asyncio.sleep(1)
    assert not asking.done()
    await past.now("POST", MAPS, config_map("a"))
    assert (await asking).json() == {"revision": then + 1}
    now = await lab.quiet()
    begun = past.cluster.clock.seconds()
    waited = await past.http.request("GET", place.replace(str(then), str(now)))
    assert waited.json() == {"revision": now}
    assert past.cluster.clock.seconds() - begun == pytest.approx(20, abs=1)


async def test_what_was_broken_and_when_the_log_was_compacted(past, lab):
    node = lab.cluster.store.list("nodes")[0].key.name
    broken = await past.cluster.failures.begin({"kind": "stop-node", "target": {"node": node}})
    began = past.revision
    await past.cluster.failures.end(broken.id)
    found = await asked(past, "")
    assert [(one["state"], one["what"]) for one in found["failures"]] == [
        ("began", broken.what),
        ("ended", broken.what),
    ]
    assert found["failures"][0]["revision"] <= began
    assert found["compacted_at"] is None
    await past.cluster.store.compact(2)
    told = (await asked(past, ""))["compacted_at"]
    assert told == pytest.approx(past.cluster.clock.seconds(), abs=5)


async def test_when_a_revision_was(past):
    await past.cluster.clock.sleep(60)
    begun = past.cluster.clock.seconds()
    await past.now("POST", MAPS, config_map("a"))
    revision = past.revision
    found = await asked(past, f"/moment?rev={revision}")
    assert found["at"] == pytest.approx(begun, abs=1)
    late = await asked(past, f"/moment?rev={revision + 99}", 504)
    assert late["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    await past.cluster.store.compact(revision)
    assert (await asked(past, "/moment?rev=3", 410))["reason"] == "Expired"


async def test_the_history_of_one_object(past):
    await past.now("POST", MAPS, config_map("a", n="1"))
    await past.now("PUT", f"{MAPS}/a", config_map("a", n="2"))
    await past.now("DELETE", f"{MAPS}/a")
    page = "/object?resource=configmaps&namespace=default&name=a"
    found = await asked(past, page)
    assert [one["type"] for one in found["items"]] == ["DELETED", "MODIFIED", "ADDED"]
    assert [one["object"]["data"]["n"] for one in found["items"]] == ["2", "2", "1"]
    assert all(one["trace"] for one in found["items"])
    assert {one["actor"] for one in found["items"]} == {"admin"}
    first = await asked(past, f"{page}&limit=1")
    assert (len(first["items"]), first["more"]) == (1, True)
    earlier = await asked(past, f"{page}&before={first['items'][0]['revision']}")
    assert [one["type"] for one in earlier["items"]] == ["MODIFIED", "ADDED"]


async def test_what_differs(past, lab):
    await past.now("POST", MAPS, config_map("goes"))
    await past.now("POST", MAPS, config_map("stays", n="1"))
    then = await lab.quiet()
    await past.now("DELETE", f"{MAPS}/goes")
    await past.now("PUT", f"{MAPS}/stays", config_map("stays", n="2"))
    await past.now("POST", MAPS, config_map("comes"))
    found = await asked(past, f"/difference?a={then}&b={past.revision}&namespace=default")
    told = {one["name"]: one["change"] for one in found["items"] if one["resource"] == "configmaps"}
    assert told == {"goes": "removed", "stays": "changed", "comes": "added"}
    assert (found["a"], found["b"]) == (then, past.revision)


async def test_what_happened_is_told(past, lab):
    then = await lab.quiet()
    await past.now("POST", "/apis/apps/v1/namespaces/default/deployments", deployment())
    await lab.available()
    found = (await asked(past, f"/facts?after={then}"))["items"]
    codes = {(fact["code"], fact["kind"]) for fact in found}
    assert {("created", "Deployment"), ("created", "ReplicaSet"), ("created", "Pod")} <= codes
    assert {("scheduled", "Pod"), ("ready", "Pod"), ("complete", "Deployment")} <= codes
    created = next(f for f in found if (f["code"], f["kind"]) == ("created", "Pod"))
    assert (created["actor"], created["count"]) == ("replicaset-controller", 3)
    await past.cluster.clock.sleep(400)
    assert (await asked(past, "/facts?seconds=300"))["items"] == []


async def test_changes_without_their_objects(past, lab):
    then = await lab.quiet()
    await past.now("POST", MAPS, config_map("a"))
    found = await asked(past, f"/changes?after={then}")
    (one,) = (item for item in found["items"] if item["name"] == "a")
    assert (one["type"], one["actor"], one["revision"]) == ("ADDED", "admin", then + 1)


async def test_nobody_learns_what_they_may_not_list(past, lab):
    then = await lab.quiet()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    await past.now("POST", SECRETS, secret)
    await past.now("POST", MAPS, config_map("a"))
    now = past.revision
    page = "/object?resource=secrets&namespace=default&name=s"
    assert (await asked(past, page))["items"]
    assert (await asked(past, page, 403, **VIEWER))["reason"] == "Forbidden"
    for part in (f"/changes?after={then}", f"/difference?a={then}&b={now}"):
        names = [one["name"] for one in (await asked(past, part, **VIEWER))["items"]]
        assert names == ["a"]
    told = (await asked(past, f"/facts?after={then}", **VIEWER))["items"]
    assert [fact["kind"] for fact in told] == ["ConfigMap"]
    kinds = [one["resource"] for one in (await asked(past, "", **VIEWER))["density"]]
    assert "configmaps" in kinds
    assert "secrets" not in kinds
    assert (await asked(past, "", **NOBODY))["density"] == []
    assert (await asked(past, f"/facts?after={then}", **NOBODY))["items"] == []


async def test_recordings_and_states_hold_what_one_may_list(past, lab):
    then = await lab.quiet()
    await past.now("POST", SECRETS, {"metadata": {"name": "s"}, "stringData": {"key": "hidden"}})
    await past.now("POST", MAPS, config_map("a"))
    rbac = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
    path = f"/apis/{rbac}/v1/namespaces/default"
    await past.now("POST", f"{path}/roles", {"metadata": {"name": "r"}, "rules": rules})
    reference = {"apiGroup": rbac, "kind": "Role", "name": "r"}
    subjects = [{"apiGroup": rbac, "kind": "User", "name": "ann"}]
    binding = {"metadata": {"name": "ann"}, "roleRef": reference, "subjects": subjects}
    await past.now("POST", f"{path}/rolebindings", binding)
    ann = {"impersonate-user": "ann"}

    async def recorded(**headers):
        found = (await asked(past, f"/recording?after={then}", **headers))["changes"]
        return {(one["resource"], one["name"]) for one in found}

    async def there(**headers):
        found = (await asked(past, "/state", **headers))["items"]
        return {(resource, name) for resource, _namespace, name, _uid, _digest in found}

    secret, app = ("secrets", "s"), ("configmaps", "a")
    for told in (recorded, there):
        assert {secret, app} <= await told()
        assert secret not in await told(**VIEWER)
        assert app in await told(**VIEWER)
        assert {resource for resource, _name in await told(**ann)} == {"configmaps"}
        assert await told(**NOBODY) == set()
    page = "/object?resource=secrets&namespace=default&name=s"
    assert (await asked(past, page, 403, **ann))["reason"] == "Forbidden"
    found = await asked(past, "", **ann)
    (maps,) = found["density"]
    assert maps["resource"] == "configmaps"
    there = len(list(lab.all("configmaps", "default")))
    assert sum(count for _part, count in maps["parts"]) >= there > 0
    assert found["warnings"] == []


async def test_what_one_may_not_list_is_named_in_the_apis_words(past):
    assert (await asked(past, ""))["unseen"] is None
    assert (await asked(past, "", **VIEWER))["unseen"]["kinds"] == ["secrets"]
    unseen = (await asked(past, "", **NOBODY))["unseen"]
    assert unseen["all"]
    assert unseen["kinds"][:2] == ["pods", "deployments.apps"]
    assert unseen["text"] == (
        'pods is forbidden: User "nobody" cannot list resource "pods" in API group ""'
        " at the cluster scope"
    )


async def test_states_tell_clusters_apart(past, fleet):
    await past.now("POST", MAPS, config_map("same", n="1"))
    await past.now("POST", MAPS, config_map("other", n="1"))
    made = await fleet.fork(past.cluster, past.revision, name="copy")
    copy = Past(fleet, made)
    await past.now("PUT", f"{MAPS}/other", config_map("other", n="2"))
    # Written, but saying the same as before.
    await copy.now("PUT", f"{MAPS}/same", config_map("same", n="2"))
    await copy.now("PUT", f"{MAPS}/same", config_map("same", n="1"))
    here = (await asked(past, "/state"))["items"]
    place = "/kubeground/v1/clusters/copy/history/state"
    there = (await copy.http.request("GET", place)).json()["items"]
    found, more = compared(here, there, "default")
    changes = {one["name"]: one["change"] for one in found if one["resource"] == "configmaps"}
    assert changes == {"other": "changed"}
    assert not more


async def test_odd_questions_are_refused(past):
    for page in ("/nothing", "/object/x"):
        await asked(past, page, 404)
    await asked(past, "/moment?rev=x", 400)
    await asked(past, "/difference?a=1&b=999999", 504)
