"""Each cause as it comes about in a cluster: what is said of it, and whether its proposal helps."""

import pytest

from nodes.client import resources
from nodes.client.rest import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from playground.why.chain import explain
from playground.why.model import Ref
from tests.integration.conftest import Lab, deployment, service
from tests.support import builders
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

CONTENT_TYPES = {"json": JSON_PATCH, "strategic": STRATEGIC_PATCH}
BY_TITLE = {f"{r.plural}.{r.group}" if r.group else r.plural: r for r in resources.ALL}


def obj(kind, name, namespace="default", api_version="v1", labels=None, **parts):
    built = builders.obj(kind, name, namespace, api_version, **parts)
    return dict(built.labels(**labels) if labels else built)


class World:
    def __init__(self, lab):
        self._lab = lab

    def one(self, title, namespace, name):
        return self._lab.get(title, name, namespace)

    def items(self, title, namespace=""):
        return self._lab.all(title, namespace or None)


class Asked:
    """What one may ask: chains, and what becomes of a proposal on a fork."""

    def __init__(self, lab, fleet):
        self.lab, self.fleet = lab, fleet

    def chain(self, title, name, namespace="default", lab=None):
        return explain(World(lab or self.lab), Ref(title, namespace, name))

    def texts(self, title, name, namespace="default"):
        return [link.cause.text for link in self.chain(title, name, namespace)]

    async def says(self, title, name, *words, namespace="default", within=120):
        """Wait until the chain has all of some words; return it."""

        def check():
            found = self.texts(title, name, namespace)
            assert all(any(word in text for text in found) for word in words), found
            return self.chain(title, name, namespace)

        return await eventually(check, within=within, every=1)

    async def helps(self, title, name, namespace="default"):
        """Try the first change that the chain proposes on a fork: all has to be well then."""
        links = self.chain(title, name, namespace)
        fix = next(fix for link in links for fix in link.cause.fixes if fix.patch is not None)
        cluster = self.lab.cluster
        fork = Lab(await self.fleet.fork(cluster, cluster.store.revision, name="trial"))
        target = BY_TITLE[fix.target.title]
        where = fix.target.namespace, fix.target.name
        await fork.client.patch(target, *where, fix.patch, CONTENT_TYPES[fix.kind])
        await eventually(lambda: not self.chain(title, name, namespace, fork), within=200, every=1)
        assert fix.command.startswith("kubectl ")
        return fork


@pytest.fixture
async def why(lab, fleet):
    return Asked(lab, fleet)


async def patch(lab, res, name, body, namespace="default"):
    await lab.client.patch(res, namespace, name, body, MERGE_PATCH)


async def test_of_what_is_as_wanted_nothing_is_said(lab, why):
    await lab.client.create(deployment())
    await lab.client.create(service())
    await lab.available()
    await lab.quiet()
    for title in ("deployments.apps", "services"):
        assert why.chain(title, "web") == []
    for title in ("replicasets.apps", "pods"):
        for one in lab.all(title, "default"):
            assert why.chain(title, one["metadata"]["name"]) == []
    assert why.chain("nodes", "node-1", "") == []
    assert why.chain("namespaces", "default", "") == []


async def test_an_image_that_cannot_be_pulled_leads_back_to_the_last_template(lab, why):
    await lab.client.create(deployment(replicas=2))
    await lab.available(replicas=2)
    (before,) = lab.all("replicasets.apps", "default")
    new = {"name": "c", "image": "ngnix:1.27", "args": ["--new"]}
    change = {"template": {"spec": {"containers": [new], "hostname": "new"}}}
    await lab.client.patch(
        resources.DEPLOYMENTS, "default", "web", {"spec": change}, STRATEGIC_PATCH
    )
    links = await why.says(
        "deployments.apps", "web", "of the newest template: 1", "cannot be pulled"
    )
    assert [link.about.title for link in links] == ["deployments.apps", "replicasets.apps", "pods"]
    assert [link.depth for link in links] == [0, 1, 2]
    assert (
        "ImagePullBackOff" in links[-1].cause.condition
        or "ErrImagePull" in links[-1].cause.condition
    )
    fork = await why.helps("deployments.apps", "web")
    # What only the newer template has is gone, so that it is the earlier one's ReplicaSet again.
    template = fork.get("deployments.apps", "web")["spec"]["template"]["spec"]
    assert template == before["spec"]["template"]["spec"]
    assert fork.get("replicasets.apps", before["metadata"]["name"])["spec"]["replicas"] == 2


