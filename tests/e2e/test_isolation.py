"""Two clusters of one worker must not see each other: objects, streams, networks, credentials."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.support.kubectl import Kubectl
from tests.support.server import ClusterAccess, Playground, wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def pair(playground: Playground) -> Iterator[tuple[ClusterAccess, ClusterAccess]]:
    """Two clusters, each with one node."""
    made = [playground.make_cluster(name, nodes=1) for name in ("left", "right")]
    yield made[0], made[1]
    for cluster in made:
        playground.delete_cluster(cluster.name)


@pytest.fixture(scope="module")
def left(pair: tuple[ClusterAccess, ClusterAccess], home: Path) -> Kubectl:
    return Kubectl("1.36", pair[0].kubeconfig, home, "default")


@pytest.fixture(scope="module")
def right(pair: tuple[ClusterAccess, ClusterAccess], home: Path) -> Kubectl:
    return Kubectl("1.36", pair[1].kubeconfig, home, "default")


def test_each_has_its_own_address_and_objects(
    pair: tuple[ClusterAccess, ClusterAccess], left: Kubectl, right: Kubectl
) -> None:
    for cluster in pair:
        config = yaml.safe_load(cluster.kubeconfig.read_text())
        assert config["clusters"][0]["cluster"]["server"] == cluster.server
        assert cluster.server.endswith(f"/clusters/{cluster.name}")
    uid = "{.metadata.uid}"
    assert left.field("ns/kube-system", uid) != right.field("ns/kube-system", uid)
    left("create", "configmap", "mine", "--from-literal=who=left")
    right("create", "configmap", "mine", "--from-literal=who=right")
    assert left.field("cm/mine", "{.data.who}") == "left"
    right("delete", "cm", "mine")
    assert left.field("cm/mine", "{.data.who}") == "left"
    assert "(NotFound)" in right.fails("get", "cm", "mine")


def test_a_watch_tells_of_its_own_cluster_alone(left: Kubectl, right: Kubectl) -> None:
    with left.started("get", "cm", "-w", "--output-watch-events") as watch:
        watch.until("kube-root-ca.crt")
        right("create", "configmap", "secret-of-right")
        left("create", "configmap", "sign-of-left")
        watch.until("sign-of-left")
        assert "secret-of-right" not in watch.said


def test_pods_work_in_one_and_are_unknown_in_the_other(left: Kubectl, right: Kubectl) -> None:
    left("run", "box", "--image=nginx", "--port=80", "--expose")
    left("wait", "--for=condition=Ready", "pod/box", "--timeout=20s")
    assert left("exec", "box", "--", "hostname") == "box\n"
    assert 'pods "box" not found' in right.fails("exec", "box", "--", "hostname")
    assert 'pods "box" not found' in right.fails("logs", "box")
    # The networks are apart, though their addresses are the same.
    address = left.field("pod/box", "{.status.podIP}")
    right("run", "prober", "--image=busybox", "--", "sleep", "3600")
    right("wait", "--for=condition=Ready", "pod/prober", "--timeout=20s")
    assert right.field("pod/prober", "{.status.podIP}") == address
    said = right.run("exec", "prober", "--", "wget", "-qO-", "-T", "2", "http://box")
    assert said.code != 0
    page = left("exec", "box", "--", "curl", "-s", f"http://{address}")
    assert "Welcome to nginx" in page


def swapped(one: ClusterAccess, other: ClusterAccess, to: Path) -> Path:
    """Return a kubeconfig with one cluster's credentials and the other's address."""
    config = yaml.safe_load(one.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = other.server
    to.write_text(yaml.safe_dump(config))
    return to


def test_a_client_certificate_opens_its_own_cluster_alone(
    pair: tuple[ClusterAccess, ClusterAccess], left: Kubectl, tmp_path: Path
) -> None:
    stranger = left.using(swapped(pair[0], pair[1], tmp_path / "swapped"))
    for arguments in (("get", "pods"), ("create", "configmap", "x"), ("exec", "box", "--", "id")):
        said = stranger.fails(*arguments)
        assert re.search(r"Unauthorized|must be logged in", said), said
    own = playground_root(pair[0], left, tmp_path)
    said = own.fails("get", "pods")
    assert re.search(r"Unauthorized|must be logged in", said), said


def playground_root(cluster: ClusterAccess, kubectl: Kubectl, tmp_path: Path) -> Kubectl:
    """Return kubectl with a cluster's credentials at the address of the default cluster."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    server = config["clusters"][0]["cluster"]["server"]
    config["clusters"][0]["cluster"]["server"] = server.partition("/clusters/")[0]
    file = tmp_path / "root"
    file.write_text(yaml.safe_dump(config))
    return kubectl.using(file)


