"""Admission policies through the whole API: what they are about, and what they do."""

from __future__ import annotations

import orjson
import pytest

from tests.apiserver.endpoints.support import Client, config_map, make_api

GROUP = "/apis/admissionregistration.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"
RULE = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["CREATE", "UPDATE"],
    "resources": ["configmaps"],
}


@pytest.fixture
async def client() -> Client:
    return Client(await make_api(bare=True))


async def define(client, kind, name, **spec):
    plural = {"Policy": "policies", "PolicyBinding": "policybindings"}[
        kind.partition("Admission")[2]
    ]
    path = f"{GROUP}/{kind.partition('Admission')[0].lower()}admission{plural}"
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }
    answer = await client.post(path, body)
    assert answer.status == 201, answer.message
    return answer


async def validating(client, *validations, actions=("Deny",), binding=None, name="p", **spec):
    spec.setdefault("matchConstraints", {"resourceRules": [RULE]})
    await define(client, "ValidatingAdmissionPolicy", name, validations=list(validations), **spec)
    await define(
        client,
        "ValidatingAdmissionPolicyBinding",
        "b",
        policyName=name,
        validationActions=list(actions),
        **(binding or {}),
    )


async def mutating(client, *mutations, name="p", **spec):
    spec.setdefault("matchConstraints", {"resourceRules": [RULE]})
    spec.setdefault("reinvocationPolicy", "Never")
    await define(client, "MutatingAdmissionPolicy", name, mutations=list(mutations), **spec)
    await define(client, "MutatingAdmissionPolicyBinding", name, policyName=name)


def applying(text):
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": text}}


def patching(text):
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": text}}


DENIED = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: "


async def test_a_denial_names_policy_and_binding(client):
    await validating(client, {"expression": "object.data.size() < 2", "message": " too many "})
    assert (await client.post(MAPS, config_map("ok", a="1"))).status == 201
    many = await client.post(MAPS, config_map("many", a="1", b="2"))
    assert (many.status, many.json()["reason"]) == (422, "Invalid")
    assert many.message == f'configmaps "many" is forbidden: {DENIED}too many'
    assert many.json()["details"] == {
        "name": "many",
        "kind": "configmaps",
        "causes": [{"message": f"{DENIED}too many"}],
    }


@pytest.mark.parametrize(
    ("validation", "code", "said"),
    [
        ({"expression": "false"}, 422, "failed expression: false"),
        ({"expression": "false", "message": "m", "reason": "Forbidden"}, 403, "m"),
        ({"expression": "false", "reason": "RequestEntityTooLarge"}, 413, "failed expression: fa"),
        (
            {"expression": "false", "messageExpression": "'no ' + object.metadata.name"},
            422,
            "no x",
        ),
        (
            {"expression": "false", "message": "m", "messageExpression": "string(1 / 0)"},
            422,
            "m",
        ),
        (
            {"expression": "object.spec.nope == 1"},
            422,
            "expression 'object.spec.nope == 1' resulted in error: no such key: spec",
        ),
    ],
)
async def test_reasons_and_messages(client, validation, code, said):
    await validating(client, validation)
    answer = await client.post(MAPS, config_map("x"))
    assert answer.status == code
    assert f"denied request: {said}" in answer.message


async def test_errors_are_forgiven_where_the_policy_fails_open(client):
    await validating(client, {"expression": "object.nope == 1"}, failurePolicy="Ignore")
    assert (await client.post(MAPS, config_map("x"))).status == 201


async def test_warn_and_audit_let_the_request_through(client):
    check = {"expression": "false", "message": "m"}
    await validating(client, check, actions=("Warn", "Audit"))
    answer = await client.post(MAPS, config_map("x"))
    assert answer.status == 201
    assert answer.headers["warning"] == (
        "299 - \"Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': m\""
    )


@pytest.mark.parametrize(
    ("expression", "passes"),
    [
        ("request.operation == 'CREATE' && request.namespace == 'default'", True),
        ("request.userInfo.groups.exists(g, g == 'system:masters')", True),
        ("request.resource.resource == 'configmaps' && request.kind.kind == 'ConfigMap'", True),
        ("!has(request.subResource) && !request.dryRun && oldObject == null", True),
        ("namespaceObject.metadata.name == 'default' && namespaceObject.status.phase != ''", True),
        ("authorizer.group('').resource('pods').namespace('default').check('get').allowed()", True),
        ("authorizer.requestResource.check('create').allowed()", True),
        (("authorizer.serviceAccount('default', 'nobody').group('').resource('pods')"
         ".check('delete').allowed()"), False),
        ("authorizer.path('/healthz').check('get').allowed()", True),
    ],
)  # fmt: skip
async def test_what_expressions_see(client, expression, passes):
    await validating(client, {"expression": expression})
    assert ((await client.post(MAPS, config_map("x"))).status == 201) is passes


