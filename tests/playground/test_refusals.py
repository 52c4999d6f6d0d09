"""What the site refuses with, provoked: words of its API, of pages of trouble, of terminals."""

from __future__ import annotations

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from playground.accounts.models import User
from playground.history.models import MOST, Bookmark
from playground.objects.api import MOST_SAVED
from playground.objects.models import SavedFilter
from playground.sandboxes.gateway import Cluster, Unreachable
from playground.terminal import opening
from playground.terminal.keeper import wrong
from tests.playground.fakecluster import ADMIN_TOKEN

pytestmark = pytest.mark.django_db
POD = {"group": "", "version": "v1", "plural": "pods"}
TARGET = {"namespace": "default", "name": "api-0"}
ACTION = {"action": "delete", "resource": POD, "target": TARGET}
TEXT = "apiVersion: %s\nkind: Pod\nmetadata: {name: a}\n"
DEMO = "/api/clusters/demo"


def text(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def said(answer) -> str:
    """Everything that an answer of the API says."""
    error = answer.json()["error"]
    return f"{error['message']} {error.get('fields', '')}"


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("actions", {**ACTION, "action": "cordon"}, "Cordon is nothing one can do to pods."),
        (
            "actions",
            {**ACTION, "target": {**TARGET, "name": "../x"}},
            "This is no name of an object.",
        ),
        (
            "actions/plan",
            {"action": "delete", "resource": POD, "targets": [TARGET] * 5001},
            "At most 5000 objects at a time.",
        ),
        (
            "editor/document",
            {"text": TEXT % "a/b/c", "action": "apply"},
            "This is no group and version.",
        ),
        ("editor/document", {"text": "a: [", "action": "apply"}, "Line 2: "),
        ("terminals", {"kind": "pod"}, "Name it."),
    ],
)
def test_what_the_api_cannot_do(worker, as_operator, path, body, words):
    answer = as_operator.post(f"{DEMO}/{path}", json.dumps(body), "application/json")
    assert answer.status_code == 422, answer.content
    assert words in said(answer)


@pytest.mark.parametrize("path", ["overview?rev=x", "history/facts?upto=x", "overview?rev=-1"])
def test_a_revision_is_a_number(worker, as_operator, path):
    answer = as_operator.get(f"{DEMO}/{path}")
    assert answer.status_code == 422
    assert "This is no revision: it is a whole number." in said(answer)


def test_what_is_kept_for_a_user_has_bounds(worker, as_operator, operator):
    post = as_operator.post
    query = {"kind": "pods", "name": "mine", "query": "next=//evil.example"}
    assert "This is no filter of a list." in said(
        post("/api/saved-filters", query, "application/json")
    )
    SavedFilter.objects.bulk_create(
        SavedFilter(user=operator, kind="pods", name=f"f{n}", query="q=a")
        for n in range(MOST_SAVED)
    )
    answer = post("/api/saved-filters", {**query, "query": "q=a"}, "application/json")
    words = f"You have {MOST_SAVED} saved filters for this list. Remove one to save another."
    assert words in said(answer)
    uid = worker.fake.clusters["demo"].described["uid"]
    Bookmark.objects.bulk_create(
        Bookmark(user=operator, cluster=uid, revision=n, note="") for n in range(MOST)
    )
    answer = post(f"{DEMO}/bookmarks", {"revision": 2**20, "note": ""}, "application/json")
    assert f"You have {MOST} bookmarks here. Remove one to add another." in said(answer)
    keys = {f"a.{n}": [] for n in range(501)}
    answer = as_operator.patch("/api/preferences", {"keys": keys}, "application/json")
    assert "There are not so many actions." in said(answer)


def test_a_file_that_is_no_recording_of_ours(worker, as_operator):
    def large():
        return SimpleUploadedFile("r.json.gz", b"x" * (16 * 2**20 + 1))

    words = "The file is larger than 16 MiB."
    assert words in text(as_operator.post("/import", {"name": "old", "file": large()}))
    answer = as_operator.post("/api/recordings", {"name": "old", "file": large()})
    assert words in said(answer)


def test_a_token_looks_as_somebody_by_headers(worker, client, operator):
    answer = client.post(
        f"{DEMO}/view-as",
        {"user": "ann"},
        "application/json",
        headers={"authorization": f"Bearer {ADMIN_TOKEN}"},
    )
    assert "A token has no session: send Impersonate headers." in said(answer)


def test_accounts_refuse_what_would_lock_one_out(worker, as_operator, operator):
    answer = as_operator.post("/people/operator/change", {"do": "disable"})
    assert "This is your own account. Another operator can do this." in text(answer)
    guess = {"old": "a wrong one", "new": "a password that is long"}
    for _ in range(20):
        answer = as_operator.put("/api/account/password", guess, "application/json")
        if answer.status_code == 429:
            break
    assert "Too many attempts." in said(answer)


# -- pages of trouble ------------------------------------------------------------------------------


