"""Switched plugins, through the API."""

from __future__ import annotations

from apiserver.admission.configuration import Configuration, Exemptions
from apiserver.admission.options import AdmissionOptions
from apiserver.admission.pod_security.policy import LevelVersion, Policy
from apiserver.auth.user import User
from tests.apiserver.endpoints.support import Call, Client, config_map, local, make_api

PODS = "/api/v1/namespaces/default/pods"


def a_pod(**spec):
    containers = [{"name": "c", "image": "nginx", **spec.pop("container", {})}]
    return {"metadata": {"name": "p"}, "spec": {"containers": containers, **spec}}


async def client(*enable, disable=("ServiceAccount",), **config):
    options = AdmissionOptions(enable, disable, Configuration(**config))
    return Client(await make_api(switches=options))


async def test_a_missing_namespace_is_made():
    api = await client("NamespaceAutoProvision")
    answer = await api.post("/api/v1/namespaces/blue/configmaps?dryRun=All", config_map("a"))
    assert answer.message == 'namespaces "blue" not found'
    assert (await api.post("/api/v1/namespaces/blue/configmaps", config_map("a"))).status == 201
    assert (await api.get("/api/v1/namespaces/blue")).json()["status"] == {"phase": "Active"}
    assert (await api.post("/api/v1/namespaces/blue/configmaps", config_map("b"))).status == 201


async def test_a_name_that_is_no_namespace_s_is_refused_by_its_own_rules():
    api = await client("NamespaceAutoProvision")
    answer = await api.post("/api/v1/namespaces/a_b/configmaps", config_map("a"))
    assert (answer.status, answer.json()["details"]["kind"]) == (422, "Namespace")


async def test_everything_is_denied():
    api = await client("AlwaysDeny")
    answer = await api.post("/api/v1/namespaces/default/configmaps", config_map("a"))
    assert answer.status == 403
    assert answer.message == (
        'configmaps "a" is forbidden: admission control is denying all modifications'
    )
    assert (await api.get("/api/v1/namespaces/default/configmaps")).status == 200


async def test_images_are_pulled_always():
    api = await client("AlwaysPullImages")
    made = await api.post(PODS, a_pod(container={"imagePullPolicy": "Never"}))
    assert made.json()["spec"]["containers"][0]["imagePullPolicy"] == "Always"


async def test_a_plugin_that_is_off_does_nothing():
    api = await client(disable=("NamespaceLifecycle", "ServiceAccount"))
    answer = await api.post("/api/v1/namespaces/gone/configmaps", config_map("a"))
    assert answer.status == 201


async def test_pod_security_defaults_and_exemptions():
    api = await client(
        pod_security=Policy(LevelVersion("baseline"), LevelVersion(), LevelVersion()),
        exemptions=Exemptions(usernames=frozenset({"operator"})),
    )
    wild = a_pod(hostNetwork=True)
    answer = await api.post(PODS, wild)
    assert answer.message == (
        'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces '
        "(hostNetwork=true)"
    )
    operator = local(api.api, User("operator", ("system:masters",)))
    await operator.call(Call("create", "", "v1", "pods", "default", body=wild))
    assert (await api.get(f"{PODS}/p")).status == 200


async def test_a_bound_pod_has_its_node_s_zone():
    api = await client()
    zone = {"topology.kubernetes.io/zone": "a", "other": "x"}
    node = {"metadata": {"name": "n1", "labels": zone}}
    await api.post("/api/v1/nodes", node)
    await api.post(PODS, a_pod())
    target = {"kind": "Node", "name": "n1"}
    body = {"metadata": {"name": "p"}, "target": target}
    assert (await api.post(f"{PODS}/p/binding", body)).status == 201
    found = (await api.get(f"{PODS}/p")).json()
    assert found["metadata"]["labels"] == {"topology.kubernetes.io/zone": "a"}
