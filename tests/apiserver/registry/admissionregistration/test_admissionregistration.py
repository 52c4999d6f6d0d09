"""Webhooks, policies and bindings: rules, addresses, expressions, defaults."""

from __future__ import annotations

import pytest

from apiserver.registry.admissionregistration import (
    MUTATINGADMISSIONPOLICIES,
    MUTATINGWEBHOOKCONFIGURATIONS,
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
    VALIDATINGWEBHOOKCONFIGURATIONS,
)
from tests.apiserver.registry.trying import cells, create_errors, created, read

RULE = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["pods"],
}
HOOK = {
    "name": "a.example.com",
    "admissionReviewVersions": ["v1"],
    "sideEffects": "None",
    "clientConfig": {"service": {"namespace": "n", "name": "s"}},
    "rules": [RULE],
}


def test_webhook_defaults():
    (hook,) = read(MUTATINGWEBHOOKCONFIGURATIONS, webhooks=[HOOK])["webhooks"]
    assert hook["clientConfig"]["service"]["port"] == 443
    assert hook["rules"][0]["scope"] == "*"
    assert {k: v for k, v in hook.items() if k not in HOOK} == {
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
        "timeoutSeconds": 10,
        "reinvocationPolicy": "Never",
    }
    (hook,) = read(VALIDATINGWEBHOOKCONFIGURATIONS, webhooks=[HOOK])["webhooks"]
    assert "reinvocationPolicy" not in hook


def url(text):
    return {"clientConfig": {"url": text}}


FORM = "; desired format: https://host[/path]"


@pytest.mark.parametrize(
    ("more", "errors"),
    [
        ({}, []),
        (
            {"name": "short"},
            [
                (
                    'webhooks[0].name: Invalid value: "short": '
                    "should be a domain with at least three segments separated by dots"
                )
            ],
        ),
        (
            {"sideEffects": "Some", "timeoutSeconds": 31},
            [
                (
                    'webhooks[0].sideEffects: Unsupported value: "Some": '
                    'supported values: "None", "NoneOnDryRun"'
                ),
                (
                    "webhooks[0].timeoutSeconds: Invalid value: 31: "
                    "the timeout value must be between 1 and 30 seconds"
                ),
            ],
        ),
        (
            url("http://u@h/x?q#f"),
            [
                (
                    'webhooks[0].clientConfig.url: Invalid value: "http": '
                    f"'https' is the only allowed URL scheme{FORM}"
                ),
                (
                    'webhooks[0].clientConfig.url: Invalid value: "u": '
                    "user information is not permitted in the URL"
                ),
                (
                    'webhooks[0].clientConfig.url: Invalid value: "f": '
                    "fragments are not permitted in the URL"
                ),
                (
                    'webhooks[0].clientConfig.url: Invalid value: "q": '
                    "query parameters are not permitted in the URL"
                ),
            ],
        ),
        (
            {"admissionReviewVersions": ["v2", "v2"]},
            [
                'webhooks[0].admissionReviewVersions[1]: Invalid value: "v2": duplicate version',
                (
                    'webhooks[0].admissionReviewVersions: Invalid value: ["v2","v2"]: '
                    "must include at least one of v1, v1beta1"
                ),
            ],
        ),
        (
            {
                "rules": [
                    RULE | {"operations": ["*", "CREATE"], "resources": ["pods/*", "pods/log"]}
                ]
            },
            [
                (
                    'webhooks[0].rules[0].operations: Invalid value: ["*","CREATE"]: '
                    "if '*' is present, must not specify other operations"
                ),
                (
                    'webhooks[0].rules[0].resources[1]: Invalid value: "pods/log": '
                    "if 'pods/*' is present, must not specify pods/log"
                ),
            ],
        ),
        (
            {"matchConditions": [{"name": "n", "expression": "a b"}]},
            [
                (
                    'webhooks[0].matchConditions[0].expression: Invalid value: "a b": '
                    "compilation failed: ERROR: <input>:1:3: Syntax error: "
                    "extraneous input 'b' expecting <EOF>\n | a b\n | ..^"
                )
            ],
        ),
    ],
)
def test_webhooks(more, errors):
    assert create_errors(VALIDATINGWEBHOOKCONFIGURATIONS, webhooks=[HOOK | more]) == errors


def test_webhooks_have_names_of_their_own():
    assert create_errors(MUTATINGWEBHOOKCONFIGURATIONS, webhooks=[HOOK, HOOK]) == [
        'webhooks[1].name: Duplicate value: "a.example.com"'
    ]


def policy(**more):
    return {
        "matchConstraints": {"resourceRules": [RULE]},
        "validations": [{"expression": "true"}],
        **more,
    }


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        (policy(), []),
        (
            policy(validations=[]),
            [
                (
                    "spec.validations: Required value: "
                    "validations or auditAnnotations must contain at least one item"
                ),
                (
                    "spec.auditAnnotations: Required value: "
                    "validations or auditAnnotations must contain at least one item"
                ),
            ],
        ),
        (
            policy(matchConstraints={}),
            ["spec.matchConstraints.resourceRules: Required value"],
        ),
        (
            policy(validations=[{"expression": " ", "message": "a\nb", "reason": "Odd"}]),
            [
                "spec.validations[0].expression: Required value: expression is not specified",
                (
                    'spec.validations[0].message: Invalid value: "a\\nb": '
                    "message must not contain line breaks"
                ),
                (
                    'spec.validations[0].reason: Unsupported value: "Odd": '
                    'supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"'
                ),
            ],
        ),
        (
            policy(paramKind={"apiVersion": "a/b/c"}),
            [
                (
                    'spec.paramKind.apiVersion: Invalid value: "a/b/c": '
                    "unexpected GroupVersion string: a/b/c"
                ),
                "spec.paramKind.kind: Required value",
            ],
        ),
    ],
)
def test_policies(spec, errors):
    assert create_errors(VALIDATINGADMISSIONPOLICIES, spec=spec) == errors


def test_policy_row():
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    made = created(VALIDATINGADMISSIONPOLICIES, spec=policy(paramKind=kind))
    assert cells(VALIDATINGADMISSIONPOLICIES, made)[1:3] == [1, "v1/ConfigMap"]


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        ({"policyName": "p", "validationActions": ["Deny", "Audit"]}, []),
        (
            {"policyName": "p", "validationActions": ["Deny", "Warn"]},
            [
                (
                    'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both '
                    "Deny and Warn (repeating the same validation failure information in the API "
                    "response and headers serves no purpose)"
                )
            ],
        ),
        (
            {"policyName": "p", "validationActions": ["Deny"], "paramRef": {}},
            [
                "spec.paramRef: Required value: one of name or selector must be specified",
                "spec.paramRef.parameterNotFoundAction: Required value",
            ],
        ),
    ],
)
def test_bindings(spec, errors):
    assert create_errors(VALIDATINGADMISSIONPOLICYBINDINGS, spec=spec) == errors


def test_mutations_have_the_source_of_their_type():
    spec = {
        "matchConstraints": {"resourceRules": [RULE]},
        "mutations": [{"patchType": "JSONPatch", "applyConfiguration": {"expression": "a"}}],
    }
    found = create_errors(MUTATINGADMISSIONPOLICIES, spec=spec)
    assert [error.split(":")[0] for error in found] == [
        "spec.mutations[0].applyConfiguration",
        "spec.mutations[0].jsonPatch",
    ]
