"""Admission webhooks through the whole API: what they are asked, and what their answers do."""

from __future__ import annotations

import base64

import orjson
import pytest

from apiserver.registry.calling import Address, CallError, Response
from tests.apiserver.endpoints.support import Client, config_map, make_api

GROUP = "/apis/admissionregistration.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"
RULE = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["*"],
    "resources": ["configmaps"],
}


class Server:
    """Answers reviews as `answer` says, and remembers what was asked."""

    def __init__(self):
        self.asked = []
        self.answer = lambda request: {}

    async def __call__(self, address, body, timeout):
        review = orjson.loads(body)
        self.asked.append((address, review, timeout))
        found = self.answer(review["request"])
        if isinstance(found, (CallError, Response)):
            if isinstance(found, Response):
                return found
            raise found
        response = {"uid": review["request"]["uid"], "allowed": True, **found}
        kept = {"apiVersion": review["apiVersion"], "kind": "AdmissionReview"}
        return Response(200, orjson.dumps({**kept, "response": response}))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def client(server) -> Client:
    return Client(await make_api(bare=True, call=server))


async def register(client, kind, *hooks):
    webhooks = [
        {
            "name": f"w{at}.example.com",
            "clientConfig": {"service": {"namespace": "hooks", "name": "web", "path": "/check"}},
            "rules": [RULE],
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            **hook,
        }
        for at, hook in enumerate(hooks or ({},))
    ]
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": "hooks"},
        "webhooks": webhooks,
    }
    answer = await client.post(f"{GROUP}/{kind.lower()}webhookconfigurations", body)
    assert answer.status == 201, answer.message


def patch(*operations):
    text = base64.b64encode(orjson.dumps(list(operations))).decode()
    return {"patch": text, "patchType": "JSONPatch"}


def add(key, value):
    return {"op": "add", "path": f"/data/{key}", "value": value}


