"""An operator's choices of who is known and who may do what."""

from __future__ import annotations

import pytest

from apimachinery.errors import Unauthorized
from apiserver.auth.abac import Policy, read_policies
from apiserver.auth.attributes import Attributes
from apiserver.auth.oidc.configuration import read_authentication
from apiserver.auth.oidc.issuer import Attribute, Rule
from apiserver.auth.options import AuthOptions
from apiserver.auth.static_tokens import read_static_tokens
from apiserver.auth.user import AUTHENTICATED, User
from tests.apiserver.auth.fakes import FakeCluster, binding, new_auth, role, rule, user

ANN = User("ann", ("devs", AUTHENTICATED))
NODE = User("system:node:n1", ("system:nodes", AUTHENTICATED))


def pods(who=ANN, verb="get", namespace="ns"):
    return Attributes(who, verb, "", "v1", "pods", "", namespace, "p")


# -- authorizers ----------------------------------------------------------------------------------


def decide(asked, *modes, policies=()):
    cluster = FakeCluster()
    cluster.put(role("ns", "reader", rule("get", "core", "pods")))
    cluster.put(binding("ns", "ann", "Role/reader", user("ann")))
    options = AuthOptions(modes=modes, policies=policies)
    return new_auth(cluster, options=options).authorize(asked)


@pytest.mark.parametrize(
    ("modes", "asked", "allowed", "reason"),
    [
        (["RBAC"], pods(), True, "RBAC: allowed by RoleBinding"),
        (["AlwaysDeny"], pods(), False, "Everything is forbidden."),
        (["AlwaysDeny", "RBAC"], pods(), True, "RBAC: allowed by RoleBinding"),
        (["AlwaysAllow"], pods(verb="delete"), True, ""),
        (["Node"], pods(), False, ""),
        (["Node", "AlwaysDeny"], pods(NODE), False, "no relationship found between node 'n1'"),
        (["Node", "AlwaysAllow"], pods(NODE), True, ""),
        (["ABAC"], pods(), False, "No policy matched."),
    ],
)
def test_authorizers_are_asked_in_order(modes, asked, allowed, reason):
    found = decide(asked, *modes)
    assert found.allowed is allowed
    assert found.reason.startswith(reason)


def test_every_refusal_is_told():
    assert decide(pods(NODE), "Node", "AlwaysDeny", "ABAC").reason == (
        "no relationship found between node 'n1' and this object\nEverything is forbidden.\n"
        "No policy matched."
    )


def test_superusers_need_no_authorizer():
    assert decide(pods(User("root", ("system:masters",))), "AlwaysDeny").allowed


ANY = {"namespace": "*", "resource": "*", "api_group": "*"}


@pytest.mark.parametrize(
    ("policy", "asked", "allowed"),
    [
        (Policy("ann", **ANY), pods(), True),
        (Policy("bob", **ANY), pods(), False),
        (Policy(group="devs", **ANY), pods(), True),
        (Policy("ann", group="ops", **ANY), pods(), False),
        (Policy("*", **ANY), pods(), True),
        (Policy("*", **ANY), pods(User("x", ("system:unauthenticated",))), False),
        (Policy(**ANY), pods(), False),
        (Policy("ann", namespace="ns", resource="pods"), pods(), True),
        (Policy("ann", namespace="other", resource="pods"), pods(), False),
        (Policy("ann", **ANY, readonly=True), pods(verb="watch"), True),
        (Policy("ann", **ANY, readonly=True), pods(verb="delete"), False),
        (Policy("ann", **ANY), Attributes(ANN, "get", path="/x", resource_request=False), False),
        (
            Policy("ann", path="/x/*"),
            Attributes(ANN, "get", path="/x/y", resource_request=False),
            True,
        ),
        (Policy("ann", path="*"), pods(), False),
    ],
)
def test_a_line_of_policy(policy, asked, allowed):
    assert policy.allows(asked) is allowed


LINE = (
    '{"apiVersion": "abac.authorization.kubernetes.io/v1beta1", "kind": "Policy", "spec": '
    '{"user": "ann", "namespace": "ns", "resource": "pods", "apiGroup": "*", "readonly": true}}'
)


