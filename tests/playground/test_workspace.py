"""What users prefer: theme, language, keys; and what the palette asks."""

from __future__ import annotations

import pytest
from django.test import Client

from playground.workspace.models import Preferences

pytestmark = pytest.mark.django_db
CHINESE = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.5"}


def text(response):
    return response.content.decode()


def patch(client, body, **options):
    options.setdefault("content_type", "application/json")
    return client.patch("/api/preferences", body, **options)


def test_nothing_chosen_follows_browser_and_system(worker, as_learner, learner):
    page = text(as_learner.get("/settings"))
    assert '<html lang="en" data-theme="system">' in page
    assert 'media="(prefers-color-scheme: dark)" data-dark' in page
    assert not Preferences.objects.exists()


@pytest.mark.parametrize(("theme", "media"), [("light", "not all"), ("dark", "all")])
def test_a_theme_is_there_before_any_script(worker, as_learner, theme, media):
    assert patch(as_learner, {"theme": theme}).status_code == 200
    page = text(as_learner.get("/"))
    assert f'data-theme="{theme}"' in page
    assert f'media="{media}" data-dark' in page


def test_preferences_are_the_users_own(worker, as_learner, learner, operator):
    patch(as_learner, {"keys": {"topology.fit": ["f"]}, "single_keys": False})
    mine = Preferences.objects.get(user=learner)
    assert (mine.keys, mine.single_keys) == ({"topology.fit": ["f"]}, False)
    page = text(as_learner.get("/"))
    assert 'data-single-keys="off"' in page
    assert 'data-keys="{&quot;topology.fit&quot;:[&quot;f&quot;]}"' in page
    other = Client()
    other.force_login(operator)
    assert "data-keys=" not in text(other.get("/"))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"theme": "purple"}, "theme"),
        ({"language": "tlh"}, "language"),
        ({"keys": {"no action": ["x"]}}, "keys"),
        ({"keys": {"a.b": ["x" * 41]}}, "keys"),
        ({"keys": ["x"]}, "keys"),
        ({"keys": {f"a.{'b' * (n + 1)}": [] for n in range(501)}}, "keys"),
    ],
)
def test_nonsense_is_refused_by_field(worker, as_learner, body, field):
    response = patch(as_learner, body)
    assert response.status_code == 422
    assert field in response.json()["error"]["fields"]
    assert not Preferences.objects.exists()


def test_preferences_need_a_session_and_its_token(worker, client, learner):
    assert patch(client, {"theme": "dark"}).status_code == 401
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(learner)
    assert patch(strict, {"theme": "dark"}).status_code == 403


def test_the_settings_form_saves_and_says_so(worker, as_learner, learner):
    wanted = {"theme": "dark", "language": "zh-hans", "motion": "reduce"}
    response = as_learner.post("/settings", wanted)
    assert response["Location"] == "/settings?saved"
    page = text(as_learner.get("/settings?saved"))
    assert '<html lang="zh-Hans" data-theme="dark" data-motion="reduce">' in page
    assert 'role="status"' in page
    assert as_learner.post("/settings", {**wanted, "theme": "purple"}).status_code == 422
    assert Preferences.objects.get(user=learner).theme == "dark"


def test_the_language_is_what_the_browser_asks_for(worker, client):
    response = client.get("/sign-in", headers=CHINESE)
    assert response["Content-Language"] == "zh-Hans"
    assert '<html lang="zh-Hans"' in text(response)


def test_a_language_can_be_chosen_before_signing_in(worker, client):
    response = client.post("/language", {"language": "zh-hans", "next": "/sign-in?next=/x"})
    assert response["Location"] == "/sign-in?next=/x"
    assert client.get("/sign-in")["Content-Language"] == "zh-Hans"
    client.post("/language", {"language": "en"})
    assert client.get("/sign-in", headers=CHINESE)["Content-Language"] == "en"


def test_choosing_a_language_leads_nowhere_else(worker, client):
    response = client.post("/language", {"language": "en", "next": "https://example.com/"})
    assert response["Location"] == "/"
    assert client.get("/language").status_code == 405


def test_a_language_is_kept_with_the_user(worker, as_learner, learner):
    as_learner.post("/language", {"language": "zh-hans"})
    elsewhere = Client()
    elsewhere.force_login(learner)
    assert elsewhere.get("/")["Content-Language"] == "zh-Hans"


def test_the_palette_knows_kinds_and_namespaces(worker, as_operator):
    answer = as_operator.get("/api/clusters/demo/kinds").json()
    pods = next(one for one in answer["items"] if one["plural"] == "pods")
    assert pods["url"] == "/clusters/demo/objects/core/v1/pods"
    assert pods["namespaced"]
    assert "kube-system" in answer["namespaces"]


def test_a_search_leads_to_pages(worker, as_operator):
    answer = as_operator.get("/api/clusters/demo/search", {"q": "web"}).json()
    found = {hit["url"] for hit in answer["items"]}
    assert "/clusters/demo/objects/core/v1/pods/default/web-7c9-0" in found
    assert answer["total"] == len(answer["items"])


@pytest.mark.parametrize("what", ["kinds", "search?q=web"])
def test_nothing_of_another_ones_cluster_is_found(worker, as_learner, what):
    assert as_learner.get(f"/api/clusters/demo/{what}").status_code == 404


def test_every_page_has_the_policy_and_no_inline_code(worker, as_operator):
    for path in (
        "/",
        "/settings",
        "/clusters/demo/topology",
        "/clusters/demo/objects/core/v1/pods",
    ):
        response = as_operator.get(path)
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        page = text(response)
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page
