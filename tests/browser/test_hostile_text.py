"""What objects, events and logs say is text on every page that shows it, and never runs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.playground.objects import pod

IMAGE = "<img src=x onerror=\"window.ran='%s'\">"
LINK = "javascript:window.ran='a link'"
SCRIPT = "</script><script>window.ran='a script'</script>"
ESCAPES = "\x1b]52;c;cm0gLXJmIC8=\x07\x1b]8;;javascript:window.ran=1\x07here\x1b]8;;\x07\x1b[2J"
ADDRESS = "/clusters/demo"
OBJECT = f"{ADDRESS}/objects/core/v1/pods/default/hostile"
PAGES = {
    "topology": (f"{ADDRESS}/topology?sel=pods/default/hostile", ".kp-panel .kp-sentence"),
    "table": (f"{ADDRESS}/topology?view=table", "table"),
    "overview": (f"{ADDRESS}/overview", "h1"),
    "list": (f"{ADDRESS}/objects/core/v1/pods", "tbody tr"),
    "events": (f"{ADDRESS}/objects/core/v1/events", "main"),
    "summary": (OBJECT, "h1"),
    "yaml": (f"{OBJECT}?tab=yaml", "pre"),
    "of it": (f"{OBJECT}?tab=events", "main"),
    "logs": (f"{OBJECT}?tab=logs", "main"),
    "editor": (f"{ADDRESS}/editor?kind=pods&namespace=default&name=hostile", ".cm-line"),
    "missing": (f"{ADDRESS}/objects/core/v1/pods/default/{IMAGE}", "main"),
    "filter": (f"{ADDRESS}/topology?q={IMAGE}", ".kp-chip"),
}


@pytest.fixture
def hostile(change, demo):
    """A pod that is hostile wherever text is free."""
    made = pod("hostile", "n1", waiting=IMAGE % "a reason")
    about = IMAGE % "an annotation"
    made["metadata"]["annotations"] = {"a": about, "b": LINK, "c": SCRIPT, "url": LINK}
    made["metadata"]["labels"]["evil"] = IMAGE % "a label"
    made["spec"]["containers"] = [
        {"name": "main", "image": IMAGE % "an image", "command": [SCRIPT], "args": [LINK]}
    ]
    made["status"]["message"] = IMAGE % "a message"
    change("put", "pods", made)
    involved = {"kind": "Pod", "namespace": "default", "name": "hostile"}
    change(
        "put",
        "events",
        {
            "metadata": {"name": "evil", "namespace": "default"},
            "type": "Warning",
            "reason": IMAGE % "of an event",
            "message": f"{IMAGE % 'said'} {LINK} {SCRIPT}",
            "involvedObject": {**involved, "uid": made["metadata"]["uid"]},
            "regarding": involved,
            "source": {"component": IMAGE % "who"},
            "count": 2,
        },
    )
    demo.logs["hostile"] = f"{IMAGE % 'a log'}\n{SCRIPT}\n{ESCAPES}\n"


def test_hostile_text_stays_text(page, site, hostile):
    for name, (path, there) in PAGES.items():
        page.goto(site.url + path)
        expect(page.locator(there).first).to_be_visible()
        inert(page, name)
    page.keyboard.press("Control+k")
    page.keyboard.type("hostile")
    expect(page.get_by_role("option", name=re.compile("hostile")).first).to_be_visible()
    inert(page, "palette")


def inert(page, name):
    """Nothing of what was said has become an element, a link that runs, or has run."""
    made = "img[src=x], [onerror], a[href^='javascript:' i], script:not([src])"
    assert page.locator(made).count() == 0, name
    assert page.evaluate("window.ran") is None, name