async def test_variables_may_use_those_before(client):
    variables = [
        {"name": "size", "expression": "object.data.size()"},
        {"name": "half", "expression": "variables.size / 2"},
        {"name": "broken", "expression": "object.nope"},
    ]
    check = {"expression": "variables.half < 1 || variables.broken == 1", "message": "m"}
    await validating(client, check, variables=variables)
    assert (await client.post(MAPS, config_map("one", a="1"))).status == 201
    answer = await client.post(MAPS, config_map("two", a="1", b="2"))
    assert 'composited variable "broken" fails to evaluate: no such key: nope' in answer.message


@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        (["object.metadata.name == 'x'"], 422),
        (["object.metadata.name == 'y'"], 201),
        (["object.nope == 1", "object.metadata.name == 'y'"], 201),
        (["object.nope == 1"], 422),
    ],
)
async def test_match_conditions(client, conditions, code):
    named = [{"name": f"c{at}", "expression": text} for at, text in enumerate(conditions)]
    await validating(client, {"expression": "false"}, matchConditions=named)
    assert (await client.post(MAPS, config_map("x"))).status == code


@pytest.mark.parametrize(
    ("match", "denied"),
    [
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"env": "prod"}}}, False),
        ({"objectSelector": {"matchLabels": {"app": "x"}}}, False),
        ({"resourceRules": [RULE | {"resourceNames": ["y"]}]}, False),
        ({"resourceRules": [RULE | {"resourceNames": ["x"]}]}, True),
        ({"resourceRules": [RULE | {"scope": "Cluster"}]}, False),
        ({"resourceRules": [RULE | {"resources": ["*/*"], "apiGroups": ["*"]}]}, True),
        ({"resourceRules": [RULE | {"operations": ["DELETE"]}]}, False),
        ({"resourceRules": [RULE], "excludeResourceRules": [RULE]}, False),
    ],
)
async def test_what_a_policy_is_about(client, match, denied):
    constraints = {"resourceRules": [RULE], **match}
    await validating(client, {"expression": "false"}, matchConstraints=constraints)
    status = (await client.post(MAPS, config_map("x"))).status
    assert (status == 422) is denied


async def test_a_binding_narrows_its_policy(client):
    selector = {"matchResources": {"objectSelector": {"matchLabels": {"app": "x"}}}}
    await validating(client, {"expression": "false"}, binding=selector)
    assert (await client.post(MAPS, config_map("free"))).status == 201
    labelled = config_map("bound")
    labelled["metadata"]["labels"] = {"app": "x"}
    assert (await client.post(MAPS, labelled)).status == 422


async def test_another_version_of_the_same_objects_is_matched_and_shown_as_the_rule_says(client):
    rule = RULE | {"apiGroups": ["autoscaling"], "apiVersions": ["v1"],
                   "resources": ["horizontalpodautoscalers"]}  # fmt: skip
    check = {"expression": "object.spec.targetCPUUtilizationPercentage < 50", "message": "m"}
    await validating(client, check, matchConstraints={"resourceRules": [rule]})
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
            "maxReplicas": 3,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 80},
                    },
                }
            ],
        },
    }
    path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
    assert (await client.post(path, scaler)).message.endswith("denied request: m")


async def test_parameters(client):
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    await client.post(MAPS, config_map("limits", most="1"))
    ref = {"name": "limits", "parameterNotFoundAction": "Deny"}
    check = {"expression": "object.data.size() <= int(params.data.most)"}
    await validating(client, check, paramKind=kind, binding={"paramRef": ref})
    assert (await client.post(MAPS, config_map("one", a="1"))).status == 201
    assert (await client.post(MAPS, config_map("two", a="1", b="2"))).status == 422
    await client.request("DELETE", f"{MAPS}/limits")
    missing = await client.post(MAPS, config_map("three"))
    assert missing.message.endswith(
        "denied request: failed to configure binding: no params found for policy binding with "
        "`Deny` parameterNotFoundAction"
    )


