"""More lenses, the menu of an object, and actions on many pods."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.test_pages import accessible, violations
from tests.browser.test_topology import topology, until, where  # noqa: F401 - a fixture


def box_of(page, name):
    uid = f"pods-default-{name}"
    return page.evaluate(f"kp.topology.layout.where.get('{uid}')?.box.key")


@pytest.fixture
def traffic(change):
    port = [{"port": 80, "protocol": "TCP"}]
    change(
        "put",
        "endpointslices",
        {
            "metadata": {
                "name": "web-x",
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": "web"},
            },
            "ports": port,
            "endpoints": [{"addresses": ["10.0.0.1"]}],
        },
    )


def test_a_service_has_its_pods_behind_it(topology, traffic, change):  # noqa: F811
    page = topology("?lens=traffic")
    until(page, "kp.topology.store.slices.size === 1")
    assert box_of(page, "web-7c9-0") == "default/web"
    assert box_of(page, "api-0") == "none:default"
    expect(page.get_by_role("treeitem", name=re.compile("^web"))).to_be_visible()
    change("delete", "services", "default/web")
    until(page, "!kp.topology.layout.boxes.has('default/web')")
    assert box_of(page, "web-7c9-0") == "none:default"


def test_a_pod_goes_where_its_claim_is(topology, change):  # noqa: F811
    page = topology()
    page.get_by_role("button", name="Storage").click()
    expect(page).to_have_url(re.compile("lens=storage"))
    change(
        "put",
        "persistentvolumeclaims",
        {"metadata": {"name": "data", "namespace": "default"}, "status": {"phase": "Pending"}},
    )
    until(page, "kp.topology.layout.boxes.has('default/data')")
    expect(page.get_by_role("treeitem", name=re.compile("^data"))).to_have_attribute(
        "data-state", "warn"
    )


def test_the_menu_by_mouse_and_by_keyboard(topology, demo):  # noqa: F811
    page = topology("?sel=pods/default/api-0")
    expect(page.locator(".kp-panel")).to_be_visible()
    at = where(page, "api-0")
    page.mouse.click(at["x"], at["y"], button="right")
    menu = page.get_by_role("menu", name="Actions on api-0")
    expect(menu.get_by_role("menuitem", name="Open its page")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    page.keyboard.press("m")
    page.keyboard.press("End")
    expect(menu.get_by_role("menuitem", name="Cut a link…")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Break something")
    expect(drawer.locator("#break-pod")).to_have_value("default/api-0")


def test_pods_are_selected_with_shift_and_deleted_together(topology, demo):  # noqa: F811
    page = topology()
    for name in ("web-7c9-0", "web-7c9-1", "api-0"):
        at = where(page, name)
        page.keyboard.down("Shift")
        page.mouse.click(at["x"], at["y"])
        page.keyboard.up("Shift")
    bar = page.get_by_role("toolbar", name="Selected pods")
    expect(bar).to_contain_text("3 pods selected")
    bar.get_by_role("button", name="Delete…").click()
    dialog = page.locator("dialog.kp-action")
    expect(dialog.locator("#action-command")).to_contain_text(
        "kubectl delete pods web-7c9-0 web-7c9-1 api-0 -n default"
    )
    dialog.locator("button[type=submit]").click()
    until(page, "kp.topology.store.pods.size === 3")
    expect(bar).to_have_count(0)


def test_a_frame_selects_what_is_in_it(topology):  # noqa: F811
    page = topology()
    canvas = page.locator("canvas").bounding_box()
    page.keyboard.down("Shift")
    page.mouse.move(canvas["x"] + 3, canvas["y"] + 3)
    page.mouse.down()
    page.mouse.move(canvas["x"] + canvas["width"] - 3, canvas["y"] + canvas["height"] - 3)
    page.mouse.up()
    page.keyboard.up("Shift")
    bar = page.get_by_role("toolbar", name="Selected pods")
    expect(bar).to_contain_text("6 pods selected")
    page.keyboard.press("Escape")
    expect(bar).to_have_count(0)


@pytest.mark.parametrize("kind", ["SVG", "PNG"])
def test_the_picture_is_saved(topology, kind, tmp_path):  # noqa: F811
    page = topology()
    with page.expect_download() as saving:
        page.get_by_role("button", name=f"Save as {kind}").click()
    file = tmp_path / "picture"
    saving.value.save_as(file)
    assert re.fullmatch(rf"demo-nodes-\d+\.{kind.lower()}", saving.value.suggested_filename)
    start = {"SVG": b"<svg xmlns", "PNG": b"\x89PNG"}[kind]
    assert file.read_bytes().startswith(start)


@pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
def test_menu_and_bar_are_accessible(topology, page):  # noqa: F811
    topology("?sel=pods/default/api-0")
    expect(page.locator(".kp-panel")).to_be_visible()
    page.keyboard.press("x")
    page.keyboard.press("m")
    expect(page.get_by_role("menu")).to_be_visible()
    assert violations(Axe(), page) == []


def test_the_panel_leads_on(topology, demo):  # noqa: F811
    demo.attempts["pods-default-api-0"] = [ATTEMPT]
    page = topology("?sel=pods/default/api-0")
    buttons = page.get_by_role("group", name="Views and actions")
    expect(buttons.locator(".kp-button")).to_have_text(
        ["Logs", "Shell", "YAML", "Describe", "Trace it", "Why here?", "Edit"]
    )
    expect(buttons.get_by_role("link", name="Trace it")).to_have_attribute(
        "href", "/clusters/demo/trace?object=pods/default/api-0"
    )
    expect(buttons.get_by_role("link", name="Edit")).to_have_attribute(
        "href", "/clusters/demo/editor?kind=pods&namespace=default&name=api-0"
    )
    page.keyboard.press("w")
    why = page.get_by_role("region", name="Why on n2?")
    expect(why).to_contain_text("Attempt 1")
    expect(why).to_contain_text("Successfully assigned default/api-0 to n2")
    buttons.get_by_role("button", name="Logs").click()
    expect(page.locator("kp-dock [role=log]")).to_be_visible()
    accessible(page)
    why.get_by_role("button", name="Close").click()
    expect(why).to_have_count(0)
    buttons.get_by_role("button", name="YAML").click()
    expect(page.locator(".kp-panel #yaml-text")).to_contain_text("name: api-0")


def test_a_range_is_picked_in_the_outline_and_deleted_by_keys(topology):  # noqa: F811
    page = topology()
    page.get_by_role("tree").locator("[tabindex='0']").focus()
    page.keyboard.type("n2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    bar = page.get_by_role("toolbar", name="Selected pods")
    expect(bar).to_contain_text("2 pods selected")
    expect(page.locator(".kp-tree-row[data-picked]")).to_have_count(2)
    page.keyboard.press("Control+d")
    dialog = page.locator("dialog.kp-action")
    expect(dialog.locator("#action-command")).to_contain_text("kubectl delete pods")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_range_is_picked_in_the_table_and_has_a_menu(topology):  # noqa: F811
    page = topology("?view=table&sel=pods/default/api-0")
    rows = page.locator("kp-table tbody tr")
    rows.nth(0).get_by_role("button").click()
    rows.nth(3).get_by_role("button").click(modifiers=["Shift"])
    expect(page.locator("kp-table tr[data-picked]")).to_have_count(4)
    rows.nth(3).get_by_role("button").focus()
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator("kp-table tr[data-picked]")).to_have_count(3)
    page.keyboard.press("m")
    menu = page.get_by_role("menu", name="Actions on 3 pods selected")
    expect(menu.get_by_role("menuitem", name="Delete…")).to_be_focused()
    expect(menu.get_by_role("menuitem", name=re.compile("^Cordon"))).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("kp-table tr[data-picked]")).to_have_count(0)


def test_keys_are_listed_and_one_switch_turns_letters_off(topology):  # noqa: F811
    page = topology()
    page.keyboard.press("2")
    expect(page).to_have_url(re.compile("lens=owners"))
    page.keyboard.press("?")
    dialog = page.locator("#help")
    expect(dialog).to_contain_text("Lens: storage")
    page.keyboard.press("Escape")
    page.evaluate("document.querySelector('[data-keys-toggle]').click()")
    try:
        page.keyboard.press("1")
        page.keyboard.press("Control+a")
        expect(page.get_by_role("toolbar", name="Selected pods")).to_contain_text("6 pods")
        assert page.evaluate("kp.topology.lens") == "owners"
    finally:
        page.evaluate("document.querySelector('[data-keys-toggle]').click()")


ATTEMPT = {
    "pod": "default/api-0",
    "uid": "pods-default-api-0",
    "number": 1,
    "at": "2026-11-23T09:00:00Z",
    "node": "n2",
    "message": "",
    "because": {"event": "UnscheduledPod/Add", "obj": "", "plugin": ""},
    "evaluated": 3,
    "fitting": 1,
    "refused": {
        "n1": ["NodeResourcesFit", ["Insufficient cpu"]],
        "n3": ["NodeResourcesFit", ["Insufficient cpu"]],
    },
    "scores": {},
    "tied": [],
    "spared": {},
    "lacks": {},
    "seconds": {},
}
