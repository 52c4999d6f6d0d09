"""The palette: objects, pages and actions by name, and the command line after a colon."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

PODS = "/clusters/demo/objects/core/v1/pods"


@pytest.fixture
def line(page, site):
    """The palette's line, open on the topology."""
    page.goto(f"{site.url}/clusters/demo/topology")
    expect(page.locator("#topology-count")).to_have_text("6 pods")

    def open_(key="Control+k"):
        page.keyboard.press(key)
        field = page.get_by_role("combobox", name="Search and commands")
        expect(field).to_be_focused()
        return field

    return open_


def option(page, name):
    return page.get_by_role("option", name=re.compile(name))


def test_an_object_is_found_by_name_and_opened(page, site, line):
    line()
    page.keyboard.type("web-7c9-1")
    expect(option(page, "web-7c9-1")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}{PODS}/default/web-7c9-1")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#main")).to_be_focused()


def test_pages_and_actions_are_found_by_parts_of_words(page, site, line):
    line()
    page.keyboard.type("obj")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}{PODS}")
    line()
    page.keyboard.type("keys of")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_the_search_button_opens_it_too(page, site, line):
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("combobox", name="Search and commands")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Search")).to_be_focused()


def test_nothing_found_says_so(page, line):
    line()
    page.keyboard.type("no such thing")
    expect(page.locator(".kp-palette-foot")).to_have_text(
        "Nothing matches no such thing. Objects are found by name, namespace and kind."
    )


def test_a_command_leads_to_a_list(page, site, line):
    line(":")
    page.keyboard.type("po kube-system /dns")
    expect(page.locator(".kp-palette-line")).to_have_text(
        "Lists pods in kube-system, names with “dns”."
    )
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}{PODS}?ns=kube-system&q=dns")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_commands_are_completed_and_remembered(page, site, line):
    field = line(":")
    page.keyboard.type("dep")
    expect(option(page, ":deployments")).to_be_visible()
    page.keyboard.press("Tab")
    expect(field).to_have_value(":deployments ")
    page.keyboard.type("kube")
    page.keyboard.press("Tab")
    expect(field).to_have_value(":deployments kube-system ")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/apps/v1/deployments\?ns=kube-system$"))
    line(":")
    page.keyboard.press("ArrowUp")
    expect(field).to_have_value(":deployments kube-system")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/apps/v1/deployments\?ns=kube-system$"))


def test_a_slip_is_corrected(page, line):
    field = line(":")
    page.keyboard.type("servcies")
    expect(page.locator(".kp-palette-line")).to_contain_text("demo has no kind servcies.")
    page.get_by_role("button", name="Did you mean services?").click()
    expect(field).to_have_value(":services")
    expect(field).to_be_focused()


def test_what_the_site_refuses_is_said(page, line):
    page.route("**/search?*", lambda route: route.fulfill(status=503, body="{}"))
    line()
    page.keyboard.type("web")
    expect(page.get_by_role("alert")).to_contain_text("The search did not work")


def test_the_address_of_a_view_is_copied(page, site, line, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_label("Filter pods").fill("app=web")
    page.get_by_label("Filter pods").blur()
    page.keyboard.press("Shift+c")
    expect(page.locator("#voice")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{site.url}/clusters/demo/topology?q=app=web"