async def test_a_pod_that_fits_no_node(lab, why):
    asks = [{"name": "c", "image": "nginx:1.27", "resources": {"requests": {"cpu": "64"}}}]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": asks}}
    await lab.client.create(deployment(replicas=1, template=template))
    links = await why.says("deployments.apps", "web", "finds no node")
    assert "3 Insufficient cpu" in links[-1].cause.verbatim
    await why.helps("deployments.apps", "web")


async def test_labels_that_no_node_has(lab, why):
    spec = {"nodeSelector": {"disk": "ssd"}, "containers": [{"name": "c", "image": "nginx:1.27"}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    await lab.client.create(deployment(replicas=1, template=template))
    await why.says("deployments.apps", "web", "finds no node")
    await why.helps("deployments.apps", "web")


async def test_cordoned_nodes_are_at_the_bottom(lab, why):
    for node in ("node-1", "node-2", "node-3"):
        await patch(lab, resources.NODES, node, {"spec": {"unschedulable": True}}, "")
    await lab.client.create(deployment(replicas=1))
    links = await why.says("deployments.apps", "web", "finds no node", "is cordoned")
    assert {link.about.name for link in links if link.about.title == "nodes"} == {
        "node-1",
        "node-2",
        "node-3",
    }
    await why.helps("deployments.apps", "web")


async def test_scheduling_gates(lab, why):
    spec = {
        "schedulingGates": [{"name": "example.com/wait"}],
        "containers": [{"name": "c", "image": "nginx:1.27"}],
    }
    await lab.client.create(obj("Pod", "p", spec=spec))
    await why.says("pods", "p", "held back by scheduling gates: example.com/wait")
    await why.helps("pods", "p")


async def test_a_container_that_ends_again_and_again(lab, why):
    containers = [
        {"name": "c", "image": "registry.k8s.io/e2e-test-images/agnhost:2.53", "args": ["no"]}
    ]
    await lab.client.create(obj("Pod", "p", spec={"containers": containers}))
    links = await why.says("pods", "p", "with exit code 1")
    assert "kubectl logs p -n default -c c --previous" in [f.command for f in links[0].cause.fixes]


async def test_what_a_container_refers_to_is_missing(lab, why):
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}]
    containers = [{"name": "c", "image": "nginx:1.27", "env": env}]
    await lab.client.create(obj("Pod", "p", spec={"containers": containers}))
    links = await why.says("pods", "p", "cannot be made as its spec says")
    assert 'configmap "settings" not found' in links[0].cause.verbatim


async def test_a_volume_that_is_missing(lab, why):
    spec = {
        "volumes": [{"name": "s", "configMap": {"name": "settings"}}],
        "containers": [
            {"name": "c", "image": "nginx:1.27", "volumeMounts": [{"name": "s", "mountPath": "/s"}]}
        ],
    }
    await lab.client.create(obj("Pod", "p", spec=spec))
    links = await why.says("pods", "p", "A volume cannot be mounted")
    assert "Create ConfigMap settings." in [fix.text for fix in links[0].cause.fixes]


async def test_a_probe_that_fails(lab, why):
    probe = {"httpGet": {"port": 80, "path": "/nowhere"}, "periodSeconds": 2}
    containers = [{"name": "c", "image": "nginx:1.27", "readinessProbe": probe}]
    await lab.client.create(
        obj("Pod", "web", labels={"app": "web"}, spec={"containers": containers})
    )
    await lab.client.create(service())
    links = await why.says(
        "services", "web", "None of the pods that it selects is ready", "probe fails"
    )
    assert "404" in links[-1].cause.verbatim


