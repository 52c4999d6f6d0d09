"""The timeline, and pages of the past, over a real worker: with the mouse and with keys alone."""

from __future__ import annotations

import re

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.real import cookies, page, playground
from tests.browser.test_pages import violations

__all__ = ["cookies", "page", "playground"]

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(scope="module")
def story(playground):
    """Three writes of a ConfigMap, with others in between; return their revisions."""
    revisions = []
    with playground.client() as api:
        for n in range(3):
            body = {"metadata": {"name": "app"}, "data": {"mode": str(n)}}
            answer = api.put(f"{MAPS}/app", json=body) if n else api.post(MAPS, json=body)
            assert answer.status_code in (200, 201), answer.text
            revisions.append(int(answer.json()["metadata"]["resourceVersion"]))
            assert api.post(MAPS, json={"metadata": {"name": f"other-{n}"}}).status_code == 201
    return revisions


def timeline(page, **state):
    query = "&".join(f"{key}={value}" for key, value in state.items())
    page.goto(f"/clusters/default/timeline?{query}")
    expect(page.get_by_role("slider", name="Revision")).to_be_visible()
    return page


def at(page, revision):
    """Wait until the page is at a revision, and its address says so."""
    expect(page.locator(".kp-chip")).to_have_text(f"Past · rev {revision}")
    expect(page).to_have_url(re.compile(f"rev={revision}(&|$)"))


def test_the_slider_goes_to_the_past_and_back(page, story):
    timeline(page)
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live · rev"))
    slider = page.get_by_role("slider", name="Revision")
    slider.fill(str(story[1]))
    at(page, story[1])
    banner = page.locator(".kp-tl-now")
    expect(banner).to_contain_text(
        re.compile(rf"You are looking at revision {story[1]} \(\d\d:\d\d:\d\d\)\. Live is \d+\.")
    )
    expect(slider).to_have_attribute("aria-valuetext", re.compile(f"^revision {story[1]}, "))
    expect(page.locator(".kp-tl-facts")).to_contain_text(
        "changed data.mode of ConfigMap app from 0 to 1"
    )
    page.get_by_role("button", name="Back to live").click()
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live · rev"))
    expect(page).not_to_have_url(re.compile("rev="))


def test_everything_can_be_done_with_keys(page, story):
    timeline(page, rev=story[0], object="configmaps/default/app")
    page.locator("#main").focus()
    at(page, story[0])
    for key, revision in (
        ("l", story[0] + 1),
        ("ArrowRight", story[0] + 2),
        ("j", story[0] + 1),
        ("ArrowLeft", story[0]),
        ("Shift+ArrowRight", story[1]),
        ("Shift+ArrowRight", story[2]),
        ("Shift+ArrowLeft", story[1]),
    ):
        page.keyboard.press(key)
        at(page, revision)
    page.keyboard.press("Shift+A")
    page.get_by_role("slider", name="Revision").focus()
    page.keyboard.type(str(story[2]))
    page.keyboard.press("Enter")
    at(page, story[2])
    page.locator("#main").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".kp-tl-said")).to_have_text(
        re.compile(rf"^No changes for configmaps/app between {story[2]} and \d+\.$")
    )
    expect(page.locator(".kp-tl-said code")).to_have_text("configmaps/app")
    page.keyboard.press("Shift+B")
    expect(page.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="default/app changed").press("Enter")
    merge = page.locator(".kp-tl-merge")
    expect(merge.locator(".cm-content").nth(0)).to_contain_text("mode: '1'")
    expect(merge.locator(".cm-content").nth(1)).to_contain_text("mode: '2'")
    page.get_by_role("tab", name="Compare").press("ArrowRight")
    expect(page.get_by_role("tab", name="One object")).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live · rev"))


def test_playing_goes_on_to_the_newest(page, story):
    timeline(page, rev=story[0])
    page.get_by_label("Speed").select_option("50")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_have_attribute(
        "aria-pressed", "false"
    )
    expect(page.get_by_role("button", name="Forward")).to_be_disabled()
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live · rev"))


def test_one_object_with_its_writes_and_lines(page, story):
    timeline(page, rev=story[2], tab="object", object="configmaps/default/app")
    writes = page.locator(".kp-tl-history > li")
    expect(writes).to_have_count(3)
    expect(writes.nth(0)).to_contain_text("data.mode 1 → 2")
    expect(writes.nth(2)).to_contain_text("The object was created.")
    row = page.locator(".kp-tl-blame tr", has_text="mode: '2'")
    expect(row).to_contain_text(f"revision {story[2]}, ")
    writes.nth(1).get_by_role("button", name=str(story[1])).click()
    at(page, story[1])
    expect(writes).to_have_count(2)
    page.get_by_label("Object", exact=True).fill("what is this")
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("“what is this” is no object.")


