"""The topology in a real browser: drawing, selecting, filtering, the keyboard, and coming back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.playground.objects import pod

LIVE = re.compile(r"^Live · rev")
RGB = """([x, y]) => {
  const canvas = document.querySelector("canvas");
  const frame = canvas.getBoundingClientRect();
  const ratio = canvas.width / frame.width;
  const ctx = canvas.getContext("2d");
  const at = ctx.getImageData((x - frame.left) * ratio, (y - frame.top) * ratio, 1, 1);
  return [...at.data.slice(0, 3)];
}"""


@pytest.fixture
def topology(page, site):
    def open_(query=""):
        page.goto(f"{site.url}/clusters/demo/topology{query}")
        expect(page.locator(".kp-chip")).to_have_text(LIVE)
        store = "kp.topology.store"
        until(page, f"{store}.owners.size === 2 && {store}.warnings.size")
        return page

    return open_


def until(page, condition):
    """Wait for a condition in the page; its policy lets nothing but us evaluate text."""
    for _ in range(150):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(condition)


def where(page, name, namespace="default"):
    return page.evaluate(f"kp.topology.whereIs('pods/{namespace}/{name}')")


def selected(page):
    return page.evaluate("kp.topology.lastPod && kp.topology.lastPod.name")


def test_the_picture_shows_each_pod_where_it_says(topology):
    page = topology()
    at = where(page, "web-7c9-0")
    page.mouse.move(at["x"], at["y"])
    assert page.locator("canvas").get_attribute("title") == "web-7c9-0"
    page.keyboard.press("-")
    page.keyboard.press("-")
    page.keyboard.press("-")
    until(page, "kp.topology.scene.place.k === kp.topology.scene.camera.k")
    at = where(page, "web-7c9-0")
    page.mouse.move(1, 300)
    red, green, blue = page.evaluate(RGB, [at["x"], at["y"]])
    assert green > red
    assert green > blue


def test_a_new_pod_appears_by_itself(topology, change):
    page = topology()
    change("put", "pods", pod("fresh-0", "n3"))
    expect(page.locator("#topology-count")).to_have_text("7 pods")
    assert where(page, "fresh-0")
    change("delete", "pods", "default/fresh-0")
    expect(page.locator("#topology-count")).to_have_text("6 pods")
    assert where(page, "fresh-0") is None


def test_a_click_opens_the_panel_and_the_address_keeps_it(topology):
    page = topology()
    at = where(page, "api-0")
    page.mouse.click(at["x"], at["y"])
    panel = page.locator(".kp-panel")
    expect(panel.get_by_role("heading", name="api-0")).to_be_visible()
    expect(panel).to_contain_text("Back-off restarting failed container main")
    expect(panel).to_contain_text("It has restarted 7 times.")
    expect(page).to_have_url(re.compile("sel=pods/default/api-0"))
    page.reload()
    expect(panel.get_by_role("heading", name="api-0")).to_be_visible()


def test_the_panel_says_whose_the_pod_is_and_which_service_selects_it(topology):
    page = topology("?sel=pods/default/web-7c9-1")
    panel = page.locator(".kp-panel")
    expect(panel.get_by_role("link", name="Deployment web")).to_be_visible()
    expect(panel.get_by_role("link", name="ReplicaSet web-7c9")).to_be_visible()
    expect(panel.get_by_role("link", name="Service web")).to_be_visible()


def test_the_tabs_of_the_panel(topology):
    page = topology("?sel=pods/default/web-7c9-0")
    panel = page.locator(".kp-panel")
    panel.get_by_role("link", name="YAML").click()
    expect(panel.locator("#yaml-text")).to_contain_text("image: nginx")
    panel.get_by_role("link", name="Logs").click()
    expect(panel.get_by_role("log")).to_contain_text("ready to serve")
    expect(panel.get_by_role("log")).to_contain_text("tick")
    panel.get_by_role("link", name="Events").click()
    expect(panel).to_contain_text("No events about this object.")


def test_a_pod_deleted_while_it_is_open(topology, change):
    page = topology("?sel=pods/default/web-7c9-0")
    change("put", "pods", {**pod("web-7c9-9", "n1", owner="rs-web-7c9")})
    change("delete", "pods", "default/web-7c9-0")
    note = page.locator(".kp-panel").get_by_role("alert")
    expect(note).to_contain_text("Pod web-7c9-0 was deleted at")
    expect(note).to_contain_text("This is its last state.")


def test_a_filter_dims_and_counts_but_removes_nothing(topology):
    page = topology()
    page.keyboard.press("/")
    page.keyboard.type("app=web")
    expect(page.locator("#topology-count")).to_have_text("3 of 6 match")
    assert where(page, "api-0")
    expect(page).to_have_url(re.compile("q=app=web"))
    page.keyboard.press("Escape")
    expect(page.locator("#topology-count")).to_have_text("6 pods")


def test_a_filter_that_finds_nothing_offers_what_was_meant(topology):
    page = topology("?q=app=wbe")
    note = page.locator("[data-notice=no-match]")
    expect(note).to_contain_text("Nothing matches app=wbe.")
    note.get_by_role("button", name="Did you mean app=web (3 pods)?").click()
    expect(page.locator("#topology-count")).to_have_text("3 of 6 match")


def test_a_term_that_makes_no_sense_is_explained(topology):
    page = topology("?q=colour:red")
    expect(page.locator(".kp-notices")).to_contain_text("“colour:red” is no filter.")


def test_owners(topology):
    page = topology()
    page.get_by_role("button", name="Owners").click()
    expect(page.get_by_role("treeitem", name=re.compile("^web"))).to_be_visible()
    expect(page).to_have_url(re.compile("lens=owners"))
    assert where(page, "web-7c9-0")


def test_the_keyboard_alone_finds_opens_and_reads_a_pod(topology):
    page = topology()
    tree = page.get_by_role("tree")
    tree.locator("[tabindex='0']").focus()
    page.keyboard.type("n2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".kp-panel-head h2")).to_be_focused()
    assert selected(page) == "api-0"
    page.keyboard.press("l")
    expect(page.locator(".kp-panel").get_by_role("log")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".kp-panel")).to_have_count(0)


def test_the_arrow_keys_walk_through_the_picture(topology):
    page = topology("?sel=pods/default/web-7c9-0")
    expect(page.locator(".kp-panel-head h2")).to_have_text("web-7c9-0")
    page.keyboard.press("ArrowRight")
    assert selected(page) != "web-7c9-0"
    page.keyboard.press("ArrowLeft")
    assert selected(page) == "web-7c9-0"


def test_the_tree_tells_place_and_state(topology):
    page = topology()
    node = page.get_by_role("treeitem", name=re.compile("^n1"))
    expect(node).to_have_attribute("aria-level", "2")
    expect(node).to_have_attribute("aria-posinset", "1")
    expect(node).to_have_attribute("aria-setsize", "2")
    expect(node).to_have_attribute("aria-expanded", "false")
    node.click()
    expect(node).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("treeitem", name=re.compile("^web-7c9-0"))).to_be_visible()


def test_the_table_holds_the_same_pods(topology):
    page = topology()
    page.keyboard.press("Shift+T")
    table = page.get_by_role("table")
    expect(table.locator("tbody tr")).to_have_count(6)
    table.get_by_role("button", name="Restarts").click()
    table.get_by_role("button", name="Restarts").click()
    expect(table.locator("tbody tr").first).to_contain_text("api-0")
    expect(page).to_have_url(re.compile("view=table"))
    page.keyboard.press("Shift+T")
    expect(page.locator("canvas")).to_be_visible()


def test_while_paused_changes_wait(topology, change):
    page = topology()
    page.keyboard.press("Space")
    change("put", "pods", pod("late-0", "n3"))
    expect(page.locator(".kp-chip")).to_have_text("Paused · 1 change waiting")
    assert where(page, "late-0") is None
    page.keyboard.press("Space")
    expect(page.locator(".kp-chip")).to_have_text(LIVE)
    assert where(page, "late-0")


def test_the_control_plane_beats_and_leads_to_its_requests(topology, worker, demo):
    page = topology()
    plane = page.get_by_role("list", name="Control plane")
    expect(plane.get_by_role("link", name="Kubelets 3 of 3")).to_be_visible()
    scheduler = plane.get_by_role("link", name=re.compile("^Scheduler"))
    expect(scheduler).to_have_attribute("data-beat", "0")
    demo.waiting["scheduler"]["unschedulable"] = 1
    worker.change(lambda: demo.ask(scheduler=2))
    expect(scheduler).to_have_attribute("data-beat", "odd")
    expect(scheduler).to_have_text(re.compile("1 unschedulable"))
    expect(plane.get_by_role("link", name=re.compile("^API server"))).to_contain_text("<1/s")
    address = "/clusters/demo/trace?who=all&user=kube-scheduler"
    expect(scheduler).to_have_attribute("href", address)


def test_a_new_pod_leaves_the_scheduler_and_many_are_counted(topology, worker, demo):
    page = topology()
    expect(page.locator("[data-part=scheduler]")).to_be_visible()
    # Motion is off in tests; what would move is noted.
    page.evaluate("""() => {
      const { anim } = kp.topology.scene;
      anim.enabled = true;
      window.moved = [];
      anim.add = (type, uid, how) => window.moved.push([type, uid, Boolean(how.screen)]);
    }""")

    def put(first, last):
        for n in range(first, last):
            demo.put("pods", pod(f"many-{n}", f"n{n % 2 + 1}"))

    worker.change(put, 0, 1)
    until(page, "moved.length === 1")
    assert page.evaluate("moved") == [["fly", "pods-default-many-0", True]]
    expect(page.locator(".kp-ripple")).to_have_count(0)
    worker.change(put, 1, 31)
    expect(page.locator(".kp-ripple")).to_have_text(re.compile(r"^\+3[01] pods on 2 nodes$"))
    expect(page.locator(".kp-ripple")).to_have_count(0)


def test_changes_are_said_aloud(topology, change):
    page = topology()
    change("put", "pods", pod("late-0", "n3"))
    said = page.locator("kp-topology > [aria-live=polite]")
    expect(said).to_have_text("1 pod changed: 1 running.")


def test_the_server_restarts_and_nothing_is_lost(topology, change, site):
    page = topology("?sel=pods/default/api-0")
    expect(page.locator(".kp-panel-head h2")).to_have_text("api-0")
    page.keyboard.press("+")
    before = page.evaluate("({...kp.topology.scene.camera})")
    page.evaluate("window.stillThere = true")
    site.stop()
    try:
        expect(page.locator(".kp-chip")).to_contain_text("Reconnecting")
        change("put", "pods", pod("meanwhile-0", "n3"))
        change("delete", "pods", "kube-system/dns-0")
    finally:
        site.start()
    gap = page.locator("[data-notice=gap]")
    expect(gap.locator("p")).to_have_text(
        re.compile(
            r"^You were offline for \d+ s; 2 changes were skipped\. "
            r"Reloaded at rev \d+\. Play them in Timeline$"
        )
    )
    link = gap.get_by_role("link", name="Play them in Timeline")
    expect(link).to_have_attribute("href", re.compile(r"^/clusters/demo/timeline\?rev=\d+$"))
    expect(page.locator(".kp-chip")).to_have_text(LIVE)
    assert where(page, "meanwhile-0")
    assert where(page, "dns-0", "kube-system") is None
    assert selected(page) == "api-0"
    assert page.evaluate("({...kp.topology.scene.camera})") == before
    assert page.evaluate("window.stillThere")


def test_a_short_loss_is_caught_up_without_a_gap(topology, change, context):
    page = topology()
    page.evaluate("kp.topology.stream.socket.close(4000)")
    change("put", "pods", pod("meanwhile-0", "n3"))
    expect(page.locator("#topology-count")).to_have_text("7 pods")
    expect(page.locator("[data-notice=gap]")).to_have_count(0)


def test_a_missing_part_is_noticed_and_repaired(topology, change):
    page = topology()
    page.evaluate("kp.topology.store.number -= 1")
    change("put", "pods", pod("late-0", "n3"))
    expect(page.locator("[data-notice=out-of-step]")).to_contain_text("was read again")
    expect(page.locator("#topology-count")).to_have_text("7 pods")


def test_a_deleted_cluster(topology, worker):
    page = topology()
    worker.change(lambda: worker.fake.clusters.pop("demo").end())
    note = page.locator("[data-notice=gone]")
    expect(note).to_contain_text("This cluster was deleted. What you see is its last state.")
    expect(note.get_by_role("link", name="All clusters")).to_be_visible()
    expect(page.locator(".kp-chip")).to_have_text("Cluster deleted")


def test_a_worker_that_goes_away_and_comes_back(topology, worker, demo):
    page = topology()
    worker.fake.down = True
    worker.change(demo.cut_watches)
    page.wait_for_timeout(300)
    worker.fake.down = False
    worker.change(demo.put, "pods", pod("after-0", "n1"))
    expect(page.locator("#topology-count")).to_have_text("7 pods")


def test_what_one_may_not_list(page, site, demo):
    demo.forbidden = {"pods"}
    page.goto(f"{site.url}/clusters/demo/topology")
    note = page.locator("[data-notice=forbidden]")
    expect(note).to_contain_text("You may not list pods in this cluster.")
    expect(note.get_by_role("button", name="Copy the RBAC rule")).to_be_visible()


def test_an_empty_namespace_says_what_to_do(topology):
    page = topology("?ns=empty-one")
    box = page.locator(".kp-hint-box")
    text = "No pods in empty-one. Create a Deployment Show all namespaces"
    expect(box).to_have_text(text)
    create = box.get_by_role("link", name="Create a Deployment")
    expect(create).to_have_attribute(
        "href", "/clusters/demo/editor?ns=empty-one&snippet=Deployment"
    )
    box.get_by_role("button", name="Show all namespaces").click()
    expect(page.locator("#topology-count")).to_have_text("6 pods")
    # Too slow a device: what counts slow frames says so.
    page.evaluate("kp.topology.scene.anim.enabled = true; kp.topology.scene.stats.slow = 100")
    page.keyboard.press("+")
    note = page.locator(".kp-notices .kp-note")
    expect(note).to_have_text("Drawing is slow on this device, so animation is off. Turn on")
    assert page.evaluate("kp.topology.scene.anim.enabled") is False
    note.get_by_role("button", name="Turn on").click()
    assert page.evaluate("kp.topology.scene.anim.enabled")


def test_an_empty_cluster_says_what_to_try(page, site, worker):
    worker.change(worker.fake.add, "empty")
    page.goto(f"{site.url}/clusters/empty/topology")
    text = "This cluster has no nodes. Pods wait until one joins."
    expect(page.locator(".kp-hint-box")).to_have_text(text)


def test_two_tabs(topology, change, context, site):
    page = topology()
    other = context.new_page()
    other.goto(f"{site.url}/clusters/demo/topology")
    expect(other.locator("#topology-count")).to_have_text("6 pods")
    change("put", "pods", pod("fresh-0", "n3"))
    for one in (page, other):
        expect(one.locator("#topology-count")).to_have_text("7 pods")


def test_nothing_comes_from_elsewhere(topology, site, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    topology()
    assert asked
    assert [url for url in asked if not url.startswith((site.url, "data:"))] == []
