"""Who is offered which kind of shell, and how a socket's origin is judged."""

from __future__ import annotations

import pytest

from playground.accounts.models import Role, User
from playground.origins import from_our_pages
from playground.terminal.offer import ACCEPTED, offer, reached_by_one_alone

NO_SANDBOX = {"sandbox": False, "why": "This machine lacks bwrap.", "install": ["bubblewrap"]}
OPERATOR, LEARNER = User(username="op", role=Role.OPERATOR), User(username="l", role=Role.LEARNER)


@pytest.fixture
def alone(settings):
    settings.BIND, settings.SITE_URL = "127.0.0.1", "http://127.0.0.1:8000"
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    return settings


def test_a_sandbox_is_for_everybody(alone):
    assert offer(LEARNER, {}, {"sandbox": True, "why": "", "install": []}).kind == "shell"


def test_a_plain_shell_is_for_the_single_user_of_a_machine_who_accepts_it(alone):
    found = offer(OPERATOR, {}, NO_SANDBOX)
    assert (found.kind, found.accepted) == ("plain", False)
    assert found.install == "apt-get install bubblewrap"
    assert offer(OPERATOR, {ACCEPTED: True}, NO_SANDBOX).accepted
    assert offer(LEARNER, {}, NO_SANDBOX).kind == "none"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIND", "0.0.0.0"),
        ("BIND", "10.0.0.5"),
        ("SITE_URL", "https://play.example.org"),
        ("ALLOWED_HOSTS", ["localhost", "play.example.org"]),
    ],
)
def test_a_server_that_others_reach_offers_none_and_says_why(alone, name, value):
    setattr(alone, name, value)
    assert not reached_by_one_alone()
    found = offer(OPERATOR, {ACCEPTED: True}, NO_SANDBOX)
    assert found.kind == "none"
    assert "others can reach it" in found.why
    assert "lacks bwrap" in found.why
    assert found.install == "apt-get install bubblewrap"


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        (b"http://127.0.0.1:8000", b"127.0.0.1:8000", True),
        (b"http://localhost:8000", b"localhost:8000", True),
        (b"http://127.0.0.1:8000", b"inner:80", True),  # a proxy in front; the site's own name
        (b"http://127.0.0.1:9999", b"127.0.0.1:8000", False),
        (b"http://evil.example", b"127.0.0.1:8000", False),
        (b"null", b"127.0.0.1:8000", False),
        (b"", b"127.0.0.1:8000", False),
    ],
)
def test_an_origin_counts_with_its_port(alone, origin, host, ours):
    assert from_our_pages({"headers": [(b"origin", origin), (b"host", host)]}) is ours
