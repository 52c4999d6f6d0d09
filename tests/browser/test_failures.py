"""Breaking things and stopping time from the topology page."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.test_pages import violations
from tests.browser.test_topology import topology  # noqa: F401 - a fixture


@pytest.fixture
def drawer(topology):  # noqa: F811
    page = topology()
    page.get_by_role("button", name="Break something").click()
    return page.get_by_role("dialog", name="Break something")


def test_something_is_broken_with_a_prediction_and_undone(page, drawer, demo):
    expect(drawer).to_contain_text("Nothing is broken.")
    drawer.get_by_text("Stop a node").click()
    drawer.get_by_label("Node", exact=True).select_option("n2")
    drawer.get_by_label("What should happen next?").fill("its pods move")
    drawer.get_by_role("button", name="Break it").click()
    expect(drawer.locator(".kp-break-done")).to_contain_text("Stopped node n2 at rev")
    expect(drawer.locator(".kp-break-done")).to_contain_text("You expected: its pods move")
    assert demo.failures[0]["target"] == {"node": "n2"}
    page.keyboard.press("Escape")
    bar = page.locator("[data-notice=broken]")
    expect(bar).to_contain_text("1 thing is broken. Stopped node n2")
    bar.get_by_role("button", name="Undo: Stopped node n2").click()
    expect(bar).to_have_count(0)
    expect(page.locator("kp-topology > p[aria-live]")).to_have_text("Undone: Stopped node n2.")


def test_what_the_cluster_refuses_stands_at_its_field(page, topology, demo):  # noqa: F811
    opened = topology()
    opened.evaluate("kp.topology.breakSomething('stop-node')")
    # As if the node had gone while the dialog was open.
    opened.evaluate("document.querySelector('kp-break').set('node', 'n9')")
    drawer = opened.get_by_role("dialog", name="Break something")
    drawer.get_by_role("button", name="Break it").click()
    expect(drawer.get_by_role("alert")).to_contain_text("That did not work")
    expect(drawer.locator(".kp-field-error")).to_have_text('Not found: "n9"')
    assert demo.failures == []


def test_by_the_keyboard_alone(page, topology):  # noqa: F811
    opened = topology()
    opened.get_by_role("button", name="Break something").focus()
    opened.keyboard.press("Enter")
    opened.keyboard.press("Space")
    opened.keyboard.press("ArrowDown")
    expect(opened.get_by_role("radio", name=re.compile("Stop a node"))).to_be_checked()
    opened.keyboard.press("Enter")
    expect(opened.locator(".kp-break-done")).to_contain_text("Stopped node")


def test_the_clock_is_stopped_stepped_and_sped_up(page, topology, demo):  # noqa: F811
    opened = topology()
    clock = opened.get_by_role("group", name="The cluster's clock")
    expect(clock.locator("time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    clock.get_by_role("button", name="Stop time").click()
    expect(clock).to_contain_text("stopped")
    assert demo.clock["paused"]
    said = opened.locator("kp-clock > [role=status]")
    expect(said).to_have_text("The cluster's time stands still.")
    clock.get_by_role("button", name="Step").click()
    expect(said).to_have_text("Time went on by 60 s.")
    clock.get_by_role("button", name=re.compile("^100")).click()
    expect(said).to_have_text("Time runs 100 times as fast.")
    expect(clock.get_by_role("button", name=re.compile("^100"))).to_have_attribute(
        "aria-pressed", "true"
    )
    assert demo.clock["paused"] is False


@pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
def test_the_drawer_is_accessible(page, drawer):
    drawer.get_by_text("Cut a link").click()
    assert violations(Axe(), page) == []