def test_policies_are_read_and_listed(tmp_path):
    file = tmp_path / "policies"
    file.write_text(f"# who may what\n\n{LINE}\n")
    policies = read_policies(str(file))
    assert policies == (Policy("ann", "", "ns", "pods", "*", "", True),)
    auth = new_auth(options=AuthOptions(modes=("ABAC", "AlwaysAllow"), policies=policies))
    rules = auth.rules_for(ANN, "ns")
    assert rules.resource_rules == [
        {"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["pods"]},
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    ]
    assert rules.non_resource_rules == [{"verbs": ["*"], "nonResourceURLs": ["*"]}]
    file.write_text('{"user": "ann"}')
    with pytest.raises(ValueError, match=r"line 1: .* it is no Policy of abac"):
        read_policies(str(file))


# -- tokens and anonymous requests ----------------------------------------------------------------


def test_a_file_of_tokens(tmp_path):
    file = tmp_path / "tokens.csv"
    file.write_text('one,ann,1,"devs,ops"\ntwo,bob,2\n,nobody,3\n')
    auth = new_auth(options=AuthOptions(static_tokens=read_static_tokens(str(file))))

    def who(token):
        return auth.authenticate({"authorization": f"Bearer {token}"})

    assert who("one") == User("ann", ("devs", "ops", AUTHENTICATED), "1")
    assert who("two") == User("bob", (AUTHENTICATED,), "2")
    with pytest.raises(Unauthorized):
        who("three")
    file.write_text("one,ann\n")
    words = r"must have at least 3 columns \(token, user name, user uid\), found 2"
    with pytest.raises(ValueError, match=words):
        read_static_tokens(str(file))


def test_anonymous_requests_may_be_for_some_paths_alone():
    auth = new_auth(options=AuthOptions(anonymous_paths=("/livez",)))
    assert auth.authenticate({}, path="/livez").name == "system:anonymous"
    with pytest.raises(Unauthorized):
        auth.authenticate({}, path="/version")


# -- the AuthenticationConfiguration --------------------------------------------------------------

HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"
GOOD = """
anonymous: {enabled: true, conditions: [{path: /livez}]}
jwt:
- issuer:
    url: https://issuer.example
    audiences: [shop]
  claimMappings:
    username: {claim: sub, prefix: "oidc:"}
    groups: {expression: claims.roles}
    extra: [{key: shop.example/level, valueExpression: claims.level}]
  claimValidationRules:
  - {claim: hd, requiredValue: shop.example}
  userValidationRules:
  - {expression: "user.username != 'root'", message: reserved}
"""


def read(tmp_path, text):
    file = tmp_path / "authentication.yaml"
    file.write_text(text)
    return read_authentication(str(file))


def test_a_configuration_of_issuers(tmp_path):
    found = read(tmp_path, HEAD + GOOD)
    (issuer,) = found.issuers
    assert (found.anonymous, found.anonymous_paths) == (True, ("/livez",))
    assert issuer.username == Attribute("sub", "oidc:")
    assert issuer.groups == Attribute(expression="claims.roles")
    assert issuer.extra == {"shop.example/level": "claims.level"}
    assert issuer.claim_rules == [Rule("hd", "shop.example")]


def jwt(
    issuer="url: https://a.example, audiences: [x]", username="claim: sub, prefix: ''", rest=""
):
    mappings = f"claimMappings: {{username: {{{username}}}}}"
    return f"{HEAD}jwt:\n- issuer: {{{issuer}}}\n  {mappings}\n{rest}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty config data"),
        ("kind: Pod", 'no kind "Pod" is registered for version "None"'),
        (
            jwt("url: http://a.example, audiences: [x]"),
            'jwt[0].issuer.url: Invalid value: "http://a.example": URL scheme must be https',
        ),
        (
            jwt("url: https://a.example"),
            (
                "jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is "
                "required"
            ),
        ),
        (
            jwt("url: https://a.example, audiences: [x, y]"),
            (
                'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be '
                "MatchAny for multiple audiences"
            ),
        ),
        (jwt(username=""), "jwt[0].claimMappings.username: Required value: claim or expression"),
        (jwt(username="claim: sub"), "prefix is required when claim is set"),
        (jwt(username="claim: a, expression: claims.b"), "claim and expression can't both be set"),
        (jwt(username="expression: claims..b"), "compilation failed: "),
        (jwt(username="expression: claims.email"), "claims.email_verified must be used in"),
        (
            jwt(rest="  claimValidationRules: [{expression: claims.a + 'b'}]"),
            "must evaluate to bool",
        ),
        (
            jwt(rest="  userValidationRules: [{expression: user.nobody == ''}]"),
            "undefined field 'nobody'",
        ),
        (
            HEAD + "anonymous: {enabled: false, conditions: [{path: /x}]}",
            "enabled should be set to true when conditions are defined",
        ),
    ],
)
def test_what_is_wrong_with_a_configuration(tmp_path, text, words):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the words are compared below
        read(tmp_path, text)
    assert words in str(refused.value)
