"""Who sees which cluster, as whom its API is asked, and looking at one as somebody else."""

from __future__ import annotations

import asyncio

import pytest
from django.http import Http404

from apiserver.auth.viewers import VIEWERS
from playground.accounts import viewing
from playground.accounts.models import Role, User
from playground.accounts.viewing import ViewAsSocket, Viewing
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway

pytestmark = pytest.mark.django_db
PODS = "/clusters/mine/objects/core/v1/pods"


@pytest.fixture
def instructor(db):
    return User.objects.create_user("ina", password="a third long one", role=Role.INSTRUCTOR)


@pytest.fixture
def as_instructor(client, instructor):
    client.force_login(instructor)
    return client


@pytest.fixture
def mine(worker, learner):
    """The learner's cluster, as the site knows it."""
    worker.fake.add("mine", learner.username)
    return next(one for one in gateway().clusters() if one.name == "mine")


def test_those_share_who_may_read_the_same(mine, learner, instructor, operator):
    seen = {who: access.identity(who, mine) for who in (learner, instructor, operator)}
    for secrets, sights in ((True, 2), (False, 1)):
        assert len({access.sight(one, secrets=secrets) for one in seen.values()}) == sights
    learner.viewing = Viewing(mine.uid, mine.name, "ann", ("system:authenticated",))
    ann = access.identity(learner, mine)
    assert access.sight(ann, secrets=False) == ann, "whose rights are a matter of RBAC"


def names(user):
    return [cluster.name for cluster in access.visible(user, gateway().clusters())]


def asked_as(worker, client):
    worker.fake.requests.clear()
    assert client.get(PODS).status_code == 200
    return {one["user"] for one in worker.fake.requests if one["path"].startswith("/clusters/")}


def test_each_role_sees_what_it_is_for(mine, learner, instructor, operator):
    assert names(learner) == ["mine"]
    assert names(instructor) == ["mine"]
    assert sorted(names(operator)) == ["demo", "mine"]


def test_an_instructor_reads_the_clusters_of_learners(mine, instructor):
    assert access.identity(instructor, mine).groups == (VIEWERS, "system:authenticated")
    assert not access.may_change(instructor, mine)


def test_an_instructor_owns_their_own(worker, instructor):
    worker.fake.add("ours", "ina")
    cluster = access.find(gateway(), instructor, "ours")
    assert "system:masters" in access.identity(instructor, cluster).groups


@pytest.mark.parametrize("path", ["delete", "fork"])
def test_what_would_be_more_than_looking_is_refused_in_words(mine, as_instructor, path):
    response = as_instructor.get(f"/clusters/mine/{path}")
    assert response.status_code == 403
    assert "belongs to lea. You may look at it, not change it." in response.content.decode()


def test_an_instructor_gets_a_kubeconfig_that_only_reads(mine, as_instructor):
    text = as_instructor.get("/clusters/mine/kubeconfig").content.decode()
    assert text == "kubeconfig of ina in kubeground:viewers for 30 days with '' for ina"
    drawer = as_instructor.get("/clusters/mine/connect").content.decode()
    assert "It reads, and changes nothing: the cluster belongs to lea." in drawer


def test_the_rest_api_says_so_too(mine, as_instructor, worker):
    response = as_instructor.delete("/api/clusters/mine")
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "Forbidden"
    assert "belongs to lea" in response.json()["error"]["message"]
    assert "mine" in worker.fake.clusters


def test_looking_as_somebody_else_is_about_one_cluster(mine, learner, worker):
    learner.viewing = Viewing(mine.uid, "mine", "system:serviceaccount:shop:cart")
    assert access.identity(learner, mine).user == "system:serviceaccount:shop:cart"
    worker.fake.add("other", "lea")
    other = access.find(gateway(), learner, "other")
    assert access.identity(learner, other).user == "lea"


def test_what_the_session_says_reaches_the_api(mine, as_learner, worker):
    session = as_learner.session
    viewing.begin(session, Viewing(mine.uid, "mine", "ann", ("system:masters",)))
    session.save()
    assert asked_as(worker, as_learner) == {"ann"}
    session = as_learner.session
    viewing.end(session)
    session.save()
    assert asked_as(worker, as_learner) == {"lea"}


def test_websockets_look_as_the_session_says(learner):
    seen = []

    async def application(scope, receive, send):
        seen.append(scope["user"].viewing)

    kept: dict = {}
    viewing.begin(kept, Viewing("uid", "mine", "ann", ("devs",)))
    asyncio.run(ViewAsSocket(application)({"user": learner, "session": kept}, None, None))
    assert seen == [Viewing("uid", "mine", "ann", ("devs",))]


def test_a_cluster_of_somebody_else_is_as_missing_as_any(worker, learner):
    with pytest.raises(Http404, match="may have been deleted"):
        access.find(gateway(), learner, "demo")
