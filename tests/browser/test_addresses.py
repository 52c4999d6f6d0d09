"""What one has chosen on a page stands in its address: a reload or a pasted link brings it back."""

from __future__ import annotations

import re

from playwright.sync_api import expect

POD = "/clusters/demo/objects/core/v1/pods/default/web-7c9-0?tab=logs"


def test_the_options_of_a_log_come_back(page, site):
    page.goto(site.url + POD)
    page.locator("[name=grep]").fill("GET /")
    page.get_by_label("Only lines that match").check()
    page.get_by_label("Wrap").uncheck()
    page.wait_for_url(re.compile("only=1.*wrap=0"))
    page.reload()
    expect(page.locator("[name=grep]")).to_have_value("GET /")
    expect(page.get_by_label("Only lines that match")).to_be_checked()
    expect(page.get_by_label("Wrap")).not_to_be_checked()


def test_a_link_brings_the_panel_below_with_its_filters_and_other_pages_keep_it(page, site):
    page.goto(f"{site.url}/clusters/demo/topology?dock=events,q:back-off,type:Warning")
    expect(page.locator("kp-events [name=q]")).to_have_value("back-off")
    expect(page.get_by_role("button", name=re.compile("^Warnings"))).to_have_attribute(
        "aria-pressed", "true"
    )
    page.locator("kp-events [name=q]").fill("a, b")
    page.wait_for_url(re.compile("q:a%25%2C|q:a%252C"))
    page.locator(".kp-rail").get_by_role("link", name="Access").click()
    page.wait_for_url(re.compile("/access.*dock=events"))
    page.get_by_role("button", name="Close the dock").click()
    page.wait_for_url(lambda url: "dock=" not in url)


def test_a_sorted_table_and_a_hidden_outline_come_back(page, site):
    page.goto(f"{site.url}/clusters/demo/topology?view=table&outline=0&sort=-restarts")
    column = page.get_by_role("columnheader", name="Restarts")
    expect(column).to_have_attribute("aria-sort", "descending")
    expect(page.get_by_role("button", name="Outline")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Status").click()
    page.wait_for_url(re.compile("sort=status"))


def test_a_grid_of_many_subjects_draws_those_in_sight(page, site):
    page.goto(f"{site.url}/clusters/demo/access?system=on&shown=1")
    grid = page.locator(".kp-access")
    expect(page.get_by_text("Show more")).to_have_count(0)
    whole = page.locator(".kp-all")
    expect(whole).to_be_visible()
    count = int(re.match(r"\d+", whole.inner_text())[0])
    expect(grid).to_have_attribute("aria-rowcount", str(count + 1))
    last = grid.locator(f'[aria-rowindex="{count + 1}"]')
    page.locator(".kp-access-scroll").evaluate("box => (box.scrollTop = box.scrollHeight)")
    name = last.locator("th").inner_text().split()[-1]
    cell = last.get_by_role("link", name=re.compile(f"^{re.escape(name)} get: (yes|no)"))
    cell.click()
    page.wait_for_url(re.compile("verb=get"))
    assert name in page.url
