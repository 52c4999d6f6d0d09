"""Causes over REST and on an object's page: as the caller may see them; tried by who may change."""

from __future__ import annotations

import pytest

from playground.accounts.models import Role, User
from playground.objects.summary import causes
from playground.sandboxes import access
from playground.sandboxes.gateway import Identity
from playground.why import api

pytestmark = pytest.mark.django_db
PATH = "/api/clusters/demo/why"


@pytest.fixture
def cluster(worker):
    """A cluster whose node n1 is cordoned."""
    found = worker.fake.clusters["demo"]
    node = found.objects["nodes"]["/n1"]
    found.put("nodes", {**node, "spec": {**node["spec"], "unschedulable": True}})
    return found


def test_a_cause_has_its_condition_its_rule_and_what_would_help(cluster, as_operator):
    for kind in ("nodes", "node", "Node"):
        found = as_operator.get(f"{PATH}/{kind}/-/n1").json()
        assert found["object"] == {"kind": "nodes", "namespace": "", "name": "n1"}
        assert not found["asWanted"]
        (cause,) = found["causes"]
        assert cause["text"] == "The node is cordoned: it takes no new pods."
        assert cause["condition"] == "spec.unschedulable=true"
        (fix,) = cause["fixes"]
        assert fix["command"] == "kubectl uncordon n1"
        assert (fix["patch"], fix["tried"]) == ({"spec": {"unschedulable": None}}, None)
        assert fix["patchType"] == "strategic"


def test_the_page_of_the_object_shows_it(cluster, as_operator):
    page = as_operator.get("/clusters/demo/objects/core/v1/nodes/-/n1").content.decode()
    assert "What is behind it" in page
    assert "kubectl uncordon n1" in page
    assert f'<kp-try src="{PATH}/nodes/-/n1?try=true" changes="1">' in page
    other = as_operator.get("/clusters/demo/objects/core/v1/nodes/-/n2").content.decode()
    assert "What is behind it" not in other


def test_large_clusters_say_that_nothing_is_tried_in_them(cluster, as_operator, monkeypatch):
    monkeypatch.setattr(causes, "affordable", lambda cluster: False)
    page = as_operator.get("/clusters/demo/objects/core/v1/nodes/-/n1").content.decode()
    assert "where it has up to 20 nodes and 300 pods. This one has more." in page
    assert "<kp-try" not in page


def test_what_is_not_there_or_not_served_is_missing(cluster, as_operator):
    assert as_operator.get(f"{PATH}/nodes/-/nobody").status_code == 404
    assert as_operator.get(f"{PATH}/gadgets/-/n1").status_code == 404


def test_what_would_help_is_tried_in_small_clusters(cluster, as_operator, monkeypatch):
    tried = []

    def helps(gateway, name, identity, about, fix):
        tried.append((name, identity.user, about.name, fix.command))
        return {"helped": True, "left": []}

    monkeypatch.setattr(api, "helps", helps)
    found = as_operator.get(f"{PATH}/nodes/-/n1?try=true").json()
    assert found["causes"][0]["fixes"][0]["tried"] == {"helped": True, "left": []}
    assert tried == [("demo", "operator", "n1", "kubectl uncordon n1")]
    monkeypatch.setattr(api, "affordable", lambda cluster: False)
    found = as_operator.get(f"{PATH}/nodes/-/n1?try=true").json()
    assert found["causes"][0]["fixes"][0]["tried"] is None
    assert len(tried) == 1


def test_who_only_looks_has_nothing_tried(worker, client, monkeypatch):
    learner = User.objects.create_user("lea", password="a third long one", role=Role.LEARNER)
    looking = User.objects.create_user("ina", password="a third long one", role=Role.INSTRUCTOR)
    cluster = worker.fake.add("leas", owner=learner.username)
    cluster.put("nodes", {"metadata": {"name": "n1"}, "spec": {"unschedulable": True}})

    def helps(*given):
        raise AssertionError("nothing may be tried")

    monkeypatch.setattr(api, "helps", helps)
    # The worker of these tests knows owners alone.
    owner = Identity(learner.username, access.OWNER_GROUPS)
    monkeypatch.setattr(access, "identity", lambda user, cluster: owner)
    client.force_login(looking)
    page = client.get("/clusters/leas/objects/core/v1/nodes/-/n1").content.decode()
    assert "What is behind it" in page
    assert "<kp-try" not in page
    found = client.get("/api/clusters/leas/why/nodes/-/n1?try=true").json()
    assert [one["fixes"][0]["tried"] for one in found["causes"]] == [None, None]
