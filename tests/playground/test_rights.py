"""The access page: its grid, reasons, tokens, kubeconfigs, and looking as somebody else."""

from __future__ import annotations

import pytest
from django.test import Client

from playground.accounts.models import Role, User
from playground.rights.asking import Question, rule_text

pytestmark = pytest.mark.django_db
PAGE = "/clusters/demo/access"


def text(response):
    return response.content.decode()


def post(client, path, **body):
    return client.post(path, body, content_type="application/json")


def test_a_grid_says_who_may_do_what(worker, as_operator):
    page = text(as_operator.get(f"{PAGE}?resource=pods&ns=default"))
    assert "ann list: yes" in page
    assert "ann delete: no" in page
    assert "2 subjects" in page


def test_a_cell_says_why(worker, as_operator):
    page = text(as_operator.get(f"{PAGE}?resource=pods&ns=default&verb=list&user=ann"))
    assert "ann may list pods" in page
    assert "RBAC: allowed by RoleBinding" in page
    assert "get, list on pods" in page
    assert "kubectl auth can-i list pods -n default --as=ann" in page
    assert "/clusters/demo/objects/rbac.authorization.k8s.io/v1/rolebindings/default/reads" in page


def test_a_no_says_what_is_near(worker, as_operator):
    page = text(as_operator.get(f"{PAGE}?resource=pods&ns=default&verb=delete&user=ann"))
    assert "ann may not delete pods" in page
    assert "No rule matched." in page
    assert "Nearest" in page


def test_who_may_not_read_roles_is_told_what_to_ask_for(worker, as_operator):
    worker.fake.clusters["demo"].forbidden.add("roles")
    page = text(as_operator.get(PAGE))
    assert "operator may not read roles and bindings in this cluster." in page
    assert "Ask for: list on roles" in page


@pytest.mark.parametrize(
    ("question", "command"),
    [
        (
            Question("get", "pods", "shop", "web-1", "ann", ("devs",)),
            "kubectl auth can-i get pods/web-1 -n shop --as=ann --as-group=devs",
        ),
        (
            Question("create", "pods/exec", "shop", "", "ann"),
            "kubectl auth can-i create pods --subresource=exec -n shop --as=ann",
        ),
        (
            Question("list", "nodes", groups=("devs",)),
            "kubectl auth can-i list nodes --as=anybody --as-group=devs",
        ),
        (
            Question("get", "/healthz", user="it is me"),
            "kubectl auth can-i get /healthz '--as=it is me'",
        ),
    ],
)
def test_kubectl_asks_the_same(question, command):
    assert question.command() == command


def test_rules_are_one_line():
    rule = {
        "verbs": ["get", "list"],
        "apiGroups": ["apps"],
        "resources": ["deployments"],
        "resourceNames": ["web"],
    }
    assert rule_text(rule) == "get, list on deployments of apps, named web"
    assert rule_text({"verbs": ["get"], "nonResourceURLs": ["/healthz"]}) == "get on /healthz"


def test_a_token_is_shown_once(worker, as_operator):
    page = text(
        as_operator.post(f"{PAGE}/token", {"account": "default/default", "seconds": "3600"})
    )
    assert "a-token-of-default" in page
    assert "It is not shown again." in page
    assert "kubectl create token default -n default --duration=3600s" in page
    assert "a-token-of-default" not in text(as_operator.get(PAGE))


def test_a_token_of_nobody(worker, as_operator):
    response = as_operator.post(f"{PAGE}/token", {"account": "x/y", "seconds": "3600"})
    assert response.status_code == 422
    assert "not one of the available choices" in text(response)


