"""Every address of the site, the websockets and the worker's control API: who is let in.

The addresses are those that are really routed. One about a cluster is as missing to a stranger as
one about no cluster at all; any other has to stand in a table here, or a test fails.
"""

from __future__ import annotations

import json
import re

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.conf import settings as site
from django.urls import get_resolver

from playground import control
from playground.accounts.models import Role, User
from playground.asgi import SOCKETS, application
from playground.control import Control
from playground.objects.models import SavedFilter
from playground.sandboxes.gateway import CONTROL, gateway
from playground.terminal import api as terminals
from playground.topology.protocol import Close

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What anybody may ask for, with a sign-in or without.
OPEN = {"sign-in", "sign-in-by-link", "sign-out", "language", "api-schema"}
# What is about oneself: nobody else can be named in the address.
ABOUT_ONESELF = {
    *("account", "change-password", "end-session", "make-link", "settings", "view-as-myself"),
    *("api-account", "api-password", "api-sessions", "api-preferences", "api-saved-filters"),
    *("home", "new-cluster", "import-recording", "switch", "api-clusters", "api-recordings"),
}
# What is about accounts: for those who manage them.
MANAGED = {"people", "person", "change-person", "api-people", "api-person", "api-links"}
# What is somebody's own and has a number: another's is missing.
NUMBERED = {"api-session", "api-saved-filter"}
# What the one who looks on may send, of all that is not reading: nothing of it changes the cluster.
LOOKING = {
    *("api-view-as", "api-trace-details", "api-bookmarks", "api-bookmark"),
    *("api-terminals", "api-terminal", "api-terminal-recording", "api-plan", "api-actions"),
    *("api-editor-document", "api-scheduling-what-if"),
}
NAMES = {
    "name": "mine",
    "group": "core",
    "version": "v1",
    "plural": "pods",
    "kind": "pods",
    "ns": "default",
    "item": "web",
    "audit_id": "a",
    "failure": "f",
    "number": "1",
    "revision": "1",
    "token": "t",
    "public_id": "x",
    "uid": "u",
}
PODS = {"group": "", "version": "v1", "plural": "pods"}
WEB = {"namespace": "default", "name": "web"}
# What is looked at before anybody is told that there is no such cluster.
BODIES = {
    "api-actions": {"action": "delete", "resource": PODS, "target": WEB},
    "api-plan": {"action": "delete", "resource": PODS, "targets": [WEB]},
}
QUERIES = {"api-permissions": "?group=&version=v1&plural=pods&namespace=default"}


def routes(resolver=None, prefix=""):
    """Yield (pattern, name) of all that is routed."""
    for one in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from routes(one, pattern)
        else:
            yield pattern, one.name


def address(pattern, route="", **other):
    names = {**NAMES, **other}
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: names[found[1]], pattern)
    return path + QUERIES.get(route, "")


ROUTES = list(routes())
CLUSTERS = [(p, n) for p, n in ROUTES if re.match(r"(api/)?clusters/<slug:name>", p)]


class Shells:
    """The process of shells, with one of the learner's."""

    def session(self, number):
        return None

    def state(self):
        raise AssertionError("a stranger came as far as the shells")

    open = end = record = recording = sessions = state


@pytest.fixture
def mine(worker, learner, monkeypatch):
    monkeypatch.setattr(terminals, "shells", Shells)
    worker.fake.add("mine", learner.username)
    return next(one for one in gateway().clusters() if one.name == "mine")


@pytest.fixture
def eve(db):
    return User.objects.create_user("eve", password="a fourth long one")


def ask(client, method, path, name):
    return client.generic(method, path, json.dumps(BODIES.get(name, {})), "application/json")


def beyond_the_list(worker):
    return [one["path"] for one in worker.fake.requests if one["path"] != CONTROL]


def test_every_address_is_known_here():
    tables = OPEN | ABOUT_ONESELF | MANAGED | NUMBERED
    of_clusters = {name for _, name in CLUSTERS}
    every = {name for _, name in ROUTES}
    assert None not in every
    assert every - of_clusters == tables, "who may ask for it? say so in a table"
    assert of_clusters >= LOOKING


@pytest.mark.django_db
def test_a_strangers_cluster_is_as_missing_as_none(worker, mine, client, eve):
    client.force_login(eve)
    for pattern, name in CLUSTERS:
        for method in METHODS:
            told = [asked(client, method, pattern, name, "mine")]
            if told[0][0] == 405:
                continue
            told.append(asked(client, method, pattern, name, "none"))
            assert beyond_the_list(worker) == [], (method, name)
            assert told[0] == told[1], (method, name)
            if (method, name) not in HARMLESS:
                assert told[0][0] == 404, (method, name)


# Leads to a page that is missing; ends one's own looking as somebody else.
HARMLESS = {("GET", "cluster"), ("GET", "objects-front"), ("DELETE", "api-view-as")}


def asked(client, method, pattern, name, cluster):
    """Return an answer about a cluster without its name and the tokens of forms."""
    answer = ask(client, method, address(pattern, name, name=cluster), name)
    text = re.sub(r"\b\w{64}\b", "", answer.content.decode())
    place = answer.headers.get("Location", "")
    return answer.status_code, f"{text}{place}".replace(cluster, "NAME")


