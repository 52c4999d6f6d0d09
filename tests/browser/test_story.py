"""A whole story: a cluster, an application, a failure, why, its repair, the past, another future.

By the mouse where a person would use it.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, watched
from tests.browser.real import playground
from tests.browser.test_topology import until
from tests.support.shells import account

__all__ = ["playground"]

LOST, OTHER = "nginx:1.29-alpine", "nginx:1.28-alpine"
BUSY_MS = 30_000
WHY = re.compile(rf"Back-off pulling image \"{LOST}\"|failed to pull")


@pytest.fixture
def somebody(browser, playground, request):
    """A page of a browser in which nobody has signed in; a link lets a new account in."""
    context = browser.new_context(
        base_url=playground.site,
        reduced_motion="reduce",
        viewport={"width": 1440, "height": 900},
    )
    context.set_default_timeout(PATIENCE_MS)
    with watched(context) as page:
        page.goto(account(playground, "add", request.node.name.rpartition("_")[2]))
        expect(page.get_by_text("No clusters yet.")).to_be_visible()
        yield page
    context.close()


def screen(page):
    return page.locator("kp-dock .xterm-rows")


def types(page, text, answer):
    page.keyboard.type(f"{text}\n")
    expect(screen(page)).to_contain_text(answer, timeout=BUSY_MS)


def broken_pod(page):
    """Wait for the pod whose image is nowhere; return its name."""
    find = "[...kp.topology.store.pods.values()].find((one) => /^(ErrI|I)mage/.test(one.status))"
    until(page, f"Boolean({find})")
    return page.evaluate(f"{find}.name")


def editor(page):
    """Go to the Deployment's text; return the line where the image is named."""
    cluster = re.search(r"/clusters/([^/]+)/", page.url)[1]
    page.goto(f"/clusters/{cluster}/editor?kind=deployments.apps&namespace=default&name=frontend")
    expect(page.locator(".cm-content")).to_contain_text("apiVersion: apps/v1")
    text = page.evaluate("document.querySelector('kp-editor').text")
    return text[: text.index(f"image: {LOST}")].count("\n")


def repaired(page):
    """Wait until all pods of the frontend have the other image."""
    types(page, "kubectl rollout status deployment/frontend", "successfully rolled out")
    path = "jsonpath='{..containers[0].image}'"
    types(page, f"kubectl get deployment frontend -o {path}; echo", OTHER)


def test_a_story_with_the_mouse(somebody):
    page = somebody
    page.get_by_role("button", name="Start an empty cluster").click()
    page.get_by_role("dialog").get_by_role("button", name="Close").first.click()
    page.get_by_role("link", name=re.compile("^Open ")).click()

    # A terminal, and what one begins with; its pods come to the map.
    page.locator("[data-opens=terminal]").click()
    expect(screen(page)).to_contain_text(":~$", timeout=BUSY_MS)
    types(page, "kubectl apply -f examples/guestbook", "deployment.apps/frontend created")
    until(page, "kp.topology.store.pods.size >= 6")

    # The registry loses an image, and new pods want it: the pod itself says why it does not start.
    page.get_by_role("button", name="Break something").click()
    drawer = page.get_by_role("dialog", name="Break something")
    drawer.get_by_text("Lose an image").click()
    drawer.get_by_role("combobox", name="Image").fill(LOST)
    drawer.get_by_text("Nodes lose it too").click()
    drawer.get_by_role("button", name="Break it").click()
    expect(drawer.locator(".kp-break-done")).to_contain_text(f"Removed image {LOST}")
    page.keyboard.press("Escape")
    page.locator("kp-dock .xterm").click()
    types(page, "kubectl rollout restart deployment frontend", "frontend restarted")
    at = page.evaluate(f"kp.topology.whereIs('pods/default/{broken_pod(page)}')")
    page.mouse.click(at["x"], at["y"])
    panel = page.locator(".kp-panel")
    expect(panel).to_contain_text(WHY)
    panel.get_by_role("link", name="Deployment frontend").click()
    expect(page).to_have_url(re.compile("/objects/apps/v1/deployments/default/frontend"))

    # Another image, by the editor.
    editor(page)
    page.locator(".cm-line", has_text=f"image: {LOST}").first.click()
    page.keyboard.press("End")
    for _ in LOST:
        page.keyboard.press("Backspace")
    page.keyboard.type(OTHER)
    page.locator("kp-editor .kp-primary").click()
    expect(page.get_by_text(re.compile("replaced|written"))).to_be_visible()
    page.locator("kp-dock .xterm").click()
    repaired(page)

    # Back to when it was broken, and from there another future.
    page.get_by_role("link", name="Timeline", exact=True).click()
    slider = page.get_by_role("slider", name="Revision")
    slider.fill(str(int(slider.input_value()) - 60))
    expect(page.locator(".kp-tl-now")).to_contain_text("You are looking at revision")
    page.get_by_role("button", name="Fork from here").click()
    dialog = page.get_by_role("dialog", name=re.compile("A new cluster from revision"))
    dialog.get_by_label("Name").fill("what-if-mouse")
    dialog.get_by_role("button", name="Fork", exact=True).click()
    dialog.get_by_role("link", name="Open it").click()
    expect(page).to_have_url(re.compile("/clusters/what-if-mouse/"))
    page.get_by_label(re.compile("^Menu of")).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
