"""The frame: going from page to page, and the dock that stays."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

PODS = "/clusters/demo/objects/core/v1/pods"
OPEN_LOGS = """kp => window.dispatchEvent(new CustomEvent("kp-dock-open", {
  detail: { name: "logs", params: { ns: "default", pod: "web-7c9-0" } } }))"""


@pytest.fixture
def documents(page):
    """How many documents the tab has loaded so far."""
    loaded = []
    page.on("request", lambda r: loaded.append(r.url) if r.is_navigation_request() else None)
    return loaded


def rail(page, name):
    return page.get_by_role("navigation", name="Pages of the cluster").get_by_role(
        "link", name=name
    )


def heading(page):
    return page.get_by_role("heading", level=1)


def test_the_rail_lists_the_pages_that_exist(page, site):
    page.goto(f"{site.url}/clusters/demo/topology")
    expect(rail(page, "Topology")).to_have_attribute("aria-current", "page")
    expect(rail(page, "Objects")).to_be_visible()


def test_going_to_another_page_keeps_the_document(page, site, documents):
    page.goto(f"{site.url}/clusters/demo/topology")
    rail(page, "Objects").click()
    expect(heading(page)).to_have_text("Pods")
    expect(page).to_have_title("pods · demo · Kubeground")
    expect(page).to_have_url(f"{site.url}{PODS}")
    expect(rail(page, "Objects")).to_have_attribute("aria-current", "page")
    expect(page.locator("#main")).to_be_focused()
    expect(page.locator("#voice")).to_have_text("pods · demo · Kubeground")
    assert len(documents) == 1


def test_back_and_forward_bring_the_page_and_its_state(page, site, documents):
    page.goto(f"{site.url}{PODS}")
    page.keyboard.press("/")
    page.keyboard.type("web")
    expect(page).to_have_url(re.compile("q=web"))
    page.get_by_role("link", name="web-7c9-0").click()
    expect(heading(page)).to_have_text("web-7c9-0")
    page.go_back()
    expect(heading(page)).to_have_text("Pods")
    expect(page.get_by_label("Filter")).to_have_value("web")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.go_forward()
    expect(heading(page)).to_have_text("web-7c9-0")
    assert len(documents) == 1


def test_a_page_brings_its_own_script_and_style(page, site, documents):
    page.goto(f"{site.url}{PODS}")
    rail(page, "Topology").click()
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live · rev"))
    expect(page.locator("#topology-count")).to_have_text("6 pods")
    rail(page, "Objects").click()
    expect(page.locator("tbody tr")).to_have_count(6)
    rail(page, "Topology").click()
    expect(page.locator("#topology-count")).to_have_text("6 pods")
    assert len(documents) == 1


def test_the_namespace_of_the_top_bar_holds_on_every_page(page, site, documents):
    page.goto(f"{site.url}/clusters/demo/topology")
    chosen = page.get_by_label("Namespace")
    chosen.select_option("kube-system")
    rail(page, "Objects").click()
    expect(page).to_have_url(f"{site.url}{PODS}?ns=kube-system")
    chosen.select_option("default")
    expect(page).to_have_url(f"{site.url}{PODS}?ns=default")
    page.get_by_role("link", name="web-7c9-0").click()
    expect(heading(page)).to_have_text("web-7c9-0")
    expect(chosen).to_have_value("default")
    chosen.select_option("kube-system")
    expect(page).to_have_url(f"{site.url}{PODS}?ns=kube-system")
    rail(page, "Access").click()
    expect(page.get_by_label("Scope")).to_have_value("kube-system")
    assert len(documents) == 1


def test_a_page_without_a_stream_tells_how_old_it_is(page, site, change):
    page.goto(f"{site.url}/clusters/demo/access")
    status = page.locator("kp-freshness")
    expect(status).to_have_text(re.compile(r"^Live · rev \d+ · \d+ ms$"))
    change("put", "configmaps", {"metadata": {"name": "new", "namespace": "default"}})
    expect(status).to_have_text(re.compile(r"^Read at rev \d+ · 1 change since"))
    status.get_by_role("button", name="Read again").click()
    expect(status).to_have_text(re.compile("^Live"))
    expect(status.get_by_role("button")).to_have_count(0)


def test_what_one_sees_is_copied_as_a_link_and_keys_go_back_and_forward(context, page, site):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{site.url}{PODS}?ns=default")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#voice")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{site.url}{PODS}?ns=default"
    rail(page, "Topology").click()
    expect(page.locator("#topology-count")).to_have_text("5 of 6 match")
    page.keyboard.press("[")
    expect(heading(page)).to_have_text("Pods")
    page.keyboard.press("]")
    expect(heading(page)).to_have_text("Topology of demo")


def test_a_modifier_opens_another_tab(page, site, context):
    page.goto(f"{site.url}/clusters/demo/topology")
    with context.expect_page() as opened:
        rail(page, "Objects").click(modifiers=["Control"])
    expect(heading(opened.value)).to_have_text("Pods")
    expect(page).to_have_url(re.compile("/topology$"))


def test_a_page_that_does_not_load_leaves_the_one_before(page, site):
    page.goto(f"{site.url}{PODS}")
    page.route("**/topology", lambda route: route.abort())
    rail(page, "Topology").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "/clusters/demo/topology did not load. You still see the page before."
    )
    expect(heading(page)).to_have_text("Pods")
    page.unroute("**/topology")
    page.get_by_role("alert").get_by_role("button", name="Try again").click()
    expect(page.locator("#topology-count")).to_have_text("6 pods")


def test_a_drawer_that_does_not_load_says_so_on_its_page(page, site):
    page.goto(site.url)
    page.route("**/new-cluster", lambda route: route.abort())
    page.get_by_role("link", name="New cluster").click()
    expect(page.get_by_role("alert")).to_contain_text("/new-cluster did not load.")
    page.unroute("**/new-cluster")
    page.route(
        "**/new-cluster",
        lambda route: route.fulfill(
            status=503, content_type="text/html", body="<p>a page of trouble</p>"
        ),
    )
    page.get_by_role("link", name="New cluster").click()
    expect(page.locator("body")).to_have_text("a page of trouble")


def test_a_missing_page_says_so_within_the_frame(page, site, documents):
    page.goto(f"{site.url}{PODS}")
    page.evaluate("document.querySelector('.kp-rail a').href = '/clusters/demo/nothing'")
    page.locator(".kp-rail a").first.click()
    expect(heading(page)).to_have_text("Not found")
    assert len(documents) == 1


def test_links_work_without_scripts(browser, site, signed_in, demo):
    context = browser.new_context(storage_state=signed_in, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}{PODS}")
    rail(page, "Topology").click()
    expect(heading(page)).to_have_text("Topology of demo")
    context.close()


def test_the_dock_and_its_connections_survive_going_elsewhere(page, site, documents):
    sockets = []
    page.on("websocket", lambda ws: sockets.append(ws) if "/logs/" in ws.url else None)
    page.goto(f"{site.url}/clusters/demo/topology")
    page.evaluate(OPEN_LOGS)
    log = page.get_by_role("log")
    expect(log).to_contain_text("tick")
    expect(log).to_be_focused()
    rail(page, "Objects").click()
    expect(heading(page)).to_have_text("Pods")
    expect(page.get_by_role("tab", name="web-7c9-0")).to_be_visible()
    lines = log.inner_text().count("tick")
    expect(log).to_have_text(re.compile(rf"(tick\s*){{{lines + 2},}}"))
    assert len(sockets) == 1
    assert not sockets[0].is_closed()
    assert len(documents) == 1


def test_the_dock_comes_back_after_a_reload_and_belongs_to_its_cluster(page, site, worker):
    worker.change(worker.fake.add, "other")
    page.goto(f"{site.url}/clusters/demo/topology")
    page.evaluate(OPEN_LOGS)
    page.reload()
    expect(page.get_by_role("log")).to_contain_text("tick")
    page.get_by_role("combobox", name="Cluster").select_option("other")
    expect(page).to_have_url(f"{site.url}/clusters/other/topology")
    expect(page.get_by_role("tab")).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("tab", name="web-7c9-0")).to_be_visible()


def test_the_dock_is_resized_by_keyboard_and_mouse_and_keeps_its_height(page, site):
    page.goto(f"{site.url}/clusters/demo/topology")
    page.evaluate(OPEN_LOGS)
    edge = page.get_by_role("separator", name="Height of the dock")
    expect(edge).to_have_attribute("aria-valuenow", "300")
    edge.focus()
    page.keyboard.press("ArrowUp")
    expect(edge).to_have_attribute("aria-valuenow", "324")
    page.keyboard.press("Home")
    expect(edge).to_have_attribute("aria-valuenow", "120")
    box = edge.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"])
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] - 100, steps=4)
    page.mouse.up()
    expect(edge).to_have_attribute("aria-valuenow", "220")
    page.reload()
    expect(edge).to_have_attribute("aria-valuenow", "220")
    assert page.locator(".kp-dock-panels").bounding_box()["height"] == pytest.approx(220, abs=1)


def test_tabs_are_chosen_and_closed_by_keyboard(page, site):
    page.goto(f"{site.url}/clusters/demo/topology")
    page.evaluate(OPEN_LOGS)
    page.evaluate(OPEN_LOGS.replace("web-7c9-0", "web-7c9-1"))
    expect(page.get_by_role("tab")).to_have_count(2)
    page.get_by_role("tab", name="web-7c9-1").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="web-7c9-0")).to_be_focused()
    expect(page.get_by_role("tabpanel")).to_have_count(1)
    page.keyboard.press("Delete")
    expect(page.get_by_role("tab")).to_have_count(1)
    expect(page.get_by_role("tab", name="web-7c9-1")).to_be_focused()
    page.keyboard.press("Control+`")
    expect(page.get_by_role("tabpanel")).to_have_count(0)
    page.keyboard.press("Control+`")
    expect(page.get_by_role("tabpanel")).to_have_count(1)


def test_keys_lead_to_pages(page, site):
    page.goto(f"{site.url}/clusters/demo/topology")
    expect(page.locator("#topology-count")).to_have_text("6 pods")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(heading(page)).to_have_text("Pods")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(heading(page)).to_have_text("Clusters")
