"""Reviews and token requests: the answers, and what is wrong with a question."""

from __future__ import annotations

import pytest

from apimachinery.clock import ManualClock
from apimachinery.errors import BadRequest, Conflict, Invalid, NotFound
from apiserver.auth.options import AuthOptions
from apiserver.auth.remarks import Remarks
from apiserver.auth.reviews import review
from apiserver.auth.token_requests import create_token
from apiserver.auth.user import User
from tests.apiserver.auth.fakes import FakeCluster, binding, group, new_auth, plain, role, rule

ADMIN = User("admin", ("system:masters", "system:authenticated"), "7", {"team": ("blue",)})
ANN = User("ann", ("system:authenticated",))
ISSUER = "https://kubernetes.default.svc.cluster.local"
PODS = {"verb": "get", "resource": "pods", "namespace": "ns"}


def auth():
    cluster = FakeCluster()
    allowed = [
        rule("create", "authorization.k8s.io", "selfsubjectaccessreviews"),
        {"verbs": ["get"], "nonResourceURLs": ["/version"]},
    ]
    cluster.put(role("", "basic", *allowed))
    cluster.put(binding("", "basic", "ClusterRole/basic", group("system:authenticated")))
    return new_auth(cluster)


def ask(kind, user=ADMIN, namespace="", metadata=None, **spec):
    obj = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
    return review(auth(), kind, obj | {"metadata": metadata or {}}, user, namespace)


def test_self_subject_access():
    assert ask("SelfSubjectAccessReview", resourceAttributes=PODS)["status"] == {"allowed": True}
    found = ask("SelfSubjectAccessReview", ANN, resourceAttributes=PODS)
    assert found["spec"] == {"resourceAttributes": PODS}
    assert found["status"] == {"allowed": False}


def test_subject_access_says_why():
    path = {"path": "/version", "verb": "get"}
    groups = ["system:authenticated"]

    found = ask("SubjectAccessReview", nonResourceAttributes=path, groups=groups)

    reason = (
        'RBAC: allowed by ClusterRoleBinding "basic" of ClusterRole "basic" to Group '
        '"system:authenticated"'
    )
    assert found["status"] == {"allowed": True, "reason": reason}


NEITHER = (
    "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or "
    "resourceAttributes must be specified"
)
NOBODY = 'spec.user: Invalid value: "": at least one of user or group must be specified'


@pytest.mark.parametrize(
    ("kind", "spec", "words"),
    [
        ("SelfSubjectAccessReview", {}, NEITHER),
        ("SubjectAccessReview", {}, f"[{NEITHER}, {NOBODY}]"),
        ("SubjectAccessReview", {"resourceAttributes": PODS}, NOBODY),
        (
            "SelfSubjectAccessReview",
            {"resourceAttributes": PODS, "nonResourceAttributes": {"path": "/"}},
            (
                'spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":""}: cannot be '
                "specified in combination with resourceAttributes"
            ),
        ),
    ],
)
def test_invalid_questions(kind, spec, words):
    with pytest.raises(Invalid) as caught:
        ask(kind, **spec)

    assert caught.value.message == f'.authorization.k8s.io "" is invalid: {words}'


def test_local_review_stays_in_its_namespace():
    local = {"metadata": {"namespace": "ns"}, "namespace": "ns", "user": ADMIN}
    spec = {"resourceAttributes": PODS, "groups": ["g"]}
    assert ask("LocalSubjectAccessReview", **local, **spec)["status"] == {"allowed": False}

    other = {**PODS, "namespace": "other"}
    with pytest.raises(Invalid, match=r"must match metadata\.namespace"):
        ask("LocalSubjectAccessReview", **local, groups=["g"], resourceAttributes=other)
    with pytest.raises(BadRequest, match="must match namespace: elsewhere"):
        ask("LocalSubjectAccessReview", **local | {"namespace": "elsewhere"}, **spec)


