"""The editor in a real browser, over a real cluster: refused, conflicting, merged, kept."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.real import cookies, looking_as, page, playground
from tests.browser.test_pages import axe, violations

__all__ = ["axe", "cookies", "page", "playground"]

APPS = "/apis/apps/v1/namespaces/default/deployments"
MAPS = "/api/v1/namespaces/default/configmaps"
LABELS = {"app": "shop"}
SHOP = {
    "metadata": {"name": "shop", "labels": LABELS},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        },
    },
}
SIZES = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.harbour.example}
spec:
  group: harbour.example
  scope: Namespaced
  names: {kind: Boat, plural: boats}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              sailArea: {type: integer, description: In square metres.}
---
apiVersion: harbour.example/v1
kind: Boat
metadata: {name: argo}
spec:
  sailArea: 12
"""


@pytest.fixture
def open_editor(page):
    def open_(query=""):
        page.goto(f"/clusters/default/editor{query}")
        expect(page.locator(".cm-content").first).to_be_visible()
        return page

    return open_


def text_of(page):
    return page.evaluate("document.querySelector('kp-editor').text")


def write(page, change):
    """Put another text in place, as a user does who pastes."""
    page.evaluate("text => document.querySelector('kp-editor').code.replace(text)", change)


def edit(page, old, new):
    text = text_of(page)
    assert old in text
    write(page, text.replace(old, new))


def verdict(page):
    return page.locator(".kp-ed-verdict")


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def test_from_a_mistake_to_a_conflict_to_the_cluster(open_editor, playground, axe):
    with playground.client() as api:
        made = api.post(APPS, json=SHOP, params={"fieldManager": "hpa-controller"})
        assert made.status_code == 201, made.text
    page = open_editor("?kind=deployments.apps&namespace=default&name=shop&how=apply")
    edit(page, "replicas: 2", "replcas: 5")
    expect(page.locator(".kp-ed-problems")).to_contain_text("replcas: field not declared in schema")
    line = text_of(page).split("\n").index("  replcas: 5") + 1
    button(page, f"Line {line}").click()
    expect(page.locator(".cm-activeLine")).to_have_text("  replcas: 5")
    # What comes up over the text is drawn under the policy of contents too.
    page.locator(".cm-lint-marker").hover()
    expect(page.locator(".cm-tooltip-lint, .cm-tooltip .cm-diagnostic").first).to_be_visible()
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+f")
    expect(page.locator(".cm-search input").first).to_be_focused()
    page.keyboard.type("shop")
    expect(page.locator(".cm-searchMatch").first).to_be_visible()
    page.keyboard.press("Escape")
    edit(page, "replcas: 5", "replicas: 5")
    owners = page.get_by_role("region", name="Whose fields these are")
    expect(owners).to_contain_text("spec.replicas is owned by hpa-controller.")
    button(page, "Both").click()
    result = page.get_by_role("region", name="Result")
    expect(result.locator(".cm-insertedLine, .cm-changedLine").last).to_contain_text("replicas: 5")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert violations(axe, page) == []
    button(page, "Apply").click()
    expect(verdict(page)).to_contain_text("Decide about 1 field first")
    expect(page.locator(".kp-equivalent")).not_to_contain_text("--force-conflicts")
    button(page, "Take ownership").click()
    expect(page.locator(".kp-equivalent")).to_contain_text(
        "--server-side --field-manager=kubeground-editor --force-conflicts -f shop.yaml"
    )
    button(page, "Apply").click()
    answers = page.get_by_role("region", name="Answers")
    expect(answers).to_contain_text("Deployment shop serverside-applied")
    expect(page.locator(".kp-ed-dirty")).to_have_count(0)
    with playground.client() as api:
        live = api.get(f"{APPS}/shop").json()
    assert live["spec"]["replicas"] == 5
    owner = {
        one["manager"]: one["fieldsV1"].get("f:spec", {})
        for one in live["metadata"]["managedFields"]
    }
    assert "f:replicas" in owner["kubeground-editor"]
    assert "f:replicas" not in owner["hpa-controller"]


