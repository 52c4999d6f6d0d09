"""What objects, events and logs say is text on every page that shows it, and never runs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.real import cookies, playground
from tests.browser.real import page as real_page
from tests.browser.test_pages import DOUBLED
from tests.playground.objects import pod
from tests.support.server import wait_until

__all__ = ["cookies", "playground", "real_page"]

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
    expect(page.get_by_role("combobox", name="Search and commands")).to_be_focused()
    page.keyboard.type("hostile")
    expect(page.get_by_role("option", name=re.compile("hostile")).first).to_be_visible()
    inert(page, "palette")


def inert(page, name):
    """Nothing of what was said has become an element, a link that runs, or has run."""
    made = "img[src=x], [onerror], a[href^='javascript:' i], script:not([src])"
    assert page.locator(made).count() == 0, name
    assert page.evaluate("window.ran") is None, name


# -- the same where the real API and real programs say it ------------------------------------------

WHO = "<img/src=x/onerror=window.ran=1>"
# Text that runs from right to left, and a word without end.
TWISTED = "\u202eexe.txt\u2066" + "long" * 200
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
CORE = "/api/v1/namespaces/default"
OPEN = """dispatchEvent(new CustomEvent("kp-dock-open", {
  detail: {name: "%s", params: {ns: "default", pod: "hostile", object: "pod/hostile"}},
}))"""


@pytest.fixture(scope="module")
def said(playground):
    """All that people and programs can say, said; return what the pages' addresses need."""
    evil = f"{IMAGE % 'said'} {LINK} {SCRIPT} {TWISTED}"
    notes = {"a": evil, "b": LINK, "url": LINK}
    shell = [
        "sh",
        "-c",
        f"printf '%s\\n' \"$EVIL\"; printf '{ESCAPES.replace(chr(27), '')}'; sleep 900",
    ]
    container = {"name": "c", "image": "busybox", "command": shell}
    container["env"] = [{"name": "EVIL", "value": f"{evil} {ESCAPES}"}]
    meta = {"name": "hostile", "annotations": notes, "labels": {"app": "hostile"}}
    event = {
        "metadata": {"name": "hostile.1"},
        "type": "Warning",
        "reason": IMAGE % "why",
        "message": evil,
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "hostile"},
        "source": {"component": IMAGE % "who"},
    }
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    binding = {"metadata": meta, "roleRef": role, "subjects": [{"kind": "User", "name": WHO}]}
    agent = {"User-Agent": WHO}
    with playground.client() as api:
        # The name of who wrote is in managed fields, and by it in history and blame.
        writer = {"fieldManager": IMAGE % "writer"}
        made = api.post(f"{CORE}/configmaps", json={"metadata": meta, "data": notes}, params=writer)
        assert made.is_success, made.text
        spec = {"containers": [container]}
        for path, body in (
            (f"{CORE}/pods", {"metadata": meta, "spec": spec}),
            (f"{CORE}/events", event),
            (f"{RBAC}/rolebindings", binding),
        ):
            assert api.post(path, json=body, headers=agent).is_success, path
        bad = {"metadata": {"name": IMAGE % "name"}}
        refused = api.post(f"{CORE}/configmaps", json=bad, headers=agent)
        assert refused.status_code == 422
        forbidden = api.get(f"{CORE}/pods", headers={**agent, "Impersonate-User": f"{WHO}2"})
        assert forbidden.status_code == 403
        logged = f"{CORE}/pods/hostile/log"
        wait_until(lambda: "onerror" in api.get(logged).text, within=60)
    return {"refused": refused.headers["audit-id"], "forbidden": forbidden.headers["audit-id"]}


def addresses(said):
    """Return the pages, and where each shows what was said."""
    base = "/clusters/default"
    objects = f"{base}/objects/core/v1"
    bindings = f"{base}/objects/rbac.authorization.k8s.io/v1/rolebindings/default/hostile"
    who = f"{base}/access?resource=pods&ns=default"
    return (
        ("refused", f"{base}/trace/{said['refused']}", ".kp-stop"),
        ("forbidden", f"{base}/trace/{said['forbidden']}", ".kp-stop"),
        ("requests", f"{base}/trace?object=configmaps/default/hostile", ".kp-requests"),
        ("timeline", f"{base}/timeline", "kp-timeline"),
        (
            "blame",
            f"{base}/timeline?tab=object&object=configmaps/default/hostile",
            "kp-object-past",
        ),
        ("access", f"{who}&q=onerror", ".kp-access"),
        ("why", f"{who}&verb=list&user={WHO}", "main"),
        ("relations", f"{bindings}?tab=relations", "kp-relations"),
        ("summary", f"{objects}/pods/default/hostile", "main"),
        ("events", f"{objects}/pods/default/hostile?tab=events", "main"),
        ("history", f"{objects}/configmaps/default/hostile?tab=history", "main"),
        ("logs", f"{objects}/pods/default/hostile?tab=logs", ".kp-log"),
    )


def test_what_people_and_programs_say_is_text_on_every_page(real_page, said):
    dialogs = []
    real_page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for name, path, there in addresses(said):
        real_page.goto(path)
        shown = real_page.locator(there).first
        expect(shown, name).to_contain_text(re.compile("onerror|hostile|This is the present"))
        inert(real_page, name)
        holds(real_page, name)
    for panel in ("events", "logs"):
        real_page.evaluate(OPEN % panel)
        shown = real_page.locator("kp-dock [role=tabpanel]:not([hidden])")
        expect(shown, panel).to_contain_text("onerror")
        inert(real_page, panel)
        holds(real_page, panel)
    assert dialogs == []


def holds(page, name):
    """No id is there twice, and nothing makes the page wider than its window."""
    assert page.evaluate(DOUBLED) == [], name
    wide = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    assert page.evaluate(wide) <= 0, name
