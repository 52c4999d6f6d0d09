"""Service accounts, their tokens, the root certificate, and access reviews."""

import json

import jwt
import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

BASE = f"/api/v1/namespaces/{NAMESPACE}"
ACCOUNTS = f"{BASE}/serviceaccounts"
MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
GROUP = "[sig-auth] ServiceAccounts "


def pod(name, account="default", **spec):
    containers = [{"name": "c", "image": "busybox:1.36", "command": ["sleep", "3600"]}]
    return {
        "metadata": {"name": name},
        "spec": {"serviceAccountName": account, "containers": containers, **spec},
    }


async def run(world, body):
    name = body["metadata"]["name"]
    await world.create(f"{BASE}/pods", body)
    path = f"{BASE}/pods/{name}"
    return await world.until(path, lambda one: one["status"]["phase"] == "Running")


async def output(world, found, *command):
    """Run a command in a pod's first container; return what it printed."""
    kubelet = world.lab.cluster.kubelets[found["spec"]["nodeName"]]
    record = kubelet.container(NAMESPACE, found["metadata"]["name"], "c")
    answer = await kubelet.host.runtime.exec_sync(record.id, command)
    assert answer.exit_code == 0, answer.stderr
    return answer.stdout.decode()


async def review(world, token, audiences=()):
    body = {"spec": {"token": token} | ({"audiences": list(audiences)} if audiences else {})}
    return (await world.create("/apis/authentication.k8s.io/v1/tokenreviews", body))["status"]


@pytest.mark.conformance(GROUP + "should run through the lifecycle of a ServiceAccount")
async def test_lifecycle(world):
    selected = "/api/v1/serviceaccounts?labelSelector=static%3Dtrue"
    watch = world.watch(f"{ACCOUNTS}?watch=true&labelSelector=static%3Dtrue")
    await world.create(ACCOUNTS, {"metadata": {"name": "sa", "labels": {"static": "true"}}})
    assert (await watch.until("ADDED", "sa"))["metadata"]["labels"] == {"static": "true"}
    await world.patch(f"{ACCOUNTS}/sa", {"automountServiceAccountToken": False})
    (found,) = (await world.get(selected))["items"]
    assert found["automountServiceAccountToken"] is False
    await world.delete(f"{ACCOUNTS}?labelSelector=static%3Dtrue")
    await watch.until("DELETED", "sa")
    assert (await world.get(selected))["items"] == []


@pytest.mark.conformance(GROUP + "should update a ServiceAccount")
async def test_update(world):
    await world.create(
        ACCOUNTS, {"metadata": {"name": "sa"}, "automountServiceAccountToken": False}
    )

    def change(found):
        found["automountServiceAccountToken"] = True

    assert (await world.update(f"{ACCOUNTS}/sa", change))["automountServiceAccountToken"] is True


@pytest.mark.conformance(
    GROUP + "should create a serviceAccountToken and ensure a successful TokenReview"
)
async def test_token_review(world):
    await world.create(ACCOUNTS, {"metadata": {"name": "sa"}})
    made = await world.create(f"{ACCOUNTS}/sa/token", {"spec": {}})
    status = await review(world, made["status"]["token"])
    assert status["authenticated"] is True
    assert "error" not in status
    assert status["user"]["username"] == f"system:serviceaccount:{NAMESPACE}:sa"


@pytest.mark.conformance(GROUP + "should guarantee kube-root-ca.crt exist in any namespace")
async def test_root_certificate(world):
    path = f"{BASE}/configmaps/kube-root-ca.crt"

    def good(found):
        return found["data"].get("ca.crt") == world.lab.cluster.surface.ca_certificate

    first = await world.until(path, good)
    await world.delete(path)
    again = await world.until(path, good)
    assert again["metadata"]["uid"] != first["metadata"]["uid"]
    await world.patch(path, {"data": {"ca.crt": ""}})
    await world.until(path, good)


@pytest.mark.conformance(GROUP + "should mount an API token into pods")
async def test_mounted_token(world):
    found = await run(world, pod("p"))
    token = await output(world, found, "cat", f"{MOUNT}/token")
    status = await review(world, token)
    assert status["user"]["username"] == f"system:serviceaccount:{NAMESPACE}:default"
    assert status["user"]["extra"]["authentication.kubernetes.io/pod-name"] == ["p"]
    certificate = await world.get(f"{BASE}/configmaps/kube-root-ca.crt")
    assert await output(world, found, "cat", f"{MOUNT}/ca.crt") == certificate["data"]["ca.crt"]
    assert await output(world, found, "cat", f"{MOUNT}/namespace") == NAMESPACE


