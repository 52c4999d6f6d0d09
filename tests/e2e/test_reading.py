"""What kubectl shows of a cluster: lists, watches, descriptions, explanations, rights."""

from __future__ import annotations

import re

import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import Playground, wait_until

pytestmark = pytest.mark.e2e


def rows(table: str) -> list[list[str]]:
    """Return the cells of a table; columns are at least two blanks apart, or three in -o wide."""
    return [re.split(r" {2,}", line.strip()) for line in table.splitlines()]


def test_nodes_are_ready(admin: Kubectl) -> None:
    heading, *nodes = rows(admin("get", "nodes"))
    assert heading == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert [tuple(node[:3]) for node in nodes] == [
        ("control-plane", "Ready", "control-plane"),
        ("node-1", "Ready", "<none>"),
        ("node-2", "Ready", "<none>"),
        ("node-3", "Ready", "<none>"),
    ]
    assert all(re.fullmatch(r"v1\.36\.\d+", node[4]) for node in nodes)


def test_nodes_in_full_width(admin: Kubectl) -> None:
    heading, *nodes = rows(admin("get", "nodes", "-o", "wide"))
    assert heading[5:] == [
        "INTERNAL-IP",
        "EXTERNAL-IP",
        "OS-IMAGE",
        "KERNEL-VERSION",
        "CONTAINER-RUNTIME",
    ]
    assert len({node[5] for node in nodes}) == 4


def test_logs_and_ports_of_the_control_plane(newest: Kubectl) -> None:
    system = newest.within("kube-system")
    system("wait", "--for=condition=Ready", "pod", "-l", "tier=control-plane", "--timeout=20s")
    newest("create", "deployment", "told", "--image=nginx")
    newest("wait", "--for=condition=Available", "deployment/told", "--timeout=20s")
    logs = ("logs", "-l", "component=kube-controller-manager")
    last = system(*logs, "--tail=5").splitlines()
    assert len(last) == 5
    line = r"[IWE]\d{4} \d\d:\d\d:\d\d\.\d{6} {7}1 \w+\.go:\d+\] .+"
    assert all(re.fullmatch(line, one) for one in last), last
    said = system(*logs, "--tail=-1", "--since=10m")
    assert f'object="{newest.namespace}/told"' in said
    assert re.search('message="Scaled up replica set told-[^ ]+ from 0 to 1"', said)
    pods = "/api/v1/namespaces/kube-system/pods"
    port = f"{pods}/https:kube-controller-manager-control-plane:10257/proxy"
    assert system("get", "--raw", f"{port}/healthz") == "ok"
    assert "(Forbidden)" in system.fails("get", "--raw", f"{port}/metrics")
    status = system.run("get", "componentstatuses")
    assert "v1 ComponentStatus is deprecated in v1.19+" in status.err
    assert len(re.findall(r"Healthy +ok", status.out)) == 3


def test_version(admin: Kubectl) -> None:
    said = admin("version")
    assert f"Client Version: v{admin.version}." in said
    assert "Server Version: v1.36." in said


def test_namespaces(admin: Kubectl) -> None:
    heading, *found = rows(admin("get", "ns"))
    assert heading == ["NAME", "STATUS", "AGE"]
    names = {row[0] for row in found}
    assert names >= {"default", "kube-node-lease", "kube-public", "kube-system"}
    assert admin.field("ns/default", "{.status.phase}") == "Active"


def test_api_resources(admin: Kubectl) -> None:
    heading, *found = rows(admin("api-resources"))
    assert heading == ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    listed = {(row[0], row[-3], row[-2], row[-1]) for row in found}
    assert {
        ("pods", "v1", "true", "Pod"),
        ("nodes", "v1", "false", "Node"),
        ("deployments", "apps/v1", "true", "Deployment"),
        ("clusterroles", "rbac.authorization.k8s.io/v1", "false", "ClusterRole"),
        ("endpointslices", "discovery.k8s.io/v1", "true", "EndpointSlice"),
    } <= listed
    named = admin("api-resources", "--api-group=apps", "--namespaced", "-o", "name").split()
    assert "replicasets.apps" in named
    assert "pods" not in named