async def test_each_parameter_that_is_selected_is_asked(client):
    for name, most in (("a", "1"), ("b", "5")):
        limits = config_map(name, most=most)
        limits["metadata"]["labels"] = {"limits": "yes"}
        await client.post(MAPS, limits)
    ref = {
        "selector": {"matchLabels": {"limits": "yes"}},
        "parameterNotFoundAction": "Allow",
    }
    check = {
        "expression": "object.data.size() <= int(params.data.most)",
        "messageExpression": "'limited by ' + params.metadata.name",
    }
    await validating(
        client,
        check,
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        binding={"paramRef": ref},
    )
    answer = await client.post(MAPS, config_map("two", a="1", b="2"))
    assert answer.message.endswith("limited by a")


async def test_a_kind_of_parameters_that_is_not_served(client):
    kind = {"apiVersion": "example.com/v1", "kind": "Limit"}
    await validating(client, {"expression": "true"}, paramKind=kind)
    assert (await client.post(MAPS, config_map("x"))).message.endswith(
        "ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find "
        "resource referenced by paramKind: 'example.com/v1, Kind=Limit'"
    )


async def test_policies_do_not_stand_in_the_way_of_policies(client):
    rule = RULE | {"apiGroups": ["*"], "resources": ["*"], "operations": ["*"]}
    await validating(client, {"expression": "false"}, matchConstraints={"resourceRules": [rule]})
    assert (await client.post(MAPS, config_map("x"))).status == 422
    gone = await client.request("DELETE", f"{GROUP}/validatingadmissionpolicybindings/b")
    assert gone.status == 200
    assert (await client.post(MAPS, config_map("x"))).status == 201


async def test_updates_and_deletions(client):
    rule = RULE | {"operations": ["UPDATE", "DELETE"]}
    check = {
        "expression": "object == null ? !has(oldObject.data.keep) : "
        "object.data.size() >= oldObject.data.size()"
    }
    await validating(client, check, matchConstraints={"resourceRules": [rule]})
    await client.post(MAPS, config_map("x", keep="1", b="2"))
    less = await client.request("PUT", f"{MAPS}/x", config_map("x", keep="1"))
    assert less.status == 422
    assert (await client.request("DELETE", f"{MAPS}/x")).status == 422
    await client.post(MAPS, config_map("y", b="2"))
    assert (await client.request("DELETE", f"{MAPS}/y")).status == 200


async def test_expressions_are_checked_when_the_policy_is_stored(client):
    spec = {
        "matchConstraints": {"resourceRules": [RULE]},
        "variables": [{"name": "v", "expression": "1"}],
        "validations": [
            {"expression": "variables.nope"},
            {"expression": "object.a"},
            {"expression": "params.x == 1"},
            {"expression": "true", "messageExpression": "1"},
        ],
    }
    body = {"kind": "ValidatingAdmissionPolicy", "metadata": {"name": "x"}, "spec": spec,
            "apiVersion": "admissionregistration.k8s.io/v1"}  # fmt: skip
    answer = await client.post(f"{GROUP}/validatingadmissionpolicies", body)
    causes = [cause["message"] for cause in answer.json()["details"]["causes"]]
    assert [cause.partition(": ")[2].partition("\n")[0] for cause in causes] == [
        "\"variables.nope\": compilation failed: ERROR: <input>:1:10: undefined field 'nope'",
        '"object.a": must evaluate to bool but got dyn',
        (
            '"params.x == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to '
            "'params' (in container '')"
        ),
        '"1": must evaluate to string but got int',
    ]


# -- mutations -----------------------------------------------------------------------------------


async def test_an_apply_configuration_is_merged(client):
    text = "Object{metadata: Object.metadata{labels: {'team': 'a'}}, data: {'b': '2'}}"
    await mutating(client, applying(text))
    body = config_map("x", a="1")
    body["metadata"]["labels"] = {"kept": "yes"}
    made = (await client.post(MAPS, body)).json()
    assert made["metadata"]["labels"] == {"kept": "yes", "team": "a"}
    assert made["data"] == {"a": "1", "b": "2"}


