"""Why an object is not as wanted, against a real worker: what would help is tried on a fork."""

import pytest

from tests.support.server import wait_until


@pytest.fixture
def rest(playground):
    with playground.client(base=f"{playground.site}/api/clusters") as client:
        client.timeout = 60
        yield client


def test_a_change_that_helps_is_found_out_on_a_fork(playground, rest, api, namespace):
    body = {
        "metadata": {"name": "web"},
        "spec": {
            "paused": True,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "nginx:1.29"}]},
            },
        },
    }
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    assert api.post(path, json=body).status_code == 201
    address = f"/default/why/deploy/{namespace}/web"

    def causes():
        return rest.get(address).json()["causes"]

    wait_until(lambda: [one["condition"] for one in causes()][:1] == ["spec.paused=true"])
    found = rest.get(address, params={"try": "true"}).json()
    fix = found["causes"][0]["fixes"][0]
    assert fix["command"] == f"kubectl rollout resume deployment/web -n {namespace}"
    assert fix["tried"] == {"helped": True, "left": []}
    # Nothing is changed here, and nothing is left of the fork.
    assert api.get(f"{path}/web").json()["spec"]["paused"]
    listed = rest.get(f"{playground.site}/api/clusters").json()["items"]
    names = [one["name"] for one in listed]
    assert not [name for name in names if name.startswith("why-")]