@pytest.mark.conformance(GROUP + "should mount projected service account token")
async def test_projected_token(world):
    source = {
        "serviceAccountToken": {"path": "test", "audience": "vault", "expirationSeconds": 600}
    }
    volume = {"name": "v", "projected": {"sources": [source]}}
    body = pod("p", volumes=[volume])
    body["spec"]["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/tokens"}]
    found = await run(world, body)
    token = await output(world, found, "cat", "/tokens/test")
    assert (await review(world, token)).get("authenticated", False) is False
    status = await review(world, token, ["vault"])
    assert (status["authenticated"], status["audiences"]) == (True, ["vault"])


@pytest.mark.conformance(GROUP + "should allow opting out of API token automount")
async def test_opting_out(world):
    accounts = {"default-sa": None, "mount-sa": True, "nomount-sa": False}
    for name, mounts in accounts.items():
        body = {"metadata": {"name": name}}
        if mounts is not None:
            body["automountServiceAccountToken"] = mounts
        await world.create(ACCOUNTS, body)
    for name, mounts in accounts.items():
        for asked in (None, True, False):
            spec = {} if asked is None else {"automountServiceAccountToken": asked}
            label = {None: "default", True: "mount", False: "nomount"}[asked]
            made = await world.create(f"{BASE}/pods", pod(f"{label}-{name}", name, **spec))
            paths = [
                one["mountPath"] for one in made["spec"]["containers"][0].get("volumeMounts", ())
            ]
            wanted = asked if asked is not None else mounts is not False
            assert (MOUNT in paths) is wanted, (name, asked)


@pytest.mark.conformance(
    GROUP + "ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer"
)
async def test_issuer_discovery(world):
    found = await run(world, pod("p"))
    token = (await output(world, found, "cat", f"{MOUNT}/token")).strip()
    world.client.token = token
    about = await world.get("/.well-known/openid-configuration")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert about["issuer"] == claims["iss"]
    assert about["subject_types_supported"] == ["public"]
    path = "/" + about["jwks_uri"].split("/", 3)[3]
    keys = jwt.PyJWKSet.from_dict(json.loads((await world.client.get(path)).body))
    key = keys[jwt.get_unverified_header(token)["kid"]]
    assert key.key_type in ("RSA", "EC")
    options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    jwt.decode(
        token,
        key.key,
        algorithms=about["id_token_signing_alg_values_supported"],
        audience=claims["aud"],
        options=options,
    )


@pytest.mark.conformance("[sig-auth] SubjectReview should support SubjectReview API operations")
async def test_reviews_agree_with_what_is_allowed(world):
    await world.create(ACCOUNTS, {"metadata": {"name": "e2e"}})
    user = f"system:serviceaccount:{NAMESPACE}:e2e"
    groups = ["system:authenticated", "system:serviceaccounts"]
    asked = {"verb": "list", "resource": "configmaps", "version": "v1", "namespace": NAMESPACE}
    spec = {"user": user, "groups": groups, "resourceAttributes": asked}
    root = "/apis/authorization.k8s.io/v1"
    local = f"{root}/namespaces/{NAMESPACE}/localsubjectaccessreviews"
    as_user = {"impersonate_user": user, "impersonate_group": "system:authenticated"}
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
    for allowed in (False, True):
        if allowed:
            subject = {"kind": "ServiceAccount", "name": "e2e", "namespace": NAMESPACE}
            role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
            binding = {"metadata": {"name": "b"}, "subjects": [subject], "roleRef": role}
            await world.create(f"{rbac}/rolebindings", binding)
        await world.get(f"{BASE}/configmaps", expect=200 if allowed else 403, **as_user)
        whole = await world.create(f"{root}/subjectaccessreviews", {"spec": spec})
        assert whole["status"]["allowed"] is allowed
        about = {"metadata": {"namespace": NAMESPACE}, "spec": spec}
        assert (await world.create(local, about))["status"]["allowed"] is allowed