async def test_what_a_webhook_is_asked(client, server):
    await register(client, "Validating", {"timeoutSeconds": 3})
    assert (await client.post(MAPS, config_map("x", a="1"))).status == 201
    ((address, review, timeout),) = server.asked
    url = "https://web.hooks.svc:443/check"
    assert (address, timeout) == (Address(url, "hooks", "web", 443, "/check"), 3.0)
    request = review["request"]
    assert review["apiVersion"] == "admission.k8s.io/v1"
    assert request["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert request["resource"] == request["requestResource"]
    assert (request["name"], request["namespace"]) == ("x", "default")
    assert (request["operation"], request["dryRun"]) == ("CREATE", False)
    assert request["userInfo"]["groups"][0] == "system:masters"
    assert request["object"]["data"] == {"a": "1"}
    assert request["oldObject"] is None
    assert request["options"]["kind"] == "CreateOptions"


@pytest.mark.parametrize(
    ("status", "code", "reason", "said"),
    [
        (None, 400, "", "denied the request without explanation"),
        ({"message": "no"}, 400, "", "denied the request: no"),
        ({"message": "no", "code": 403, "reason": "Forbidden"}, 403, "Forbidden", "request: no"),
        ({"reason": "Because", "code": 200}, 400, "Because", "denied the request: Because"),
    ],
)
async def test_denials(client, server, status, code, reason, said):
    await register(client, "Validating")
    server.answer = lambda request: {"allowed": False, **({"status": status} if status else {})}
    answer = await client.post(MAPS, config_map("x"))
    assert (answer.status, answer.json().get("reason", "")) == (code, reason)
    assert answer.message.startswith('admission webhook "w0.example.com" ')
    assert answer.message.endswith(said)
    assert (await client.get(f"{MAPS}/x")).status == 404


URL = "https://web.hooks.svc:443/check?timeout=10s"
CALLING = 'Internal error occurred: failed calling webhook "w0.example.com": '


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (CallError('service "web" not found'),
         f'failed to call webhook: Post "{URL}": service "web" not found'),
        (Response(404, b""), ("failed to call webhook: the server could not find the requested "
         "resource")),
        (Response(500, b"oh"), ('failed to call webhook: an error on the server ("oh") has '
         "prevented the request from succeeding")),
        (Response(200, b"{}"), "received invalid webhook response: webhook response was absent"),
        ({"uid": "other"}, 'received invalid webhook response: expected response.uid="'),
        ({"patch": "W10="}, ("received invalid webhook response: validating webhook may not return "
         "response.patch")),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_fails_as_its_policy_says(client, server, answer, said):
    await register(client, "Validating")
    server.answer = lambda request: answer
    refused = await client.post(MAPS, config_map("x"))
    assert refused.status == 500
    assert refused.message.startswith(CALLING + said)
    await client.request("DELETE", f"{GROUP}/validatingwebhookconfigurations/hooks")
    await register(client, "Validating", {"failurePolicy": "Ignore"})
    assert (await client.post(MAPS, config_map("x"))).status == 201


async def test_warnings_reach_the_client(client, server):
    await register(client, "Validating")
    server.answer = lambda request: {"warnings": ["take care"]}
    answer = await client.post(MAPS, config_map("x"))
    assert answer.headers["warning"] == '299 - "take care"'


@pytest.mark.parametrize(
    ("hook", "asked"),
    [
        ({"rules": [RULE | {"operations": ["UPDATE"]}]}, False),
        ({"rules": [RULE | {"resources": ["*"]}]}, True),
        ({"rules": [RULE | {"scope": "Cluster"}]}, False),
        ({"namespaceSelector": {"matchLabels": {"env": "prod"}}}, False),
        ({"objectSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}, False),
        ({"matchConditions": [{"name": "c", "expression": "object.metadata.name == 'y'"}]}, False),
        ({"matchConditions": [{"name": "c", "expression": "request.name == 'x'"}]}, True),
    ],
)
async def test_whom_a_request_concerns(client, server, hook, asked):
    await register(client, "Validating", hook)
    assert (await client.post(MAPS, config_map("x"))).status == 201
    assert bool(server.asked) is asked


async def test_a_condition_that_fails_refuses(client, server):
    broken = [{"name": "c", "expression": "object.nope == 1"}]
    await register(client, "Validating", {"matchConditions": broken})
    refused = await client.post(MAPS, config_map("x"))
    assert (refused.status, bool(server.asked)) == (403, False)
    assert "resulted in error: no such key: nope" in refused.message


async def test_dry_runs_need_a_webhook_without_side_effects(client, server):
    await register(client, "Validating", {"sideEffects": "NoneOnDryRun"})
    assert (await client.post(f"{MAPS}?dryRun=All", config_map("x"))).status == 201
    assert server.asked[0][1]["request"]["dryRun"] is True


async def test_updates_and_deletions(client, server):
    await register(client, "Validating")
    await client.post(MAPS, config_map("x", a="1"))
    await client.request("PUT", f"{MAPS}/x", config_map("x", a="2"))
    await client.request("DELETE", f"{MAPS}/x")
    requests = [review["request"] for _, review, _ in server.asked]
    assert [request["operation"] for request in requests] == ["CREATE", "UPDATE", "DELETE"]
    assert requests[1]["oldObject"]["data"] == {"a": "1"}
    assert requests[1]["object"]["data"] == {"a": "2"}
    assert requests[2]["object"] is None
    assert requests[2]["oldObject"]["data"] == {"a": "2"}


async def test_no_webhook_is_asked_about_webhooks(client, server):
    everything = RULE | {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}
    await register(client, "Validating", {"rules": [everything]})
    server.answer = lambda request: {"allowed": False}
    gone = await client.request("DELETE", f"{GROUP}/validatingwebhookconfigurations/hooks")
    assert (gone.status, server.asked) == (200, [])


# -- mutating ------------------------------------------------------------------------------------


async def test_patches_are_carried_out_one_after_the_other(client, server):
    await register(client, "Mutating", {}, {})

    def answer(request):
        return patch(add(f"k{len(request['object']['data'])}", "new"))

    server.answer = answer
    made = (await client.post(MAPS, config_map("x", a="1"))).json()
    assert made["data"] == {"a": "1", "k1": "new", "k2": "new"}
    assert len(server.asked) == 2


async def test_who_asked_to_be_asked_again_is_asked_once_more(client, server):
    await register(client, "Mutating", {"reinvocationPolicy": "IfNeeded"}, {})

    def answer(request):
        return patch(add(f"k{len(server.asked)}", "new"))

    server.answer = answer
    made = (await client.post(MAPS, config_map("x", a="1"))).json()
    assert sorted(made["data"]) == ["a", "k1", "k2", "k3"]


async def test_nothing_is_asked_again_where_nothing_has_changed(client, server):
    await register(client, "Mutating", {"reinvocationPolicy": "IfNeeded"}, {})
    await client.post(MAPS, config_map("x", a="1"))
    assert len(server.asked) == 2


async def test_what_is_added_is_read_and_checked_as_if_the_client_had_sent_it(client, server):
    await register(client, "Mutating")
    server.answer = lambda request: patch({"op": "add", "path": "/nope", "value": 1})
    assert "nope" not in (await client.post(MAPS, config_map("x", a="1"))).json()
    server.answer = lambda request: patch(add("k", 5))
    wrong = await client.post(MAPS, config_map("y", a="1"))
    assert wrong.status >= 400
    server.answer = lambda request: patch(add("no key", "5"))
    assert (await client.post(MAPS, config_map("z", a="1"))).status == 422


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"patch": "W10="}, "webhook returned response.patch but not response.patchType"),
        ({"patchType": "JSONPatch"}, "webhook returned response.patchType but not response.patch"),
        ({"patch": "W10=", "patchType": "Merge"},
         'webhook returned invalid response.patchType of "Merge"'),
    ],
)  # fmt: skip
async def test_patches_that_are_none(client, server, answer, said):
    await register(client, "Mutating")
    server.answer = lambda request: answer
    refused = await client.post(MAPS, config_map("x"))
    assert refused.message == f"{CALLING}received invalid webhook response: {said}"


