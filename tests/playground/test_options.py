"""What kube-apiserver says of flags that do not fit together."""

from __future__ import annotations

import dataclasses

import pytest

from apiserver.auth.oidc.issuer import Attribute, Rule
from playground.auth_options import auth_options
from playground.flags import DEFAULTS
from playground.options import problems

ISSUER = {"oidc_issuer_url": "https://a.example", "oidc_client_id": "shop"}


def flags(**given):
    return dataclasses.replace(DEFAULTS, **given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ""),
        (ISSUER, ""),
        (
            {"oidc_issuer_url": "https://a.example"},
            (
                "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* "
                "flags are set"
            ),
        ),
        (
            {**ISSUER, "oidc_issuer_url": "http://a.example"},
            'oidc-issuer-url: Invalid value: "http://a.example": URL scheme must be https',
        ),
        ({**ISSUER, "oidc_signing_algs": ("none",)}, 'oidc: unsupported signing alg: "none"'),
        ({"service_account_issuer": ()}, "service-account-issuer is a required flag"),
        (
            {"service_account_max_token_expiration": 60.0},
            "the service-account-max-token-expiration must be between 1 hour and 2^32 seconds",
        ),
        ({"authorization_mode": ()}, "at least one authorization-mode must be passed"),
        ({"authorization_mode": ("No",)}, 'authorization-mode "No" is not a valid mode'),
        (
            {"authorization_mode": ("RBAC", "RBAC")},
            'authorization-mode "RBAC" has mode specified more than once',
        ),
        (
            {"authorization_mode": ("ABAC",)},
            "authorization-mode ABAC's authorization policy file not passed",
        ),
        ({"token_auth_file": "/gone/tokens"}, "/gone/tokens: [Errno 2]"),
        ({"insecure_port": 70000}, "--insecure-port 70000 must be between 0 and 65535, inclusive"),
        ({"service_cluster_ip_range": "10.96.0.0/16,fd00::/108"}, ""),
        (
            {"service_cluster_ip_range": "10.96.0.0/16,10.97.0.0/16"},
            (
                "--service-cluster-ip-range[0] and --service-cluster-ip-range[1] must be of "
                "different IP family"
            ),
        ),
        (
            {"service_cluster_ip_range": "10.96.0.0/16,fd00::/108,fd01::/108"},
            "--service-cluster-ip-range must not contain more than two entries",
        ),
        (
            {"service_cluster_ip_range": "10.96.0.0/16,x"},
            "--service-cluster-ip-range[1] is not a valid cidr",
        ),
        ({"service_cluster_ip_range": ""}, "--service-cluster-ip-range[0] is not a valid cidr"),
        (
            {"service_cluster_ip_range": "fd00::/108"},
            "--service-cluster-ip-range[0] must be of IPv4, as the address of the API server is",
        ),
        (
            {"service_cluster_ip_range": "10.96.0.0/30"},
            "the service cluster IP range must be at least 8 IP addresses",
        ),
        (
            {"service_cluster_ip_range": "10.96.0.0/16,fd00::/48"},
            (
                "specified --service-cluster-ip-range is too large; for 128-bit addresses, "
                "the mask must be >= 64"
            ),
        ),
        (
            {"enable_admission_plugins": ("A",), "authorization_mode": ("B",)},
            (
                '[authorization-mode "B" is not a valid mode, enable-admission-plugins plugin "A" '
                "is unknown]"
            ),
        ),
    ],
)
def test_problems(given, words):
    told = problems(flags(**given))
    assert told.startswith(words)
    assert bool(told) is bool(words)


@pytest.mark.parametrize(
    ("given", "username"),
    [
        ({}, Attribute("sub", "https://a.example#")),
        ({"oidc_username_claim": "email"}, Attribute("email", "")),
        ({"oidc_username_prefix": "-"}, Attribute("sub", "")),
        ({"oidc_username_prefix": "x:"}, Attribute("sub", "x:")),
    ],
)
def test_the_prefix_of_user_names(given, username):
    required = (("hd", "shop"),)
    (verifier,) = auth_options(flags(**ISSUER, **given, oidc_required_claim=required)).issuers
    assert verifier.issuer.username == username
    assert verifier.issuer.claim_rules == [Rule("hd", "shop")]
    assert verifier.issuer.algorithms == ("RS256",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"max_requests_inflight": -1}, "--max-requests-inflight can not be negative value"),
        ({"request_timeout": -1.0}, "--request-timeout can not be negative value"),
        ({"audit_log_maxage": -1}, "--audit-log-maxage -1 can't be a negative number"),
        (
            {"audit_log_format": "xml"},
            'invalid audit log format xml, allowed formats are "legacy,json"',
        ),
        (
            {"audit_policy_file": "/nowhere"},
            'loading audit policy file: failed to read file path "/nowhere": open /nowhere: no',
        ),
    ],
)
def test_limits_and_the_audit_log(given, words):
    assert problems(flags(**given)).startswith(words)


def test_of_anonymous_requests_either_the_flag_or_the_file_speaks(tmp_path):
    file = tmp_path / "authentication.yaml"
    file.write_text(
        "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"
        "anonymous: {enabled: true, conditions: [{path: /livez}]}\n"
    )
    found = auth_options(flags(authentication_config=str(file)))
    assert (found.anonymous, found.anonymous_paths) == (True, ("/livez",))
    told = problems(flags(authentication_config=str(file), anonymous_auth=False))
    assert told.startswith("--anonymous-auth flag cannot be set when anonymous field is")
