"""What became of requests, over the site's REST API, against a real worker."""

import httpx
import pytest

from tests.support.server import wait_until


@pytest.fixture
def rest(playground):
    with httpx.Client(
        base_url=f"{playground.site}/api/clusters/default",
        headers={"Authorization": f"Bearer {playground.token}"},
        timeout=30,
    ) as client:
        yield client


def test_a_request_and_what_came_of_it(rest, api, namespace):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    body = {
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "nginx:1.29"}]},
            },
        },
    }
    answer = api.post(path, json=body)
    assert answer.status_code == 201
    audit_id = answer.headers["audit-id"]

    def places():
        found = rest.get(f"/traces/{audit_id}")
        assert found.status_code == 200, found.text
        return {step["place"] for step in found.json()["steps"]}

    wait_until(lambda: {"controllers", "scheduler", "kubelet", "runtime"} <= places())
    listed = rest.get("/traces", params={"verb": "create", "resource": "deployments"}).json()
    assert audit_id in [one["auditID"] for one in listed["items"]]


def test_refusals_are_found_by_their_code(rest, api, namespace):
    refused = api.get(
        f"/api/v1/namespaces/{namespace}/pods", headers={"Impersonate-User": "somebody"}
    )
    assert refused.status_code == 403
    listed = rest.get("/traces", params={"code": "403", "user": "somebody"}).json()["items"]
    assert refused.headers["audit-id"] in [one["auditID"] for one in listed]


def test_odd_questions(rest):
    assert rest.get("/traces/nothing").status_code == 404
    assert rest.get("/traces", params={"limit": "x"}).status_code == 400
    assert rest.put("/traces/details", json={"seconds": -1}).status_code == 422
