"""Lists and pages of objects in a real browser: choosing, acting, following, and refusals."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import accessible, axe, violations  # noqa: F401 - a fixture
from tests.playground.fakeanswers import status
from tests.playground.objects import large, pod, workload

LIST = "/clusters/demo/objects/core/v1/pods"
LIVE = re.compile("^Live")


@pytest.fixture
def listed(page, site):
    def open_(query=""):
        page.goto(f"{site.url}{LIST}{query}")
        expect(page.locator(".kp-chip")).to_have_text(LIVE)
        return page

    return open_


def rows(page):
    return page.locator("tbody tr")


def test_a_range_is_chosen_deleted_and_each_outcome_told(listed, worker, demo):
    page = listed("?ns=default&sort=Name")
    refused = "Internal error occurred: disk is full"
    worker.change(
        demo.refusals.__setitem__,
        ("DELETE", "pods/big-0"),
        (500, status(500, "InternalError", refused)),
    )
    rows(page).nth(0).locator(".kp-pick").click()
    rows(page).nth(2).click(modifiers=["Shift"])
    page.get_by_role("toolbar", name="Actions").get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete 3 pods")
    expect(dialog).to_contain_text("No controller makes these pods again:")
    expect(dialog).to_contain_text("kubectl delete pods api-0 big-0 web-7c9-0 -n default")
    dialog.get_by_role("button", name="Preview").click()
    expect(dialog).to_contain_text("Nothing was changed.")
    dialog.get_by_role("button", name="Delete 3 pods").click()
    expect(dialog).to_contain_text("2 of 3 done; 1 refused.")
    expect(dialog).to_contain_text(refused)
    dialog.get_by_role("button", name="Close").click()
    expect(rows(page)).to_have_count(3)


def test_what_one_may_not_do_says_so(listed, demo):
    demo.denied = {"delete pods"}
    page = listed("?ns=default")
    rows(page).nth(0).locator(".kp-pick").click()
    button = page.get_by_role("toolbar", name="Actions").get_by_role("button", name="Delete")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("title", re.compile("Ask for: delete on pods in default"))


def test_the_keyboard_alone_finds_chooses_labels_and_opens(listed, demo):
    page = listed("?ns=default")
    page.keyboard.press("/")
    page.keyboard.type("app=api")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(rows(page).nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("m")
    expect(page.get_by_role("menuitem", name="YAML")).to_be_focused()
    # What one may do is asked for, and stands below the ways to look at it.
    expect(page.get_by_role("menuitem", name="Delete")).to_be_visible()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Label")).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Label Pod api-0")
    expect(dialog.get_by_label("Key").first).to_be_focused()
    page.keyboard.type("tier")
    page.keyboard.press("Tab")
    page.keyboard.type("back")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Done: 1 of 1.")
    page.keyboard.press("Escape")
    assert demo.objects["pods"]["default/api-0"]["metadata"]["labels"]["tier"] == "back"
    page.locator("table[role=grid]").focus()
    page.keyboard.press("y")
    expect(page).to_have_url(re.compile(r"/pods/default/api-0\?tab=yaml"))


def test_a_filter_that_finds_nothing_offers_what_was_meant(listed):
    page = listed("?q=app=wbe")
    page.get_by_role("button", name="Did you mean app=web (3)?").click()
    expect(rows(page)).to_have_count(3)
    expect(page.locator("#equivalent")).to_have_text("kubectl get pods -A -l app=web")


def test_a_filter_is_saved_and_recalled(listed):
    page = listed("?q=status:crash")
    page.get_by_text("Saved filters").click()
    page.get_by_role("textbox", name="Name").fill("crashing")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="crashing", exact=True)).to_be_visible()
    listed()
    page.get_by_text("Saved filters").click()
    page.get_by_role("button", name="crashing", exact=True).click()
    expect(page).to_have_url(re.compile("q=status:crash"))
    page.get_by_role("button", name="Remove crashing").click()
    expect(page.get_by_text("Nothing saved for this list yet.")).to_be_visible()


def test_twenty_thousand_rows_are_a_few_elements(page, site, worker):
    worker.change(large, worker.fake.add("huge"), 20_000, 10)
    page.goto(f"{site.url}/clusters/huge/objects/core/v1/pods")
    expect(page.locator(".kp-list-count")).to_have_text("20\u202f000 objects", timeout=60_000)
    grid = page.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", "20001")
    assert rows(page).count() < 100
    grid.focus()
    page.keyboard.press("End")
    expect(page.locator("tr[aria-rowindex='20001']")).to_be_visible()
    assert rows(page).count() < 100


def test_what_one_may_not_list_says_what_to_ask_for(page, site, demo):
    demo.forbidden = {"pods"}
    page.goto(f"{site.url}{LIST}")
    note = page.locator("[data-notice=refused]")
    expect(note).to_contain_text("You may not list pods in all namespaces.")
    expect(note).to_contain_text("Ask for: get, list, watch on pods.")
    expect(note.get_by_role("button", name="Copy the RBAC rule")).to_be_visible()


def test_a_worker_that_does_not_answer_and_comes_back(listed, worker, demo):
    page = listed()
    worker.fake.down = True
    worker.change(demo.cut_watches)
    expect(page.locator("[data-notice=down]")).to_contain_text("Nothing is lost")
    worker.fake.down = False
    worker.change(demo.put, "pods", pod("after-0", "n1"))
    expect(page.get_by_role("link", name="after-0")).to_be_visible()
    expect(page.locator("[data-notice=down]")).to_have_count(0)


def test_an_object_deleted_while_it_is_open(page, site, change):
    page.goto(f"{site.url}{LIST}/default/web-7c9-0")
    expect(page.locator(".kp-chip")).to_have_text(LIVE)
    change("put", "pods", pod("web-7c9-9", "n1", owner="rs-web-7c9"))
    change("delete", "pods", "default/web-7c9-0")
    note = page.locator("[data-gone]")
    expect(note).to_contain_text(re.compile(r"Pod web-7c9-0 was deleted at [\d:]+ by replicaset"))
    expect(note.get_by_role("link", name="web-7c9-9")).to_be_visible()
    expect(page.locator("#object-tab")).to_contain_text("It runs on n1")


def test_an_object_s_page_follows_it(page, site, change):
    page.goto(f"{site.url}{LIST}/default/web-7c9-0")
    expect(page.locator(".kp-chip")).to_have_text(LIVE)
    change("put", "pods", pod("web-7c9-0", "n1", waiting="CrashLoopBackOff", restarts=3))
    expect(page.locator(".kp-sentence")).to_contain_text("It has restarted 3 times.")


def test_an_object_that_is_not_as_wanted_is_looked_at_again_as_others_change(page, site, change):
    change("put", "deployments", workload("d", "web", 3, 2))
    page.goto(f"{site.url}/clusters/demo/objects/apps/v1/deployments/default/web")
    expect(page.locator(".kp-chip")).to_have_text(LIVE)
    tab = page.locator("#object-tab")
    expect(tab.locator("[data-stands]")).to_be_visible()
    for reason in ("ContainerCreating", "ImagePullBackOff"):
        change("put", "pods", pod("web-7c9-0", "n1", owner="rs-web-7c9", waiting=reason))
        expect(tab.get_by_role("row", name=re.compile("^web-7c9-0"))).to_contain_text(reason)


def test_what_would_help_is_tried_by_keyboard(page, site, change, demo):
    node = demo.objects["nodes"]["/n1"]
    change("put", "nodes", {**node, "spec": {**node["spec"], "unschedulable": True}})
    fix = {"text": "Uncordon it.", "command": "kubectl uncordon n1"}
    causes = [{"fixes": [{**fix, "tried": {"helped": True, "left": []}}]}]
    answer = {"asWanted": False, "causes": causes}
    page.route("**/why/nodes/-/n1?try=true", lambda route: route.fulfill(json=answer))
    # Axe takes links that the dock covers for too small.
    page.set_viewport_size({"width": 1280, "height": 1600})
    page.goto(f"{site.url}/clusters/demo/objects/core/v1/nodes/-/n1")
    expect(page.locator(".kp-chip")).to_have_text(LIVE)
    expect(page.get_by_role("heading", name="What is behind it")).to_be_visible()
    page.get_by_role("button", name="Try it on a copy").press("Enter")
    expect(page.locator(".kp-tried")).to_contain_text("Helped: Uncordon it.")
    expect(page.get_by_role("button", name="Try again")).to_be_focused()
    accessible(page)


def test_a_tab_that_comes_again_takes_nobodys_focus(page, site, change, demo):
    node = demo.objects["nodes"]["/n1"]
    cordoned = {**node, "spec": {**node["spec"], "unschedulable": True}}
    change("put", "nodes", cordoned)
    address = f"{site.url}/clusters/demo/objects/core/v1/nodes/-/n1"
    page.goto(address)
    expect(page.locator(".kp-chip")).to_have_text(LIVE)
    held = []

    def hold(route):
        held.append(route)

    page.route(address, hold)
    with page.expect_request(address):
        change("put", "nodes", {**cordoned, "metadata": {**node["metadata"], "labels": {"a": "b"}}})
    button = page.get_by_role("button", name="Try it on a copy")
    button.focus()
    with page.expect_response(address) as answer:
        held[0].continue_()
    answer.value.finished()
    # Another answer comes after that one has been worked on.
    page.evaluate("async () => (await fetch('/')).text()")
    expect(button).to_be_focused()


def test_relations_are_walked_by_keyboard(page, site):
    page.goto(f"{site.url}{LIST}/default/web-7c9-0?tab=relations")
    drawing = page.locator(".kp-relations-drawing")
    expect(drawing.get_by_role("link", name=re.compile("^Pod web-7c9-0"))).to_be_visible()
    drawing.locator("[data-focus]").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    service = drawing.get_by_role("link", name="Service web. selects Pod web-7c9-0")
    expect(service).to_be_focused()
    expect(drawing.locator(".kp-line[data-on=true]")).not_to_have_count(0)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/services/default/web\?tab=relations$"))


def test_events_of_the_cluster_and_what_was_refused_stay_in_the_dock(listed, worker, demo):
    page = listed("?ns=default&sort=Name")
    page.locator("[data-opens=events]").click()
    panel = page.locator("kp-events")
    expect(panel).to_contain_text("Back-off restarting failed container main")
    expect(panel.get_by_role("link", name="pod/api-0")).to_be_visible()
    refused = "Internal error occurred: disk is full"
    worker.change(
        demo.refusals.__setitem__,
        ("DELETE", "pods/api-0"),
        (500, status(500, "InternalError", refused)),
    )
    rows(page.locator("kp-list")).nth(0).locator(".kp-pick").click()
    page.get_by_role("toolbar", name="Actions").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete Pod api-0").click()
    expect(page.get_by_role("dialog")).to_contain_text(refused)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(panel.locator("tr[data-type=Error]")).to_contain_text("delete pods/api-0 -n default")
    for row in (1, 2):
        rows(page.locator("kp-list")).nth(row).locator(".kp-pick").click()
    expect(page.locator("kp-list [aria-selected=true]")).to_have_count(2)
    accessible(page)
    page.get_by_role("link", name="api-0", exact=True).click()
    expect(panel.locator("tr[data-type=Error]")).to_contain_text(refused)
    panel.get_by_role("button", name=re.compile("^Refused here")).click()
    expect(rows(panel)).to_have_count(1)


def test_two_tabs_of_a_list_and_of_a_log_stay_live(listed, context, site, change):
    tabs = [listed("?ns=default"), context.new_page()]
    tabs[1].goto(f"{site.url}{LIST}?ns=default")
    expect(tabs[1].locator(".kp-chip")).to_have_text(LIVE)
    change("put", "pods", pod("fresh-0", "n3"))
    for tab in tabs:
        expect(tab.get_by_role("link", name="fresh-0", exact=True)).to_be_visible()
        tab.goto(f"{site.url}{LIST}/default/web-7c9-0?tab=logs")
        expect(tab.get_by_role("log")).to_contain_text("tick")
    for tab in tabs:
        lines = tab.get_by_role("log").inner_text().count("tick")
        expect(tab.get_by_role("log")).to_have_text(re.compile(rf"(tick\s*){{{lines + 2},}}"))


def test_logs_are_searched_and_marked(page, site, demo):
    demo.logs["web-7c9-0"] = "GET /a 200\nGET /b 500\nGET /c 200\n"
    page.goto(f"{site.url}{LIST}/default/web-7c9-0?tab=logs")
    log = page.get_by_role("log")
    expect(log).to_contain_text("GET /b 500")
    page.get_by_label("Search").fill("/5\\d\\d/")
    expect(log.locator("mark")).to_have_text(["500"])
    page.get_by_label("Only lines that match").check()
    expect(log.locator(".kp-log-line")).to_have_count(1)
    page.get_by_label("Search").fill("/(/")
    expect(page.locator(".kp-log-note")).to_contain_text("/(/ is no pattern.")


@pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
def test_dialog_menus_and_tabs_are_accessible(page, site, axe):  # noqa: F811
    page.goto(f"{site.url}{LIST}?ns=default")
    rows(page).nth(0).locator(".kp-pick").click()
    page.get_by_text("Columns", exact=True).click()
    assert violations(axe, page) == []
    page.keyboard.press("Escape")
    page.get_by_role("toolbar", name="Actions").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("kubectl delete pods")
    assert violations(axe, page) == []
    for tab in ("relations", "history"):
        page.goto(f"{site.url}{LIST}/default/web-7c9-0?tab={tab}")
        assert violations(axe, page) == []
