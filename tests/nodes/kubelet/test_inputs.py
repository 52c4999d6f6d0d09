"""What a container finds: environment and volumes, also when they change or are missing."""

import base64

import pytest

from apimachinery.errors import InternalError
from nodes.client.resources import CONFIGMAPS
from nodes.kubelet.environment import expand, resource_field, service_environment
from tests.nodes.kubelet.conftest import sleeper
from tests.support.builders import obj, service
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


def configmap(**data):
    return obj("ConfigMap", "conf", data=data)


def secret(**data):
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return obj("Secret", "hidden", data=encoded)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)-$(B)", "1-$(B)"),
        ("$$(A)", "$(A)"),
        ("$A", "$A"),
        ("$(A", "$(A"),
        ("", ""),
    ],
)
def test_expansion(text, expected):
    assert expand(text, {"A": "1"}) == expected


def test_services_become_variables():
    found = service_environment([service("web-api", app="x")], "default", links=True)
    assert found["WEB_API_SERVICE_HOST"] == "10.96.0.10"
    assert found["WEB_API_SERVICE_PORT_HTTP"] == "80"
    assert found["WEB_API_PORT_80_TCP"] == "tcp://10.96.0.10:80"
    assert service_environment([service("web")], "default", links=False) == {}
    assert service_environment([service("web")], "other", links=True) == {}


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ({"resource": "limits.cpu"}, "2"),
        ({"resource": "limits.cpu", "divisor": "1m"}, "1500"),
        ({"resource": "requests.memory", "divisor": "1Mi"}, "512"),
        ({"resource": "requests.cpu"}, "2"),  # as the limit, where no request is set
    ],
)
def test_resource_fields_round_up(reference, expected):
    container = {
        "name": "c",
        "resources": {"limits": {"cpu": "1500m"}, "requests": {"memory": "512Mi"}},
    }
    assert resource_field({"spec": {"containers": [container]}}, container, reference) == expected


async def test_environment_from_everywhere(rig):
    env = [
        {"name": "PLAIN", "value": "x"},
        {"name": "TWICE", "value": "$(PLAIN)$(PLAIN)"},
        {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "a"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "p"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    ]
    env_from = [{"configMapRef": {"name": "conf"}, "prefix": "C_"}]
    await rig.create(configmap(a="1", b="2"), secret(p="s3cret"))
    await rig.create(sleeper(env=env, envFrom=env_from))
    await rig.ready()
    printed, _ = await rig.run("p", "env")
    found = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    assert found["TWICE"] == "xx"
    assert (found["KEY"], found["PASSWORD"], found["NAME"]) == ("1", "s3cret", "p")
    assert found["IP"] == rig.status()["podIP"]
    assert (found["C_a"], found["C_b"]) == ("1", "2")


async def test_a_missing_key_holds_the_container_back(rig):
    env = [{"name": "K", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "z"}}}]
    await rig.create(configmap(a="1"), sleeper(env=env))
    await eventually(lambda: rig.container().get("state", {}).get("waiting", {}).get("message"))
    waiting = rig.container()["state"]["waiting"]
    assert waiting == {
        "reason": "CreateContainerConfigError",
        "message": "couldn't find key z in ConfigMap default/conf",
    }
    await rig.client.patch(CONFIGMAPS, "default", "conf", {"data": {"z": "9"}})
    await rig.ready()


async def test_a_configmap_volume_follows_its_object(rig):
    built = sleeper(volumeMounts=[{"name": "v", "mountPath": "/etc/conf"}])
    built.spec(volumes=[{"name": "v", "configMap": {"name": "conf"}}])
    await rig.create(configmap(a="1"), built)
    await rig.ready()
    assert await rig.run("p", "cat", "/etc/conf/a") == ("1", 0)
    await rig.client.patch(CONFIGMAPS, "default", "conf", {"data": {"a": "2", "b": "3"}})
    await eventually(lambda: rig.runtime.files.read(_volume(rig, "v") + "/a") == b"2")
    assert await rig.run("p", "cat", "/etc/conf/b") == ("3", 0)


