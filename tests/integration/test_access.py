"""Who may do what in a running cluster: the grid, the reasons, kubeconfigs for anybody."""

from __future__ import annotations

import base64

import pytest
import yaml
from cryptography import x509

from tests.integration.conftest import Lab
from tests.integration.test_resting import control
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME
RBAC = "rbac.authorization.k8s.io"
READ_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}


def rbac(kind, name, **more):
    made = dict(obj(kind, name, **more))
    return {**made, "apiVersion": f"{RBAC}/v1"}


@pytest.fixture
async def lab(fleet):
    made = await Lab(await fleet.create("lab", nodes=1, template="bare")).ready()
    client = made.client
    await client.create(rbac("Role", "reader", rules=[READ_PODS]))
    ann = {"kind": "User", "name": "ann", "apiGroup": RBAC}
    devs = {"kind": "Group", "name": "devs", "apiGroup": RBAC}
    role = {"apiGroup": RBAC, "kind": "Role", "name": "reader"}
    await client.create(rbac("RoleBinding", "ann-reads", subjects=[ann], roleRef=role))
    missing = {**role, "name": "nothing"}
    await client.create(rbac("RoleBinding", "lost", subjects=[devs], roleRef=missing))
    await eventually(lambda: made.cluster.auth.roles.subjects("default"))
    return made


async def read(fleet, path):
    code, found = await control(fleet, "GET", path)
    assert code == 200, found
    return found


async def test_the_grid_is_what_the_authorizers_say(fleet, lab):
    grid = await read(fleet, "/lab/access?namespace=default&resource=pods")
    rows = {row["name"]: dict(zip(grid["verbs"], row["may"], strict=True)) for row in grid["items"]}
    assert [verb for verb, may in rows["ann"].items() if may] == ["get", "list"]
    assert not any(rows["devs"].values())
    # Service accounts that no binding names are there, too; Kubernetes' own are not.
    assert "default/default" in rows
    assert not any(name.startswith("system:") for name in rows)
    everybody = await read(fleet, "/lab/access?namespace=default&resource=pods&system=1")
    assert "system:masters" in {row["name"] for row in everybody["items"]}
    found = await read(fleet, "/lab/access?namespace=default&q=ANN")
    assert [row["name"] for row in found["items"]] == ["ann"]


async def test_the_chain_leads_to_the_rule(fleet, lab):
    told = await read(fleet, "/lab/why?namespace=default&resource=pods&verb=list&user=ann")
    assert told["allowed"]
    assert told["reason"] == (
        'RBAC: allowed by RoleBinding "ann-reads/default" of Role "reader" to User "ann"'
    )
    (chain,) = told["chains"]
    assert chain["binding"]["name"] == "ann-reads"
    assert chain["role"] == {"kind": "Role", "namespace": "default", "name": "reader"}
    assert chain["rules"] == [READ_PODS]


async def test_a_no_names_what_comes_near(fleet, lab):
    told = await read(fleet, "/lab/why?namespace=default&resource=pods&verb=delete&user=ann")
    assert not told["allowed"]
    assert told["sentence"] == (
        'User "ann" cannot delete resource "pods" in API group "" in the namespace "default"'
    )
    assert [link["rules"] for link in told["nearest"]] == [[READ_PODS]]


async def test_a_binding_of_a_role_that_is_missing_is_said(fleet, lab):
    told = await read(fleet, "/lab/why?namespace=default&resource=pods&verb=get&group=devs")
    assert told["nearest"][0]["problem"] == 'role.rbac.authorization.k8s.io "nothing" not found'


async def test_masters_need_no_rule(fleet, lab):
    told = await read(fleet, "/lab/why?resource=secrets&verb=get&user=x&group=system:masters")
    assert (told["allowed"], told["by"], told["chains"]) == (True, "system:masters", [])


async def test_paths_and_subresources_are_asked_for_too(fleet, lab):
    told = await read(fleet, "/lab/why?resource=/healthz&verb=get&user=ann")
    assert told["allowed"]
    told = await read(fleet, "/lab/why?namespace=default&resource=pods/log&verb=get&user=ann")
    assert not told["allowed"]


async def test_nobody_is_asked_about(fleet, lab):
    code, status = await control(fleet, "GET", "/lab/why?resource=pods&verb=get")
    assert (code, status["message"]) == (400, "user or group is required")


async def test_a_kubeconfig_for_anybody_ends_when_it_should(fleet, lab):
    body = {"user": "ann", "groups": ["devs"], "days": 2}
    code, found = await control(fleet, "POST", "/lab/kubeconfig", body)
    assert code == 200
    config = yaml.safe_load(found["kubeconfig"])
    assert config["current-context"] == "ann@lab"
    pem = base64.b64decode(config["users"][0]["user"]["client-certificate-data"])
    certificate = x509.load_pem_x509_certificate(pem)
    left = certificate.not_valid_after_utc - lab.cluster.clock.now()
    assert 1.9 < left.total_seconds() / 86400 <= 2


async def test_a_kubeconfig_with_a_token(fleet, lab):
    body = {"user": "system:serviceaccount:default:default", "groups": [], "token": "abc"}
    _, found = await control(fleet, "POST", "/lab/kubeconfig", body)
    assert yaml.safe_load(found["kubeconfig"])["users"][0]["user"] == {"token": "abc"}


@pytest.mark.parametrize(
    "body",
    [
        {"groups": []},
        {"user": "ann", "groups": "devs"},
        {"user": "ann", "groups": [], "days": 0},
        {"user": "ann", "groups": [], "days": 1000},
        {"user": "ann", "groups": [], "days": "many"},
    ],
)
async def test_what_makes_no_kubeconfig(fleet, lab, body):
    assert (await control(fleet, "POST", "/lab/kubeconfig", body))[0] == 400
