"""Admission webhooks as Kubernetes' conformance tests ask for them, against `agnhost webhook`."""

import pytest

from tests.integration.serving import LABELS, NAMESPACE, Served, definition
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

TEST = "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] "
GROUP = "/apis/admissionregistration.k8s.io/v1"
VALIDATING = f"{GROUP}/validatingwebhookconfigurations"
MUTATING = f"{GROUP}/mutatingwebhookconfigurations"
CONFIGMAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE = {"content-type": "application/merge-patch+json"}
CUSTOM = "/apis/e2e.example.com"


@pytest.fixture
async def hooks(lab):
    served = Served(lab, "e2e-test-webhook")
    return await served.start("webhook", "--port=8444", "--sidecar-image=nginx:1.27")


def hook(hooks, path, *operations, resource="configmaps", group="", version="v1", **more):
    name = path.strip("/").replace("/", "-")
    return {
        "name": f"{name}.k8s.io",
        "clientConfig": hooks.client_config(path),
        "rules": [
            {
                "operations": list(operations or ("CREATE",)),
                "apiGroups": [group],
                "apiVersions": [version],
                "resources": [resource],
            }
        ],
        "namespaceSelector": {"matchLabels": LABELS},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1", "v1beta1"],
        **more,
    }


def configuration(name, *webhooks, **labels):
    about = {"name": name} | ({"labels": labels} if labels else {})
    return {"metadata": about, "webhooks": list(webhooks)}


def config_map(name, **data):
    return {"metadata": {"name": name}, "data": {k.replace("_", "-"): v for k, v in data.items()}}


def pod(name, container="c", **labels):
    about = {"name": name, "labels": {k.replace("_", "-"): v for k, v in labels.items()}}
    return {"metadata": about, "spec": {"containers": [{"name": container, "image": "pause"}]}}


