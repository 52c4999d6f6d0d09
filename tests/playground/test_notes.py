"""What pages say where there is nothing to show, and without scripts."""

from __future__ import annotations

import re

import pytest

from playground.accounts.models import Role, User
from playground.rights import asking
from playground.sandboxes.gateway import Gateway, Refused

pytestmark = pytest.mark.django_db
DEMO = "/clusters/demo"
OBJECTS = f"{DEMO}/objects"


def text(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"{DEMO}/overview", "This page needs JavaScript."),
        (f"{DEMO}/trace", "This page needs JavaScript."),
        (f"{DEMO}/topology", "The picture needs JavaScript."),
        (f"{DEMO}/topology", "The lists of objects do not."),
        (f"{DEMO}/timeline", "The timeline needs JavaScript."),
        (f"{DEMO}/editor", "The editor needs JavaScript."),
        (f"{DEMO}/terminal", "A terminal needs JavaScript."),
        ("/settings", "Choosing keys needs JavaScript."),
        ("/settings", "pods change their place without flying there, pages do not fade."),
        (f"{DEMO}/delete", "Everything in it goes: objects, history, logs."),
        (f"{DEMO}/fork", "What happens in one is no matter of the other."),
        ("/account", "At least 10 characters, and no common password."),
        (
            f"{OBJECTS}/core/v1/services/default/idle?tab=logs",
            "There are no pods, so there are no logs.",
        ),
        (
            f"{OBJECTS}/core/v1/configmaps/default/alone?tab=relations",
            "No relations with other objects are known.",
        ),
    ],
)
def test_what_a_page_says_besides_what_it_shows(worker, as_operator, path, words):
    demo = worker.fake.clusters["demo"]
    idle = {"metadata": {"name": "idle", "namespace": "default"}, "spec": {}}
    worker.change(demo.put, "services", idle)
    worker.change(demo.put, "configmaps", {"metadata": {"name": "alone", "namespace": "default"}})
    assert words in text(as_operator.get(path))


def test_the_page_access_says_whom_it_does_not_find(worker, as_operator, monkeypatch):
    nobody = {"items": [], "total": 0, "verbs": [], "resources": [], "namespaces": []}
    monkeypatch.setattr(Gateway, "access", lambda *_: nobody)
    assert "No subject matches “zz”." in text(as_operator.get(f"{DEMO}/access?q=zz"))
    assert "No binding names anybody here." in text(as_operator.get(f"{DEMO}/access"))

    def refuse(*_):
        raise Refused(403, {"message": "serviceaccounts is forbidden"})

    monkeypatch.setattr(asking, "accounts", refuse)
    words = "The service accounts of this cluster cannot be read by whom you look as."
    assert words in text(as_operator.get(f"{DEMO}/access"))


def test_an_object_of_which_no_write_is_known(worker, as_operator, monkeypatch):
    monkeypatch.setattr(Gateway, "history", lambda *_, **__: {"items": [], "more": False})
    page = text(as_operator.get(f"{OBJECTS}/core/v1/pods/default/api-0?tab=history"))
    assert "The log holds no write of this object." in page


def test_what_the_api_forbids_is_a_page_of_its_own(worker, as_operator, monkeypatch):
    def refuse(*_, **__):
        raise Refused(403, {"message": "nodes is forbidden"})

    monkeypatch.setattr(Gateway, "api", refuse)
    page = as_operator.get(f"{DEMO}/editor")
    assert page.status_code == 403
    assert "You may not see this" in text(page)
    assert "nodes is forbidden" in text(page)


def test_who_has_no_password_and_who_has_no_learners(worker, client):
    user = User.objects.create_user("ina", role=Role.INSTRUCTOR)
    client.force_login(user)
    assert "You have none yet, so you come in by link alone." in text(client.get("/account"))
    assert "No learners yet." in text(client.get("/people"))