def test_the_page_grows_with_the_log_and_marks_what_was_broken(page, story, playground):
    timeline(page)
    slider = page.get_by_role("slider", name="Revision")
    before = int(slider.get_attribute("max"))
    with playground.client() as api:
        made = api.post("/api/v1/namespaces", json={"metadata": {"name": "grown"}})
        assert made.status_code == 201, made.text
    expect(slider).not_to_have_attribute("max", str(before))
    failures = f"{playground.site}/api/clusters/default/failures"
    headers = {"Authorization": f"Bearer {playground.token}"}
    broken = {"kind": "slow-api", "target": {"milliseconds": 1}}
    began = httpx.post(failures, json=broken, headers=headers).json()["revision"]
    assert httpx.delete(failures, headers=headers).status_code == 200
    timeline(page, rev=began - 1)
    at(page, began - 1)
    page.locator("#main").focus()
    page.keyboard.press("n")
    expect(page.locator(".kp-tl-said")).to_have_text(re.compile("^Broken: "))
    page.locator("[data-mark=ended]").click()
    page.keyboard.press("Shift+n")
    expect(page.locator(".kp-tl-said")).not_to_be_empty()


def test_bookmarks_stay(page, story):
    timeline(page, rev=story[1])
    at(page, story[1])
    page.get_by_role("button", name="Bookmark", exact=True).click()
    expect(page.get_by_role("button", name="Remove the bookmark")).to_be_visible()
    page.locator("summary", has_text="Bookmarks").click()
    page.get_by_label(f"Note on revision {story[1]}").fill("second write")
    page.get_by_label(f"Note on revision {story[1]}").press("Enter")
    timeline(page)
    page.get_by_role("button", name=f"second write, revision {story[1]}").click()
    at(page, story[1])
    page.get_by_role("button", name="Remove the bookmark").click()
    expect(page.get_by_role("button", name="Bookmark", exact=True)).to_be_visible()


def test_a_number_that_is_no_revision_is_refused_in_words(page, story):
    timeline(page)
    page.get_by_label("Go to revision").fill("99999999")
    page.get_by_label("Go to revision").press("Enter")
    expect(page.locator(".kp-tl-said")).to_have_text(re.compile(r"^Revisions go from 0 to \d+\.$"))


