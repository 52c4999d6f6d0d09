"""Sign-in by an OpenID provider: a real site, a real issuer over TLS, and what may go wrong."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from playground.accounts.oidc_settings import read_oidc
from tests.browser.serving import Site
from tests.support.issuer import SECRET, TestIssuer

CLAIM = "preferred_username"
START, BACK = "/oidc/sso/login/", "/oidc/sso/login/callback/"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    with TestIssuer(tmp_path_factory.mktemp("issuer")).serving() as running:
        yield running


@pytest.fixture(scope="module")
def site(issuer, tmp_path_factory):
    directory = tmp_path_factory.mktemp("site")
    secret = directory / "client.secret"
    secret.write_text(f"{SECRET}\n")
    made = Site(directory, "https://127.0.0.1:1")
    made.environment |= {
        "KUBEGROUND_OIDC_ISSUER": issuer.url,
        "KUBEGROUND_OIDC_CLIENT_ID": "shop",
        "KUBEGROUND_OIDC_CLIENT_SECRET_FILE": str(secret),
        "KUBEGROUND_OIDC_CA_FILE": str(issuer.ca_file),
        "KUBEGROUND_OIDC_NAME": "Example ID",
        "KUBEGROUND_OIDC_ROLE_CLAIM": "realm.roles",
        "KUBEGROUND_OIDC_OPERATORS": "admins",
        "KUBEGROUND_OIDC_INSTRUCTORS": "teachers, tutors",
    }
    made.sign_in_link()
    made.start()
    yield made
    made.stop()
    made.listener.close()


@pytest.fixture
def browser(site):
    with httpx.Client(base_url=site.url, follow_redirects=False) as client:
        yield client


def begin(browser, target="/account"):
    """Press the button of the sign-in page; return what the provider is asked."""
    page = browser.get("/sign-in").text
    assert "Sign in with Example ID" in page
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    form = {"csrfmiddlewaretoken": token, "next": target}
    response = browser.post(START, data=form, headers={"referer": str(browser.base_url)})
    assert response.status_code == 200, response.text
    onward = html.unescape(re.search(r'id="onward" href="([^"]+)"', response.text)[1])
    assert f"url={html.escape(onward)}" in response.text
    assert "Go there yourself, if nothing happens." in response.text
    return {k: v[0] for k, v in parse_qs(urlsplit(onward).query).items()}


def come_back(browser, issuer, target="/account", **claims):
    asked = begin(browser, target)
    assert asked["code_challenge_method"] == "S256"
    code = issuer.grant(asked["code_challenge"], **claims)
    return browser.get(BACK, params={"code": code, "state": asked["state"]})


def refused(response, code=403):
    assert response.status_code == code
    assert "gets a new link" not in response.text, "nobody came by one"
    return html.unescape(re.search(r'role="alert">\s*<p>(.*?)</p>', response.text, re.DOTALL)[1])


def role(browser):
    return browser.get("/api/account").json()["role"]


def test_the_provider_says_who_one_is(browser, issuer):
    response = come_back(browser, issuer, sub="1", preferred_username="ann")
    assert (response.status_code, response.headers["location"]) == (302, "/account")
    found = browser.get("/api/account").json()
    assert (found["username"], found["role"], found["has_password"]) == ("ann", "learner", False)


def test_the_subject_is_the_account_whatever_it_is_called(browser, issuer):
    come_back(browser, issuer, sub="2", preferred_username="bob")
    browser.cookies.clear()
    come_back(browser, issuer, sub="2", preferred_username="robert")
    assert browser.get("/api/account").json()["username"] == "bob"


def test_claims_give_the_role_anew_each_time(browser, issuer):
    for values, expected in (
        (["staff", "admins"], "operator"),
        ("tutors", "instructor"),
        ([], "learner"),
    ):
        browser.cookies.clear()
        come_back(browser, issuer, sub="3", preferred_username="eve", realm={"roles": values})
        assert role(browser) == expected


def test_one_is_not_led_elsewhere(browser, issuer):
    response = come_back(
        browser, issuer, "https://elsewhere.example/", sub="4", preferred_username="kim"
    )
    assert response.headers["location"] == "/"


def test_a_name_of_somebody_else_is_not_taken(browser, issuer):
    response = come_back(browser, issuer, sub="5", preferred_username="Learner")
    assert refused(response) == "There is another account called “Learner”. Ask an operator."
    assert browser.get("/api/account").status_code == 401


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (
            {},
            # Nobody is made up.
            f"Example ID does not say what you are called: the claim “{CLAIM}” is missing.",
        ),
        ({"preferred_username": "system:admin"}, "“system:admin” cannot be a name here."),
    ],
)
def test_a_name_that_cannot_be_one(browser, issuer, claims, words):
    assert refused(come_back(browser, issuer, sub="6", **claims)) == words


def test_a_disabled_account_stays_out(browser, issuer, site):
    come_back(browser, issuer, sub="7", preferred_username="max")
    site.run(
        "import django; django.setup()\n"
        "from playground.accounts.models import User\n"
        "User.objects.filter(username='max').update(is_active=False)"
    )
    browser.cookies.clear()
    response = come_back(browser, issuer, sub="7", preferred_username="max")
    assert refused(response) == "Your account is disabled. Ask an operator."


def test_who_gives_up_is_told_so(browser):
    asked = begin(browser)
    response = browser.get(BACK, params={"error": "access_denied", "state": asked["state"]})
    assert refused(response) == "You did not finish signing in at Example ID."


def test_a_sign_in_that_nobody_began_here(browser, issuer):
    response = browser.get(BACK, params={"code": "x", "state": "forged"})
    text = "This sign-in at Example ID is too old, or was begun elsewhere. Try again."
    assert refused(response) == text


@pytest.mark.parametrize("claims", [{"aud": "another"}, {"iss": "https://evil"}, {"exp": 1}])
def test_a_token_that_is_not_for_us(browser, issuer, claims):
    response = come_back(browser, issuer, sub="8", preferred_username="joe", **claims)
    assert refused(response) == "Example ID did not confirm who you are. Try again."


def test_a_code_without_its_verifier(browser, issuer):
    asked = begin(browser)
    code = issuer.grant("another-challenge", sub="9", preferred_username="zoe")
    response = browser.get(BACK, params={"code": code, "state": asked["state"]})
    assert refused(response) == "Example ID did not confirm who you are. Try again."


def test_a_site_whose_secret_is_wrong(browser, issuer, monkeypatch):
    monkeypatch.setattr("tests.support.issuer.SECRET", "another one")
    text = (
        "Example ID does not accept this site. "
        "Whoever runs the site has to look at its client ID and secret."
    )
    assert refused(come_back(browser, issuer, sub="1", preferred_username="ann")) == text


def test_who_reloads_the_way_there_begins_again(browser):
    response = browser.get(START)
    assert (response.status_code, response.headers["location"]) == (302, "/sign-in")


def test_a_provider_that_is_away(browser, issuer):
    asked = begin(browser)
    issuer.broken = True
    try:
        response = browser.get(BACK, params={"code": "x", "state": asked["state"]})
    finally:
        issuer.broken = False
    text = "Example ID does not answer. Try again, or sign in otherwise."
    assert refused(response, 503) == text


def test_a_password_works_beside_it(browser):
    page = browser.get("/sign-in").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    form = {"username": "learner", "password": "a long enough password"}
    response = browser.post("/sign-in", data={**form, "csrfmiddlewaretoken": token})
    assert response.status_code == 302


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"ISSUER": "https://id.example"}, "set together"),
        ({"ISSUER": "http://id.example", "CLIENT_ID": "x"}, "must begin with https://"),
        (
            {"ISSUER": "https://id.example", "CLIENT_ID": "x", "OPERATORS": "admins"},
            "need KUBEGROUND_OIDC_ROLE_CLAIM",
        ),
        (
            {"ISSUER": "https://id.example", "CLIENT_ID": "x", "CLIENT_SECRET_FILE": "/no/file"},
            "CLIENT_SECRET_FILE",
        ),
        ({"ISSUER": "https://id.example", "CLIENT_ID": "x", "CA_FILE": "/no/file"}, "CA_FILE"),
    ],
)
def test_half_a_configuration_is_none(environment, words):
    given = {f"KUBEGROUND_OIDC_{name}": value for name, value in environment.items()}
    with pytest.raises(ValueError, match=words):
        read_oidc(given)


def test_without_an_issuer_there_is_no_such_sign_in():
    assert read_oidc({}) is None