async def test_lists_are_merged_by_their_keys_and_defaults_are_filled_in(client):
    rule = RULE | {"resources": ["pods"]}
    text = (
        "Object{spec: Object.spec{initContainers: [Object.spec.initContainers{name: 'init', "
        "image: 'busybox'}], containers: [Object.spec.containers{name: 'c', image: 'x:1'}]}}"
    )
    await mutating(client, applying(text), matchConstraints={"resourceRules": [rule]})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    await client.post("/api/v1/namespaces/default/serviceaccounts", account)
    containers = [{"name": "c", "image": "nginx"}, {"name": "d", "image": "redis"}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
           "spec": {"containers": containers}}  # fmt: skip
    made = (await client.post("/api/v1/namespaces/default/pods", pod)).json()
    assert [c["image"] for c in made["spec"]["containers"]] == ["x:1", "redis"]
    (init,) = made["spec"]["initContainers"]
    assert (init["name"], init["imagePullPolicy"]) == ("init", "Always")
    # Plugins that come before run again on what the policy has added.
    assert init["volumeMounts"][0]["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"


async def test_json_patches(client):
    text = (
        "has(object.data) ? [JSONPatch{op: 'add', path: '/metadata/annotations', value: {'k': 'v'}"
        "}, JSONPatch{op: 'add', path: '/metadata/annotations/' + jsonpatch.escapeKey('a/b'), "
        "value: string(object.data.size())}, JSONPatch{op: 'remove', path: '/data/a'}] : []"
    )
    await mutating(client, patching(text))
    made = (await client.post(MAPS, config_map("x", a="1", b="2"))).json()
    assert made["metadata"]["annotations"] == {"k": "v", "a/b": "2"}
    assert made["data"] == {"b": "2"}
    bare = config_map("y")
    del bare["data"]
    assert "annotations" not in (await client.post(MAPS, bare)).json()["metadata"]


async def test_a_test_that_fails_changes_nothing(client):
    text = (
        "[JSONPatch{op: 'add', path: '/data/b', value: '2'}, "
        "JSONPatch{op: 'test', path: '/data/a', value: 'other'}]"
    )
    await mutating(client, patching(text))
    assert (await client.post(MAPS, config_map("x", a="1"))).json()["data"] == {"a": "1"}


@pytest.mark.parametrize(
    ("mutation", "why"),
    [
        (
            applying("Object{metadata: Object.metadata{labels: {'a': object.nope}}}"),
            "resulted in error: no such key: nope",
        ),
        (
            applying("Object{metadata: Object.spec{}}"),
            'type mismatch: unexpected type name "Object.spec", expected "Object.metadata"',
        ),
        (
            applying("Object{metadata: Object.metadata{managedFields: [Object.metadata"
                     ".managedFields{manager: 'x'}]}}"),
            "may not mutate atomic arrays, maps or structs: .metadata.managedFields",
        ),
        (
            patching("[JSONPatch{op: 'remove', path: '/data/nope'}]"),
            "JSONPath: remove operation does not apply",
        ),
    ],
)  # fmt: skip
async def test_mutations_that_fail(client, mutation, why):
    await mutating(client, mutation)
    answer = await client.post(MAPS, config_map("x", a="1"))
    assert (answer.status, answer.json()["reason"]) == (403, "Invalid")
    assert answer.message.startswith("policy 'p' with binding 'p' denied request: ")
    assert why in answer.message


async def test_mutations_that_fail_are_forgiven_where_the_policy_fails_open(client):
    await mutating(client, patching("[JSONPatch{op: 'remove', path: '/data/nope'}]"),
                   failurePolicy="Ignore")  # fmt: skip
    assert (await client.post(MAPS, config_map("x", a="1"))).status == 201


async def test_policies_run_again_only_where_they_ask_for_it(client):
    def counting(key):
        return patching(
            f"[JSONPatch{{op: 'add', path: '/data/{key}', value: has(object.data.{key}) ? "
            f"object.data.{key} + 'x' : 'x'}}]"
        )

    await mutating(client, counting("once"), name="a")
    await mutating(client, counting("again"), name="b", reinvocationPolicy="IfNeeded")
    await mutating(client, counting("last"), name="c")
    made = (await client.post(MAPS, config_map("x", a="1"))).json()
    assert made["data"] == {"a": "1", "once": "x", "again": "xx", "last": "x"}


async def test_a_deletion_is_not_mutated(client):
    rule = RULE | {"operations": ["CREATE", "UPDATE"]}
    await mutating(client, applying("Object{data: {'b': '2'}}"),
                   matchConstraints={"resourceRules": [rule]})  # fmt: skip
    await client.post(MAPS, config_map("x", a="1"))
    gone = await client.request("DELETE", f"{MAPS}/x")
    assert gone.status == 200
    assert orjson.loads(gone.body)["status"] == "Success"