def test_api_versions(admin: Kubectl) -> None:
    assert {"v1", "apps/v1", "batch/v1", "rbac.authorization.k8s.io/v1"} <= set(
        admin("api-versions").split()
    )


def test_explain(admin: Kubectl) -> None:
    said = admin("explain", "pod.spec.containers")
    assert "KIND:       Pod\nVERSION:    v1\n" in said
    assert "FIELD: containers <[]Container>" in said
    assert re.search(r"^  name\t<string> -required-$", said, re.MULTILINE)
    assert re.search(r"^  livenessProbe\t<Probe>$", said, re.MULTILINE)
    assert "List of containers belonging to the pod." in said


def test_explain_knows_enumerations_groups_and_depth(admin: Kubectl) -> None:
    assert "enum: Always, IfNotPresent, Never" in admin("explain", "pod.spec.containers")
    assert "GROUP:      apps" in admin("explain", "deployments")
    said = admin("explain", "deployment.spec.strategy", "--recursive")
    assert "rollingUpdate\t<RollingUpdateDeployment>" in said
    assert "maxSurge\t<IntOrString>" in said
    assert 'field "nonsense" does not exist' in admin.fails("explain", "pod.spec.nonsense")


def test_pods_of_all_namespaces_in_full_width_with_a_watch(kubectl: Kubectl) -> None:
    everywhere = Kubectl(kubectl.version, kubectl.kubeconfig, kubectl.home)
    with everywhere.started("get", "pods", "-A", "-o", "wide", "-w") as watch:
        kubectl("run", "seen", "--image=nginx")
        running = watch.until(rf"^{kubectl.namespace} +seen +1/1 +Running .*$").group(0)
        assert re.search(r" 10\.244\.\d+\.\d+ +node-[123] +<none> +<none>$", running)
        heading = watch.until(r"^NAMESPACE.*$").group(0)
        assert re.split(r" {3,}", heading.strip()) == [
            *("NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"),
            *("NOMINATED NODE", "READINESS GATES"),
        ]
        kubectl("delete", "pod", "seen", "--now")
        watch.until(rf"^{kubectl.namespace} +seen +\S+ +(Terminating|Completed)")
        states = re.findall(r"seen +\S+ +(\S+)", watch.said)
    # Steps that come together may be seen as one, but never in another order.
    order = ["Pending", "ContainerCreating", "Running"]
    seen = [state for state in dict.fromkeys(states) if state in order]
    assert seen == [state for state in order if state in seen]


def test_a_pod_described(kubectl: Kubectl) -> None:
    kubectl("run", "web", "--image=nginx", "--labels=app=web", "--port=80")
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=20s")
    wait_until(lambda: "Started" in kubectl("get", "events"))
    said = kubectl("describe", "pod", "web")
    assert re.search(r"^Name: +web$", said, re.MULTILINE)
    assert re.search(r"^Node: +node-\d/172\.18\.", said, re.MULTILINE)
    assert re.search(r"^    Port: +80/TCP$", said, re.MULTILINE)
    assert re.search(r"^  Ready +True", said, re.MULTILINE)
    assert re.search(r"^QoS Class: +BestEffort$", said, re.MULTILINE)
    reasons = re.findall(r"^  Normal +(\S+)", said, re.MULTILINE)
    assert reasons == ["Scheduled", "Pulling", "Pulled", "Created", "Started"]
    assert f"Successfully assigned {kubectl.namespace}/web to node-" in said