async def test_a_service_whose_selector_is_slightly_wrong(lab, why):
    await lab.client.create(deployment(replicas=1))
    wrong = service()
    wrong["spec"]["selector"] = {"app": "wbe"}
    await lab.client.create(wrong)
    await lab.available(replicas=1)
    await why.says("services", "web", "No pod has all the labels")
    await why.helps("services", "web")


async def test_a_service_without_a_selector_or_with_an_unknown_port(lab, why):
    await lab.client.create(obj("Service", "bare", spec={"ports": [{"port": 80}]}))
    await why.says("services", "bare", "It selects no pods")
    await lab.client.create(deployment(replicas=1))
    await lab.client.create(service(targetPort="http"))
    await lab.available(replicas=1)
    await why.says("services", "web", "has the port that it names")


async def test_a_quota(lab, why):
    await lab.client.create(obj("ResourceQuota", "few", spec={"hard": {"pods": "1"}}))
    await eventually(lambda: (lab.get("resourcequotas", "few").get("status") or {}).get("hard"))
    await lab.client.create(deployment(replicas=2))
    await why.says(
        "deployments.apps", "web", "The API refuses the pods", "of pods is used up: 1 of 1"
    )
    links = why.chain("deployments.apps", "web")
    assert any(link.about == Ref("resourcequotas", "default", "few") for link in links)
    await why.helps("deployments.apps", "web")


async def test_a_paused_rollout(lab, why):
    await lab.client.create(deployment(replicas=1, paused=True))
    await why.says("deployments.apps", "web", "is paused")
    await why.helps("deployments.apps", "web")


async def test_a_claim_without_a_volume(lab, why):
    def claim(name, **spec):
        wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        return obj("PersistentVolumeClaim", name, spec={**wanted, **spec})

    await lab.client.create(claim("fast", storageClassName="fast"))
    await why.says("persistentvolumeclaims", "fast", "storage class fast is not there")
    await lab.client.create(claim("static", storageClassName=""))
    await why.says("persistentvolumeclaims", "static", "No volume fits")
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "fast"}}]
    containers = [{"name": "c", "image": "nginx:1.27"}]
    await lab.client.create(obj("Pod", "p", spec={"containers": containers, "volumes": volumes}))
    links = await why.says("pods", "p", "finds no node", "storage class fast is not there")
    assert links[-1].about == Ref("persistentvolumeclaims", "default", "fast")


async def test_a_node_that_says_nothing(lab, why):
    await lab.client.create(deployment(replicas=3))
    await lab.available()
    await lab.cluster.failures.begin({"kind": "stop-node", "target": {"node": "node-1"}})
    await why.says("nodes", "node-1", "says nothing any more", namespace="")
    await why.says(
        "deployments.apps", "web", "Its node node-1 is not ready", "says nothing any more"
    )
    # Its pods are deleted after five minutes, and nobody can end them.
    lost = next(p for p in lab.pods() if p["spec"]["nodeName"] == "node-1")["metadata"]["name"]
    await eventually(lambda: "deletionTimestamp" in lab.get("pods", lost)["metadata"], within=600)
    link = why.chain("pods", lost)[0]
    assert link.cause.fixes[0].command.endswith("--grace-period=0 --force")


async def test_finalizers_that_nobody_takes_away(lab, why):
    held = {"metadata": {"finalizers": ["example.com/hold"]}}
    await lab.client.create(obj("Namespace", "team", ""))
    await eventually(lambda: lab.get("serviceaccounts", "default", "team"))
    await lab.client.create(obj("ConfigMap", "c", "team"))
    await patch(lab, resources.CONFIGMAPS, "c", held, "team")
    await lab.client.delete(resources.NAMESPACES, "", "team")
    links = await why.says(
        "namespaces",
        "team",
        "something in it is still there",
        "until its finalizers are gone",
        namespace="",
    )
    assert links[-1].about == Ref("configmaps", "team", "c")
    assert "example.com/hold" in links[-1].cause.text


