"""Accounts as operators and instructors manage them: pages, REST, and the command."""

from __future__ import annotations

import io

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from playground.accounts.models import Role, User
from playground.sandboxes.gateway import gateway

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def _no_failures():
    cache.clear()


@pytest.fixture
def instructor(db):
    return User.objects.create_user("ina", password=PASSWORD, role=Role.INSTRUCTOR)


@pytest.fixture
def as_instructor(instructor):
    client = Client()
    client.force_login(instructor)
    return client


def text(response):
    return response.content.decode()


def do(client, name, what, **more):
    return client.post(f"/people/{name}/change", {"do": what, **more})


def link_in(page):
    return page.partition("http://testserver")[2].partition("<")[0]


def post(client, path, **body):
    return client.post(path, body, content_type="application/json")


def test_learners_manage_nobody(worker, as_learner):
    for path in ("/people", "/people/lea", "/api/people"):
        response = as_learner.get(path)
        assert response.status_code == 403
        assert "managed by operators and instructors" in text(response)
    assert post(as_learner, "/api/people", username="max").status_code == 403
    assert not User.objects.filter(username="max").exists()


def test_an_account_is_made_and_its_link_signs_in(worker, as_operator):
    response = as_operator.post("/people", {"username": "max", "role": "instructor"})
    assert response.status_code == 201
    page = text(response)
    assert "Send max this link" in page
    other = Client()
    assert other.get(link_in(page)).status_code == 302
    assert User.objects.get(username="max").role == Role.INSTRUCTOR


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "required"),
        ("lea", "of this name already"),
        ("LEA", "of this name already"),
        ("system:admin", "valid username"),
        ("a b", "valid username"),
    ],
)
def test_a_name_that_is_not_right_is_said_beside_the_field(
    worker, as_operator, learner, name, said
):
    response = as_operator.post("/people", {"username": name, "role": "learner"})
    assert response.status_code == 422
    assert said in text(response)


def test_an_instructor_sees_and_makes_learners_alone(worker, as_instructor, learner, operator):
    page = text(as_instructor.get("/people"))
    assert "/people/lea" in page
    assert "/people/operator" not in page
    assert as_instructor.get("/people/operator").status_code == 404
    made = as_instructor.post("/people", {"username": "max", "role": "operator"})
    assert made.status_code == 422
    refused = post(as_instructor, "/api/people", username="max", role="operator")
    assert refused.status_code == 403
    assert refused.json()["error"]["message"] == "Instructors make accounts of learners alone."
    assert (
        as_instructor.patch(
            "/api/people/lea", {"role": "operator"}, content_type="application/json"
        ).status_code
        == 403
    )
    assert do(as_instructor, "lea", "role", role="operator").status_code == 403
    assert User.objects.get(username="lea").role == Role.LEARNER


def test_who_is_disabled_is_out_at_once(worker, as_operator, learner):
    other = Client()
    other.force_login(learner)
    assert do(as_operator, "lea", "disable").status_code == 302
    words = "lea was signed out everywhere and cannot sign in."
    assert words in text(as_operator.get("/people/lea"))
    assert other.get("/account").status_code == 302
    response = do(as_operator, "lea", "link")
    assert response.status_code == 422
    assert "Enable it before you make a link." in text(response)
    do(as_operator, "lea", "enable")
    assert "signs lea in" in text(do(as_operator, "lea", "link"))


def test_a_role_is_given(worker, as_operator, learner):
    do(as_operator, "lea", "role", role="instructor")
    assert "lea has the role Instructor now." in text(as_operator.get("/people/lea"))
    assert User.objects.get(username="lea").role == Role.INSTRUCTOR


def test_a_link_that_resets(worker, as_operator, learner):
    page = text(do(as_operator, "lea", "reset"))
    assert "With this link lea chooses a new password" in page
    assert Client().get(link_in(page))["Location"] == "/account"


def test_the_last_operator_stays_one(worker, as_operator, operator):
    response = do(as_operator, "operator", "role", role="learner")
    assert response.status_code == 422
    assert "This is the last operator. Make another one first." in text(response)
    assert "your own account" in text(do(as_operator, "operator", "disable"))


def test_a_button_that_is_none(worker, as_operator, learner):
    response = do(as_operator, "lea", "explode")
    assert response.status_code == 400
    assert "This page has no such button." in text(response)


def test_deleting_takes_the_name(worker, as_operator, learner):
    worker.fake.add("mine", "lea")
    response = do(as_operator, "lea", "delete", confirm="le", clusters="delete")
    assert response.status_code == 422
    assert "Nothing was deleted." in text(response)
    assert "mine" in worker.fake.clusters