async def test_patches_through_updates_and_applies(client, server):
    await register(client, "Mutating")
    await client.post(MAPS, config_map("x", a="1"))
    server.answer = lambda request: patch(add("k", request["operation"]))
    merge = {"content-type": "application/merge-patch+json"}
    patched = await client.request("PATCH", f"{MAPS}/x", {"data": {"b": "2"}}, merge)
    assert patched.json()["data"] == {"a": "1", "b": "2", "k": "UPDATE"}
    apply = {"content-type": "application/apply-patch+yaml"}
    applied = await client.request(
        "PATCH", f"{MAPS}/y?fieldManager=me", config_map("y", c="3"), apply
    )
    assert (applied.status, applied.json()["data"]) == (201, {"c": "3", "k": "CREATE"})


async def test_a_denial_of_a_mutating_webhook(client, server):
    await register(client, "Mutating")
    server.answer = lambda request: {"allowed": False, "status": {"message": "no"}}
    answer = await client.post(MAPS, config_map("x"))
    assert answer.message == 'admission webhook "w0.example.com" denied the request: no'


PODS = "/api/v1/namespaces/default/pods"


@pytest.mark.parametrize(
    ("path", "resource", "kind", "options"),
    [
        (
            f"{PODS}/a/exec?command=ls&command=-l&stdout=1&container=c&stdin=false",
            "pods/exec",
            "PodExecOptions",
            {"command": ["ls", "-l"], "stdout": True, "container": "c"},
        ),
        (
            f"{PODS}/a/attach?stdin=true&tty=true",
            "pods/attach",
            "PodAttachOptions",
            {"stdin": True, "tty": True},
        ),
        (
            f"{PODS}/a/portforward?ports=80&ports=81",
            "pods/portforward",
            "PodPortForwardOptions",
            {"ports": [80, 81]},
        ),
        (f"{PODS}/a:80/proxy/x/y/", "pods/proxy", "PodProxyOptions", {"path": "/x/y/"}),
        (
            "/api/v1/namespaces/default/services/https:a:/proxy/x",
            "services/proxy",
            "ServiceProxyOptions",
            {"path": "/x"},
        ),
    ],
)
async def test_a_connection_is_its_options(client, server, path, resource, kind, options):
    rule = {**RULE, "operations": ["CONNECT"], "resources": [resource]}
    await register(client, "Validating", {"rules": [rule]})
    server.answer = lambda request: {"allowed": False, "status": {"message": "stay out"}}
    answer = await client.get(path)
    assert answer.message.endswith("denied the request: stay out")
    ((_, review, _),) = server.asked
    request = review["request"]
    name, _, part = resource.partition("/")
    assert (request["resource"]["resource"], request["subResource"]) == (name, part)
    assert (request["operation"], request["options"]) == ("CONNECT", None)
    assert request["kind"] == {"group": "", "version": "v1", "kind": kind}
    assert request["object"] == {"kind": kind, "apiVersion": "v1", **options}