def test_a_log_that_cannot_be_read_says_so(page, story):
    # Without news of the cluster the page tries again by nothing but its button.
    page.route_web_socket("**/pulse/", lambda socket: None)
    page.route(
        "**/api/clusters/default/history?*",
        lambda route: route.fulfill(
            status=503, json={"error": {"code": "Unavailable", "message": "gone fishing"}}
        ),
    )
    page.goto("/clusters/default/timeline")
    expect(page.get_by_role("alert")).to_contain_text("The history could not be read: gone fishing")
    page.unroute("**/api/clusters/default/history?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("slider", name="Revision")).to_be_visible()


def test_other_pages_show_the_banner_of_the_past(page, story, playground):
    page.goto(f"/clusters/default/objects/core/v1/configmaps?ns=default&rev={story[0]}")
    banner = page.get_by_role("region", name="The past")
    expect(banner).to_contain_text(f"You are looking at revision {story[0]}")
    expect(banner).to_contain_text("Changing things is off.")
    page.locator("#main").focus()
    page.keyboard.press(".")
    expect(banner).to_contain_text(f"You are looking at revision {story[0] + 1}")
    banner.get_by_role("link", name="Back to live").click()
    expect(banner).to_have_count(0)
    page.goto("/clusters/default/objects/core/v1/configmaps?ns=default&rev=99999999")
    expect(banner).to_contain_text("has not happened yet. Live is")


def test_every_way_through_the_past_stays_there(page, story):
    then = re.compile(rf"[?&]rev={story[0]}(&|$)")
    banner = page.get_by_role("region", name="The past")
    page.goto(f"/clusters/default/objects/core/v1/configmaps?ns=default&rev={story[0]}")
    expect(page.get_by_role("link", name="app", exact=True)).to_be_visible()
    expect(page.locator(".kp-chip")).to_have_text(f"Past · rev {story[0]}")
    page.get_by_role("link", name="app", exact=True).click()
    expect(page.locator("h1")).to_have_text("app")
    expect(page).to_have_url(then)
    page.keyboard.press("y")
    expect(page.locator(".kp-yaml")).to_contain_text("mode: '0'")
    page.get_by_role("link", name="Show managed fields").click()
    expect(page.locator(".kp-yaml")).to_contain_text("managedFields")
    expect(page.locator(".kp-yaml")).to_contain_text("mode: '0'")
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_role("button", name="Traffic")).to_be_visible()
    expect(banner).to_contain_text(f"You are looking at revision {story[0]}")
    expect(page).to_have_url(then)
    page.get_by_role("button", name="Traffic").click()
    page.keyboard.press("Control+k")
    page.locator("kp-palette input").fill("configmap app")
    expect(page.get_by_role("option", name="app", exact=False).first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("app")
    expect(page).to_have_url(then)
    page.get_by_role("link", name="Access").click()
    expect(banner).to_contain_text(
        f"This page shows the present. Others stay at revision {story[0]}"
    )
    page.get_by_role("link", name="Topology").click()
    banner.get_by_role("link", name="Back to live").click()
    expect(banner).to_have_count(0)
    expect(page).not_to_have_url(re.compile("rev="))


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
@pytest.mark.parametrize("tab", ["happened", "compare", "object"])
def test_the_page_is_accessible(page, story, tab):
    state = {"rev": story[1], "a": story[0], "b": story[2], "object": "configmaps/default/app"}
    timeline(page, tab=tab, **state)
    panel = page.get_by_role("tabpanel")
    if tab == "compare":
        panel.get_by_role("button", name="default/app").click()
        expect(panel.locator(".cm-content").first).to_be_visible()
    else:
        expect(panel.get_by_role("button", name=str(story[1])).first).to_be_visible()
    # What is half below the top bar is too small for a finger, but only until one scrolls.
    page.evaluate("scrollTo(0, 0)")
    assert violations(Axe(), page) == []


def test_a_compacted_log_says_where_it_begins(page, story):
    def compacted(route):
        answer = httpx.get(route.request.url, headers=route.request.headers)
        at = answer.json()["now"] - 60
        ends = {"oldest": story[0], "compacted": True, "compacted_at": at}
        route.fulfill(json={**answer.json(), **ends})

    page.route("**/api/clusters/default/history?*", compacted)
    timeline(page, rev=1)
    at(page, story[0])
    expect(page.locator(".kp-tl-said")).to_contain_text(f"Revisions go from {story[0]} to ")
    expect(page.locator(".kp-tl-floor")).to_have_text(
        re.compile(
            rf"^History before revision {story[0]} was compacted at (\d+ \w+ )?\d\d:\d\d\. "
            r"The slider starts there\.$"
        )
    )


def test_a_fork_begins_at_the_chosen_revision(page, story, playground):
    timeline(page, rev=story[0])
    at(page, story[0])
    page.get_by_role("button", name="Fork from here").click()
    dialog = page.get_by_role("dialog", name=f"A new cluster from revision {story[0]}")
    dialog.get_by_label("Name").fill("default")
    dialog.get_by_role("button", name="Fork", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("already exists")
    dialog.get_by_label("Name").fill("what-if")
    dialog.get_by_role("button", name="Fork", exact=True).click()
    expect(dialog.get_by_role("status")).to_have_text("“what-if” runs.")
    with playground.client() as api:
        there = api.get(f"/clusters/what-if{MAPS}/app")
        assert there.json()["data"] == {"mode": "0"}
    dialog.get_by_role("link", name="Compare side by side").click()
    expect(page.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".kp-tl-panel")).to_contain_text("B one of what-if")
    page.get_by_role("button", name="default/app changed").click()
    sides = page.locator(".kp-tl-sides")
    expect(sides).to_contain_text(re.compile(r"A: default, revision \d+.*B: what-if, revision \d+"))
    merge = page.locator(".kp-tl-merge")
    expect(merge.locator(".cm-content").nth(0)).to_contain_text("mode: '2'")
    expect(merge.locator(".cm-content").nth(1)).to_contain_text("mode: '0'")
    playground.delete_cluster("what-if")


def test_a_recording_is_exported_and_imported(page, story, playground, tmp_path):
    timeline(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export a recording").click()
    file = tmp_path / "recording.json.gz"
    download.value.save_as(file)
    page.goto("/")
    page.get_by_role("link", name="Import a recording").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("Name").fill("imported")
    drawer.get_by_label("Recording").set_input_files(tmp_path / "recording.json.gz")
    drawer.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("imported goes on where the recording ends.")).to_be_visible()
    page.goto(f"/clusters/imported/timeline?rev={story[1]}")
    expect(page.locator(".kp-tl-facts")).to_contain_text(
        "changed data.mode of ConfigMap app from 0 to 1"
    )
    page.goto(f"/clusters/imported/objects/core/v1/configmaps/default/app?rev={story[0]}&tab=yaml")
    expect(page.locator(".kp-yaml")).to_contain_text("mode: '0'")
    playground.delete_cluster("imported")