def test_what_others_change_meanwhile_is_merged(open_editor, playground):
    with playground.client() as api:
        data = {"colour": "red", "size": "1", "zone": "a"}
        made = {"metadata": {"name": "theme"}, "data": data}
        # By the same manager: of two in one second, managed fields do not say who was the last.
        assert api.post(MAPS, json=made, params={"fieldManager": "kubectl-edit"}).is_success

        def patch(**change):
            merge = {"Content-Type": "application/merge-patch+json"}
            params = {"fieldManager": "kubectl-edit"}
            answer = api.patch(f"{MAPS}/theme", json=change, params=params, headers=merge)
            return int(answer.json()["metadata"]["resourceVersion"])

        page = open_editor("?kind=configmaps&namespace=default&name=theme")
        expect(page.locator(".kp-chip")).to_have_text(re.compile("^Live"))
        edit(page, "colour: red", "colour: blue")
        revision = patch(data={"size": "2"})
        banner = page.get_by_role("status").filter(has_text="Changed while you edited")
        expect(banner).to_contain_text(re.compile(rf"-> {revision}, by kubectl-edit\). Your text"))
        button(page, "Merge").click()
        expect(page.get_by_role("status").filter(has_text="are in your text")).to_be_visible()
        assert "colour: blue\n  size: '2'" in text_of(page)
        # The same line by both is the user's to decide, before anything is written.
        patch(data={"colour": "green"})
        button(page, "Merge").click()
        expect(page.locator(".kp-ed-both")).to_contain_text("colour: green")
        button(page, "Replace").last.click()
        expect(verdict(page)).to_contain_text("Decide about 1 place first")
        button(page, "Keep mine").click()
        button(page, "Replace").last.click()
        expect(page.get_by_role("region", name="Answers")).to_contain_text(
            "ConfigMap theme replaced"
        )
        assert api.get(f"{MAPS}/theme").json()["data"] == data | {"colour": "blue", "size": "2"}
        # Gone meanwhile: the text is kept, and makes it anew.
        edit(page, "zone: a", "zone: b")
        api.delete(f"{MAPS}/theme")
        expect(page.get_by_role("alert")).to_contain_text(
            "Your text is kept; Create makes it anew."
        )
        button(page, "Create").last.click()
        expect(page.get_by_role("region", name="Answers")).to_contain_text(
            "ConfigMap theme created"
        )


def test_by_keyboard_a_kind_is_defined_and_written_and_the_rest_completed(open_editor, playground):
    page = open_editor()
    page.keyboard.press("Tab")
    page.locator(".cm-content").focus()
    page.keyboard.insert_text(SIZES)
    # The second document needs the first one: that is no mistake.
    expect(verdict(page)).to_have_text(re.compile("1 waits for what this text makes first"))
    page.keyboard.press("Control+Enter")
    answers = page.get_by_role("region", name="Answers")
    expect(answers.get_by_role("listitem")).to_have_text(
        [
            re.compile("CustomResourceDefinition boats.harbour.example created"),
            re.compile("Boat argo created"),
        ]
    )
    page.keyboard.press("Control+End")
    page.keyboard.press("Backspace")
    for _ in "sailArea: 12":
        page.keyboard.press("Backspace")
    page.keyboard.type("sa")
    expect(page.locator(".cm-tooltip-autocomplete li")).to_contain_text("sailArea")
    # For 75 ms a list that just came takes no Enter: it may be meant for the text.
    page.evaluate("new Promise(done => setTimeout(done, 80))")
    page.keyboard.press("Enter")
    page.keyboard.type("20")
    expect(verdict(page)).to_have_text(re.compile("would take all 2 documents"))
    page.keyboard.press("Control+Enter")
    expect(answers).to_contain_text("Boat argo serverside-applied")
    with playground.client() as api:
        boat = api.get("/apis/harbour.example/v1/namespaces/default/boats/argo").json()
    assert boat["spec"] == {"sailArea": 20}
    # Tab belongs to the text, until one says otherwise.
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.locator(".cm-content")).not_to_be_focused()


def test_a_text_outlives_a_reload_and_the_past_is_read_only(open_editor, playground):
    with playground.client() as api:
        body = {"metadata": {"name": "kept"}, "data": {"a": "1"}}
        first = int(api.post(MAPS, json=body).json()["metadata"]["resourceVersion"])
        assert api.put(f"{MAPS}/kept", json={**body, "data": {"a": "2"}}).is_success
    page = open_editor("?kind=configmaps&namespace=default&name=kept")
    edit(page, "a: '2'", "a: '3'")
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_text("This is the text that you had not written yet.")).to_be_visible()
    assert "a: '3'" in text_of(page)
    button(page, "Discard mine").click()
    assert "a: '2'" in text_of(page)
    page = open_editor(f"?kind=configmaps&namespace=default&name=kept&rev={first}")
    expect(page.locator(".cm-content")).to_have_attribute("contenteditable", "false")
    assert "a: '1'" in text_of(page)
    page.get_by_role("link", name="Edit it as it was then").click()
    expect(page.get_by_text(f"You start from revision {first}.")).to_be_visible()
    assert "a: '1'" in text_of(page)
    button(page, "Replace").last.click()
    expect(page.get_by_role("region", name="Answers")).to_contain_text("ConfigMap kept replaced")
    # What is gone comes back as it was: from its page of the past.
    with playground.client() as api:
        assert api.delete(f"{MAPS}/kept").is_success
    page.goto(f"/clusters/default/objects/core/v1/configmaps/default/kept?rev={first}")
    page.get_by_role("link", name="Put this back").click()
    expect(page.get_by_text("This is its text of revision")).to_be_visible()
    button(page, "Create").last.click()
    expect(page.get_by_role("region", name="Answers")).to_contain_text("ConfigMap kept created")