def test_rules_review():
    obj = {"spec": {"namespace": "ns"}}
    found = review(auth(), "SelfSubjectRulesReview", obj, ANN, "")

    assert found["spec"] == {}
    assert found["status"] == {
        "resourceRules": [
            {
                "verbs": ["create"],
                "apiGroups": ["authorization.k8s.io"],
                "resources": ["selfsubjectaccessreviews"],
            }
        ],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/version"]}],
        "incomplete": False,
    }
    node = User("system:node:n1", ("system:nodes",))
    assert review(auth(), "SelfSubjectRulesReview", obj, node)["status"]["incomplete"]
    with pytest.raises(BadRequest, match="no namespace on request"):
        ask("SelfSubjectRulesReview")


def test_who_am_i():
    found = ask("SelfSubjectReview")

    assert found["status"]["userInfo"] == {
        "username": "admin",
        "uid": "7",
        "groups": ["system:masters", "system:authenticated"],
        "extra": {"team": ["blue"]},
    }
    assert found["metadata"]["creationTimestamp"] == ManualClock().timestamp()


class Robot:
    """A service account and what its tokens may be bound to."""

    def __init__(self):
        self.clock, self.cluster = ManualClock(), FakeCluster()
        self.auth = new_auth(self.cluster, self.clock)
        self.account = self.cluster.put(plain("ServiceAccount", "ns", "robot"))
        self.cluster.put(plain("Node", "", "n1"))
        spec = {"serviceAccountName": "robot", "nodeName": "n1"}
        self.cluster.put(plain("Pod", "ns", "p", spec=spec))
        self.cluster.put(plain("Pod", "ns", "q", spec={"serviceAccountName": "default"}))

    def request(self, metadata=None, **spec):
        return create_token(self.auth, self.account, {"metadata": metadata or {}, "spec": spec})

    def claims(self, **spec):
        return self.auth.tokens._signed_claims(self.request(**spec)["status"]["token"])


def test_token_review():
    robot = Robot()
    token = robot.request()["status"]["token"]

    def ask_about(token, **spec):
        obj = {"kind": "TokenReview", "spec": {"token": token, **spec}}
        return review(robot.auth, "TokenReview", obj, ADMIN)["status"]

    found = ask_about(token)
    assert (found["authenticated"], found["audiences"]) == (True, [ISSUER])
    assert found["user"]["username"] == "system:serviceaccount:ns:robot"
    assert ask_about("nope") == {"user": {}, "error": "invalid bearer token"}
    assert "error" in ask_about(token, audiences=["other"])
    with pytest.raises(BadRequest, match="token is required for TokenReview in authentication"):
        ask_about("")


def test_token_request_defaults():
    found = Robot().request()

    assert found["metadata"]["name"] == "robot"
    assert found["spec"] == {
        "audiences": [ISSUER],
        "expirationSeconds": 3600,
        "boundObjectRef": None,
    }
    assert found["status"]["expirationTimestamp"] == "2026-01-02T04:04:05Z"


def test_token_bound_to_a_pod_names_its_node():
    claims = Robot().claims(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "p"})

    assert claims["kubernetes.io"] == {
        "namespace": "ns",
        "serviceaccount": {"name": "robot", "uid": "uid-robot"},
        "pod": {"name": "p", "uid": "uid-p"},
        "node": {"name": "n1", "uid": "uid-n1"},
    }


def test_mounted_token_lives_a_year_and_says_an_hour():
    robot = Robot()
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "p"}

    claims = robot.claims(boundObjectRef=bound, expirationSeconds=3607)

    assert claims["exp"] - claims["iat"] == 365 * 24 * 3600
    assert claims["kubernetes.io"]["warnafter"] - claims["iat"] == 3607
    unbound = robot.claims(expirationSeconds=3607)
    assert unbound["exp"] - unbound["iat"] == 3607