async def test_finalizers_of_kubernetes_own_stay_when_others_are_taken_away(lab, why):
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    await lab.client.create(obj("PersistentVolumeClaim", "data", spec=wanted))
    held = {"metadata": {"finalizers": ["example.com/hold", "kubernetes.io/pvc-protection"]}}
    await patch(lab, resources.PERSISTENTVOLUMECLAIMS, "data", held)
    await lab.client.delete(resources.PERSISTENTVOLUMECLAIMS, "default", "data")
    links = await why.says("persistentvolumeclaims", "data", "until its finalizers are gone")
    (fix,) = links[0].cause.fixes
    assert (
        '{"metadata":{"$deleteFromPrimitiveList/finalizers":["example.com/hold"]}}' in fix.command
    )
    await why.helps("persistentvolumeclaims", "data")


async def test_a_budget_that_allows_nothing(lab, why):
    await lab.client.create(deployment(replicas=2))
    selector = {"matchLabels": {"app": "web"}}
    await lab.client.create(
        obj(
            "PodDisruptionBudget",
            "web",
            api_version="policy/v1",
            spec={"minAvailable": 2, "selector": selector},
        )
    )
    await lab.available(replicas=2)
    await why.says("poddisruptionbudgets.policy", "web", "2 pods are healthy, and 2 have to be")
    await why.helps("poddisruptionbudgets.policy", "web")


async def test_jobs_that_are_suspended_or_have_failed(lab, why):
    containers = [
        {"name": "c", "image": "registry.k8s.io/e2e-test-images/agnhost:2.53", "args": ["no"]}
    ]
    template = {"spec": {"restartPolicy": "Never", "containers": containers}}

    def job(name, **spec):
        return obj("Job", name, api_version="batch/v1", spec={"template": template, **spec})

    await lab.client.create(job("later", suspend=True))
    await why.says("jobs.batch", "later", "is suspended")
    await lab.client.create(job("broken", backoffLimit=0))
    links = await why.says("jobs.batch", "broken", "The Job has failed")
    assert "BackoffLimitExceeded" in links[0].cause.condition


async def test_an_autoscaler_without_metrics(lab, why):
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"},
        "maxReplicas": 3,
    }
    await lab.client.create(
        obj("HorizontalPodAutoscaler", "web", api_version="autoscaling/v2", spec=spec)
    )
    await why.says("horizontalpodautoscalers.autoscaling", "web", "cannot change what it scales")


async def test_a_pod_whose_claims_are_not_there_or_have_no_devices(why):
    dra = "resource.k8s.io/v1"
    wish = {"name": "gpu", "exactly": {"deviceClassName": "gpu"}}
    claim = obj("ResourceClaim", "c", api_version=dra, spec={"devices": {"requests": [wish]}})
    user = obj(
        "Pod",
        "p",
        spec={
            "containers": [{"name": "c", "image": "nginx"}],
            "resourceClaims": [{"name": "gpu", "resourceClaimName": "c"}],
        },
    )
    claims = "resourceclaims.resource.k8s.io"
    await why.lab.client.create(user)
    await why.says("pods", "p", "Its ResourceClaim c is not there.")
    assert len(why.texts("pods", "p")) == 1
    await why.lab.client.create(claim)
    await why.says(claims, "c", "Its device class gpu is not there.")
    await why.lab.client.create(obj("DeviceClass", "gpu", "", dra, spec={}))
    chain = await why.says("pods", "p", "finds no node", "There are no devices")
    assert [link.about.title for link in chain] == ["pods", claims]
    node = why.lab.all("nodes")[0]["metadata"]["name"]
    pool = {"name": node, "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": "gpu.example.com", "nodeName": node, "pool": pool, "devices": [{"name": "a"}]}
    await why.lab.client.create(obj("ResourceSlice", "s", "", dra, spec=spec))
    await eventually(lambda: not why.texts("pods", "p"), within=120)
    assert why.texts(claims, "c") == []
    idle = obj("ResourceClaim", "idle", api_version=dra, spec={"devices": {"requests": [wish]}})
    await why.lab.client.create(idle)
    await why.says(claims, "idle", "No pod uses it")
