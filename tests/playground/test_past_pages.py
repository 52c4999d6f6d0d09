"""Pages at `?rev=N`: every link stays there, nothing can be changed, and the frame says so."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.playground.objects import pod

pytestmark = pytest.mark.django_db
OBJECTS = "/clusters/demo/objects"
PODS = f"{OBJECTS}/core/v1/pods"
WEB = f"{PODS}/default/web-7c9-0"
TAG = re.compile(r"<a [^>]*>")
ADDRESS = re.compile(r'(?:href|hx-get|hx-push-url)="([^"]*)"')
HTMX = {"HX-Request": "true"}


def text(response):
    return response.content.decode()


@pytest.fixture
def demo(worker):
    return worker.fake.clusters["demo"]


def strays(page, rev):
    """Return the addresses of objects and lists on a page that would leave the past."""
    main = page.partition("<main")[2] or page
    found = []
    for tag in TAG.findall(main):
        if "data-live" in tag or "data-carry" in tag:
            continue  # these say themselves where they lead
        for address in ADDRESS.findall(tag):
            url = urlsplit(address.replace("&amp;", "&"))
            inside = url.path.startswith("/clusters/demo/") or not url.path
            if inside and parse_qs(url.query).get("rev") != [str(rev)]:
                found.append(address)
    return found


TABS = ("summary", "yaml", "events", "relations", "logs")


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("compact", ["", "&compact"])
def test_every_link_of_an_object_stays_at_its_revision(demo, as_operator, tab, compact):
    rev = demo.revision
    headers = HTMX if compact else {}
    page = text(as_operator.get(f"{WEB}?tab={tab}&rev={rev}{compact}", headers=headers))
    assert f"tab=yaml&amp;rev={rev}" in page, "the tabs are links"
    assert strays(page, rev) == []


def test_so_do_links_to_what_is_hidden(worker, demo, as_operator):
    rev = demo.revision
    page = text(as_operator.get(f"{WEB}?tab=yaml&rev={rev}"))
    assert f"?tab=yaml&amp;rev={rev}&amp;managed" in page
    page = text(as_operator.get(f"{WEB}?tab=yaml&rev={rev}&managed"))
    assert "Hide managed fields" in page
    assert strays(page, rev) == []
    assert "rev=" not in text(as_operator.get(f"{WEB}?tab=yaml"))


def test_names_that_are_close_are_of_that_revision(demo, as_operator):
    page = text(as_operator.get(f"{PODS}/default/wbe-7c9-0?rev={demo.revision}"))
    assert f'href="{WEB}?rev={demo.revision}">web-7c9-0</a>' in page
    assert strays(page, demo.revision) == []


def test_the_history_leads_to_requests_and_to_the_timeline(worker, demo, as_operator, monkeypatch):
    records = type(demo).records

    def traced(self, asked):
        return [one | {"trace": "a1"} for one in records(self, asked)]

    monkeypatch.setattr(type(demo), "records", traced)
    page = text(as_operator.get(f"{WEB}?tab=history&rev={demo.revision}"))
    assert f'href="/clusters/demo/trace/a1?rev={demo.revision}"' in page
    line = f"timeline?tab=object&amp;object=pods/default/web-7c9-0&amp;rev={demo.revision}"
    assert line in page
    assert "rev=" not in text(as_operator.get(f"{WEB}?tab=history")).partition("tab=object")[2][:60]


def test_the_history_ends_at_the_revision(worker, demo, as_operator):
    then = demo.revision
    worker.change(demo.put, "pods", pod("web-7c9-0", "n2", owner="rs-web-7c9"))
    later = f"rev={demo.revision}"
    assert later in text(as_operator.get(f"{WEB}?tab=history"))
    assert later not in text(as_operator.get(f"{WEB}?tab=history&rev={then}"))


def test_what_came_later_leads_there(worker, demo, as_operator):
    worker.change(demo.put, "pods", pod("later", "n1"))
    born = demo.revision
    worker.change(demo.delete, "pods", "default/later")
    gone = text(as_operator.get(f"{PODS}/default/later?rev={demo.revision}"))
    assert "Pod later was deleted at" in gone
    assert "It came later." not in gone
    early = text(as_operator.get(f"{PODS}/default/later?rev={born - 1}"))
    assert "was deleted at" not in early, "that has not happened yet"
    assert f'?rev={born}">See it at revision' in early


def test_logs_are_of_the_present(demo, as_operator):
    page = text(as_operator.get(f"{WEB}?tab=logs&rev={demo.revision}"))
    assert "Logs are kept of what runs now" in page
    assert f'<a href="{WEB}?tab=logs&amp;since=rev:{demo.revision}" data-live>' in page
    assert "<kp-logs" not in page


BANNER = "Changing things is off."


@pytest.mark.parametrize("path", [PODS, WEB, "/clusters/demo/topology", "/clusters/demo/overview"])
def test_pages_of_the_past_have_the_banner(demo, as_operator, path):
    page = text(as_operator.get(f"{path}?rev={demo.revision}"))
    assert "You are looking at revision" in page
    assert BANNER in page
    assert f'href="{path}" data-live>Back to live</a>' in page


@pytest.mark.parametrize("page", ["access", "trace"])
def test_pages_of_the_present_say_so_and_lead_back(demo, as_operator, page):
    shown = text(as_operator.get(f"/clusters/demo/{page}?rev={demo.revision}"))
    assert "This page shows the present. Others stay at revision" in shown
    assert BANNER not in shown
    assert "Past · rev" not in shown
    assert f"/objects?rev={demo.revision}" in shown, "the rail stays"
    assert f'href="/clusters/demo/{page}" data-live>Back to live</a>' in shown


def test_the_short_address_of_a_cluster_keeps_its_query(demo, as_operator):
    answer = as_operator.get("/clusters/demo/?rev=3")
    assert answer["Location"] == "/clusters/demo/topology?rev=3"


def test_nothing_is_planned_for_the_past(demo, as_operator):
    body = {
        "action": "delete",
        "resource": {"group": "", "version": "v1", "plural": "pods"},
        "targets": [{"namespace": "default", "name": "web-7c9-0"}],
    }
    for rev in ({}, {"rev": 3}):
        answer = as_operator.post(
            "/api/clusters/demo/actions/plan", {**body, **rev}, "application/json"
        )
        assert answer.status_code == (422 if rev else 200), answer.content
