"""Signing in: by link, by password, not too often; and what every page tells the browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from playground.accounts.links import create_sign_in_link, link_for, redeem
from playground.accounts.models import Role, SignInLink, User
from playground.accounts.throttle import FAILURES

PASSWORD = "a long enough password"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_failures():
    cache.clear()


def sign_in(client, password=PASSWORD, **more):
    return client.post("/sign-in", {"username": "lea", "password": password, **more})


def test_the_link_makes_and_signs_in_the_operator(client):
    link = create_sign_in_link()
    response = client.get(link)
    assert (response.status_code, response["Location"]) == (302, "/")
    user = User.objects.get(pk=client.session["_auth_user_id"])
    assert (user.username, user.role, user.has_usable_password()) == (
        "operator",
        Role.OPERATOR,
        False,
    )


def test_a_link_works_once(client):
    link = create_sign_in_link()
    client.get(link)
    second = Client().get(link)
    assert second.status_code == 403
    page = second.content.decode()
    assert "This link was used already, or it is older than 24 hours." in page
    assert "gets a new link each time" in page


def test_a_link_expires_and_is_forgotten(learner):
    token = link_for(learner).rpartition("/")[2]
    SignInLink.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert redeem(token) is None
    link_for(learner)
    assert SignInLink.objects.count() == 1


def test_the_table_holds_no_token(learner):
    token = link_for(learner).rpartition("/")[2]
    assert token not in str(SignInLink.objects.values_list())


def test_a_link_of_a_blocked_account_does_not_work(learner):
    token = link_for(learner).rpartition("/")[2]
    User.objects.update(is_active=False)
    assert redeem(token) is None


def test_name_and_password(client, learner):
    response = sign_in(client, next="/clusters/demo/topology")
    assert (response.status_code, response["Location"]) == (302, "/clusters/demo/topology")


def test_a_wrong_password_is_said_and_changes_nothing(client, learner):
    response = sign_in(client, "wrong")
    assert response.status_code == 422
    assert "do not belong together" in response.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:1"]
)
def test_one_is_not_led_elsewhere(client, learner, target):
    assert sign_in(client, next=target)["Location"] == "/"


def test_whoever_signs_in_gets_a_new_key(client, learner):
    session = client.session
    session["before"] = True
    session.save()
    sign_in(client)
    assert client.session.session_key != session.session_key


def test_guessing_is_stopped_even_with_the_right_password(client, learner):
    for _ in range(FAILURES):
        sign_in(client, "wrong")
    response = sign_in(client)
    assert response.status_code == 429
    assert "Wait 5 minutes, then try again." in response.content.decode()


def test_guessing_one_account_from_many_addresses_is_stopped(client, learner):
    for number in range(FAILURES):
        client.post(
            "/sign-in", {"username": "LEA", "password": "wrong"}, REMOTE_ADDR=f"192.0.2.{number}"
        )
    assert sign_in(client).status_code == 429


def test_one_household_counts_as_one_address(client, learner):
    for number in range(FAILURES):
        client.post(
            "/sign-in",
            {"username": f"u{number}", "password": "wrong"},
            REMOTE_ADDR=f"2001:db8::{number:x}",
        )
    form = {"username": "lea", "password": PASSWORD}
    assert client.post("/sign-in", form, REMOTE_ADDR="2001:db8::ffff").status_code == 429
    assert client.post("/sign-in", form, REMOTE_ADDR="2001:db8:0:1::1").status_code == 302


def test_what_a_client_says_of_its_address_counts_only_behind_a_proxy(client, learner, settings):
    def fail(address):
        form = {"username": f"u{address}", "password": "wrong"}
        return client.post("/sign-in", form, headers={"x-forwarded-for": address}).status_code

    settings.PROXIES = 1
    for number in range(FAILURES):
        assert fail(f"forged, 192.0.2.{number}") == 422
    assert fail("forged, 192.0.2.77") == 422
    settings.PROXIES = 0
    for number in range(FAILURES):
        fail(f"192.0.2.{number}")
    assert fail("192.0.2.99") == 429


def test_guessing_links_is_stopped(client, learner):
    for guess in range(FAILURES):
        client.get(f"/sign-in/guess-{guess}")
    assert client.get(link_for(learner)).status_code == 429


def test_signing_out_takes_a_form_with_a_token(learner):
    client = Client(enforce_csrf_checks=True)
    client.force_login(learner)
    assert client.post("/sign-out").status_code == 403
    assert client.get("/sign-out").status_code == 405
    assert "_auth_user_id" in client.session


def test_signing_out(as_learner):
    assert as_learner.post("/sign-out")["Location"] == "/sign-in"
    assert "_auth_user_id" not in as_learner.session


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/clusters/demo/topology",
        "/clusters/demo/objects/core/v1/pods",
        "/clusters/demo/kubeconfig",
    ],
)
def test_pages_ask_who_one_is(client, path):
    assert client.get(path)["Location"] == f"/sign-in?next={path}"


@pytest.mark.parametrize("path", ["/sign-in", "/no/such/page", "/api/schema"])
def test_every_answer_forbids_foreign_code(client, path):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in headers["Cache-Control"]


def test_pages_hold_no_inline_code(client):
    page = client.get("/sign-in").content.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert " onclick" not in page
    assert page.count("<script") == page.count("<script src") + page.count(
        '<script type="module" src'
    )


def test_an_unknown_host_is_refused(client):
    response = client.get("/sign-in", headers={"host": "attacker.example"})
    assert response.status_code == 400
    assert "This request makes no sense" in response.content.decode()