def test_a_kubeconfig_is_a_file(worker, as_operator):
    response = as_operator.post(
        f"{PAGE}/kubeconfig", {"user": "ann", "groups": "devs, ops", "days": "7"}
    )
    assert 'filename="demo.kubeconfig"' in response["Content-Disposition"]
    assert text(response) == "kubeconfig of ann in devs,ops for 7.0 days with '' for operator"
    account = "system:serviceaccount:default:default"
    made = text(as_operator.post(f"{PAGE}/kubeconfig", {"user": account, "days": "1"}))
    assert "with 'a-token-of-default'" in made
    missing = as_operator.post(
        f"{PAGE}/kubeconfig", {"user": "system:serviceaccount:default:no", "days": "1"}
    )
    assert missing.status_code == 422
    assert "not found" in text(missing)


def test_looking_as_somebody_until_one_has_enough(worker, as_operator):
    response = as_operator.post(f"{PAGE}/view-as", {"user": "ann", "group": "devs"})
    assert response["Location"] == "/clusters/demo/topology"
    banner = "You look at <strong>demo</strong> as <strong>ann</strong>"
    # On all pages, those of the site included.
    for path in ("/", PAGE, "/account", "/clusters/demo/topology"):
        assert banner in text(as_operator.get(path))
    asked = [one["user"] for one in worker.fake.requests if "/access" in one["path"]]
    assert asked[-1] == "ann"
    assert as_operator.post("/view-as-myself")["Location"] == PAGE
    assert banner not in text(as_operator.get(PAGE))
    assert as_operator.post("/view-as-myself")["Location"] == "/"


def test_nobody_is_no_one_to_look_as(worker, as_operator):
    as_operator.post(f"{PAGE}/view-as", {"user": ""})
    assert "Say as whom you want to look." in text(as_operator.get(PAGE))


def test_instructors_look_and_hand_out_nothing(worker, db):
    worker.fake.clusters["demo"].owner = "lea"
    User.objects.create_user("lea")
    client = Client()
    client.force_login(User.objects.create_user("ina", role=Role.INSTRUCTOR))
    page = text(client.get(PAGE))
    assert "ann list: yes" in page
    assert "View as" not in page
    assert "Make a token" not in page
    for path, form in (
        ("token", {"account": "default/default", "seconds": 3600}),
        ("kubeconfig", {"user": "ann", "days": 1}),
        ("view-as", {"user": "ann"}),
    ):
        assert client.post(f"{PAGE}/{path}", form).status_code == 403


# -- REST ------------------------------------------------------------------------------------------

API = "/api/clusters/demo"


def test_rest(worker, as_operator):
    assert as_operator.get(f"{API}/access?resource=pods").json()["items"][0]["name"] == "ann"
    why = as_operator.get(f"{API}/access/why?verb=list&resource=pods&user=ann").json()
    assert why["allowed"]
    assert why["command"] == "kubectl auth can-i list pods --as=ann"
    nobody = as_operator.get(f"{API}/access/why?verb=list&resource=pods")
    assert nobody.json()["error"]["fields"] == {"user": ["Name a user or a group."]}
    token = post(as_operator, f"{API}/tokens", namespace="default", name="default")
    assert (token.status_code, token.json()["token"]) == (201, "a-token-of-default")
    short = post(as_operator, f"{API}/tokens", namespace="default", name="default", seconds=5)
    assert list(short.json()["error"]["fields"]) == ["seconds"]
    config = post(as_operator, f"{API}/kubeconfigs", user="ann", days=1)
    assert config.json()["kubeconfig"].startswith("kubeconfig of ann")
    viewing = post(as_operator, f"{API}/view-as", user="ann")
    assert viewing.json() == {"user": "ann", "groups": ["system:authenticated"]}
    assert as_operator.delete(f"{API}/view-as").status_code == 204


def test_a_cluster_of_somebody_else_has_no_access_page(worker, as_learner):
    assert as_learner.get(PAGE).status_code == 404
    for path in ("access", "access/why?verb=get&resource=pods&user=x"):
        assert as_learner.get(f"{API}/{path}").status_code == 404
    for path in ("tokens", "kubeconfigs", "view-as"):
        assert post(as_learner, f"{API}/{path}", user="x").status_code == 404
