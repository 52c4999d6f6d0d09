"""CertificateSigningRequests: who asks, what may be asked, who may decide and who may sign."""

from __future__ import annotations

import pytest

from apiserver.registry.certificates import CERTIFICATESIGNINGREQUESTS as REQUESTS
from tests.apiserver.registry.trying import cells, create_errors, created, update_errors, updated
from tests.support.certificaterequests import certificate_request

REQUEST = certificate_request("ann")


def spec(**more):
    return {
        "request": REQUEST,
        "signerName": "example.com/s",
        "usages": ["client auth"],
        **more,
    }


def test_server_writes_down_who_asks():
    made = created(REQUESTS, spec=spec(username="root", groups=["system:masters"]))
    assert made["spec"]["username"] == "ann"
    assert made["spec"]["groups"] == ["devs"]
    assert "uid" not in made["spec"]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({}, None),
        (
            {"request": "eA=="},
            'spec.request: Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST',
        ),
        ({"usages": []}, "spec.usages: Required value"),
        (
            {"usages": ["client auth", "client auth"]},
            'spec.usages[1]: Duplicate value: "client auth"',
        ),
        (
            {"signerName": "bad"},
            (
                'spec.signerName: Invalid value: "bad": must be a fully qualified domain and path '
                "of the form 'example.com/signer-name'"
            ),
        ),
        (
            {"signerName": "com/s"},
            (
                'spec.signerName: Invalid value: "com": '
                "should be a domain with at least two segments separated by dots"
            ),
        ),
        (
            {"expirationSeconds": 60},
            (
                "spec.expirationSeconds: Invalid value: 60: "
                "may not specify a duration less than 600 seconds (10 minutes)"
            ),
        ),
    ],
)
def test_what_may_be_asked(more, error):
    assert create_errors(REQUESTS, spec=spec(**more)) == ([error] if error else [])


def approve(kind="Approved"):
    return lambda r: r["status"].update(conditions=[{"type": kind, "status": "True"}])


def test_approval_writes_conditions_alone():
    old = created(REQUESTS, spec=spec())
    new = updated(REQUESTS, old, approve(), "approval")
    (condition,) = new["status"]["conditions"]
    assert condition["lastUpdateTime"] == condition["lastTransitionTime"]
    assert update_errors(REQUESTS, old, approve(), "approval") == []
    assert update_errors(REQUESTS, old, approve(), "status") == [
        'status.conditions: Forbidden: updates may not add a condition of type "Approved"'
    ]
    gone = update_errors(REQUESTS, new, lambda r: r["status"].update(conditions=[]), "approval")
    assert gone == [
        'status.conditions: Forbidden: updates may not remove a condition of type "Approved"'
    ]


def test_decision_stays_as_it_is():
    old = updated(REQUESTS, created(REQUESTS, spec=spec()), approve(), "approval")

    def explain(request):
        request["status"]["conditions"][0]["reason"] = "Because"

    (error,) = update_errors(REQUESTS, old, explain, "status")
    assert error == (
        "status.conditions: Forbidden: "
        'updates may not modify a condition of type "Approved"\n'
        "@@ -2,7 +2,7 @@\n"
        "  {\n"
        '   "Type": "Approved",\n'
        '   "Status": "True",\n'
        '-  "Reason": "",\n'
        '+  "Reason": "Because",\n'
        '   "Message": "",\n'
        '   "LastUpdateTime": "2026-01-02T03:04:05Z",\n'
        '   "LastTransitionTime": "2026-01-02T03:04:05Z"\n'
    )


@pytest.mark.parametrize(
    ("name", "errors"),
    [
        ("example.com/" + ".".join(["a" * 63] * 4), []),
        ("A.B.com/s", ['"A.B.com": validating label "A": a lowercase RFC 1123 label']),
        ("example.com/A.B", ['"A.B": validating label "A": a lowercase RFC 1123 subdomain']),
        ("example.com/" + ".".join(["a" * 200] * 3), ["may not be more than 571 bytes"]),
    ],
)
def test_names_of_signers(name, errors):
    found = create_errors(REQUESTS, spec=spec(signerName=name))
    assert len(found) == len(errors)
    assert all(error in text for error, text in zip(errors, found, strict=True))


def test_only_one_decision():
    both = [{"type": kind, "status": "True"} for kind in ("Approved", "Denied")]
    old = created(REQUESTS, spec=spec())
    found = update_errors(REQUESTS, old, lambda r: r["status"].update(conditions=both), "approval")
    why = "Approved and Denied conditions are mutually exclusive"
    assert found == [f'status.conditions: Invalid value: "Denied": {why}']


def test_certificate_comes_through_status_and_is_one():
    old = created(REQUESTS, spec=spec())
    found = update_errors(REQUESTS, old, lambda r: r["status"].update(certificate="eA=="), "status")
    assert found == [
        (
            'status.certificate: Invalid value: "<certificate data>": '
            "must contain at least one CERTIFICATE PEM block"
        )
    ]


def test_main_resource_changes_labels_alone():
    old = created(REQUESTS, spec=spec())
    new = updated(REQUESTS, old, lambda r: r["spec"].update(signerName="example.com/other"))
    assert new["spec"] == old["spec"]


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ({}, "Pending"),
        ({"conditions": [{"type": "Approved", "status": "True"}]}, "Approved"),
        (
            {"conditions": [{"type": "Approved", "status": "True"}], "certificate": "x"},
            "Approved,Issued",
        ),
        ({"conditions": [{"type": "Denied", "status": "True"}]}, "Denied"),
    ],
)
def test_row(status, shown):
    made = created(REQUESTS, spec=spec(expirationSeconds=3600)) | {"status": status}
    assert cells(REQUESTS, made)[2:] == ["example.com/s", "ann", "60m", shown]
