"""Terminals in a browser: typed to, read, cut off, split, replayed; with the real kubectl."""

from __future__ import annotations

import os
import re
import signal
from shutil import which

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import cookies_of, watched
from tests.browser.real import look_as
from tests.support.server import Playground, wait_until

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


@pytest.mark.parametrize("scheme", ["light"], indirect=True)
def test_an_editor_a_pager_and_words_about_what_one_cannot_do(page):
    expect(rows(page)).to_contain_text("default:~$", timeout=BUSY_MS)
    said = page.locator(".kp-term-notes")
    tool(page, "copy-output")
    expect(said).to_have_text("No command has printed anything yet.")
    page.locator("[data-tool=copy]").click()
    expect(said).to_have_text("Select something first.")
    page.locator(".xterm").first.click()
    typed(page, "kubectl create configmap colours --from-literal=best=red\n", "colours created")
    page.keyboard.type("kubectl edit configmap colours\n")
    expect(rows(page)).to_contain_text("best: red", timeout=BUSY_MS)
    if which("nano"):
        expect(rows(page)).to_contain_text("^X Exit")
        page.keyboard.press("Control+\\")
        expect(rows(page)).to_contain_text("Search (to replace)")
        page.keyboard.type("best: red\n")
        expect(rows(page)).to_contain_text("Replace with")
        page.keyboard.type("best: blue\n")
        expect(rows(page)).to_contain_text("Replace this instance?")
        page.keyboard.type("A")
        expect(rows(page)).to_contain_text("best: blue")
        page.keyboard.press("Control+x")
        expect(rows(page)).to_contain_text("Save modified buffer?")
        page.keyboard.type("Y")
        expect(rows(page)).to_contain_text("File Name to Write")
        page.keyboard.type("\n")
    else:
        page.keyboard.type(":%s/best: red/best: blue/\n:wq\n")
    expect(rows(page)).to_contain_text("configmap/colours edited", timeout=BUSY_MS)
    typed(page, "kubectl explain pod.spec | less\n", "FIELDS:")
    page.keyboard.press("G")
    expect(rows(page)).to_contain_text("(END)")
    expect(rows(page)).not_to_contain_text("configmap/colours edited")
    page.keyboard.press("q")
    # Colours that no class has are drawn under the policy too.
    typed(page, "printf '\\033[38;2;0;90;200mcoloured-%s\\033[0m\\n' text\n", "coloured-text")
    coloured = page.locator(".xterm-rows span", has_text=re.compile("^coloured-text$"))
    expect(coloured).to_have_css("color", "rgb(0, 90, 200)")
    typed(page, "kubectl get configmap colours -o jsonpath='{.data}'\n", '{"best":"blue"}')
    page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('no')))")
    tool(page, "copy-all")
    expect(said).to_contain_text("The browser does not allow it here. Use Ctrl+Shift+C")
    hear(page, "{op: 'recording', on: false, full: true}")
    expect(said).to_have_text("The recording has reached its largest size and ended.")
    page.locator(".kp-term-file").set_input_files(
        files=[{"name": "a.cast", "mimeType": "text/plain", "buffer": b"no recording"}]
    )
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(
        "This file is no recording"
    )
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    # What the screen shows is text for a screen reader too, once it is wished for.
    expect(page.locator(".xterm-accessibility")).to_have_count(0)
    tool(page, "reader")
    page.locator(".xterm").first.click()
    typed(page, "echo read-''aloud\n", "read-aloud")
    expect(page.locator(".xterm-accessibility")).to_contain_text("read-aloud")
    tool(page, "reader")
    expect(page.locator(".xterm-accessibility")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light"], indirect=True)
def test_four_terminals_fit_into_one_panel_and_come_back(page):
    split = page.locator("[data-tool=split]")
    for n in range(1, 4):
        expect(page.locator(".xterm-rows").nth(n - 1)).to_contain_text("default:~$")
        split.click()
        expect(page.locator("kp-terminal")).to_have_count(n + 1)
    expect(page.locator(".xterm-rows").nth(3)).to_contain_text("default:~$")
    expect(split).to_be_disabled()
    expect(split).to_have_attribute("title", "4 terminals fit into one panel.")
    page.keyboard.type("echo fourth-''one\n")
    expect(page.locator(".xterm-rows").nth(3)).to_contain_text("fourth-one")
    expect(page).to_have_url(re.compile(r"tabs=[^&~]+(,|%2C)[^&~]+(,|%2C)[^&~]+(,|%2C)"))
    page.reload()
    expect(page.locator(".xterm-rows").nth(3)).to_contain_text("fourth-one", timeout=BUSY_MS)
    page.locator(".kp-term-head button").nth(3).click()
    expect(page.locator("kp-terminal")).to_have_count(3)
    expect(split).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light"], indirect=True)
def test_who_looks_as_somebody_types_as_them(page, real):
    expect(rows(page)).to_contain_text("default:~$", timeout=BUSY_MS)
    look_as(page, "ann")
    page.goto(f"{real.site}/clusters/default/terminal")
    expect(page.locator(".kp-viewing")).to_contain_text("You look at default as ann")
    expect(page.locator(".kp-term-tab")).to_contain_text("as ann")
    expect(rows(page)).to_contain_text("default:~$", timeout=BUSY_MS)
    typed(page, "kubectl get pods\n", 'User "ann" cannot list resource "pods"')
    page.locator(".kp-term-tab .kp-dock-close").click()
    page.get_by_role("button", name="Be yourself again").click()
    expect(page.locator(".kp-viewing")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light"], indirect=True)
def test_shells_of_a_pod_and_of_a_node_from_their_pages(page, real):
    with real.client() as api:
        spec = {"containers": [{"name": "web", "image": "nginx"}]}
        path = "/api/v1/namespaces/default/pods"
        api.post(path, json={"metadata": {"name": "inside"}, "spec": spec})
        wait_until(lambda: api.get(f"{path}/inside").json()["status"].get("phase") == "Running")
    dock = page.locator("kp-dock .xterm-rows")
    for kind, name in (("pods/default", "inside"), ("nodes/-", "node-2")):
        page.goto(f"{real.site}/clusters/default/objects/core/v1/{kind}/{name}")
        page.locator("[data-shell]").click()
        expect(dock).to_contain_text("#", timeout=BUSY_MS)
        page.keyboard.type("echo on-''$(hostname)\n")
        expect(dock).to_contain_text(f"on-{name}", timeout=BUSY_MS)
        page.locator("kp-dock .kp-dock-close").click()
        expect(dock).to_have_count(0)
    # The same from the topology's panel.
    page.goto(f"{real.site}/clusters/default/topology?sel=pods/default/inside")
    page.locator(".kp-panel").get_by_role("button", name="Shell").click()
    expect(page.locator("kp-dock [role=tab]")).to_contain_text("inside")
    expect(dock).to_contain_text("#", timeout=BUSY_MS)
    page.locator("kp-dock .kp-dock-close").click()


@pytest.mark.parametrize("scheme", ["light"], indirect=True)
def test_a_shell_without_a_sandbox_is_opened_after_a_warning(page, real):
    offer = {"kind": "plain", "why": "This machine lacks bwrap.", "install": "apt-get install it"}
    asked = []

    def answer(route):
        if route.request.method == "GET":
            route.fulfill(json={"offer": offer, "items": []})
            return
        asked.append(route.request.post_data_json)
        if route.request.post_data_json.get("accept"):
            route.fallback()
        else:
            error = {"code": "NotAccepted", "message": "Accept that first."}
            route.fulfill(status=428, json={"error": error})

    page.route("**/api/clusters/default/terminals", answer)
    page.goto(f"{real.site}/clusters/default/terminal")
    card = page.locator(".kp-term-card")
    expect(card).to_contain_text("This shell would run without a sandbox")
    expect(card).to_contain_text("What to install for one: apt-get install it")
    assert Axe().run(page).response["violations"] == []
    card.get_by_role("button", name="Open it without a sandbox").click()
    expect(rows(page)).to_contain_text("default:~$", timeout=BUSY_MS)
    assert [one.get("accept") for one in asked] == [None, True]


@pytest.mark.parametrize("scheme", ["light"], indirect=True)
def test_a_server_that_restarts_says_that_the_shell_ended(page, real):
    expect(rows(page)).to_contain_text("default:~$", timeout=BUSY_MS)
    os.kill(real.child("playground.shells.server"), signal.SIGKILL)
    said = page.locator(".kp-term-notes")
    expect(said).to_contain_text(
        "The server restarted, so this shell ended (exit unknown).", timeout=BUSY_MS
    )
    said.get_by_role("button", name="New shell").click()
    expect(said).to_be_empty(timeout=BUSY_MS)
    typed(page, "echo anew-''here\n", "anew-here")


def tool(page, name):
    """Choose an entry of the menu of tools."""
    page.locator("[data-tool=more]").click()
    page.locator(f"[data-tool={name}]").click()


def hear(page, frame):
    """Have the terminal hear a note, as if it came from the shell."""
    page.evaluate(f"document.querySelector('kp-terminal').hear({frame})")


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