@pytest.mark.conformance(TEST + "should include webhook resources in discovery documents")
async def test_should_include_webhook_resources_in_discovery_documents(hooks):
    groups = (await hooks.ok("GET", "/apis"))["groups"]
    (group,) = [one for one in groups if one["name"] == "admissionregistration.k8s.io"]
    assert "v1" in [version["version"] for version in group["versions"]]
    resources = (await hooks.ok("GET", GROUP))["resources"]
    names = {one["name"] for one in resources}
    assert {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"} <= names


@pytest.mark.conformance(TEST + "should be able to deny pod and configmap creation")
async def test_should_be_able_to_deny_pod_and_configmap_creation(hooks):
    await hooks.ok(
        "POST",
        VALIDATING,
        configuration(
            "deny",
            hook(hooks, "/pods", resource="pods", timeoutSeconds=5),
            hook(hooks, "/configmaps", "CREATE", "UPDATE", "DELETE", timeoutSeconds=10),
            hook(hooks, "/always-allow-delay-5s", resource="secrets"),
        ),
    )
    code, said = await hooks.refused("POST", PODS, pod("a", webhook_e2e_test="webhook-disallow"))
    assert code == 400
    assert said == (
        'admission webhook "pods.k8s.io" denied the request: the pod contains unwanted label;'
    )
    code, said = await hooks.refused("POST", PODS, pod("a", "webhook-disallow"))
    assert said.endswith(": the pod contains unwanted container name;")
    code, said = await hooks.refused("POST", PODS, pod("a", webhook_e2e_test="wait-forever"))
    assert code == 500
    assert said == (
        'Internal error occurred: failed calling webhook "pods.k8s.io": failed to call webhook: '
        'Post "https://e2e-test-webhook.hooks.svc:8443/pods?timeout=5s": '
        "context deadline exceeded"
    )
    assert hooks.lab.get("pods", "a", NAMESPACE) is None
    unwanted = {"data": {"webhook-e2e-test": "webhook-disallow"}}
    code, said = await hooks.refused("POST", CONFIGMAPS, {**config_map("a"), **unwanted})
    assert said == (
        'admission webhook "configmaps.k8s.io" denied the request: '
        "the configmap contains unwanted key and value"
    )
    made = await hooks.ok("POST", CONFIGMAPS, config_map("good", admit="this"))
    path = f"{CONFIGMAPS}/good"
    await hooks.refused("PUT", path, {**made, **unwanted})
    await hooks.refused("PATCH", path, unwanted, **MERGE)
    assert hooks.lab.get("configmaps", "good", NAMESPACE)["data"] == {"admit": "this"}
    # A namespace that the selector leaves out is not asked about.
    elsewhere = "/api/v1/namespaces/default/configmaps"
    await hooks.ok("POST", elsewhere, {**config_map("a"), **unwanted})


@pytest.mark.conformance(TEST + "should be able to deny attaching pod")
async def test_should_be_able_to_deny_attaching_pod(hooks):
    rule = hook(hooks, "/pods/attach", "CONNECT", resource="pods/attach")
    await hooks.ok("POST", VALIDATING, configuration("attach", rule))
    await hooks.ok("POST", PODS, pod("to-be-attached-pod", "container1"))
    path = f"{PODS}/to-be-attached-pod/attach?container=container1"
    code, said = await hooks.refused("POST", f"{path}&stdin=true&stdout=true")
    assert code == 400
    assert said == (
        'admission webhook "pods-attach.k8s.io" denied the request: '
        "attaching to pod 'to-be-attached-pod' is not allowed"
    )
    # Without stdin the webhook lets it through; what is missing then is the upgrade.
    _, said = await hooks.refused("POST", f"{path}&stdout=true")
    assert said == "Upgrade request required"


@pytest.mark.conformance(
    TEST + "should be able to deny custom resource creation, update and deletion"
)
async def test_should_be_able_to_deny_custom_resource_creation_update_and_deletion(hooks):
    await define(hooks)
    rule = hook(
        hooks,
        *("/custom-resource", "CREATE", "UPDATE", "DELETE"),
        resource="widgets",
        group="e2e.example.com",
    )
    await hooks.ok("POST", VALIDATING, configuration("custom", rule))
    _, said = await hooks.refused(
        "POST", widgets(), widget("a", {"webhook-e2e-test": "webhook-disallow"})
    )
    assert said == (
        'admission webhook "custom-resource.k8s.io" denied the request: '
        "the custom resource contains unwanted data"
    )
    await hooks.ok("POST", widgets(), widget("b", {"webhook-e2e-test": "webhook-nondeletable"}))
    await hooks.refused(
        "PATCH",
        f"{widgets()}/b",
        {"data": {"webhook-e2e-test": "webhook-disallow"}},
        **MERGE,
    )
    _, said = await hooks.refused("DELETE", f"{widgets()}/b")
    assert "cannot be deleted because it contains unwanted key and value" in said
    await hooks.ok("PATCH", f"{widgets()}/b", {"data": {"webhook-e2e-test": "go"}}, **MERGE)
    await hooks.ok("DELETE", f"{widgets()}/b")


@pytest.mark.conformance(TEST + "should unconditionally reject operations on fail closed webhook")
async def test_should_unconditionally_reject_operations_on_fail_closed_webhook(hooks):
    rule = hook(
        hooks, "/configmaps", clientConfig=hooks.client_config("/configmaps", trusted=False)
    )
    await hooks.ok("POST", VALIDATING, configuration("closed", rule))
    code, said = await hooks.refused("POST", CONFIGMAPS, config_map("a"))
    assert code == 500
    assert said == (
        'Internal error occurred: failed calling webhook "configmaps.k8s.io": '
        'failed to call webhook: Post "https://e2e-test-webhook.hooks.svc:8443/configmaps'
        '?timeout=10s": tls: failed to verify certificate: '
        "x509: certificate signed by unknown authority"
    )


@pytest.mark.conformance(TEST + "should mutate configmap")
async def test_should_mutate_configmap(hooks):
    path = "/mutating-configmaps"
    stages = [hook(hooks, path, name=f"stage-{number}.k8s.io") for number in (1, 2)]
    await hooks.ok("POST", MUTATING, configuration("stages", *stages))
    made = await hooks.ok("POST", CONFIGMAPS, config_map("a", mutation_start="yes"))
    assert made["data"] == {
        "mutation-start": "yes",
        "mutation-stage-1": "yes",
        "mutation-stage-2": "yes",
    }


@pytest.mark.conformance(TEST + "should mutate pod and apply defaults after mutation")
async def test_should_mutate_pod_and_apply_defaults_after_mutation(hooks):
    rule = hook(hooks, "/mutating-pods", resource="pods")
    await hooks.ok("POST", MUTATING, configuration("pods", rule))
    made = await hooks.ok("POST", PODS, pod("webhook-to-be-mutated"))
    (added,) = made["spec"]["initContainers"]
    assert added["name"] == "webhook-added-init-container"
    assert added["terminationMessagePolicy"] == "File"


@pytest.mark.conformance(
    TEST + "should not be able to mutate or prevent deletion of webhook configuration objects"
)
async def test_should_not_be_able_to_mutate_or_prevent_deletion_of_webhook_configurations(hooks):
    every = {"resource": "*", "group": "admissionregistration.k8s.io", "version": "*"}
    deny = hook(hooks, "/always-deny", "DELETE", **every)
    change = hook(hooks, "/add-label", **every)
    for one in (deny, change):
        del one["namespaceSelector"]
    await hooks.ok("POST", VALIDATING, configuration("deny", deny))
    await hooks.ok("POST", MUTATING, configuration("change", change))
    for path in (VALIDATING, MUTATING):
        dummy = hook(hooks, "/invalid", resource="invalid", failurePolicy="Ignore")
        made = await hooks.ok("POST", path, configuration("dummy", dummy))
        assert "labels" not in made["metadata"]
        await hooks.ok("DELETE", f"{path}/dummy")


@pytest.mark.conformance(TEST + "should mutate custom resource")
async def test_should_mutate_custom_resource(hooks):
    await define(hooks)
    await hooks.ok("POST", MUTATING, configuration("custom", *mutators(hooks)))
    made = await hooks.ok("POST", widgets(), widget("a", {"mutation-start": "yes"}))
    assert made["data"] == {
        "mutation-start": "yes",
        "mutation-stage-1": "yes",
        "mutation-stage-2": "yes",
    }


@pytest.mark.conformance(TEST + "should deny crd creation")
async def test_should_deny_crd_creation(hooks):
    rule = hook(hooks, "/crd", resource="customresourcedefinitions", group="apiextensions.k8s.io")
    await hooks.ok("POST", VALIDATING, configuration("crds", rule))
    wanted = definition("e2e.example.com", "widgets", "Widget", [("v1", True, None)])
    wanted["metadata"]["labels"] = {"webhook-e2e-test": "webhook-disallow"}
    _, said = await hooks.refused("POST", DEFINITIONS, wanted)
    assert "the crd contains unwanted label" in said
    assert (await hooks.http.get("/apis/e2e.example.com/v1")).status == 404


@pytest.mark.conformance(TEST + "should mutate custom resource with different stored version")
async def test_should_mutate_custom_resource_with_different_stored_version(hooks):
    await define(hooks, ("v1", True, None), ("v2", False, None))
    await hooks.ok("POST", MUTATING, configuration("custom", *mutators(hooks, "UPDATE")))
    await hooks.ok("POST", widgets(), widget("a", {"mutation-start": "yes"}))
    swapped = [("v1", False, None), ("v2", True, None)]
    new = definition("e2e.example.com", "widgets", "Widget", swapped)
    versions = {"spec": {"versions": new["spec"]["versions"]}}
    await hooks.ok("PATCH", f"{DEFINITIONS}/widgets.e2e.example.com", versions, **MERGE)
    patched = await hooks.ok("PATCH", f"{widgets('v2')}/a", {"dummy": "test"}, **MERGE)
    assert patched["dummy"] == "test"
    assert patched["apiVersion"] == "e2e.example.com/v2"
    assert patched["data"]["mutation-stage-1"] == "yes"
    assert patched["data"]["mutation-stage-2"] == "yes"


@pytest.mark.conformance(TEST + "should mutate custom resource with pruning")
async def test_should_mutate_custom_resource_with_pruning(hooks):
    text = {"type": "string"}
    data = {"type": "object", "properties": {"mutation-start": text, "mutation-stage-1": text}}
    await define(hooks, ("v1", True, {"type": "object", "properties": {"data": data}}))
    await hooks.ok("POST", MUTATING, configuration("custom", *mutators(hooks)))
    made = await hooks.ok("POST", widgets(), widget("a", {"mutation-start": "yes"}))
    assert made["data"] == {"mutation-start": "yes", "mutation-stage-1": "yes"}


@pytest.mark.conformance(TEST + "should honor timeout")
@pytest.mark.parametrize(
    ("timeout", "policy", "allowed"),
    [(1, "Fail", False), (1, "Ignore", True), (10, "Fail", True), (None, "Fail", True)],
)
async def test_should_honor_timeout(hooks, timeout, policy, allowed):
    rule = hook(hooks, "/always-allow-delay-5s", failurePolicy=policy)
    if timeout is not None:
        rule["timeoutSeconds"] = timeout
    await hooks.ok("POST", VALIDATING, configuration("slow", rule))
    if allowed:
        await hooks.ok("POST", CONFIGMAPS, config_map("a"))
        return
    _, said = await hooks.refused("POST", CONFIGMAPS, config_map("a"))
    assert said.endswith(f'/always-allow-delay-5s?timeout={timeout}s": context deadline exceeded')


@pytest.mark.conformance(TEST + "patching/updating a mutating webhook should work")
@pytest.mark.conformance(TEST + "patching/updating a validating webhook should work")
@pytest.mark.parametrize("kind", [VALIDATING, MUTATING])
async def test_patching_and_updating_a_webhook_should_work(hooks, kind):
    changes = kind == MUTATING
    rule = hook(hooks, "/mutating-configmaps" if changes else "/configmaps")
    made = await hooks.ok("POST", kind, configuration("changing", rule))
    made["webhooks"][0]["rules"][0]["operations"] = ["UPDATE"]
    await hooks.ok("PUT", f"{kind}/changing", made)
    data = {"mutation_start": "yes"} if changes else {"webhook_e2e_test": "webhook-disallow"}
    free = await hooks.ok("POST", CONFIGMAPS, config_map("free", **data))
    assert len(free["data"]) == 1
    patch = [{"op": "replace", "path": "/webhooks/0/rules/0/operations/0", "value": "CREATE"}]
    headers = {"content-type": "application/json-patch+json"}
    await hooks.ok("PATCH", f"{kind}/changing", patch, **headers)
    if changes:
        made = await hooks.ok("POST", CONFIGMAPS, config_map("a", **data))
        assert made["data"]["mutation-stage-1"] == "yes"
    else:
        await hooks.refused("POST", CONFIGMAPS, config_map("a", **data))


@pytest.mark.conformance(TEST + "listing mutating webhooks should work")
@pytest.mark.conformance(TEST + "listing validating webhooks should work")
@pytest.mark.parametrize("kind", [VALIDATING, MUTATING])
async def test_listing_webhooks_should_work(hooks, kind):
    changes = kind == MUTATING
    path = "/mutating-configmaps" if changes else "/configmaps"
    for number in range(10):
        rule = hook(hooks, path)
        await hooks.ok("POST", kind, configuration(f"list-{number}", rule, suite="list"))
    found = await hooks.ok("GET", f"{kind}?labelSelector=suite=list")
    assert len(found["items"]) == 10
    data = {"mutation_start": "yes"} if changes else {"webhook_e2e_test": "webhook-disallow"}
    if changes:
        made = await hooks.ok("POST", CONFIGMAPS, config_map("a", **data))
        assert made["data"]["mutation-stage-1"] == "yes"
    else:
        await hooks.refused("POST", CONFIGMAPS, config_map("a", **data))
    await hooks.ok("DELETE", f"{kind}?labelSelector=suite=list")
    made = await hooks.ok("POST", CONFIGMAPS, config_map("b", **data))
    assert len(made["data"]) == 1


@pytest.mark.conformance(
    TEST
    + "should be able to create and update mutating webhook configurations with match conditions"
)
@pytest.mark.conformance(
    TEST
    + "should be able to create and update validating webhook configurations with match conditions"
)
@pytest.mark.parametrize("kind", [VALIDATING, MUTATING])
async def test_should_create_and_update_configurations_with_match_conditions(hooks, kind):
    first = [{"name": "expression-1", "expression": "object.metadata.namespace == 'production'"}]
    rule = hook(hooks, "/configmaps", matchConditions=first)
    await hooks.ok("POST", kind, configuration("conditions", rule))
    stored = await hooks.ok("GET", f"{kind}/conditions")
    assert stored["webhooks"][0]["matchConditions"] == first
    second = [*first, {"name": "expression-2", "expression": "object.metadata.name == 'a'"}]
    stored["webhooks"][0]["matchConditions"] = second
    await hooks.ok("PUT", f"{kind}/conditions", stored)
    stored = await hooks.ok("GET", f"{kind}/conditions")
    assert stored["webhooks"][0]["matchConditions"] == second


@pytest.mark.conformance(
    TEST + "should reject mutating webhook configurations with invalid match conditions"
)
@pytest.mark.conformance(
    TEST + "should reject validating webhook configurations with invalid match conditions"
)
@pytest.mark.parametrize("kind", [VALIDATING, MUTATING])
async def test_should_reject_configurations_with_invalid_match_conditions(hooks, kind):
    broken = [{"name": "invalid-expression-1", "expression": "... [] bad expression"}]
    rule = hook(hooks, "/configmaps", matchConditions=broken)
    code, said = await hooks.refused("POST", kind, configuration("broken", rule))
    assert code == 422
    assert "compilation failed" in said


@pytest.mark.conformance(TEST + "should mutate everything except 'skip-me' configmaps")
async def test_should_mutate_everything_except_skip_me_configmaps(hooks):
    but = [{"name": "skip-me", "expression": "object.metadata.name != 'skip-me'"}]
    rule = hook(hooks, "/mutating-configmaps", matchConditions=but)
    await hooks.ok("POST", MUTATING, configuration("skip", rule))
    made = await hooks.ok("POST", CONFIGMAPS, config_map("skip-me", mutation_start="yes"))
    assert made["data"] == {"mutation-start": "yes"}
    made = await hooks.ok("POST", CONFIGMAPS, config_map("other", mutation_start="yes"))
    assert made["data"]["mutation-stage-1"] == "yes"


async def define(hooks, *versions):
    wanted = definition("e2e.example.com", "widgets", "Widget", versions or [("v1", True, None)])
    await hooks.ok("POST", DEFINITIONS, wanted)


def mutators(hooks, *more):
    about = {"resource": "widgets", "group": "e2e.example.com"}
    path = "/mutating-custom-resource"
    return [
        hook(hooks, path, "CREATE", *more, name=f"stage-{number}.k8s.io", **about)
        for number in (1, 2)
    ]


def widgets(version="v1"):
    return f"/apis/e2e.example.com/{version}/namespaces/{NAMESPACE}/widgets"


def widget(name, data, version="v1"):
    return {
        "apiVersion": f"e2e.example.com/{version}",
        "kind": "Widget",
        "metadata": {"name": name},
        "data": data,
    }
