"""What a pod leaves on a persistent volume, the next one finds."""

import pytest

from apimachinery.attachments import SIMULATED_DRIVER
from apimachinery.errors import InternalError
from nodes.client.resources import NODES, PERSISTENTVOLUMECLAIMS, PODS
from nodes.kubelet.claims import directory
from tests.nodes.kubelet.conftest import sleeper
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


def volume(**source):
    csi = {"driver": SIMULATED_DRIVER, "volumeHandle": "h"}
    return obj("PersistentVolume", "v", "", spec=source or {"csi": csi})


def claim(phase="Bound"):
    spec = {"volumeName": "v"} if phase == "Bound" else {}
    return obj("PersistentVolumeClaim", "c", spec=spec, status={"phase": phase})


def user(name):
    made = sleeper(volumeMounts=[{"name": "data", "mountPath": "/data"}])
    made["metadata"]["name"] = name
    source = {"claimName": "c"}
    made["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": source}]
    return made


async def create(rig, *objects):
    for one in objects:
        await rig.client.create(one)


async def test_content_outlives_the_pod(rig):
    await create(rig, volume(), claim(), user("p"))
    await rig.ready()
    await rig.run("p", "sh", "-c", "mkdir /data/sub; echo hello > /data/sub/file")
    await rig.client.delete(PODS, "default", "p", grace=0)
    await create(rig, user("q"))
    await rig.ready("q")
    printed, _ = await rig.run("q", "cat", "/data/sub/file")
    assert printed == "hello\n"
    rig.shared.discard("v")
    assert rig.shared.trees == {}


async def test_a_pod_waits_for_its_claim(rig):
    await create(rig, volume(), claim("Pending"), user("p"))
    rig.clock.call_later(0.3, rig.tasks.spawn, "bind", bind(rig))
    await rig.ready()
    assert rig.messages("FailedMount") == []


async def bind(rig):
    where = ("default", "c")
    await rig.client.patch(PERSISTENTVOLUMECLAIMS, *where, {"spec": {"volumeName": "v"}})
    status = {"status": {"phase": "Bound"}}
    await rig.client.patch(PERSISTENTVOLUMECLAIMS, *where, status, subresource="status")


@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ([claim("Pending")], "PVC is not bound"),
        ([], 'failed to fetch PVC from API server: persistentvolumeclaims "c" not found'),
    ],
)
async def test_a_claim_that_does_not_lead_anywhere(rig, objects, why):
    await create(rig, *objects, user("p"))
    await rig.clock.sleep(3)
    assert rig.messages("FailedMount")[0] == (
        "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[],"
        f" failed to process volumes=[data]: error processing PVC default/c: {why}"
    )


@pytest.mark.parametrize(
    ("source", "where"),
    [
        ({"hostPath": {"path": "/data"}}, "/host/data"),
        ({"local": {"path": "/mnt/disk"}}, "/host/mnt/disk"),
        ({"csi": {}}, "/var/lib/kubelet/plugins/kubeground.io~simulated/v"),
        (
            {"nfs": {"server": "s", "path": "/x"}},
            "/var/lib/kubelet/plugins/kubeground.io~simulated/nfs%3As%3A%2Fx",
        ),
    ],
)
def test_where_a_volume_is(source, where):
    assert directory(volume(**source)) == where


NAME = f"kubernetes.io/csi/{SIMULATED_DRIVER}^h"


def driver():
    return obj(
        "CSIDriver", SIMULATED_DRIVER, "", "storage.k8s.io/v1", spec={"attachRequired": True}
    )


def in_use(rig):
    return rig.api.need("nodes", "n1")["status"].get("volumesInUse") or []


async def attach(rig, *names):
    body = {"status": {"volumesAttached": [{"name": name, "devicePath": ""} for name in names]}}
    await rig.client.patch(NODES, "", "n1", body, subresource="status")


