"""Facts about Services: target ports, endpoints, columns."""

import pytest

from apimachinery import services

POD = {
    "metadata": {"name": "p"},
    "spec": {
        "hostname": "web-0",
        "subdomain": "web",
        "containers": [{"ports": [{"name": "http", "containerPort": 8080}]}],
        "initContainers": [{"ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]}],
    },
    "status": {
        "phase": "Running",
        "podIPs": [{"ip": "10.1.0.1"}],
        "conditions": [{"type": "Ready", "status": "True"}],
    },
}


def service(**spec):
    return {"metadata": {"name": "web"}, "spec": spec}


@pytest.mark.parametrize(
    ("port", "target"),
    [
        ({"port": 80}, 80),
        ({"port": 80, "targetPort": 0}, 80),
        ({"port": 80, "targetPort": 9090}, 9090),
        ({"port": 80, "targetPort": "http"}, 8080),
        ({"port": 80, "targetPort": "none"}, None),
        ({"port": 53, "targetPort": "dns", "protocol": "UDP"}, 53),
        ({"port": 53, "targetPort": "dns", "protocol": "TCP"}, None),
    ],
)
def test_target_ports(port, target):
    assert services.target_port(POD, port) == target


def test_endpoints():
    ports = [{"name": "a", "port": 80, "targetPort": "http", "appProtocol": "http"}]
    given = service(ports=[*ports, {"port": 1, "targetPort": "none"}])
    assert services.endpoint_ports(POD, given) == [
        {"name": "a", "port": 8080, "protocol": "TCP", "appProtocol": "http"}
    ]
    assert services.endpoint_conditions(POD, given) == {
        "ready": True,
        "serving": True,
        "terminating": False,
    }
    dying = POD | {"metadata": {"deletionTimestamp": "x"}}
    assert services.endpoint_conditions(dying, given) == {
        "ready": False,
        "serving": True,
        "terminating": True,
    }
    always = service(publishNotReadyAddresses=True)
    assert services.endpoint_conditions({"status": {}}, always)["ready"]
    assert services.belongs_in_endpoints(POD)
    assert not services.belongs_in_endpoints(dying, include_terminating=False)
    assert not services.belongs_in_endpoints(POD | {"status": {"phase": "Running"}})
    ended = POD | {"status": {"phase": "Failed", "podIP": "10.1.0.1"}}
    assert not services.belongs_in_endpoints(ended)
    assert services.hostname_in_endpoints(POD, service()) == "web-0"
    assert services.hostname_in_endpoints(POD, {"metadata": {"name": "x"}}) == ""


def test_addresses():
    assert services.is_headless(service(clusterIP="None"))
    assert not services.has_cluster_ip(service(clusterIP="None"))
    assert services.cluster_ips(service(clusterIP="10.0.0.1")) == ["10.0.0.1"]
    assert services.cluster_ips(service(clusterIPs=["None"])) == []
    assert services.pod_ips({"status": {"podIP": "10.1.0.1"}}) == ["10.1.0.1"]
