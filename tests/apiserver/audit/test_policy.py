"""Audit policies: which rule matches, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from apiserver.audit.policy import Asked, Level, load_policy, read_policy

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"


def policy(rules: str, more: str = "") -> str:
    return f"{HEAD}{more}rules: {rules}\n"


def asked(**changes) -> Asked:
    base = Asked("ann", ("devs",), "get", True, "", "pods", "", "default", "p", "/api/v1/pods")
    return base._replace(**changes)


@pytest.mark.parametrize(
    ("rule", "matches", "not_matches"),
    [
        ("users: [ann]", {}, {"user": "bob"}),
        ("userGroups: [devs, ops]", {}, {"groups": ("x",)}),
        ("verbs: [get, list]", {}, {"verb": "create"}),
        ("namespaces: [default]", {}, {"namespace": ""}),
        ("namespaces: ['']", {"namespace": ""}, {}),
        ("resources: [{group: ''}]", {}, {"group": "apps"}),
        ("resources: [{group: '', resources: [pods]}]", {}, {"subresource": "log"}),
        ("resources: [{group: '', resources: [pods/log]}]", {"subresource": "log"}, {}),
        (
            "resources: [{group: '', resources: [pods/*]}]",
            {"subresource": "log"},
            {"resource": "x"},
        ),
        ("resources: [{group: '', resources: ['*/scale']}]", {"subresource": "scale"}, {}),
        ("resources: [{group: '', resources: ['*']}]", {"subresource": "x"}, {"group": "apps"}),
        (
            "resources: [{group: '', resources: [pods], resourceNames: [p]}]",
            {},
            {"name": "other"},
        ),
        ("nonResourceURLs: [/healthz*]", {"is_resource": False, "path": "/healthz/x"}, {}),
        ("nonResourceURLs: ['*']", {"is_resource": False, "path": "/x"}, {"path": "/x"}),
        ("nonResourceURLs: [/x]", {"is_resource": False, "path": "/x"}, {"is_resource": False}),
    ],
)
def test_rules(rule, matches, not_matches):
    found = read_policy(policy(f"[{{level: Metadata, {rule}}}]"))
    verdict = found.verdict(asked(**matches))
    assert verdict is not None
    assert verdict.level is Level.METADATA
    assert found.verdict(asked(**not_matches)) is None


def test_the_first_rule_decides():
    rules = "[{level: None, users: [ann]}, {level: RequestResponse}]"
    found = read_policy(policy(rules))
    assert found.verdict(asked()) is None
    verdict = found.verdict(asked(user="bob"))
    assert verdict is not None
    assert verdict.level is Level.REQUEST_RESPONSE


def test_what_is_left_out():
    rules = """
- {level: Metadata, users: [ann], omitStages: [Panic], omitManagedFields: false}
- {level: Metadata}
"""
    found = read_policy(policy(rules, "omitStages: [RequestReceived]\nomitManagedFields: true\n"))
    first, second = found.verdict(asked()), found.verdict(asked(user="bob"))
    assert first == (Level.METADATA, {"RequestReceived", "Panic"}, False)
    assert second == (Level.METADATA, {"RequestReceived"}, True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "failed decoding: "),
        ("{}", "failed decoding: Object 'Kind' is missing in '{}'"),
        (
            "{apiVersion: audit.k8s.io/v1beta1, kind: Policy}",
            'no kind "Policy" is registered for version "audit.k8s.io/v1beta1"',
        ),
        (HEAD, "loaded illegal policy with 0 rules"),
        (policy("[{}]"), "rules[0].level: Required value"),
        (
            policy("[{level: All}]"),
            (
                'rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", '
                '"Request", "RequestResponse"'
            ),
        ),
        (
            policy("[{level: None, omitStages: [Now]}]"),
            (
                'rules[0].omitStages[0]: Invalid value: "Now": allowed stages are '
                "RequestReceived,ResponseStarted,ResponseComplete,Panic"
            ),
        ),
        (
            policy("[{level: None, nonResourceURLs: [x, /a*b]}]"),
            (
                '[rules[0].nonResourceURLs[0]: Invalid value: "x": non-resource URL rules must '
                "begin with a '/' character, rules[0].nonResourceURLs[1]: Invalid value: \"/a*b\": "
                "non-resource URL wildcards '*' must be the final character of the rule]"
            ),
        ),
        (
            policy("[{level: None, nonResourceURLs: ['*'], namespaces: [a]}]"),
            (
                'rules[0].nonResourceURLs: Invalid value: ["*"]: rules cannot apply to both '
                "regular resources and non-resource URLs"
            ),
        ),
        (
            policy("[{level: None, resources: [{resourceNames: [a]}]}]"),
            (
                'rules[0].resources.resourceNames: Invalid value: ["a"]: using resourceNames '
                "requires at least one resource"
            ),
        ),
        (
            policy("[{level: None, resources: [{group: a/v1}]}]"),
            'rules[0].resources.group: Invalid value: "a/v1": a lowercase RFC 1123 subdomain',
        ),
        (policy("[x]"), "failed decoding: "),
    ],
)
def test_what_is_wrong(text, why):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - what it says is what is tested
        read_policy(text)
    assert why in str(refused.value)


def test_files_are_named(tmp_path: Path):
    with pytest.raises(
        ValueError, match=r'failed to read file path ".*/no": open .*: no such file'
    ):
        load_policy(str(tmp_path / "no"))
    file = tmp_path / "policy.yaml"
    file.write_text(HEAD)
    with pytest.raises(ValueError, match=f"with 0 rules: from file {file}"):
        load_policy(str(file))
    file.write_text(policy("[{level: Metadata}]"))
    assert load_policy(str(file)).verdict(asked()) is not None
