"""One's own account: the password, and the browsers where one is signed in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from playground.accounts.clients import browser_of
from playground.accounts.links import link_for
from playground.accounts.models import Session, User
from playground.accounts.sessions import ABOUT, LONGEST_SECONDS, SEEN_EVERY_SECONDS
from playground.accounts.throttle import FAILURES

pytestmark = pytest.mark.django_db
OLD, NEW = "a long enough password", "an even longer password"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


@pytest.fixture(autouse=True)
def _no_failures():
    cache.clear()


def signed_in(agent=FIREFOX):
    client = Client(headers={"user-agent": agent})
    client.post("/sign-in", {"username": "lea", "password": OLD})
    return client


def text(response):
    return response.content.decode()


def change(client, old=OLD, new=NEW, again=None):
    form = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post("/account/password", form)


def alter(client, began=0.0, seen=0.0):
    """Make a session older by so many seconds."""
    session = client.session
    about = session[ABOUT]
    session[ABOUT] = [about[0] - began, about[1] - seen, *about[2:]]
    session.save()


def test_the_page_names_the_browsers(learner):
    here, _there = signed_in(), signed_in("Mozilla/5.0 (iPhone) Version/17.1 Mobile Safari/604.1")
    page = text(here.get("/account"))
    assert "Firefox 130 on Linux" in page
    assert "Safari 17 on iOS" in page
    assert "127.0.0.1" in page


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox 130 on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/129.0 Safari/537.36 Edg/129.0",
            "Edge 129 on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/537.36 Chrome/130.0",
            "Chromium 130 on macOS",
        ),
        ("curl/8.5.0", "curl 8"),
        ("", ""),
    ],
)
def test_browsers_have_names(agent, words):
    assert browser_of(agent) == words


def test_the_key_of_a_session_stands_on_no_page(learner):
    here = signed_in()
    other = signed_in()
    page = text(here.get("/account"))
    assert here.session.session_key not in page
    assert other.session.session_key not in page


def test_one_other_browser_is_signed_out(learner):
    here, there, third = signed_in(), signed_in(), signed_in()
    wanted = Session.objects.get(session_key=there.session.session_key).public_id
    here.post("/account/sessions", {"session": wanted})
    assert there.get("/account").status_code == 302
    assert third.get("/account").status_code == 200
    assert here.get("/account").status_code == 200


def test_all_others_are_signed_out(learner):
    here, there = signed_in(), signed_in()
    here.post("/account/sessions", {"session": "others"})
    assert there.get("/account").status_code == 302
    assert here.get("/account").status_code == 200


def test_nobody_ends_a_session_of_somebody_else(learner):
    there = signed_in()
    User.objects.create_user("eve", password=OLD)
    eve = Client()
    eve.post("/sign-in", {"username": "eve", "password": OLD})
    wanted = Session.objects.get(session_key=there.session.session_key).public_id
    eve.post("/account/sessions", {"session": wanted})
    assert eve.delete(f"/api/account/sessions/{wanted}").status_code == 404
    assert there.get("/account").status_code == 200


def test_changing_the_password_signs_out_the_others_and_keeps_this_one(learner):
    here, there = signed_in(), signed_in()
    before = here.session.session_key
    assert change(here)["Location"] == "/account"
    page = text(here.get("/account"))
    assert "The password was changed. One other browser was signed out." in page
    assert here.session.session_key != before
    assert there.get("/account").status_code == 302
    learner.refresh_from_db()
    assert learner.check_password(NEW)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"old": "wrong"}, "Your old password was entered incorrectly"),
        ({"new": "short"}, "at least 10 characters"),
        ({"new": "password1234"}, "too common"),
        ({"again": "something else"}, "match"),
    ],
)
def test_a_password_that_is_not_right_is_said_and_changes_nothing(learner, form, said):
    response = change(signed_in(), **form)
    assert response.status_code == 422
    assert said in text(response)
    learner.refresh_from_db()
    assert learner.check_password(OLD)


def test_a_link_for_another_browser(learner):
    page = text(signed_in().post("/account/link"))
    path = page.partition("http://testserver")[2].partition("<")[0]
    other = Client()
    assert other.get(path)["Location"] == "/"
    assert "lea" in text(other.get("/account"))


def test_a_link_that_resets_asks_for_no_old_password(learner):
    client = Client()
    assert client.get(link_for(learner, resets=True))["Location"] == "/account"
    assert "Old password" not in text(client.get("/account"))
    client.post("/account/password", {"new_password1": NEW, "new_password2": NEW})
    assert "Old password" in text(client.get("/account"))
    learner.refresh_from_db()
    assert learner.check_password(NEW)


def test_a_session_ends_a_month_after_it_began(learner):
    client = signed_in()
    alter(client, began=LONGEST_SECONDS + 1)
    assert client.get("/account").status_code == 302


def test_a_session_in_use_is_written_now_and_then(learner, django_assert_num_queries):
    client = signed_in()
    with django_assert_num_queries(3):  # the session, the user, what they prefer
        client.get("/api/account")
    seen = Session.objects.get().seen
    alter(client, seen=SEEN_EVERY_SECONDS + 1)
    client.get("/api/account")
    row = Session.objects.get()
    assert row.seen >= seen
    assert row.expire_date - row.seen > timedelta(days=13)


# -- REST ------------------------------------------------------------------------------------------


def put(client, **body):
    return client.put("/api/account/password", body, content_type="application/json")


def test_the_api_tells_who_one_is(learner):
    assert signed_in().get("/api/account").json() == {
        "username": "lea",
        "role": "learner",
        "active": True,
        "has_password": True,
        "last_sign_in": User.objects.get().last_login.isoformat().replace("+00:00", "Z"),
    }


def test_the_api_changes_the_password(learner):
    here, there = signed_in(), signed_in()
    assert put(here, old="wrong", new=NEW).json()["error"]["fields"] == {
        "old": ["This is not the old password."]
    }
    assert list(put(here, old=OLD, new="short").json()["error"]["fields"]) == ["new"]
    assert put(here, old=OLD, new=NEW).status_code == 204
    assert here.get("/api/account").status_code == 200
    assert there.get("/account").status_code == 302


def test_the_api_is_no_way_to_guess_the_password(learner):
    client = signed_in()
    for _ in range(FAILURES):
        put(client, old="wrong", new=NEW)
    assert put(client, old=OLD, new=NEW).status_code == 429


def test_the_api_lists_and_ends_sessions(learner):
    here, _there = signed_in(), signed_in()
    items = here.get("/api/account/sessions").json()["items"]
    assert [item["current"] for item in items] == [True, False]
    assert here.delete(f"/api/account/sessions/{items[1]['id']}").status_code == 204
    assert len(here.get("/api/account/sessions").json()["items"]) == 1
    assert here.delete("/api/account/sessions").status_code == 204
    assert here.get("/api/account").status_code == 200