@pytest.mark.parametrize("how", ["take", "delete"])
def test_deleting_says_what_happens_to_the_clusters(worker, as_operator, learner, how):
    worker.fake.add("mine", "lea")
    choices = text(as_operator.get("/people/lea"))
    assert "They become yours" in choices
    assert "They are deleted with everything in them" in choices
    do(as_operator, "lea", "delete", confirm="lea", clusters=how)
    assert not User.objects.filter(username="lea").exists()
    left = worker.fake.clusters.get("mine")
    assert (left.owner if left else None) == ("operator" if how == "take" else None)


def test_rest_from_the_first_to_the_last(worker, as_operator):
    made = post(as_operator, "/api/people", username="max", password=PASSWORD)
    assert (made.status_code, made.json()["role"]) == (201, "learner")
    weak = post(as_operator, "/api/people", username="eva", password="short")
    assert list(weak.json()["error"]["fields"]) == ["password"]
    assert not User.objects.filter(username="eva").exists()
    link = post(as_operator, "/api/people/max/links").json()["url"]
    assert Client().get(link.removeprefix("http://testserver")).status_code == 302
    changed = as_operator.patch(
        "/api/people/max", {"active": False, "role": "instructor"}, content_type="application/json"
    )
    assert (changed.json()["active"], changed.json()["role"]) == (False, "instructor")
    worker.fake.add("mine", "max")
    assert as_operator.delete("/api/people/max?clusters=burn").status_code == 422
    assert as_operator.delete("/api/people/max?clusters=delete").status_code == 204
    assert as_operator.get("/api/people/max").status_code == 404
    assert "mine" not in worker.fake.clusters


def test_ones_own_link_resets_nothing(worker, as_learner):
    assert post(as_learner, "/api/people/lea/links").status_code == 201
    refused = post(as_learner, "/api/people/lea/links", resets=True)
    assert refused.status_code == 403
    assert refused.json()["error"]["message"] == "Ask an operator to reset your password."


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture
def account(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path

    def run(*arguments, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        out = io.StringIO()
        call_command("account", *arguments, stdout=out)
        return out.getvalue()

    return run


def test_the_command_makes_an_account_and_prints_its_link(account, settings):
    printed = account("add", "max", "--role", "instructor")
    assert printed.startswith(f"{settings.SITE_URL}/sign-in/")
    assert Client().get(printed.strip().removeprefix(settings.SITE_URL)).status_code == 302
    assert "max                     instructor" in account("list")


def test_the_command_reads_a_password(account):
    assert account("add", "max", "--password", typed=f"{PASSWORD}\n") == ""
    assert User.objects.get(username="max").check_password(PASSWORD)
    with pytest.raises(CommandError, match="at least 10 characters"):
        account("reset", "max", "--password", typed="short\n")


def test_the_command_resets_and_signs_out(account, learner):
    client = Client()
    client.force_login(learner)
    account("reset", "lea", "--password", typed="an even longer password\n")
    assert client.get("/account").status_code == 302
    assert "/sign-in/" in account("reset", "lea")


def test_the_command_disables_enables_and_gives_roles(account, learner):
    account("disable", "lea")
    assert account("list").splitlines()[0].split() == ["lea", "learner", "disabled"]
    account("enable", "lea")
    account("role", "lea", "operator")
    assert User.objects.get(username="lea").role == Role.OPERATOR


def test_the_command_deletes_and_keeps_the_clusters(worker, account, learner):
    worker.fake.add("mine", "lea")
    account("delete", "lea")
    assert worker.fake.clusters["mine"].owner == "operator"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("link", "nobody"), "there is no account 'nobody'"),
        (("add", "lea"), "of this name already"),
        (("--data-dir", "elsewhere", "list"), "KUBEGROUND_DATA_DIR=elsewhere"),
    ],
)
def test_the_command_says_what_is_wrong(account, learner, arguments, said):
    with pytest.raises(CommandError, match=said):
        account(*arguments)


def test_who_is_shut_out_reaches_no_cluster_with_what_they_were_given(worker, as_operator, learner):
    mine = worker.fake.add("mine", learner.username)
    demo = worker.fake.clusters["demo"]
    assert do(as_operator, "lea", "disable").status_code == 302
    assert (mine.revoked, demo.revoked) == (["lea"], ["lea"])
    do(as_operator, "lea", "enable")
    # Who looks on may do so for the roles of both: with another one, all begin anew.
    do(as_operator, "lea", "role", role=Role.INSTRUCTOR)
    assert (mine.revoked[1:], demo.revoked[1:]) == ([""], ["lea"])
    as_operator.delete("/api/people/lea")
    assert demo.revoked[2:] == ["lea"]


def test_the_command_says_that_kubeconfigs_may_count_again(learner, operator, settings, tmp_path):
    settings.DATA_DIR, settings.API_URL = tmp_path, "http://127.0.0.1:1"
    told = io.StringIO()
    gateway.cache_clear()
    call_command("account", "disable", "lea", stderr=told)
    gateway.cache_clear()
    learner.refresh_from_db()
    assert not learner.is_active
    assert "kubeconfigs of lea count again once they do" in told.getvalue()
