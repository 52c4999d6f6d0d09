"""Keys, themes and languages: chosen in one browser, there in the next one."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import axe as axe  # noqa: PLC0414 - a fixture
from tests.browser.test_pages import violations

TOPOLOGY = "/clusters/demo/topology"


@pytest.fixture(autouse=True)
def _nothing_chosen(site):
    """The operator starts with what everybody has."""
    site.run(
        "import django; django.setup()\n"
        "from playground.workspace.models import Preferences\n"
        "Preferences.objects.all().delete()"
    )


def menu(page):
    page.get_by_label("Menu of operator").click()
    return page.locator(".kp-menu-body")


def saved(page):
    return page.expect_response(lambda r: r.url.endswith("/api/preferences") and r.ok)


def dark(page):
    return page.evaluate("getComputedStyle(document.body).colorScheme")


def test_help_lists_what_is_bound_here_and_singles_can_be_switched_off(page, site):
    page.goto(site.url + TOPOLOGY)
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keys")
    expect(help_.get_by_text("Filter", exact=True)).to_be_visible()
    expect(help_.get_by_role("heading", name="Topology", exact=True)).to_be_visible()
    with saved(page):
        help_.get_by_label("Single keys are on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(help_).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search and commands")).to_be_focused()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("?")
    expect(help_).to_be_hidden()


def test_an_action_gets_another_key_and_a_clash_is_told(page, site):
    page.goto(f"{site.url}/settings")
    row = page.locator('[data-action="frame.filter"]')
    row.get_by_role("button", name="Change / of Filter").click()
    expect(row.get_by_role("status")).to_contain_text("Press a key")
    with saved(page):
        page.keyboard.press("?")
    expect(row).to_contain_text("Also: Keys of this page")
    row.get_by_role("button", name="Change ? of Filter").click()
    with saved(page):
        page.keyboard.press("z")
    expect(row).not_to_contain_text("Also")
    page.goto(f"{site.url}/clusters/demo/objects/core/v1/pods")
    page.keyboard.press("/")
    expect(page.get_by_label("Filter")).not_to_be_focused()
    page.keyboard.press("z")
    expect(page.get_by_label("Filter")).to_be_focused()
    page.goto(f"{site.url}/settings")
    with saved(page):
        row.get_by_role("button", name="Reset the keys of Filter").click()
    expect(row.get_by_role("button", name="Change / of Filter")).to_be_visible()


def test_keys_may_be_sequences_and_may_be_left_alone(page, site):
    page.goto(f"{site.url}/settings")
    row = page.locator('[data-action="go.objects"]')
    row.get_by_role("button", name="Add a key to Objects").click()
    page.keyboard.press("Escape")
    expect(row.get_by_role("status")).to_have_count(0)
    row.get_by_role("button", name="Add a key to Objects").click()
    with saved(page):
        page.keyboard.press("g")
        page.keyboard.press("p")
    page.goto(site.url + TOPOLOGY)
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pods")


def test_the_theme_is_chosen_in_the_menu_and_holds_everywhere(page, site, browser, signed_in):
    page.goto(site.url + TOPOLOGY)
    ground = page.evaluate("kp.topology.scene.palette.ground")
    with saved(page):
        menu(page).get_by_role("button", name="Dark").click()
    assert dark(page) == "dark"
    assert page.evaluate("kp.topology.scene.palette.ground") != ground
    elsewhere = browser.new_context(storage_state=signed_in, color_scheme="light")
    other = elsewhere.new_page()
    other.goto(site.url)
    assert dark(other) == "dark"
    elsewhere.close()
    with saved(page):
        page.get_by_role("button", name="As the system").click()
    assert dark(page) == "light"


def test_chinese_is_chosen_and_stays(page, site):
    page.goto(f"{site.url}/settings")
    menu(page).get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page).to_have_url(f"{site.url}/settings")
    page.goto(site.url + TOPOLOGY)
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^实时"))
    page.locator(".kp-menu > summary").click()
    page.get_by_role("button", name="English").click()
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live"))


@pytest.mark.parametrize("context", ["dark"], indirect=True)
def test_chinese_pages_menu_palette_and_help_are_accessible(page, site, axe):
    page.goto(site.url + TOPOLOGY)
    menu(page).get_by_role("button", name="简体中文").click()
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^实时"))
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    assert violations(axe, page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.locator("kp-palette input")).to_be_focused()
    page.keyboard.type("web")
    expect(page.get_by_role("option", name=re.compile("web-7c9-0"))).to_be_visible()
    assert violations(axe, page) == []
    page.keyboard.press("Escape")
    # The open menu hides a part of what is below it, which axe would take for too small a target.
    page.goto(f"{site.url}/settings")
    page.locator(".kp-menu > summary").click()
    assert violations(axe, page) == []


def test_less_motion_is_a_choice(browser, site, signed_in, demo):
    context = browser.new_context(storage_state=signed_in)
    page = context.new_page()
    page.goto(f"{site.url}/settings")
    page.get_by_label("Reduced", exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_have_text("Saved.")
    page.goto(site.url + TOPOLOGY)
    expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live"))
    assert page.evaluate("kp.topology.scene.anim.enabled") is False
    context.close()