async def test_policies_see_the_options_of_a_connection(client):
    rules = [{**RULE, "operations": ["CONNECT"], "resources": ["pods/exec"]}]
    policy = {
        "metadata": {"name": "no-shells"},
        "spec": {
            "matchConstraints": {"resourceRules": rules},
            "validations": [{"expression": "!('sh' in object.command)", "message": "no shells"}],
        },
    }
    binding = {
        "metadata": {"name": "no-shells"},
        "spec": {"policyName": "no-shells", "validationActions": ["Deny"]},
    }
    assert (await client.post(f"{GROUP}/validatingadmissionpolicies", policy)).status == 201
    path = f"{GROUP}/validatingadmissionpolicybindings"
    assert (await client.post(path, binding)).status == 201
    assert (await client.get(f"{PODS}/a/exec?command=sh")).status == 422
    assert (await client.get(f"{PODS}/a/exec?command=ls")).status == 404


async def test_what_the_audit_log_is_told(client, server):
    await register(
        client,
        "Mutating",
        {},
        {"failurePolicy": "Ignore", "clientConfig": {"url": "https://else.example.com"}},
    )
    operation = add("b", "2")

    def answer(request):
        if server.asked[-1][0].url.startswith("https://else"):
            return CallError("no route")
        return {**patch(operation), "auditAnnotations": {"why": "b was missing"}}

    server.answer = answer
    made = await client.post(MAPS, config_map("x", a="1"))
    assert made.status == 201
    trace = client.api.traces.get(made.headers["audit-id"])
    found = {k: v for k, v in trace.annotations.items() if not k.startswith("authorization.")}
    about = {"configuration": "hooks", "webhook": "w0.example.com"}
    assert found.pop("w0.example.com/why") == "b was missing"
    prefix, place = "mutation.webhook.admission.k8s.io", "round_0_index_0"
    assert orjson.loads(found.pop(f"{prefix}/{place}")) == {**about, "mutated": True}
    assert orjson.loads(found.pop(f"patch.webhook.admission.k8s.io/{place}")) == {
        **about,
        "patch": [operation],
        "patchType": "JSONPatch",
    }
    assert found.pop(f"failed-open.{prefix}/round_0_index_1") == "w1.example.com"
    assert not orjson.loads(found.pop(f"{prefix}/round_0_index_1"))["mutated"]
    assert found == {}


async def test_a_denial_comes_with_its_warnings(client, server):
    await register(client, "Validating")
    server.answer = lambda request: {"allowed": False, "warnings": ["think again", "two\nlines"]}
    answer = await client.post(MAPS, config_map("x"))
    assert answer.status == 400
    assert answer.headers["warning"] == '299 - "think again"'


async def test_a_patch_is_an_update_to_those_who_are_asked(client, server):
    await client.post(MAPS, config_map("x"))
    await register(client, "Validating")
    headers = {"content-type": "application/apply-patch+yaml"}
    query = "?fieldManager=me&force=true&fieldValidation=Warn"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}}
    assert (await client.request("PATCH", f"{MAPS}/x{query}", body, headers)).status == 200
    await client.request("DELETE", f"{MAPS}/x", {"kind": "DeleteOptions", "apiVersion": "v1"})
    update, delete = (review["request"] for _, review, _ in server.asked)
    meta = "meta.k8s.io/v1"
    assert update["options"] == {
        "kind": "UpdateOptions",
        "apiVersion": meta,
        "fieldManager": "me",
        "fieldValidation": "Warn",
    }
    assert delete["options"] == {"kind": "DeleteOptions", "apiVersion": meta}


async def test_the_trace_tells_which_webhook_did_not_answer(client, server):
    await register(client, "Validating", {"timeoutSeconds": 2})
    server.answer = lambda request: CallError("context deadline exceeded")
    refused = await client.post(MAPS, config_map("x"))
    assert refused.status == 500
    record = client.api.traces.get(refused.headers["audit-id"]).record()
    (call,) = record["webhooks"]
    assert (call["name"], call["timeoutSeconds"], call["failurePolicy"]) == (
        "w0.example.com",
        2,
        "Fail",
    )
    assert "context deadline exceeded" in call["failure"]
    assert [stage["name"] for stage in record["stages"]][-2:] == ["validation", "refused"]


async def test_patches_of_webhooks_are_not_in_the_trace(client, server):
    await register(client, "Mutating")
    server.answer = lambda request: patch(add("token", "hunter2"))
    made = await client.post(MAPS, config_map("x", a="1"))
    assert "hunter2" not in str(client.api.traces.get(made.headers["audit-id"]).record())
