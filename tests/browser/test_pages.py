"""Every page in light and dark: accessible by axe's rules; and what only a browser can show."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.playground.objects import pod

PAGES = {
    "clusters": "/",
    "connect": "/?connect=demo",
    "new cluster": "/?new",
    "access": "/clusters/demo/access",
    "access, why": "/clusters/demo/access?verb=list&user=ann",
    "access, why not": "/clusters/demo/access?verb=delete&user=ann",
    "account": "/account",
    "people": "/people",
    "a person": "/people/learner",
    "overview": "/clusters/demo/overview",
    "topology": "/clusters/demo/topology",
    "topology, owners": "/clusters/demo/topology?lens=owners",
    "topology, table": "/clusters/demo/topology?view=table",
    "topology, selection": "/clusters/demo/topology?sel=pods/default/api-0",
    "topology, no match": "/clusters/demo/topology?q=app=wbe",
    "list": "/clusters/demo/objects/core/v1/pods",
    "empty list": "/clusters/demo/objects/batch/v1/jobs",
    "object, and what is behind it": "/clusters/demo/objects/core/v1/pods/default/api-0",
    "yaml": "/clusters/demo/objects/core/v1/pods/default/api-0?tab=yaml",
    "events": "/clusters/demo/objects/core/v1/pods/default/api-0?tab=events",
    "logs": "/clusters/demo/objects/core/v1/pods/default/web-7c9-0?tab=logs",
    "missing object": "/clusters/demo/objects/core/v1/pods/default/nothing",
    "editor": "/clusters/demo/editor",
    "editor, object": "/clusters/demo/editor?kind=pods&namespace=default&name=api-0&view=all",
    "editor, no object": "/clusters/demo/editor?kind=pods&namespace=default&name=nothing",
    "settings": "/settings",
    "missing page": "/clusters/none/topology",
}


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session")
def axe():
    return Axe()


# Labels and controls find each other by what one element alone is called.
DOUBLED = """() => {
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}"""


def violations(axe, page):
    found = axe.run(page, options={"runOnly": RULES})
    wrong = [
        (rule["id"], [node["html"][:160] for node in rule["nodes"]])
        for rule in found.response["violations"]
        if rule["impact"] in {"serious", "critical", "moderate"}
    ]
    return wrong + [("doubled id", one) for one in page.evaluate(DOUBLED)]


def accessible(page):
    """Have axe look at a page as it is now, in both themes."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert violations(Axe(), page) == [], theme