@pytest.mark.django_db
def test_nobody_is_let_in_without_a_sign_in(worker, mine, client):
    for pattern, name in ROUTES:
        if name in OPEN:
            continue
        for method in METHODS:
            path = address(pattern, name)
            worker.fake.requests.clear()
            answer = ask(client, method, path, name)
            if path.startswith("/api/"):
                assert answer.status_code == 401, (method, name)
            else:
                assert answer.status_code == 302, (method, name)
                assert answer["Location"].startswith("/sign-in"), (method, name)
            assert worker.fake.requests == [], (method, name)


@pytest.mark.django_db
def test_who_looks_at_a_learners_cluster_changes_nothing(worker, mine, client):
    instructor = User.objects.create_user("ina", password="a third long one", role=Role.INSTRUCTOR)
    client.force_login(instructor)
    for pattern, name in CLUSTERS:
        for method in METHODS[1:]:
            if name in LOOKING:
                continue
            worker.fake.requests.clear()
            answer = ask(client, method, address(pattern, name), name)
            assert answer.status_code in {403, 405}, (method, name)
            assert beyond_the_list(worker) == [], (method, name)


@pytest.mark.django_db
def test_accounts_are_managed_by_those_who_may(worker, client, learner, eve):
    client.force_login(eve)
    for pattern, name in ROUTES:
        if name not in MANAGED | NUMBERED:
            continue
        for method in METHODS:
            number = client.session.session_key[:6]
            path = address(pattern, name, name=learner.username, public_id=number)
            answer = ask(client, method, path, name)
            if name == "api-people" and method == "POST":
                continue  # what is wrong with an account is said before who may make it
            # What is gone already is deleted: that tells nothing of anybody.
            expected = {204, 404, 405} if name in NUMBERED else {403, 405}
            assert answer.status_code in expected, (method, name)
    learner.refresh_from_db()
    assert learner.is_active


@pytest.mark.django_db
def test_what_is_ones_own_is_not_anothers(client, learner, eve):
    client.force_login(learner)
    saved = client.post(
        "/api/saved-filters",
        {"kind": "pods", "name": "web", "query": "q=web"},
        content_type="application/json",
    )
    session = client.get("/api/account/sessions").json()["items"][0]["id"]
    client.logout()
    client.force_login(eve)
    assert client.delete(f"/api/account/sessions/{session}").status_code == 404
    client.delete(f"/api/saved-filters/{saved.json()['id']}")
    assert SavedFilter.objects.filter(user=learner).count() == 1
    assert client.get("/api/saved-filters").json()["items"] == []


# -- websockets ------------------------------------------------------------------------------------

OURS = "http://localhost:8000"


async def knock(pattern, cookie="", origin=OURS, name="mine"):
    """Return the code by which a websocket was refused, None before it was accepted."""
    path = address(pattern, name=name)
    headers = [(b"host", b"localhost:8000"), (b"cookie", cookie.encode())]
    headers += [(b"origin", origin.encode())] if origin else []
    socket = WebsocketCommunicator(application, path, headers=headers)
    accepted, _ = await socket.connect(timeout=10)
    if not accepted:
        return None
    while (message := await socket.receive_output(timeout=10))["type"] != "websocket.close":
        pass
    return message["code"]


PATHS = [str(one.pattern) for one in SOCKETS]


@pytest.fixture
def cookie(client, eve):
    client.force_login(eve)
    return f"{site.SESSION_COOKIE_NAME}={client.session.session_key}"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", PATHS)
def test_a_websocket_is_for_those_who_may_see_its_cluster(worker, mine, cookie, path):
    worker.fake.requests.clear()
    assert async_to_sync(knock)(path) == int(Close.SIGNED_OUT)
    for cluster in ("mine", "none"):
        assert async_to_sync(knock)(path, cookie, name=cluster) == int(Close.CLUSTER_GONE)
    for origin in ("", "null", "http://localhost:9999", "http://evil.example", "file://"):
        assert async_to_sync(knock)(path, cookie, origin) is None, origin
    assert beyond_the_list(worker) == []


# -- the worker's control API ----------------------------------------------------------------------


async def call(method, path, *headers, fleet=None, body=b"{}"):
    """Return the messages of an answer of the control API, of which there is the door at least."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b""}
    await Control(fleet, "the-token", None)({**scope, "headers": headers}, receive, send)
    return sent


def test_the_control_api_is_for_the_site_alone():
    paths = {"/".join(("mine", what, "x")[:n]) for _, n, what in control.ROUTES}
    paths |= {"mine/at/1/api/v1/pods", "mine/nothing"}
    for path in sorted(paths):
        for method in METHODS:
            for wrong in ((), (b"authorization", b"Bearer "), (b"authorization", b"the-token")):
                given = (wrong,) if wrong else ()
                answer = async_to_sync(call)(method, f"{CONTROL}/{path}", *given)
                assert answer[0]["status"] == 401, (method, path, wrong)


def test_what_nobody_foresaw_is_told_to_the_site():
    class Full:
        async def create(self, *_args, **_more):
            raise OSError("no space left on device")

    token, body = (b"authorization", b"Bearer the-token"), b'{"name": "lab"}'
    answer = async_to_sync(call)("POST", CONTROL, token, fleet=Full(), body=body)
    assert answer[0]["status"] == 500
    told = b"".join(one.get("body", b"") for one in answer)
    assert json.loads(told)["message"] == "Internal error occurred: no space left on device"
