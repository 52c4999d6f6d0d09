"""The trace page over a real worker: a request's way, where it stops and why, what came of it."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.real import cookies, page, playground
from tests.browser.test_pages import violations

__all__ = ["cookies", "page", "playground"]

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
TRACE = "/clusters/default/trace"


def deployment(name):
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "nginx:1.29"}]},
    }
    return {
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }


@pytest.fixture(scope="module")
def sent(playground):
    """Requests of people, one for each way to end; return their Audit-IDs."""
    made = {}
    pod = {"metadata": {"name": "Bad"}, "spec": {"containers": [{"name": "c"}]}}
    with playground.client() as api:
        for name, code, body in (
            ("web", 201, deployment("web")),
            ("again", 409, deployment("web")),
        ):
            answer = api.post(DEPLOYMENTS, json=body)
            assert answer.status_code == code, answer.text
            made[name] = answer.headers["audit-id"]
        answer = api.post(PODS, json=pod)
        assert answer.status_code == 422, answer.text
        made["invalid"] = answer.headers["audit-id"]
        answer = api.get(PODS, headers={"Impersonate-User": "jane"})
        assert answer.status_code == 403, answer.text
        made["forbidden"] = answer.headers["audit-id"]
        answer = api.get(PODS, headers={"Authorization": "Bearer nobody"})
        assert answer.status_code == 401, answer.text
        made["unknown"] = answer.headers["audit-id"]
    return made


def hop(page, name):
    return page.locator(f"button[data-hop={name}]")


def test_a_deployment_is_followed_until_its_pod_runs(page, sent):
    page.goto(f"{TRACE}/{sent['web']}")
    expect(page.get_by_text(re.compile(r"to Running: [\d.]+ m?s"))).to_be_visible()
    expect(page.get_by_role("heading", name="created deployments/web in default")).to_be_visible()
    fall = page.get_by_role("table", name=re.compile("", re.IGNORECASE)).first
    for worker in ("deployment-controller", "replicaset-controller", "kube-scheduler", "kubelet"):
        expect(fall.get_by_text(worker).first).to_be_visible()
    hop(page, "authorization").click()
    expect(page.locator("#hop-detail")).to_be_visible()
    page.get_by_role("button", name="Explain this hop").click()
    expect(page.locator("#hop-detail")).to_contain_text("May this user do this?")


@pytest.mark.parametrize(
    ("which", "where", "words", "ours"),
    [
        ("unknown", "authentication", "Unauthorized", "Who are you?"),
        (
            "forbidden",
            "authorization",
            'User "jane" cannot list resource "pods" in API group ""',
            "No rule matched.",
        ),
        ("again", "store", 'deployments.apps "web" already exists', ""),
        ("invalid", "validation", "spec.containers[0].image", ""),
    ],
)
def test_a_refused_request_stops_where_it_was_refused(page, sent, which, where, words, ours):
    page.goto(f"{TRACE}/{sent[which]}")
    stop = page.locator(".kp-stop")
    expect(stop).to_contain_text(words)
    expect(stop).to_contain_text(ours)
    expect(hop(page, where)).to_contain_text("stopped here")


def test_requests_come_in_live_and_are_filtered(page, sent, playground):
    page.goto(f"{TRACE}?code=403")
    requests = page.get_by_role("region", name="Requests, the newest first").locator("li")
    expect(requests).to_have_count(1)
    expect(requests.first).to_contain_text("jane")
    with playground.client() as api:
        api.get(PODS, headers={"Impersonate-User": "june"})
    expect(requests).to_have_count(2)
    expect(requests.first).to_contain_text("june")
    requests.nth(1).get_by_role("link").click()
    expect(page).to_have_url(re.compile(f"{TRACE}/{sent['forbidden']}"))


def test_an_audit_id_is_pasted(page, sent):
    page.goto(TRACE)
    page.get_by_label("Audit-ID").fill(sent["again"])
    page.get_by_label("Audit-ID").press("Enter")
    expect(page.locator(".kp-stop")).to_contain_text("already exists")
    page.get_by_label("Audit-ID").fill("nothing")
    page.get_by_label("Audit-ID").press("Enter")
    expect(page.get_by_text("No request with the Audit-ID nothing is kept.")).to_be_visible()


def test_two_requests_are_compared(page, sent):
    page.goto(f"{TRACE}/{sent['web']}")
    page.get_by_role("button", name="Compare with…").click()
    page.locator(f"a[data-id='{sent['again']}']").click()
    compared = page.get_by_role("region", name="Comparing").get_by_role("table")
    expect(compared.get_by_role("columnheader", name="409")).to_be_visible()
    expect(compared.get_by_role("row", name=re.compile("^Total"))).to_be_visible()
    # The first stays where it is, and both stand in the address.
    expect(page.get_by_role("heading", name="created deployments/web in default")).to_be_visible()
    expect(page).to_have_url(re.compile(f"{TRACE}/{sent['web']}.*compare={sent['again']}"))
    page.get_by_role("button", name="Stop comparing").click()
    expect(compared).to_have_count(0)


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
@pytest.mark.parametrize("which", ["web", "forbidden"])
def test_no_serious_findings(page, sent, which):
    page.goto(f"{TRACE}/{sent[which]}")
    expect(hop(page, "client")).to_be_visible()
    assert violations(Axe(), page) == []


def test_an_object_has_a_page_of_its_requests(page, sent):
    page.goto(f"{TRACE}?object=deployments.apps/default/web")
    listed = page.locator(f".kp-requests [data-id='{sent['web']}']")
    expect(listed).to_be_visible()
    expect(page.get_by_label("Whose")).to_have_value("all")
    expect(page.locator(".kp-requests")).to_contain_text("deployment-controller")
    page.get_by_label("Object").fill("pods/default/nothing")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No request is kept that is about, or wrote,")).to_be_visible()
    expect(page).to_have_url(
        re.compile(r"object=pods%2Fdefault%2Fnothing|object=pods/default/nothing")
    )
    expect(page.get_by_role("link", name="See its history")).to_be_visible()