def test_nodes_deployments_and_services_described(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2", "--port=80")
    kubectl("expose", "deployment", "web")
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    deployment = kubectl("describe", "deploy", "web")
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in deployment
    assert "NewReplicaSetAvailable" in deployment
    assert re.search(r"ScalingReplicaSet .* Scaled up replica set web-\w+ from 0 to 2", deployment)
    endpoints = re.compile(r"^Endpoints: +\S+:80,\S+:80$", re.MULTILINE)
    wait_until(lambda: endpoints.search(kubectl("describe", "svc", "web")))
    node = kubectl("describe", "node", "node-1")
    assert re.search(r"^  Ready +True .* KubeletReady ", node, re.MULTILINE)
    assert "Non-terminated Pods:" in node
    assert re.search(r"^Lease:\n  HolderIdentity:  node-1$", node, re.MULTILINE)


def test_events(kubectl: Kubectl) -> None:
    kubectl("run", "web", "--image=nginx")
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=20s")

    def listed() -> list[str]:
        table = kubectl("get", "events", "--sort-by=.lastTimestamp")
        return [row[2] for row in rows(table) if row[3] == "pod/web"]

    wait_until(lambda: "Started" in listed())
    assert set(listed()) == {"Scheduled", "Pulling", "Pulled", "Created", "Started"}
    assert "Successfully assigned" in kubectl("events", "--for=pod/web")
    chosen = kubectl("get", "events", "--field-selector=reason=Pulled,involvedObject.name=web")
    assert len(chosen.splitlines()) == 2


def test_selectors_and_outputs(kubectl: Kubectl) -> None:
    for name, tier in (("a", "front"), ("b", "back")):
        kubectl("create", "configmap", name, f"--from-literal=tier={tier}")
        kubectl("label", "configmap", name, f"tier={tier}")
    assert kubectl("get", "cm", "-l", "tier in (front)", "-o", "name") == "configmap/a\n"
    assert kubectl("get", "cm", "-l", "tier!=front,tier", "-o", "name") == "configmap/b\n"
    assert kubectl("get", "cm", "--field-selector=metadata.name=b", "-o", "name") == (
        "configmap/b\n"
    )
    columns = kubectl("get", "cm", "-l", "tier", "-o", "custom-columns=N:.metadata.name,T:.data")
    assert rows(columns) == [["N", "T"], ["a", "map[tier:front]"], ["b", "map[tier:back]"]]
    assert rows(kubectl("get", "cm", "-L", "tier", "-l", "tier"))[1][-1] == "front"
    assert "tier=back" in kubectl("get", "cm", "b", "--show-labels")
    yaml = kubectl("get", "cm", "a", "-o", "yaml")
    assert yaml.startswith("apiVersion: v1\ndata:\n  tier: front\nkind: ConfigMap\nmetadata:\n")


def test_what_is_not_there(kubectl: Kubectl) -> None:
    said = kubectl.fails("get", "pod", "nobody")
    assert said == 'Error from server (NotFound): pods "nobody" not found\n'
    said = kubectl.fails("get", "nonsense")
    assert said == 'error: the server doesn\'t have a resource type "nonsense"\n'
    done = kubectl.run("get", "pods")
    assert (done.out, done.err) == ("", f"No resources found in {kubectl.namespace} namespace.\n")


def test_who_one_is(admin: Kubectl) -> None:
    assert admin("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}") == (
        "kubernetes-admin"
    )
    assert "system:masters" in admin("auth", "whoami")


def test_what_one_may_do(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "create", "pods") == "yes\n"
    kubectl("create", "serviceaccount", "reader")
    kubectl("create", "role", "readers", "--verb=get,list", "--resource=pods,pods/log")
    account = f"{kubectl.namespace}:reader"
    kubectl("create", "rolebinding", "r", "--role=readers", f"--serviceaccount={account}")
    acting = f"--as=system:serviceaccount:{account}"
    assert kubectl("auth", "can-i", "list", "pods", acting) == "yes\n"
    assert kubectl("auth", "can-i", "get", "pods", "--subresource=log", acting) == "yes\n"
    refused = kubectl.run("auth", "can-i", "delete", "pods", acting)
    assert (refused.code, refused.out) == (1, "no\n")
    rights = kubectl("auth", "can-i", "--list", acting)
    assert re.search(r"^pods +\[\] +\[\] +\[get list\]$", rights, re.MULTILINE)
    said = kubectl.fails("delete", "pod", "x", acting)
    assert said == (
        'Error from server (Forbidden): pods "x" is forbidden: '
        f'User "system:serviceaccount:{account}" cannot delete resource "pods" in API group "" '
        f'in the namespace "{kubectl.namespace}"\n'
    )


def test_cluster_info_and_raw_paths(admin: Kubectl, playground: Playground) -> None:
    assert f"at {playground.api}" in re.sub(r"\x1b\[[\d;]*m", "", admin("cluster-info"))
    assert admin("get", "--raw", "/readyz") == "ok"
    assert "[+]ping ok" in admin("get", "--raw", "/livez?verbose")
    assert '"gitVersion"' in admin("get", "--raw", "/version")