def test_what_others_own_is_left_to_them_and_a_file_comes_in(open_editor, playground):
    with playground.client() as api:
        stock = {**SHOP, "metadata": {"name": "stock"}}
        assert api.post(APPS, json=stock, params={"fieldManager": "hpa-controller"}).is_success
    page = open_editor("?kind=deployments.apps&namespace=default&name=stock&how=apply")
    edit(page, "replicas: 2", "replicas: 7")
    owners = page.get_by_role("region", name="Whose fields these are")
    expect(owners).to_contain_text("spec.replicas is owned by hpa-controller.")
    button(page, "Keep theirs").click()
    expect(owners).to_have_count(0)
    assert "replicas" not in text_of(page)
    expect(verdict(page)).to_have_text(re.compile("The cluster would take it"))
    page.locator(".kp-ed-upload input").set_input_files(
        files=[
            {
                "name": "more.yaml",
                "mimeType": "text/yaml",
                "buffer": b"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: of-a-file}\n",
            }
        ]
    )
    expect(page.locator("#voice")).to_have_text("more.yaml was added to your text.")
    assert "\n---\napiVersion: v1\nkind: ConfigMap" in text_of(page)
    expect(verdict(page)).to_have_text(re.compile("would take all 2 documents"))
    page.keyboard.press("Control+Enter")
    answers = page.get_by_role("region", name="Answers")
    expect(answers).to_contain_text("Deployment stock serverside-applied")
    expect(answers).to_contain_text("ConfigMap of-a-file created")
    with playground.client() as api:
        assert api.get(f"{APPS}/stock").json()["spec"]["replicas"] == 2


def test_a_secret_is_shown_when_asked_for_and_what_one_may_not_write_is_said(page, playground):
    reader = {"metadata": {"name": "reader"}}
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    rights = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    with playground.client() as api:
        secret = {"metadata": {"name": "db"}, "stringData": {"password": "swordfish"}}
        for path, body in (
            ("/api/v1/namespaces/default/secrets", secret),
            (MAPS, {"metadata": {"name": "readable"}, "data": {"a": "1"}}),
            (f"{rights}/roles", {**reader, "rules": [rule]}),
            (
                f"{rights}/rolebindings",
                {**reader, "roleRef": role, "subjects": [{"kind": "User", "name": "ann"}]},
            ),
        ):
            assert api.post(path, json=body).is_success
    encoded = "c3dvcmRmaXNo"
    page.goto("/clusters/default/editor?kind=secrets&namespace=default&name=db")
    note = page.get_by_role("status").filter(has_text="The values of this Secret stand in its text")
    expect(note).to_be_visible()
    expect(page.locator(".cm-content")).to_have_count(0)
    assert encoded not in page.locator("main").inner_text()
    button(page, "Show and edit them").click()
    expect(page.locator(".cm-content")).to_contain_text(encoded)
    with looking_as(page, "ann"):
        page.goto("/clusters/default/editor?kind=configmaps&namespace=default&name=readable")
        expect(page.locator(".cm-content")).to_contain_text("a: '1'")
        edit(page, "a: '1'", "a: '2'")
        problems = page.locator(".kp-ed-problems")
        expect(problems).to_contain_text('User "ann" cannot')
        expect(problems).to_contain_text('resource "configmaps" in API group ""')
        expect(verdict(page)).to_have_text(re.compile("1 problem"))
        button(page, "Replace").last.click()
        trace = page.get_by_role("region", name="Answers").get_by_role("link", name="Trace")
        expect(trace).to_have_attribute("href", re.compile(r"/default/trace/[0-9a-f-]{36}$"))
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto("/clusters/default/editor?kind=secrets&namespace=default&name=db")
        alert = page.locator("kp-editor").get_by_role("alert")
        expect(alert).to_contain_text("You may not read secrets in default.")
        expect(alert).to_contain_text('User "ann" cannot get resource "secrets"')
        assert encoded not in page.content()


def test_in_the_dock_a_text_stays_while_one_looks_elsewhere(open_editor, playground, axe):
    with playground.client() as api:
        body = {"metadata": {"name": "docked"}, "data": {"a": "1"}}
        assert api.post(MAPS, json=body).is_success
        page = open_editor("?kind=configmaps&namespace=default&name=docked")
        edit(page, "a: '1'", "a: '2'")
        button(page, "Move to the dock").click()
        dock = page.get_by_role("tabpanel", name="docked ●")
        expect(dock.locator(".kp-ed-verdict")).to_have_text("The cluster would take it.")
        expect(page.get_by_role("heading", level=1, name="docked")).to_be_visible()
        page.get_by_role("navigation").get_by_role("link", name="Access", exact=True).click()
        expect(page.get_by_role("heading", level=1, name="Access")).to_be_visible()
        assert violations(axe, page) == []
        dock.locator(".cm-content").focus()
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("region", name="Answers")).to_contain_text(
            "ConfigMap docked replaced"
        )
        assert api.get(f"{MAPS}/docked").json()["data"] == {"a": "2"}
    # Its address brings it back, or says why not.
    page.goto("/clusters/default/access?dock=editor,kind:castles,name:docked")
    expect(page.get_by_role("alert")).to_contain_text("The editor could not begin:")
