"""Terminals in a browser: typed to, read, cut off, split, replayed; with the real kubectl."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import cookies_of, watched
from tests.support.server import Playground

BUSY_MS = 30_000


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    running = Playground(tmp_path_factory.mktemp("terminal") / "data").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def state(browser, real):
    return cookies_of(browser, real.page, f"{real.site}/")


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture
def page(browser, real, state, scheme):
    context = browser.new_context(
        storage_state=state,
        color_scheme=scheme,
        reduced_motion="reduce",
        viewport={"width": 1280, "height": 800},
    )
    context.set_default_timeout(BUSY_MS)
    with watched(context) as opened:
        opened.goto(f"{real.site}/clusters/default/terminal")
        yield opened
        for tab in opened.locator(".kp-term-tab .kp-dock-close").all():
            tab.click()
    context.close()


def rows(page):
    return page.locator(".xterm-rows").first


def typed(page, text, answer):
    page.keyboard.type(text)
    expect(rows(page)).to_contain_text(answer, timeout=BUSY_MS)


def test_kubectl_its_trace_and_its_objects(page, scheme):
    expect(rows(page)).to_contain_text("default:~$", timeout=BUSY_MS)
    name = f"by-{scheme}"
    typed(page, f"kubectl create deployment {name} --image=nginx\n", f"{name} created")
    dot = page.locator(".kp-term-dot").last
    expect(dot).to_have_attribute("href", re.compile(r"/clusters/default/trace/[0-9a-f-]{36}$"))
    typed(page, "kubectl get deploym\t\n", "UP-TO-DATE")
    cell = page.locator(".xterm-rows > div", has_text=re.compile(rf"^{name} ")).last
    box = cell.bounding_box()
    page.mouse.move(box["x"] + 12, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + 12, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile(rf"/objects/apps/v1/deployments/default/{name}"))
    page.go_back()
    expect(rows(page)).to_contain_text(f"{name} created")


def test_a_cut_connection_comes_back_and_an_end_is_told(page):
    expect(rows(page)).to_contain_text("default:~$", timeout=BUSY_MS)
    page.evaluate("document.querySelector('kp-terminal').connection.socket.close()")
    expect(page.get_by_text("Reconnected. Nothing was lost.")).to_be_visible()
    typed(page, "echo still-''here\n", "still-here")
    page.keyboard.type("exit 5\n")
    expect(page.get_by_text("The shell ended with exit code 5.")).to_be_visible()
    page.get_by_role("button", name="New shell").click()
    expect(rows(page)).to_contain_text("default:~$")


def test_split_find_record_and_replay(page):
    expect(rows(page)).to_contain_text("default:~$", timeout=BUSY_MS)
    page.locator("[data-tool=record]").click()
    expect(page.locator("[data-tool=record]")).to_have_attribute("aria-pressed", "true")
    page.locator(".xterm").first.click()
    typed(page, "echo kept-''for-later\n", "kept-for-later")
    page.locator("[data-tool=record]").click()
    page.locator("[data-tool=more]").click()
    page.locator("[data-tool=replay]").click()
    player = page.locator("kp-player")
    expect(player.locator(".xterm-rows")).to_contain_text("kept-for-later")
    assert Axe().run(page).response["violations"] == []
    player.get_by_role("button", name="Close").click()
    page.locator("[data-tool=split]").click()
    expect(page.locator("kp-terminal")).to_have_count(2)
    expect(page.locator(".xterm-rows").nth(1)).to_contain_text("default:~$")
    page.keyboard.press("Control+Shift+F")
    expect(page.locator(".kp-term-find input")).to_be_focused()
    page.keyboard.press("Escape")
    assert Axe().run(page).response["violations"] == []


HOSTILE = (
    # the clipboard, a link that is a script, a title that is a tag
    r"printf '\033]52;c;%s\a' $(printf stolen | base64);"
    r"printf '\033]8;;javascript:window.ran=1\a%s\033]8;;\a\n' click-''here;"
    r"printf '\033]0;<img src=x onerror=window.ran=1>\a';"
    # questions whose answers a program could have chosen
    r"printf '\033P$q;echo ran\n\033\\\033[c\033[21t\033]10;?\a\033]50;?\a';"
    # sequences that do not end
    r"for start in '\033]0;' '\033P' '\033]52;c;' '\033['; do"
    r" printf \"$start\"; head -c 300000 /dev/zero | tr '\0' 1; printf '\033\\\a'; done;"
    r"while read -rsn1 -t 0.3 answer; do :; done; clear; echo all-''said"
)


@pytest.mark.parametrize("scheme", ["light"], indirect=True)
def test_escapes_of_a_program_stay_in_the_terminal(page, real):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=real.site)
    expect(rows(page)).to_contain_text("default:~$", timeout=BUSY_MS)
    page.evaluate("navigator.clipboard.writeText('mine')")
    typed(page, f"{HOSTILE}\n", "all-said")
    typed(
        page, "printf '\\033]8;;javascript:window.ran=1\\aclick-%s\\033]8;;\\a\\n' me\n", "click-me"
    )
    link = page.locator(".xterm-rows > div", has_text=re.compile("^click-me")).last
    box = link.bounding_box()
    page.keyboard.down("Control")
    page.mouse.move(box["x"] + 12, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + 12, box["y"] + box["height"] / 2)
    page.keyboard.up("Control")
    typed(page, "echo still-''mine\n", "still-mine")
    assert page.evaluate("navigator.clipboard.readText()") == "mine"
    assert page.evaluate("window.ran") is None
    assert len(page.context.pages) == 1
    assert page.locator("img[src=x]").count() == 0


def test_the_dock_keeps_a_terminal_from_page_to_page(page, real):
    page.goto(f"{real.site}/clusters/default/topology")
    page.locator("[data-opens=terminal]").click()
    dock = page.locator("kp-dock .xterm-rows")
    expect(dock).to_contain_text("default:~$", timeout=BUSY_MS)
    page.keyboard.type("echo carried-''along\n")
    expect(dock).to_contain_text("carried-along")
    page.locator(".kp-rail a", has_text="Objects").click()
    expect(page).to_have_url(re.compile("/objects/"))
    expect(dock).to_contain_text("carried-along")
    page.reload()
    expect(dock).to_contain_text("carried-along", timeout=BUSY_MS)
    page.locator("kp-dock .kp-dock-close").click()
