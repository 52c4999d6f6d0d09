"""A whole story: a cluster, an application, a failure, why, its repair, the past, another future.

Once with the mouse where a person would use it, once by the keyboard alone.
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
    """Wait for the Deployment's text; return the line where the image is named."""
    expect(page).to_have_url(re.compile(r"/editor\?.*name=frontend"))
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
    page.get_by_role("main").get_by_role("link", name="Edit", exact=True).click()
    editor(page)
    page.locator(".cm-line", has_text=f"image: {LOST}").first.click()
    page.keyboard.press("End")
    for _ in LOST:
        page.keyboard.press("Backspace")
    page.keyboard.type(OTHER)
    page.locator("kp-editor button.kp-primary").click()
    answers = page.get_by_role("region", name="Answers")
    expect(answers.get_by_text(re.compile("replaced|written"))).to_be_visible()
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


# -- by keys ---------------------------------------------------------------------------------------


# Some of what is written in stands in a shadow root.
FOCUSED = "one => one === one.getRootNode().activeElement"


def tab_to(page, target, most=200):
    """Go on with Tab until something has the focus."""
    for _ in range(most):
        if target.count() and target.first.evaluate(FOCUSED):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {target}")


def enter(page, target):
    tab_to(page, target)
    page.keyboard.press("Enter")


def live(page):
    """Wait until a page hears of its cluster: its keys work by then."""
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live"))


def to_the_page(page):
    """Leave the terminal for its tools, and those for the page."""
    page.keyboard.press("F6")
    expect(page.locator(".kp-term-tools button").first).to_be_focused()
    page.keyboard.press("F6")


def test_a_story_with_the_keyboard(somebody):
    page = somebody
    keys = page.keyboard
    enter(page, page.get_by_role("button", name="Start an empty cluster"))
    expect(page.get_by_role("dialog")).to_contain_text("Connect kubectl to")
    keys.press("Escape")
    enter(page, page.get_by_role("link", name=re.compile("^Open ")))
    live(page)

    keys.press("Control+`")
    expect(screen(page)).to_contain_text(":~$", timeout=BUSY_MS)
    types(page, "kubectl apply -f examples/guestbook", "deployment.apps/frontend created")

    to_the_page(page)
    enter(page, page.get_by_role("button", name="Break something"))
    drawer = page.get_by_role("dialog", name="Break something")
    tab_to(page, drawer.get_by_role("radio").first)
    lost = drawer.get_by_role("radio", name=re.compile("Lose an image"))
    for _ in range(8):
        if lost.is_checked():
            break
        keys.press("ArrowDown")
    tab_to(page, drawer.get_by_role("combobox", name="Image"))
    keys.type(LOST)
    keys.press("Tab")
    keys.press("Space")
    enter(page, drawer.get_by_role("button", name="Break it"))
    expect(drawer.locator(".kp-break-done")).to_contain_text(f"Removed image {LOST}")
    keys.press("Escape")
    keys.press("F6")
    types(page, "kubectl rollout restart deployment frontend", "frontend restarted")
    name = broken_pod(page)
    to_the_page(page)

    # By its name to the pod, which says why, and up to who made it.
    keys.press("Control+k")
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    keys.type(name)
    expect(page.get_by_role("option", name=re.compile(name)).first).to_be_visible()
    keys.press("Enter")
    expect(page).to_have_url(re.compile(f"/pods/default/{name}"))
    expect(page.get_by_role("main")).to_contain_text(WHY)
    live(page)
    keys.press("Shift+J")
    expect(page).to_have_url(re.compile("/replicasets/default/frontend-"))
    live(page)
    keys.press("Shift+J")
    expect(page).to_have_url(re.compile("/deployments/default/frontend"))
    live(page)
    keys.press("e")

    line = editor(page)
    tab_to(page, page.locator(".cm-content"))
    keys.press("Control+Home")
    for _ in range(line):
        keys.press("ArrowDown")
    keys.press("End")
    for _ in LOST:
        keys.press("Backspace")
    keys.type(OTHER)
    keys.press("Control+Enter")
    answers = page.get_by_role("region", name="Answers")
    expect(answers.get_by_text(re.compile("replaced|written"))).to_be_visible()
    keys.press("F6")
    repaired(page)

    to_the_page(page)
    keys.press("g")
    keys.press("l")
    expect(page).to_have_url(re.compile("/timeline"))
    expect(page.locator(".kp-tl-now")).to_contain_text("This is the present")
    for _ in range(3):
        keys.press("j")
    expect(page.locator(".kp-tl-now")).to_contain_text("You are looking at revision")
    enter(page, page.get_by_role("button", name="Fork from here"))
    dialog = page.get_by_role("dialog", name=re.compile("A new cluster from revision"))
    tab_to(page, dialog.get_by_label("Name"))
    keys.press("Control+a")
    keys.type("what-if-keys")
    keys.press("Enter")
    enter(page, dialog.get_by_role("link", name="Open it"))
    expect(page).to_have_url(re.compile("/clusters/what-if-keys/"))
    enter(page, page.get_by_label(re.compile("^Menu of")))
    enter(page, page.get_by_role("button", name="Sign out"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