# Both themes and both languages, in half as many visits as there are pairs of them.
@pytest.mark.parametrize("context", ["light zh-CN", "dark en-US"], indirect=True)
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_every_page_is_accessible(page, site, axe, path):
    page.goto(site.url + path)
    if path.endswith("/overview"):
        expect(page.locator("kp-chart canvas")).to_have_count(3)
    if "/topology" in path and "none" not in path:
        expect(page.locator(".kp-chip")).to_have_text(re.compile("^(Live|实时)"))
    if "sel=" in path:
        expect(page.locator(".kp-panel .kp-sentence")).to_be_visible()
    assert violations(axe, page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_is_accessible(browser, site, axe, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{site.url}/sign-in/used-before")
    assert violations(axe, page) == []
    context.close()


# What tells the state of a control or a row where backgrounds lose their colours.
LOOKS = """(selector) => {
  const { backgroundColor, outlineStyle, forcedColorAdjust } =
    getComputedStyle(document.querySelector(selector));
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.cssText = "forced-color-adjust: none; background: Highlight";
  const highlight = getComputedStyle(probe).backgroundColor;
  probe.remove();
  return { highlighted: backgroundColor === highlight, outlineStyle, forcedColorAdjust };
}"""
# The colours that are there where a pod is drawn.
COLOURS = """() => {
  const { canvas, scene, selected } = kp.topology;
  const { x, y } = scene.whereIs(selected);
  const { data } = canvas.getContext("2d").getImageData(x - 30, y - 30, 60, 60);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


def test_forced_colours_leave_what_is_told_by_colour(page, site):
    page.emulate_media(forced_colors="active")
    page.goto(f"{site.url}/clusters/demo/topology?sel=pods/default/api-0")
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live"))
    expect(page.locator('.kp-tree-row[aria-selected="true"]')).to_be_visible()
    assert page.evaluate("kp.topology.scene.palette.running") == "CanvasText"
    for chosen in ('[aria-pressed="true"]', ".kp-rail [aria-current]"):
        assert page.evaluate(LOOKS, chosen)["highlighted"], chosen
    assert page.evaluate(LOOKS, '.kp-tree-row[aria-selected="true"]')["outlineStyle"] == "solid"
    assert page.evaluate(LOOKS, ".kp-legend .kp-mark")["forcedColorAdjust"] == "none"
    assert page.evaluate(COLOURS) > 1


def test_signing_in_with_a_password_and_out(browser, site):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/clusters/demo/topology")
    page.get_by_label("User name").fill("learner")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Sign in").click()
    # Led back to where one wanted to go; it is not a learner's to see.
    expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
    page.get_by_label("Menu of learner").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    context.close()


def test_a_cluster_from_nothing_to_the_first_request(page, site, worker):
    page.goto(site.url)
    page.get_by_role("link", name="New cluster").click()
    page.get_by_label("Name", exact=True).fill("demo")
    page.get_by_role("button", name="Start cluster").click()
    expect(page.locator(".kp-wrong")).to_contain_text("of this name already")
    page.get_by_label("Name", exact=True).fill("lab")
    page.get_by_role("button", name="Start cluster").click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Waiting for your first request…")
    with page.expect_download() as download:
        drawer.get_by_role("link", name="Download lab.kubeconfig").click()
    assert download.value.suggested_filename == "lab.kubeconfig"
    worker.fake.clusters["lab"].first = {
        "at": "",
        "method": "GET",
        "path": "/version",
        "userAgent": "kubectl/v1.36.2 (linux/amd64)",
    }
    expect(drawer).to_contain_text("Received GET /version from kubectl v1.36.2")
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{site.url}/")


def test_a_cluster_is_paused_and_resumed(page, site, worker):
    page.goto(site.url)
    page.get_by_role("button", name="Pause demo").click()
    expect(page.get_by_role("status")).to_contain_text("demo is paused")
    assert worker.fake.clusters["demo"].paused
    page.get_by_role("button", name="Resume demo").click()
    expect(page.get_by_role("link", name="Open demo")).to_be_visible()


def test_a_small_picture_is_drawn_while_it_is_seen(page, site, worker):
    page.goto(site.url)
    picture = page.locator("kp-thumbnail")
    expect(picture).to_have_attribute("data-revision", re.compile(r"\d+"))
    drawn = "element => [...element.querySelector('canvas').getContext('2d')"
    drawn += ".getImageData(0, 0, 160, 90).data].some(Boolean)"
    assert picture.evaluate(drawn)


def test_looking_as_somebody_else(page, site):
    page.goto(f"{site.url}/clusters/demo/access")
    page.get_by_role("button", name="View as ann").click()
    banner = page.get_by_role("region", name="View as")
    expect(banner).to_contain_text("You look at demo as ann")
    page.goto(f"{site.url}/account")
    expect(banner).to_be_visible()
    banner.get_by_role("button", name="Be yourself again").click()
    expect(page).to_have_url(f"{site.url}/clusters/demo/access")
    expect(banner).to_be_hidden()


def test_a_cluster_is_deleted_by_typing_its_name(page, site, worker):
    page.goto(site.url)
    page.get_by_role("link", name="Delete demo").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("Type demo to confirm").fill("dem")
    drawer.get_by_role("button", name="Delete the cluster").click()
    expect(drawer.get_by_role("alert")).to_contain_text("Nothing was deleted")
    drawer.get_by_label("Type demo to confirm").fill("demo")
    drawer.get_by_role("button", name="Delete the cluster").click()
    expect(page.get_by_text("No clusters yet.")).to_be_visible()
    assert "demo" not in worker.fake.clusters


def test_a_list_follows_the_cluster(page, site, change):
    page.goto(f"{site.url}/clusters/demo/objects/core/v1/pods")
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live"))
    change("put", "pods", pod("fresh-0", "n1"))
    expect(page.get_by_role("link", name="fresh-0")).to_be_visible()


def test_a_list_is_filtered_while_typing_and_the_address_follows(page, site):
    page.goto(f"{site.url}/clusters/demo/objects/core/v1/pods")
    page.keyboard.press("/")
    page.keyboard.type("web")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page).to_have_url(re.compile("q=web"))
    expect(page.get_by_label("Filter")).to_be_focused()
    page.get_by_role("button", name="Name", exact=True).click()
    expect(page).to_have_url(re.compile("sort=Name"))
    page.get_by_role("button", name="Name ↑").click()
    expect(page.locator("tbody tr").first).to_contain_text("web-7c9-2")


def test_a_phone_shows_every_page_without_moving_it_sideways(page, site):
    page.set_viewport_size({"width": 380, "height": 740})
    others = [f"/clusters/demo/{name}" for name in ("trace", "timeline", "terminal")]
    for path in [*PAGES.values(), *others]:
        page.goto(site.url + path, wait_until="load")
        assert page.evaluate("document.documentElement.scrollWidth") <= 380, path
    page.goto(f"{site.url}/clusters/demo/topology?sel=pods/default/api-0")
    sheet = page.get_by_role("complementary", name="api-0").bounding_box()
    rail = page.get_by_role("navigation", name="Pages of the cluster").bounding_box()
    assert sheet["width"] == 380
    assert sheet["y"] > 200
    assert rail["y"] + rail["height"] == 740
    page.get_by_role("link", name="Objects").click()
    expect(page.get_by_role("grid")).to_be_in_viewport()
    expect(page.get_by_role("link", name="configmaps")).to_be_hidden()
    page.get_by_text("Kinds", exact=True).click()
    expect(page.get_by_role("link", name="configmaps")).to_be_visible()