async def test_a_volume_that_has_to_be_attached_is_waited_for(rig):
    await create(rig, driver(), volume(), claim(), user("p"))
    await eventually(lambda: in_use(rig) == [NAME])
    await rig.clock.sleep(120)
    assert rig.messages("FailedMount") == []
    await rig.clock.sleep(5)
    stuck = "unmounted volumes=[data], unattached volumes=[data], failed to process volumes=[]"
    why = f"Unable to attach or mount volumes: {stuck}: context deadline exceeded"
    assert rig.messages("FailedMount") == [why]
    await attach(rig, NAME)
    await rig.ready(within=1)


async def test_a_node_that_cannot_say_what_it_uses_starts_nothing(rig, monkeypatch):
    handle, refused = rig.api.handle, []

    def refuse_once(call):
        if call.verb == "patch" and "volumesInUse" in str(call.body) and not refused:
            refused.append(call)
            raise InternalError("etcd is away")
        return handle(call)

    monkeypatch.setattr(rig.api, "handle", refuse_once)
    await create(rig, driver(), volume(), claim(), user("p"))
    await eventually(lambda: in_use(rig) == [NAME], within=60)
    assert rig.messages("FailedMount")[0].endswith(
        "is attached: Internal error occurred: etcd is away"
    )
    assert rig.messages("Started") == []
    await attach(rig, NAME)
    await rig.ready()
    await rig.run("p", "touch", "/data/kept")
    assert rig.shared.trees


async def test_it_is_in_use_until_the_last_pod_has_let_go(rig):
    await create(rig, driver(), volume(), claim(), user("p"), user("q"))
    await eventually(lambda: in_use(rig) == [NAME])
    await attach(rig, NAME)
    await rig.ready("p")
    await rig.ready("q")
    await rig.client.delete(PODS, "default", "p", grace=0)
    await rig.clock.sleep(10)
    assert in_use(rig) == [NAME]
    await rig.client.delete(PODS, "default", "q")
    await eventually(lambda: rig.api.get("pods", "q") is None, within=60)
    assert in_use(rig) == []


async def test_a_pod_that_is_found_running_lets_go_of_what_it_had(rig):
    await create(rig, driver(), volume(), claim(), user("p"))
    await attach(rig, NAME)
    await rig.ready()
    await rig.kubelet.stop()
    rig.kubelet = rig.make()
    await rig.kubelet.start()
    await rig.clock.sleep(5)
    assert in_use(rig) == [NAME]
    await rig.client.delete(PODS, "default", "p")
    await eventually(lambda: rig.api.get("pods", "p") is None, within=60)
    assert in_use(rig) == []


async def test_it_lets_go_once_the_api_hears_it(rig, monkeypatch):
    handle, refused = rig.api.handle, []

    def refuse(call):
        if call.verb == "patch" and "volumesInUse" in str(call.body) and len(refused) < 2:
            refused.append(call)
            raise InternalError("etcd is away")
        return handle(call)

    await create(rig, driver(), volume(), claim(), user("p"))
    await attach(rig, NAME)
    await rig.ready()
    monkeypatch.setattr(rig.api, "handle", refuse)
    await rig.client.delete(PODS, "default", "p", grace=0)
    await eventually(lambda: in_use(rig) == [], within=60)
    assert len(refused) == 2


async def test_what_a_pod_had_that_was_found_running_is_known_without_it(rig):
    """A node may not read the claims of pods that are gone."""
    await create(rig, driver(), volume(), claim(), user("p"))
    await attach(rig, NAME)
    await rig.ready()
    await rig.kubelet.stop()
    rig.kubelet = rig.make()
    await rig.kubelet.start()
    await rig.clock.sleep(5)
    await rig.client.delete(PERSISTENTVOLUMECLAIMS, "default", "c")
    await rig.client.delete(PODS, "default", "p", grace=0)
    await eventually(lambda: in_use(rig) == [], within=60)


async def test_a_kubelet_lets_go_of_what_nobody_has_that_runs(rig):
    await create(rig, driver(), volume(), claim(), user("p"))
    await attach(rig, NAME)
    await rig.ready()
    await rig.kubelet.stop()
    await rig.client.delete(PODS, "default", "p", grace=0)
    rig.kubelet = rig.make()
    await rig.kubelet.start()
    await eventually(lambda: in_use(rig) == [], within=60)
