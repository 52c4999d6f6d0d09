"""Clusters that begin as another one was: the same objects, keys of their own, and all at work."""

import pytest

from apiserver.auth.pki import CertificateAuthority
from apiserver.storage import Compacted
from nodes.client import resources
from tests.apiserver.endpoints.support import Client, config_map
from tests.integration.conftest import Lab, deployment
from tests.integration.test_past import MAPS, Past
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

FORK = "/kubeground/v1/clusters/lab/fork"


@pytest.fixture
async def past(fleet, lab):
    return Past(fleet, lab.cluster)


async def test_a_fork_begins_as_the_other_was_and_goes_on(fleet, lab, past):
    await past.now("POST", "/apis/apps/v1/namespaces/default/deployments", deployment())
    await lab.available()
    then = past.revision
    web = lab.get("deployments.apps", "web")
    pods = {pod["metadata"]["uid"] for pod in lab.pods()}
    await past.now("DELETE", "/apis/apps/v1/namespaces/default/deployments/web")
    await eventually(lambda: not lab.pods(), within=90)

    fork = Lab(await fleet.fork(lab.cluster, then, name="what-if", owner="me"))
    assert fork.get("deployments.apps", "web")["metadata"]["uid"] == web["metadata"]["uid"]
    assert {pod["metadata"]["uid"] for pod in fork.pods()} == pods
    assert fork.cluster.store.record.owner == "me"
    assert [n["metadata"]["name"] for n in fork.all("nodes")] == ["node-1", "node-2", "node-3"]
    await fork.available()
    patch = {"spec": {"replicas": 5}}
    await fork.client.patch(resources.DEPLOYMENTS, "default", "web", patch)
    await fork.available(replicas=5)
    assert len(fork.pods()) == 5
    assert pods <= {pod["metadata"]["uid"] for pod in fork.pods()}, "those of then still run"
    assert lab.get("deployments.apps", "web") is None, "the original is not touched"


async def test_the_log_of_a_fork_begins_there(fleet, lab, past):
    made = await past.now("POST", MAPS, config_map("a", n="1"))
    then = past.revision
    await past.now("PUT", f"{MAPS}/a", config_map("a", n="2"))
    fork = Past(fleet, await fleet.fork(lab.cluster, then, name="fork"))
    assert fork.cluster.store.oldest == then
    assert (await fork.at(then, f"{MAPS}/a")).json() == made
    assert (await fork.at(then - 1, f"{MAPS}/a")).status == 410
    records = await fork.cluster.store.records(key=fork.cluster.store.list("configmaps")[0].key)
    assert records[0].actor


async def test_what_was_broken_is_mended_in_a_fork_and_its_log_says_so(fleet, lab, past):
    node = {"kind": "stop-node", "target": {"node": "node-1"}}
    await lab.cluster.failures.begin({"kind": "slow-api", "target": {"milliseconds": 1}})
    broken = await lab.cluster.failures.begin(node)
    await past.now("POST", MAPS, config_map("a", n="1"))
    then = past.revision
    await lab.cluster.failures.end(broken.id)
    await past.now("PUT", f"{MAPS}/a", config_map("a", n="2"))
    fork = await fleet.fork(lab.cluster, then, name="fork")
    assert not fork.failures.journal.failures
    told = [(one.revision, one.kind, one.state) for one in fork.failures.journal.moments]
    assert told == [(then + 1, "slow-api", "ended"), (then + 1, "stop-node", "ended")]


async def test_keys_and_tokens_are_the_forks_own(fleet, lab, past):
    secret = {
        "metadata": {
            "name": "old",
            "annotations": {"kubernetes.io/service-account.name": "default"},
        },
        "type": "kubernetes.io/service-account-token",
    }
    await past.now("POST", "/api/v1/namespaces/default/secrets", secret)

    def token(where):
        return ((where.get("secrets", "old") or {}).get("data") or {}).get("token")

    before = await eventually(lambda: token(lab), within=30)
    cluster = await fleet.fork(lab.cluster, past.revision, name="fork")
    fork = Lab(cluster)
    after = await eventually(lambda: token(fork), within=30)
    assert before != after
    assert cluster.store.record.ca_cert != lab.cluster.store.record.ca_cert
    published = fork.get("configmaps", "extension-apiserver-authentication", "kube-system")
    assert published["data"]["client-ca-file"] == cluster.store.record.ca_cert
    assert CertificateAuthority(cluster.store.record.ca_cert, cluster.store.record.ca_key)
    theirs = lab.cluster.auth.tokens
    assert theirs is not cluster.auth.tokens


async def test_what_cannot_be_forked_is_refused_in_words(fleet, lab, past):
    http: Client = past.http

    async def ask(**body):
        answer = await http.request("POST", FORK, body)
        return answer.status, answer.json()

    assert (await ask(name="Bad_Name"))[0] == 422
    assert (await ask(name="x", revision="y"))[0] == 422
    assert (await ask(name="x", revision=-1))[0] == 422
    status, late = await ask(name="x", revision=10**9)
    assert (status, late["details"]["causes"][0]["reason"]) == (504, "ResourceVersionTooLarge")
    assert (await ask(name="lab"))[1]["reason"] == "AlreadyExists"
    await lab.cluster.store.compact(past.revision - 1)
    assert (await ask(name="x", revision=3))[1]["reason"] == "Expired"
    with pytest.raises(Compacted):
        await fleet.fork(lab.cluster, 3, name="x")
    assert [cluster.name for cluster in fleet] == ["lab"]
    status, made = await ask(name="x")
    assert (status, made["name"], bool(made["kubeconfig"])) == (201, "x", True)
