"""ServiceAccount: the account, its token's mount, its pull secrets, and what is refused."""

from __future__ import annotations

import random

import pytest

from apimachinery.errors import Forbidden
from apiserver.admission.interfaces import UPDATE, NotYet
from apiserver.admission.plugins.service_account import MOUNT_PATH, ServiceAccount
from tests.apiserver.admission.support import Reader, named, pod, request


def plugin(*accounts):
    reader = Reader(serviceaccounts=list(accounts) or [named("default", "ns")])
    return ServiceAccount(reader, random.Random(1))


def admitted(obj, *accounts):
    plugin(*accounts).admit(request(obj))
    return obj["spec"]


def mounts(container):
    return [mount["mountPath"] for mount in container.get("volumeMounts", [])]


def test_default_account_and_token():
    spec = admitted(pod(initContainers=[{"name": "i"}], volumes=[{"name": "v", "emptyDir": {}}]))

    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
    name = spec["volumes"][1]["name"]
    assert name.startswith("kube-api-access-")
    assert len(name) == len("kube-api-access-") + 5
    assert spec["volumes"][1]["projected"]["defaultMode"] == 420
    sources = spec["volumes"][1]["projected"]["sources"]
    assert sources[0] == {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    assert [next(iter(source)) for source in sources[1:]] == ["configMap", "downwardAPI"]
    mount = {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}
    assert spec["containers"][0]["volumeMounts"] == [mount]
    assert spec["initContainers"][0]["volumeMounts"] == [mount]


@pytest.mark.parametrize(
    ("spec", "account", "mounted"),
    [
        ({}, {}, True),
        ({"automountServiceAccountToken": False}, {}, False),
        ({}, {"automountServiceAccountToken": False}, False),
        ({"automountServiceAccountToken": True}, {"automountServiceAccountToken": False}, True),
    ],
)
def test_automount(spec, account, mounted):
    found = admitted(pod(**spec), named("default", "ns", **account))

    assert mounts(found["containers"][0]) == ([MOUNT_PATH] if mounted else [])
    assert ("volumes" in found) is mounted


def test_existing_mount_is_left_alone():
    own = {"name": "x", "mountPath": MOUNT_PATH}

    spec = admitted(pod(containers=[{"name": "c", "volumeMounts": [own]}]))

    assert spec["containers"][0]["volumeMounts"] == [own]
    assert "volumes" not in spec


def test_existing_token_volume_is_used():
    spec = admitted(pod(volumes=[{"name": "kube-api-access-abcde"}]))

    assert spec["containers"][0]["volumeMounts"][0]["name"] == "kube-api-access-abcde"
    assert len(spec["volumes"]) == 1


def test_pull_secrets_of_the_account_unless_the_pod_has_its_own():
    account = named("default", "ns", imagePullSecrets=[{"name": "regcred"}])

    assert admitted(pod(), account)["imagePullSecrets"] == [{"name": "regcred"}]
    own = [{"name": "own"}]
    assert admitted(pod(imagePullSecrets=own), account)["imagePullSecrets"] == own


@pytest.mark.parametrize(("name", "kind"), [("absent", Forbidden), ("default", NotYet)])
def test_missing_account(name, kind):
    with pytest.raises(Forbidden) as caught:
        admitted(pod(serviceAccountName=name), named("other", "ns"))

    assert type(caught.value) is kind
    assert caught.value.message == (
        f'pods "p" is forbidden: error looking up service account ns/{name}: '
        f'serviceaccount "{name}" not found'
    )


MIRROR = {"kubernetes.io/config.mirror": "x"}


def mirror(**spec):
    obj = pod(**spec)
    obj["metadata"]["annotations"] = MIRROR
    return obj


def test_mirror_pod_is_not_touched():
    obj = mirror()
    plugin(named("none", "ns")).admit(request(obj))
    plugin().validate(request(obj))

    assert obj == mirror()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"serviceAccountName": "a"}, "a mirror pod may not reference service accounts"),
        (
            {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
            "a mirror pod may not reference secrets",
        ),
        (
            {"volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {}}]}}]},
            "a mirror pod may not use ServiceAccountToken volume projections",
        ),
    ],
)
def test_mirror_pod_refusals(spec, words):
    with pytest.raises(Forbidden, match=words):
        plugin().validate(request(mirror(**spec)))


STRICT = named("strict", "ns", secrets=[{"name": "known"}])
STRICT["metadata"]["annotations"] = {"kubernetes.io/enforce-mountable-secrets": "true"}


def env(name):
    return [{"name": "A", "valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
            (
                'volume with secret.secretName="s" is not allowed because service account strict '
                "does not reference that secret"
            ),
        ),
        (
            {"containers": [{"name": "c", "env": env("s")}]},
            'container c with envVar A referencing secret.secretName="s" is not allowed because',
        ),
        (
            {"initContainers": [{"name": "i", "envFrom": [{"secretRef": {"name": "s"}}]}]},
            'init container i with envFrom referencing secret.secretName="s" is not allowed',
        ),
        (
            {"imagePullSecrets": [{"name": "s"}]},
            (
                'imagePullSecrets[0].name="s" is not allowed because service account strict does '
                "not reference that imagePullSecret"
            ),
        ),
    ],
)
def test_mountable_secrets_are_enforced(spec, words):
    with pytest.raises(Forbidden) as caught:
        plugin(STRICT).validate(request(pod(serviceAccountName="strict", **spec)))

    assert words in caught.value.message


def test_known_secrets_may_be_used():
    volumes = [{"name": "v", "secret": {"secretName": "known"}}]

    plugin(STRICT).validate(request(pod(serviceAccountName="strict", volumes=volumes)))


def test_ephemeral_containers_are_held_to_the_same():
    obj = pod(
        serviceAccountName="strict",
        ephemeralContainers=[{"name": "e", "env": env("s")}],
    )
    with pytest.raises(Forbidden, match="ephemeral container e with envVar A"):
        plugin(STRICT).validate(request(obj, operation=UPDATE, subresource="ephemeralcontainers"))
