"""The overview: what a quiet cluster offers, and what is said when something cannot be told."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.test_pages import axe, violations
from tests.playground.overview.sample import FACT

__all__ = ["axe"]
OVERVIEW = "/clusters/demo/overview"


def test_a_quiet_cluster_shows_something_when_one_wants_it(page, site, demo, worker, axe):
    worker.change(demo.look.update, {"idle": True})
    page.goto(site.url + OVERVIEW)
    expect(page.get_by_text("This cluster is idle.")).to_be_visible()
    assert violations(axe, page) == []
    run = page.get_by_role("button", name="Run it for me")
    run.click()
    refused = page.get_by_role("region", name="This cluster is idle.").get_by_role("alert")
    expect(refused).to_contain_text('It was not created: deployments "web" already exists')
    worker.change(demo.look.clear)
    worker.change(demo.delete, "deployments", "default/web")
    expect(page.get_by_text("This cluster is idle.")).to_be_hidden()


def test_what_changed_is_told_in_sentences(page, site, demo, worker):
    worker.change(demo.facts.append, FACT)
    page.goto(site.url + OVERVIEW)
    changed = page.get_by_role("region", name="What changed in the last 5 minutes")
    expect(changed.get_by_role("listitem")).to_contain_text(
        "deployment-controller scaled web-7c9 from 2 to 3."
    )
    expect(changed.get_by_role("link", name="Trace")).to_have_attribute(
        "href", "/clusters/demo/trace/audit-1"
    )
    requests = page.get_by_role("table", name=re.compile("^API requests"))
    expect(requests.get_by_role("row")).to_have_count(6)
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live · rev"))


def test_trouble_has_names_and_leads_there(page, site, demo):
    page.goto(site.url + OVERVIEW)
    look = page.get_by_role("region", name="To look at")
    expect(look.get_by_role("listitem")).to_have_count(2)
    expect(look).to_contain_text("web Rolling out 2/3", use_inner_text=True)
    expect(page.get_by_role("region", name="Warnings")).to_contain_text("12 times")
    look.get_by_role("link", name="default/api-0").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("api-0")


def test_what_may_not_be_seen_is_said(page, site, demo, worker):
    hidden = {"warnings": {"items": [], "more": 0, "allowed": False}, "kinds": []}
    worker.change(demo.look.update, hidden)
    worker.change(demo.hide_control)
    page.goto(site.url + OVERVIEW)
    expect(page.get_by_text("You may not list services.")).to_be_visible()
    expect(page.get_by_text("You may not list events in this cluster.")).to_be_visible()
    expect(page.get_by_text("Ask for: get on the path /metrics.")).to_be_visible()


def test_the_last_state_stays_while_nothing_answers(page, site, worker):
    page.goto(site.url + OVERVIEW)
    expect(page.locator("[data-resource=pods]")).to_contain_text("4 Running")
    worker.fake.down = True
    try:
        expect(page.get_by_role("alert")).to_contain_text("What you see is the last state")
        expect(page.locator("[data-resource=pods]")).to_contain_text("4 Running")
        expect(page.locator(".kp-chip")).to_have_attribute("data-state", "lost")
    finally:
        worker.fake.down = False
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_text("Watches 84")).to_be_visible()