def test_addresses_that_lead_nowhere(worker, as_operator):
    answer = as_operator.get("/no/such/page")
    assert answer.status_code == 404
    assert "No page has this address." in text(answer)
    page = as_operator.get("/clusters/demo/objects/harbour.example/v1/boats")
    assert "The cluster serves no kind “boats.harbour.example”." in text(page)
    boat = {"group": "harbour.example", "version": "v1", "plural": "boats", "name": "argo"}
    answer = as_operator.get(f"{DEMO}/permissions", boat)
    assert answer.status_code == 404
    assert "The cluster serves no kind “boats” in harbour.example/v1." in said(answer)
    named = as_operator.get("/clusters/demo/terminal/named?what=boat/argo")
    assert "The cluster serves no kind “boat”." in text(named)


def test_a_form_from_elsewhere(operator):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    answer = strict.post("/sign-out")
    assert answer.status_code == 403
    assert "This form is too old" in text(answer)
    assert "Nothing was changed. Open the page again and repeat." in text(answer)


def test_a_fault_of_ours_and_a_worker_that_does_not_answer(worker, operator, monkeypatch):
    calm = Client(raise_request_exception=False)
    calm.force_login(operator)

    def failing(error):
        def find(*_):
            raise error

        monkeypatch.setattr("playground.sandboxes.access.find", find)
        return calm.get("/clusters/demo/overview")

    answer = failing(RuntimeError("a secret of ours"))
    assert answer.status_code == 500
    assert "This page failed" in text(answer)
    assert "The site met an error of its own and wrote it to its log. Your clusters go on." in text(
        answer
    )
    assert "a secret of ours" not in text(answer)
    answer = failing(Unreachable("refused"))
    assert answer.status_code == 503
    words = "The cluster worker is starting or was stopped. Nothing is lost. Try again."
    assert words in text(answer)


def test_a_plan_warns_of_what_the_api_refuses(worker, as_operator):
    body = {
        "action": "delete",
        "resource": {"group": "", "version": "v1", "plural": "namespaces"},
        "targets": [{"name": "default"}],
    }
    answer = as_operator.post(f"{DEMO}/actions/plan", body, "application/json")
    texts = [one["text"] for one in answer.json()["warnings"]]
    assert "The API refuses to delete default." in texts
    worker.fake.clusters["demo"].forbidden = {"pods"}
    body = {"action": "delete", "resource": POD, "targets": [TARGET]}
    answer = as_operator.post(f"{DEMO}/actions/plan", body, "application/json")
    assert [one["text"] for one in answer.json()["warnings"]] == [
        "Not everything could be looked at:"
    ]


# -- terminals -------------------------------------------------------------------------------------


class NoSandbox:
    """Shells of a machine without a sandbox; what is asked for is only noted."""

    def __init__(self) -> None:
        self.opened: list[dict] = []

    def state(self) -> dict:
        return {"sandbox": False, "why": "This machine lacks bwrap.", "install": ["bubblewrap"]}

    def open(self, wish: dict) -> dict:
        self.opened.append(wish)
        return wish


@pytest.fixture
def opened(worker, settings):
    """Open a shell as a user of a session."""
    settings.BIND, settings.SITE_URL = "127.0.0.1", "http://127.0.0.1:8000"
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    shells, cluster = NoSandbox(), Cluster.read(worker.fake.clusters["demo"].described)

    def open_(user, session, **wish):
        opening.open_terminal(shells, user, session, cluster, {"kind": "shell", **wish})
        return shells.opened[-1]

    return open_


def test_a_shell_without_a_sandbox_is_accepted_once(opened, operator):
    session: dict = {}
    with pytest.raises(opening.NotAccepted, match=r"run without a sandbox\. Accept that first"):
        opened(operator, session)
    assert opened(operator, session, accept=True)["kind"] == "plain"
    assert opened(operator, session)["kind"] == "plain"


def test_a_shell_without_a_sandbox_is_not_for_others(opened, learner, operator, settings):
    with pytest.raises(opening.NotOffered, match="offered to the operator alone"):
        opened(learner, {}, accept=True)
    assert opened(learner, {}, kind="pod")["kind"] == "pod", "nothing of it runs here"
    settings.BIND = "0.0.0.0"
    words = "others can reach it. This machine lacks bwrap. apt-get install bubblewrap"
    with pytest.raises(opening.NotOffered, match=words):
        opened(operator, {}, accept=True)


def test_shells_end_with_what_they_belong_to(worker, learner, operator):
    cluster = Cluster.read(worker.fake.clusters["demo"].described)
    shell = {"id": "a", "owner": "lea", "login": "", "uid": cluster.uid}

    def why(one, clusters=(cluster,)):
        return [words for _, words in wrong([one], list(clusters))]

    assert why({**shell, "owner": "operator"}) == []
    assert why(shell) == ["The cluster is no longer yours to see."]
    assert why(shell, ()) == ["The cluster was deleted."]
    assert why({**shell, "login": "another"}) == ["You signed out."]
    User.objects.filter(username="lea").update(is_active=False)
    assert why(shell) == ["The account was closed."]