@pytest.mark.parametrize(
    ("spec", "kind", "words"),
    [
        ({"expirationSeconds": 599}, Invalid, "may not specify a duration less than 10 minutes"),
        ({"expirationSeconds": 2**33}, Invalid, r"duration larger than 2\^32 seconds"),
        (
            {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "q"}},
            BadRequest,
            'cannot bind token for serviceaccount "robot" to pod running with different',
        ),
        (
            {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "gone"}},
            NotFound,
            'pods "gone" not found',
        ),
        (
            {"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "c"}},
            BadRequest,
            "cannot bind token to object of type /v1, Kind=ConfigMap",
        ),
        (
            {"boundObjectRef": {"kind": "Node", "apiVersion": "v1", "name": "n1", "uid": "x"}},
            Conflict,
            r"the UID in the bound object reference \(x\) does not match the UID in record",
        ),
        (
            {"metadata": {"name": "other"}},
            Invalid,
            "must match the service account name if specified",
        ),
    ],
)
def test_token_request_refusals(spec, kind, words):
    with pytest.raises(kind, match=words):
        Robot().request(**spec)


NODE = User("system:node:n1", ("system:nodes", "system:authenticated"))
LIST = {"verb": "list", "resource": "pods"}


@pytest.mark.parametrize(
    "selector",
    [
        {"rawSelector": "spec.nodeName=n1"},
        {"requirements": [{"key": "spec.nodeName", "operator": "In", "values": ["n1"]}]},
    ],
)
def test_a_field_selector_counts_in_a_review(selector):
    asked = {"resourceAttributes": {**LIST, "fieldSelector": selector}}
    assert ask("SelfSubjectAccessReview", NODE, **asked)["status"] == {"allowed": True}
    refused = ask("SelfSubjectAccessReview", NODE, resourceAttributes=LIST)["status"]
    assert refused == {
        "allowed": False,
        "reason": "can only list/watch pods with spec.nodeName field selector",
    }


@pytest.mark.parametrize(
    ("kind", "selector", "told"),
    [
        ("fieldSelector", {"rawSelector": "a"}, "ignored"),
        ("labelSelector", {"rawSelector": "a b"}, "ignored"),
        (
            "fieldSelector",
            {
                "requirements": [
                    {"key": "a", "operator": "In", "values": ["1"]},
                    {"key": "b", "operator": "Newer"},
                ]
            },
            "partially ignored",
        ),
        ("labelSelector", {"requirements": [{"key": "a", "operator": "Newer"}]}, "ignored"),
    ],
)
def test_what_cannot_be_read_of_a_selector_is_left_out_and_said(kind, selector, told):
    asked = {"resourceAttributes": {**PODS, kind: selector}}
    found = ask("SelfSubjectAccessReview", **asked)["status"]
    words = f"spec.resourceAttributes.{kind} {told} due to parse error"
    assert found == {"allowed": True, "evaluationError": words}


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        (
            {},
            (
                "requirements: Required value: when spec.resourceAttributes.fieldSelector is "
                "specified, requirements or rawSelector is required"
            ),
        ),
        (
            {"rawSelector": "a=b", "requirements": [{"key": "a", "operator": "Exists"}]},
            'rawSelector: Invalid value: "a=b": may not specified at the same time as requirements',
        ),
        (
            {"requirements": [{"key": "a", "operator": "In"}]},
            (
                "requirements[0].values: Required value: must be specified when `operator` is "
                "'In' or 'NotIn'"
            ),
        ),
    ],
)
def test_wrong_selectors_are_refused(selector, words):
    asked = {"resourceAttributes": {**PODS, "fieldSelector": selector}}
    with pytest.raises(Invalid) as refused:
        ask("SelfSubjectAccessReview", **asked)
    assert refused.value.message.endswith(f"spec.resourceAttributes.fieldSelector.{words}")


def test_a_token_may_live_no_longer_than_the_operator_allows():
    cluster, remarks = FakeCluster(), Remarks()
    account = cluster.put(plain("ServiceAccount", "ns", "robot"))
    limited = new_auth(cluster, options=AuthOptions(longest_token=3600))
    made = create_token(limited, account, {"spec": {"expirationSeconds": 7200}}, remarks)
    assert made["spec"]["expirationSeconds"] == 3600
    assert remarks.warnings == ["requested expiration of 7200 seconds shortened to 3600 seconds"]
    (credential,) = limited.token_user(made["status"]["token"]).user.extra[
        "authentication.kubernetes.io/credential-id"
    ]
    assert remarks.annotations == {"authentication.kubernetes.io/issued-credential-id": credential}
