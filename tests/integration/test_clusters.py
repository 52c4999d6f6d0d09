"""Clusters beside each other: made, kept apart, opened again, deleted; and their housekeeping."""

import asyncio
import base64
import ssl

import pytest
import yaml

from apimachinery.errors import AlreadyExists, NotFound, Unauthorized
from apiserver.auth.pki import CertificateAuthority, holder_mark, issue_client_certificate
from apiserver.watch.hub import WatchHub
from nodes.client import resources
from nodes.client.loopclock import LoopClock
from playground.cluster import RunningCluster, Surface
from playground.fleet import Fleet
from playground.housekeeping import tidy
from playground.secure_server import ClientTrust
from tests.integration.conftest import Lab, deployment
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.inline import InlineStorage
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


async def test_two_clusters_do_not_see_each_other(fleet):
    one = await Lab(await fleet.create("one", nodes=1, template="bare")).ready()
    two = await Lab(await fleet.create("two", nodes=1, template="bare")).ready()
    seen = []
    two.cluster.store.hub.subscribe(
        "configmaps",
        after=two.cluster.store.revision,
        sink=seen.extend,
        closed=lambda reason: None,
    )
    await one.client.create(dict(obj("ConfigMap", "mine", data={"a": "1"})))
    with pytest.raises(NotFound):
        await two.client.get(resources.CONFIGMAPS, "default", "mine")
    assert seen == []
    await two.client.create(dict(obj("ConfigMap", "mine", data={"a": "2"})))
    assert one.get("configmaps", "mine")["data"] == {"a": "1"}


async def test_a_cluster_that_cannot_start_harms_no_other(fleet, monkeypatch, caplog):
    async def broken(self):
        raise ValueError("broken")

    await fleet.create("good", nodes=0, template="bare")
    with monkeypatch.context() as patch:
        patch.setattr(RunningCluster, "start", broken)
        with pytest.raises(ValueError, match="broken"):
            await fleet.create("bad", nodes=0, template="bare")
    assert [cluster.name for cluster in fleet] == ["good"]
    await fleet.create("bad", nodes=0, template="bare")

    start = RunningCluster.start

    async def only_good(self):
        await (broken if self.name == "bad" else start)(self)

    monkeypatch.setattr(RunningCluster, "start", only_good)
    again = Fleet(fleet._storage, Surface("https://127.0.0.1:6443", "CA", "t"), ClientTrust())
    await again.open_all()
    assert [cluster.name for cluster in again] == ["good"]
    assert "cannot open cluster bad" in caplog.text
    await again.find("good").close()


async def test_credentials_of_one_cluster_are_unknown_to_the_other(fleet):
    one = await Lab(await fleet.create("one", nodes=0, template="bare")).ready()
    two = await fleet.create("two", nodes=0, template="bare")
    authority = CertificateAuthority(
        one.cluster.store.record.ca_cert, one.cluster.store.record.ca_key
    )
    issued = issue_client_certificate(authority, "eve", ("system:masters",), one.cluster.clock)
    der = _der(issued.certificate)
    assert one.cluster.auth.authenticate({}, [der]).name == "eve"
    with pytest.raises(Unauthorized):
        two.auth.authenticate({}, [der])
    request = dict(obj("TokenRequest", "", api_version="authentication.k8s.io/v1", spec={}))
    answer = await one.client.create(
        request, resources.SERVICEACCOUNTS, subresource="token", name="default"
    )
    header = {"authorization": f"Bearer {answer['status']['token']}"}
    assert one.cluster.auth.authenticate(header).name.endswith(":default:default")
    with pytest.raises(Unauthorized):
        two.auth.authenticate(header)