def _volume(rig, name):
    uid = rig.api.need("pods", "p")["metadata"]["uid"]
    return f"/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~configmap/{name}"


async def test_a_missing_volume_source_is_told_of_and_waited_for(rig):
    built = sleeper(volumeMounts=[{"name": "v", "mountPath": "/etc/conf"}])
    built.spec(volumes=[{"name": "v", "configMap": {"name": "conf"}}])
    await rig.create(built)
    await eventually(lambda: rig.messages("FailedMount"))
    assert rig.messages("FailedMount")[0] == (
        'MountVolume.SetUp failed for volume "v" : configmap "conf" not found'
    )
    await rig.create(configmap(a="1"))
    await rig.ready()


async def test_containers_share_an_empty_dir(rig):
    mount = [{"name": "v", "mountPath": "/shared"}]
    built = sleeper(volumeMounts=mount).spec(volumes=[{"name": "v", "emptyDir": {}}])
    built["spec"]["containers"].append(
        {
            "name": "other",
            "image": "busybox:1.36",
            "command": ["sleep", "100000"],
            "volumeMounts": mount,
        }
    )
    await rig.create(built)
    await rig.ready()
    await rig.run("p", "sh", "-c", "echo hello > /shared/file")
    assert await rig.run("p", "cat", "/shared/file", container="other") == ("hello\n", 0)


async def test_downward_and_projected_volumes(rig):
    sources = [
        {
            "downwardAPI": {
                "items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
            }
        },
        {"configMap": {"name": "conf", "items": [{"key": "a", "path": "sub/a.txt"}]}},
    ]
    built = sleeper(volumeMounts=[{"name": "v", "mountPath": "/in"}]).labels(app="x", tier="y")
    built.spec(volumes=[{"name": "v", "projected": {"sources": sources}}])
    await rig.create(configmap(a="1"), built)
    await rig.ready()
    assert await rig.run("p", "cat", "/in/labels") == ('app="x"\ntier="y"', 0)
    assert await rig.run("p", "cat", "/in/sub/a.txt") == ("1", 0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("..", "unable to provision SubPath `../x`: must not contain '..'"),
        ("/etc", "error SubPath `/etc/x` must not be an absolute path"),
    ],
)
async def test_variables_do_not_lead_out_of_a_volume(rig, value, message):
    """The API sees "$(DIR)/x" alone; what it comes to would be another pod's volume."""
    built = sleeper(
        env=[{"name": "DIR", "value": value}],
        volumeMounts=[{"name": "v", "mountPath": "/in", "subPathExpr": "$(DIR)/x"}],
    ).spec(volumes=[{"name": "v", "emptyDir": {}}])
    await rig.create(built)
    waiting = {"reason": "CreateContainerConfigError", "message": message}
    await eventually(lambda: rig.container().get("state") == {"waiting": waiting})


async def test_a_source_the_api_does_not_tell_of_is_waited_for_though_optional(rig, monkeypatch):
    handle, told = rig.api.handle, []

    def refuse(call):
        if call.verb == "list" and call.resource == "configmaps" and not told:
            raise InternalError("etcd is away")
        return handle(call)

    monkeypatch.setattr(rig.api, "handle", refuse)
    made = sleeper(volumeMounts=[{"name": "conf", "mountPath": "/conf"}])
    source = {"name": "conf", "optional": True}
    made["spec"]["volumes"] = [{"name": "conf", "configMap": source}]
    await rig.create(configmap(a="1"), made)
    await eventually(lambda: rig.messages("FailedMount"), within=60)
    assert rig.messages("FailedMount")[0] == (
        'MountVolume.SetUp failed for volume "conf" : failed to sync configmap cache: '
        "timed out waiting for the condition"
    )
    told.append(True)
    await rig.ready(within=120)
    printed, _ = await rig.run("p", "cat", "/conf/a")
    assert printed == "1"