def test_a_service_accounts_token_opens_its_own_cluster_alone(
    pair: tuple[ClusterAccess, ClusterAccess],
    playground: Playground,
    left: Kubectl,
    right: Kubectl,
) -> None:
    for kubectl in (left, right):
        kubectl("create", "serviceaccount", "robot")
        binding = ("clusterrolebinding", "robots", "--clusterrole=cluster-admin")
        kubectl("create", *binding, "--serviceaccount=default:robot")
    token = left("create", "token", "robot").strip()
    paths = ("/api/v1/namespaces/default/configmaps", "/api/v1/nodes")
    for path in paths:
        with playground.client(token, base=pair[0].server) as client:
            assert client.get(path).status_code == 200
        for elsewhere in (pair[1].server, playground.api):
            with playground.client(token, base=elsewhere) as client:
                assert client.get(path).status_code == 401
                assert client.post(path, json={}).status_code == 401


def test_a_pods_own_token_opens_the_api_from_its_mount(
    pair: tuple[ClusterAccess, ClusterAccess], playground: Playground, left: Kubectl
) -> None:
    left("create", "serviceaccount", "reader")
    left("create", "role", "pods", "--verb=list", "--resource=pods")
    left("create", "rolebinding", "pods", "--role=pods", "--serviceaccount=default:reader")
    overrides = json.dumps({"spec": {"serviceAccountName": "reader"}})
    left("run", "inside", "--image=busybox", f"--overrides={overrides}", "--", "sleep", "3600")
    left("wait", "--for=condition=Ready", "pod/inside", "--timeout=20s")
    mount = "/var/run/secrets/kubernetes.io/serviceaccount"

    def read(name: str) -> str:
        return left("exec", "inside", "--", "cat", f"{mount}/{name}")

    token = read("token")
    assert read("namespace") == "default"
    assert read("ca.crt").startswith("-----BEGIN CERTIFICATE-----")
    assert read("ca.crt").strip() == (playground.data_dir / "ca.crt").read_text().strip()
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["kubernetes.io"]["pod"]["name"] == "inside"
    with playground.client(token, base=pair[0].server) as client:
        listed = client.get("/api/v1/namespaces/default/pods")
        assert listed.status_code == 200
        assert "inside" in [item["metadata"]["name"] for item in listed.json()["items"]]
        assert client.get("/api/v1/namespaces/default/secrets").status_code == 403
    # The token ends with its pod.
    left("delete", "pod", "inside", "--now")

    def refused() -> bool:
        with playground.client(token, base=pair[0].server) as client:
            return client.get("/api/v1/namespaces/default/pods").status_code == 401

    wait_until(refused)


def test_a_deleted_cluster_is_gone_with_all_it_had(playground: Playground, home: Path) -> None:
    cluster = playground.make_cluster("short-lived", nodes=1)
    kubectl = Kubectl("1.36", cluster.kubeconfig, home, "default")
    kubectl("create", "configmap", "kept")
    with kubectl.started("get", "cm", "-w") as watch:
        watch.until("kept")
        playground.delete_cluster("short-lived")
        watch.rest()
    with playground.client(base=cluster.server) as client:
        assert client.get("/api/v1/namespaces").status_code == 404
    # One of the same name is another one, and does not know the old one's certificate.
    playground.make_cluster("short-lived", nodes=0)
    with playground.client(base=cluster.server) as client:
        maps = client.get("/api/v1/namespaces/default/configmaps").json()["items"]
    assert "kept" not in [item["metadata"]["name"] for item in maps]
    playground.delete_cluster("short-lived")


def test_an_unknown_cluster_is_not_found(playground: Playground) -> None:
    with playground.client(base=f"{playground.api}/clusters/nobody") as client:
        answer = client.get("/api/v1/pods")
    assert answer.status_code == 404
    assert answer.json()["kind"] == "Status"


def test_the_control_api_is_for_the_instances_token_alone(
    pair: tuple[ClusterAccess, ClusterAccess], playground: Playground, left: Kubectl
) -> None:
    left("create", "serviceaccount", "nosy")
    token = left("create", "token", "nosy").strip()
    for given in (None, "wrong", token):
        with playground.client(given) as client:
            for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/left")):
                answer = client.request(method, f"/kubeground/v1/clusters{path}")
                assert answer.status_code == 401, (given, method, answer.text)
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"{playground.site}/api/clusters", headers=headers, timeout=10)
    assert answer.status_code in (401, 403)
