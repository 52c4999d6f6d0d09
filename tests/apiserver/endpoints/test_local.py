"""The door for workers: the same rules, with dicts."""

import asyncio

import pytest

from apimachinery.errors import ApiError, Conflict, Forbidden, NotFound
from apiserver.auth.user import User
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.local import LocalTransport
from apiserver.registry import objects
from tests.apiserver.endpoints.support import ADMIN, Call, config_map, local, make_api


def maps(verb: str, name: str = "", **more) -> Call:
    return Call(verb, "", "v1", "configmaps", "default", name, **more)


async def test_a_written_object_comes_back_with_its_revision(api: ClusterApi):
    door = local(api)
    body = config_map("a", k="1")
    made = await door.call(maps("create", body=body))
    assert body == config_map("a", k="1")
    assert int(made["metadata"]["resourceVersion"]) == api.store.revision
    assert await door.call(maps("get", "a")) == made
    changed = await door.call(maps("update", "a", body={**made, "data": {"k": "2"}}))
    assert changed["data"] == {"k": "2"}
    assert made["data"] == {"k": "1"}
    with pytest.raises(Conflict):
        await door.call(maps("update", "a", body={**made, "data": {"k": "3"}}))
    listed = await door.call(maps("list"))
    assert listed["items"] == [changed]
    assert listed["metadata"]["resourceVersion"] == str(api.store.revision)


async def test_patches_and_deletions(api: ClusterApi):
    door = local(api)
    await door.call(maps("create", body=config_map("a", k="1")))
    patch = maps("patch", "a", body={"data": {"k": "2"}})
    patch.content_type = "application/merge-patch+json"
    assert (await door.call(patch))["data"] == {"k": "2"}
    gone = await door.call(maps("delete", "a", body={"gracePeriodSeconds": 0}))
    assert gone["status"] == "Success"
    with pytest.raises(NotFound):
        await door.call(maps("get", "a"))


async def test_rights_hold(api: ClusterApi):
    door = LocalTransport(api, User("system:serviceaccount:kube-system:job-controller"))
    with pytest.raises(Forbidden, match="job-controller"):
        await door.call(maps("get", "a"))
    trace = next(iter(api.traces))
    assert (trace.user, trace.code) == (
        "system:serviceaccount:kube-system:job-controller", 403,
    )  # fmt: skip


async def test_a_worker_owns_what_it_writes_under_its_short_name(api: ClusterApi):
    door = LocalTransport(api, User("system:kube-scheduler", ADMIN.groups))
    made = await door.call(maps("create", body=config_map("a", k="1")))
    (entry,) = made["metadata"]["managedFields"]
    assert entry["manager"] == "kube-scheduler"
    other = maps("patch", "a", body={"data": {"z": "1"}}, params={"fieldManager": "me"})
    other.content_type = "application/merge-patch+json"
    found = await door.call(other)
    assert [e["manager"] for e in found["metadata"]["managedFields"]] == ["kube-scheduler", "me"]


async def test_other_versions_are_converted(api: ClusterApi):
    scaler = {
        "metadata": {"name": "h"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"},
            "minReplicas": 2,
            "maxReplicas": 3,
            "targetCPUUtilizationPercentage": 50,
        },
    }
    plural = "horizontalpodautoscalers"
    create = Call("create", "autoscaling", "v1", plural, "default", body=scaler)
    made = await local(api).call(create)
    assert made["apiVersion"] == "autoscaling/v1"
    assert made["spec"]["targetCPUUtilizationPercentage"] == 50
    stored = await local(api).call(Call("get", "autoscaling", "v2", plural, "default", "h"))
    assert stored["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 50
    listed = await local(api).call(Call("list", "autoscaling", "v1", plural))
    assert listed["items"][0]["apiVersion"] == "autoscaling/v1"


async def test_stages_are_traced(api: ClusterApi):
    await local(api).call(maps("create", body=config_map("a")))
    names = [stage.name for stage in next(iter(api.traces)).stages]
    assert names == [
        "authentication", "authorization", "decode", "field managers", "mutating admission",
        "validation", "validating admission", "storage",
    ]  # fmt: skip
    record = next(iter(api.traces)).record()
    assert (record["verb"], record["code"], record["resource"]) == ("create", 201, "configmaps")


async def test_unknown_resources(api: ClusterApi):
    with pytest.raises(ApiError) as refused:
        await local(api).call(Call("list", "", "v1", "nopes"))
    assert refused.value.code == 404


async def test_why_a_request_was_allowed_is_kept():
    api = await make_api()
    await local(api, User("system:kube-scheduler")).call(Call("list", "", "v1", "pods"))
    assert next(iter(api.traces)).annotations == {
        "authorization.k8s.io/decision": "allow",
        "authorization.k8s.io/reason": (
            'RBAC: allowed by ClusterRoleBinding "system:kube-scheduler" of ClusterRole '
            '"system:kube-scheduler" to User "system:kube-scheduler"'
        ),
    }
    with pytest.raises(Forbidden):
        await local(api, User("jane")).call(Call("list", "", "v1", "pods"))
    assert next(iter(api.traces)).annotations == {
        "authorization.k8s.io/decision": "forbid",
        "authorization.k8s.io/reason": "",
    }


@pytest.mark.looptime
async def test_those_who_follow_a_kind_with_many_objects_keep_the_same(
    api: ClusterApi, monkeypatch
):
    monkeypatch.setattr(objects, "MANY", 3)
    monkeypatch.setattr(objects, "SHARED_SECONDS", 5.0)
    transport = local(api)
    for number in range(2):
        await transport.call(maps("create", body=config_map(f"m{number}")))
    few = [await transport.call(maps("list")) for _ in range(2)]
    assert few[0]["items"][0] is not few[1]["items"][0], "a few are nothing to keep for long"
    await transport.call(maps("create", body=config_map("m2")))
    first, second = [await transport.call(maps("list")) for _ in range(2)]
    assert all(one is other for one, other in zip(first["items"], second["items"], strict=True))
    await transport.call(maps("update", "m1", body=config_map("m1", a="2")))
    later = await transport.call(maps("list"))
    same = [one is other for one, other in zip(first["items"], later["items"], strict=True)]
    assert same == [True, False, True]
    assert later["items"][1]["data"] == {"a": "2"}
    await asyncio.sleep(5)
    again = await transport.call(maps("list"))
    assert again["items"] == later["items"]
    assert again["items"][0] is not later["items"][0], "nothing is kept for nobody"