async def test_what_a_holder_was_given_is_revoked_with_what_it_has_open(fleet):
    lab = await Lab(await fleet.create("one", owner="ann", nodes=0, template="bare")).ready()
    cluster = lab.cluster

    def who(config):
        user = yaml.safe_load(config)["users"][0]["user"]
        pem = base64.b64decode(user["client-certificate-data"]).decode()
        return cluster.auth.authenticate({}, [_der(pem)])

    anns = cluster.admin_kubeconfig("ann", holder="ann")
    bens = cluster.kubeconfig_for("ben", ["kubeground:viewers"], 30.0, holder="ben")
    nobodys = cluster.admin_kubeconfig()
    assert (who(bens).name, who(bens).groups[0]) == ("ben", "kubeground:viewers")
    ended = []
    cluster.api.open_streams.add(lambda: ended.append("a watch"))
    await fleet.revoke(cluster.store.record, "ben")
    assert ended == ["a watch"]
    with pytest.raises(Unauthorized):
        who(bens)
    assert who(anns).name == "ann"
    # One that is given to the same holder later counts; it is kept over a restart.
    assert who(cluster.kubeconfig_for("ben", [], 30.0, holder="ben")).name == "ben"
    assert set(cluster.store.record.settings["revoked"]) == {holder_mark("ben")}
    # A cluster that gets another owner is reached with nothing that was given before.
    await fleet.revoke(cluster.store.record, "")
    with pytest.raises(Unauthorized):
        who(anns)
    assert who(nobodys).name == "kubernetes-admin"


def _der(pem):
    return ssl.PEM_cert_to_DER_cert(pem)


async def test_a_name_is_taken_once_and_free_after_deletion(fleet):
    await fleet.create("one", nodes=0, template="bare")
    with pytest.raises(AlreadyExists):
        await fleet.create("one", nodes=0, template="bare")
    await fleet.delete("one")
    assert fleet.find("one") is None
    again = await fleet.create("one", nodes=0, template="bare")
    assert again.store.revision < 400
    with pytest.raises(NotFound):
        await fleet.delete("two")


async def test_everything_is_there_after_a_restart_and_controllers_carry_on(fleet, sqlite):
    lab = await Lab(await fleet.create("lab", nodes=3, template="default")).ready()
    await lab.client.create(deployment())
    await lab.available()
    names = {p["metadata"]["name"] for p in lab.pods()}
    revision = lab.cluster.store.revision
    await fleet.close()

    surface = Surface("https://127.0.0.1:6443", "CA", "admin-token")
    storage = InlineStorage(clock=LoopClock(), hub=WatchHub, alias=sqlite)
    second = Fleet(storage, surface, ClientTrust())
    try:
        await second.open_all()
        again = Lab(second.find("lab"))
        assert again.cluster.store.revision >= revision
        assert {p["metadata"]["name"] for p in again.pods()} == names
        change = {"spec": {"replicas": 5}}
        await again.client.patch(resources.DEPLOYMENTS, "default", "web", change)
        await again.available(replicas=5)
        # What ran before runs again, and was not counted as a restart.
        first = min(names)
        await eventually(lambda: again.get("pods", first)["status"]["phase"] == "Running")
        statuses = again.get("pods", first)["status"]["containerStatuses"]
        assert [s["restartCount"] for s in statuses] == [0]
    finally:
        await second.close()


async def test_the_default_template_adds_and_bare_does_not(fleet):
    bare = Lab(await fleet.create("one", nodes=0, template="bare"))
    full = Lab(await fleet.create("two", nodes=0, template="default"))
    assert bare.all("storageclasses.storage.k8s.io") == []
    assert [c["metadata"]["name"] for c in full.all("storageclasses.storage.k8s.io")] == [
        "standard"
    ]


async def test_events_go_after_an_hour(lab):
    await lab.client.create(deployment())
    await lab.available()
    await asyncio.sleep(5)
    assert lab.all("events", "default")
    await tidy(lab.cluster)
    assert lab.all("events", "default")
    await asyncio.sleep(3700)
    await tidy(lab.cluster)
    assert [
        (e["reason"], e["message"], e["lastTimestamp"]) for e in lab.all("events", "default")
    ] == []
