"""What a request may take: time, a seat, a body; and the headers that tell of it."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from apimachinery.clock import ManualClock
from apimachinery.errors import Overloaded
from apiserver.auth.user import AUTHENTICATED, User
from apiserver.endpoints import chain
from apiserver.endpoints.options import ServingOptions
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.flowcontrol.filter import FlowFilter
from apiserver.flowcontrol.options import FlowOptions
from apiserver.registry.room import Room
from tests.apiserver.endpoints.support import Call, Client, config_map, local, make_api
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

MAPS = "/api/v1/namespaces/default/configmaps"
FLOWS = "/apis/flowcontrol.apiserver.k8s.io/v1"
LARGE = b"{" + b" " * (3 * 1024 * 1024)


class Slow:
    """Something behind a proxied port, or a handler, that answers when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.go_on = asyncio.Event()

    async def __call__(self, request: ApiRequest) -> Answer:
        self.asked += 1
        await self.go_on.wait()
        return Answer(text=b"{}", content_type="application/json")


def slowly(monkeypatch: pytest.MonkeyPatch, verb: str) -> Slow:
    """Let requests of a verb wait."""
    slow = Slow()
    monkeypatch.setitem(chain._VERBS, verb, slow)
    return slow


# -- time ----------------------------------------------------------------------------------------


@VIRTUAL_TIME
@pytest.mark.parametrize(
    ("query", "seconds"), [("", 60), ("?timeout=2s", 2), ("?timeout=0", 60), ("?timeout=1h", 60)]
)
async def test_a_request_has_its_time(client: Client, monkeypatch, query, seconds):
    slowly(monkeypatch, "create")
    began = asyncio.get_running_loop().time()
    found = await client.post(f"{MAPS}{query}", config_map("a"))
    assert asyncio.get_running_loop().time() - began == pytest.approx(seconds)
    assert found.status == 504
    assert found.json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Timeout: request did not complete within requested timeout - "
        "context deadline exceeded",
        "reason": "Timeout",
        "details": {},
        "code": 504,
    }
    # Its seat is free again.
    assert isinstance(client.api.flow, FlowFilter)
    assert all(level.in_use == 0 for level in client.api.flow.all_levels())


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("soon", 'time: invalid duration "soon"'),
        ("10", 'time: missing unit in duration "10"'),
        ("1y", 'time: unknown unit "y" in duration "1y"'),
    ],
)
async def test_a_time_that_cannot_be_read_is_refused_before_who_asks(client: Client, value, why):
    client.token = "wrong"
    found = await client.get(f"{MAPS}?timeout={value}")
    assert (found.status, found.json()["reason"]) == (400, "BadRequest")
    assert found.message == f"invalid timeout specified in the request URL - {why}"


async def test_what_runs_long_has_no_such_time(client: Client):
    found = await client.get("/api/v1/namespaces/default/pods/p/log?timeout=soon")
    assert found.status == 404


# -- bodies --------------------------------------------------------------------------------------


async def test_who_may_not_ask_is_told_that_before_the_size(client: Client):
    found = await client.post(MAPS, LARGE)
    assert (found.status, found.json()["reason"]) == (413, "RequestEntityTooLarge")
    assert found.message == "Request entity too large: limit is 3145728"
    client.token = ""
    assert (await client.post(MAPS, LARGE)).status == 403


# -- priority and fairness -----------------------------------------------------------------------


async def named(client: Client, plural: str, name: str) -> str:
    return (await client.get(f"{FLOWS}/{plural}/{name}")).json()["metadata"]["uid"]


async def test_answers_say_by_which_objects_they_were_served():
    client = Client(await make_api(ManualClock()))
    found = await client.get(f"{MAPS}/nope")
    assert found.status == 404
    assert found.headers["x-kubernetes-pf-flowschema-uid"] == await named(
        client, "flowschemas", "exempt"
    )
    level = await named(client, "prioritylevelconfigurations", "exempt")
    assert found.headers["x-kubernetes-pf-prioritylevel-uid"] == level
    client.token = ""
    strange = await client.get(MAPS)
    assert strange.status == 403
    assert strange.headers["x-kubernetes-pf-prioritylevel-uid"] != level
    client.token = "wrong"
    assert "x-kubernetes-pf-flowschema-uid" not in (await client.get(MAPS)).headers


async def test_schemas_and_levels_decide_from_their_write_on(monkeypatch):
    api = await make_api(ManualClock())
    assert isinstance(api.flow, FlowFilter)
    api.flow.follow(api.store.hub, api.store.revision)
    client = Client(api)
    limited = {"nominalConcurrencyShares": 0, "limitResponse": {"type": "Reject"}}
    await client.post(
        f"{FLOWS}/prioritylevelconfigurations",
        {
            "metadata": {"name": "narrow"},
            "spec": {"type": "Limited", "limited": limited | {"borrowingLimitPercent": 0}},
        },
    )
    rule = {
        "subjects": [{"kind": "User", "user": {"name": "ann"}}],
        "resourceRules": [
            {
                "verbs": ["create"],
                "apiGroups": [""],
                "resources": ["configmaps"],
                "namespaces": ["*"],
            }
        ],
    }
    await client.post(
        f"{FLOWS}/flowschemas",
        {
            "metadata": {"name": "narrow"},
            "spec": {
                "matchingPrecedence": 2,
                "priorityLevelConfiguration": {"name": "narrow"},
                "rules": [rule],
            },
        },
    )
    await client.post(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        {
            "metadata": {"name": "devs"},
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "Group", "name": "devs"}],
        },
    )
    slow = slowly(monkeypatch, "create")
    ann = {"impersonate-user": "ann", "impersonate-group": "devs"}

    async def create(name: str):
        return await client.request("POST", MAPS, config_map(name), ann)

    first = asyncio.ensure_future(create("a"))
    await eventually(lambda: slow.asked)
    refused = await create("b")
    assert refused.status == 429
    assert refused.body == b"Too many requests, please try again later.\n"
    assert refused.headers["content-type"] == "text/plain; charset=utf-8"
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert refused.headers["retry-after"] == "1"
    uid = await named(client, "flowschemas", "narrow")
    assert refused.headers["x-kubernetes-pf-flowschema-uid"] == uid
    # Others are served meanwhile.
    bob = {"impersonate-user": "bob", "impersonate-group": "devs"}
    other = asyncio.ensure_future(client.request("POST", MAPS, config_map("c"), bob))
    await eventually(lambda: slow.asked == 2)
    slow.go_on.set()
    assert [(await one).status for one in (first, other)] == [200, 200]
    await client.request("DELETE", f"{FLOWS}/flowschemas/narrow")
    assert (await create("b")).status == 200


async def test_a_flood_over_http_leaves_others_their_turn():
    """Every request is there at once, and each list takes its time."""
    api = await make_api(ManualClock())
    client = Client(api)
    await client.post(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        {
            "metadata": {"name": "devs"},
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "Group", "name": "devs"}],
        },
    )
    for number in range(300):
        await client.post(MAPS, config_map(f"a{number}", key="x" * 1000))
    answered: list[tuple[str, int]] = []

    async def ask(user: str, path: str) -> None:
        who = {"impersonate-user": user, "impersonate-group": "devs"}
        found = await client.request("GET", path, None, who | {"accept": "application/yaml"})
        answered.append((user, found.status))

    flood = [ask("flood", f"{MAPS}?limit=100") for _ in range(40)]
    await asyncio.gather(*flood, ask("ann", f"{MAPS}/a7"))
    assert len(answered) == 41
    assert answered.index(("ann", 200)) < 12
    assert set(answered) == {("ann", 200), ("flood", 200)}


async def test_workers_of_this_process_take_seats_too():
    api = await make_api(ManualClock(), serving=ServingOptions(flow=FlowOptions(reads=0, writes=1)))
    assert isinstance(api.flow, FlowFilter)
    scheduler = local(api, User("system:kube-scheduler", (AUTHENTICATED,)))
    with pytest.raises(Exception, match="not found"):
        await scheduler.call(Call("get", "", "v1", "nodes", name="n"))
    usage = api.flow.usages["workload-high", "kube-scheduler"]
    assert (usage.dispatched, usage.executing) == (1, 0)


async def test_a_watch_holds_its_seat_until_it_is_open(client: Client):
    assert isinstance(client.api.flow, FlowFilter)
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    gone = asyncio.Event()
    incoming = [{"type": "http.request", "body": b""}]

    async def receive() -> dict:
        if incoming:
            return incoming.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    scope = client.scope("GET", f"{MAPS}?watch=1", {})
    watching = asyncio.ensure_future(client.app(scope, receive, send))
    await eventually(lambda: sent)
    (usage,) = client.api.flow.usages.values()
    assert (usage.dispatched, usage.executing) == (1, 0)
    gone.set()
    await watching


async def test_limits_without_priority_and_fairness(monkeypatch):
    flow = FlowOptions(enabled=False, reads=5, writes=1)
    api = await make_api(ManualClock(), bare=True, serving=ServingOptions(flow=flow))
    slow = slowly(monkeypatch, "create")
    user = local(api, User("ann", (AUTHENTICATED,)))
    monkeypatch.setattr("apiserver.endpoints.chain.authorize", lambda request: None)

    def create(name: str):
        call = Call("create", "", "v1", "configmaps", "default", body=config_map(name))
        return asyncio.ensure_future(user.call(call))

    first = create("a")
    await eventually(lambda: slow.asked)
    with pytest.raises(Overloaded):
        await create("b")
    # An administrator is never refused.
    admin = Client(api)
    served = asyncio.ensure_future(admin.post(MAPS, config_map("c")))
    await eventually(lambda: slow.asked == 2)
    slow.go_on.set()
    found = await served
    assert found.status == 200
    assert "x-kubernetes-pf-flowschema-uid" not in found.headers
    first.cancel()


# -- warnings ------------------------------------------------------------------------------------


async def test_warnings_go_out_one_by_one(client: Client):
    pod = {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i", "nope": 1, "zwölf": 2}]},
    }
    scope = client.scope("POST", "/api/v1/namespaces/default/pods", {}, pod)
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def receive() -> dict:
        return {"type": "http.request", "body": orjson.dumps(pod)}

    await client.app(scope, receive, send)
    found = [value.decode() for name, value in sent[0]["headers"] if name == b"warning"]
    assert found == [
        '299 - "unknown field \\"spec.containers[0].nope\\""',
        '299 - "unknown field \\"spec.containers[0].zwölf\\""',
    ]


# -- what a cluster may hold ---------------------------------------------------------------------


async def test_a_full_cluster_takes_no_more(client: Client):
    await client.post(MAPS, config_map("a", key="x" * 100))
    store = client.api.store
    objects, size = store.objects, store.size
    assert objects == 2
    client.api.registry.room = Room(objects=objects)
    refused = await client.post(MAPS, config_map("b"))
    assert (refused.status, refused.json()["reason"]) == (403, "Forbidden")
    assert refused.message == (
        'configmaps "b" is forbidden: exceeded quota: cluster, requested: objects=1, used: '
        "objects=2, limited: objects=2"
    )
    client.api.registry.room = Room(size=size)
    patch = {"content-type": "application/merge-patch+json"}

    async def change(value: str):
        return await client.request("PATCH", f"{MAPS}/a", {"data": {"key": value}}, patch)

    grown = await change("x" * 200)
    assert grown.status == 403
    assert "exceeded quota: cluster, requested: bytes=" in grown.message
    assert (await change("x" * 50)).status == 200
    assert store.size < size
    client.api.registry.room = Room(objects=0, size=0)
    with_finalizer = {"metadata": {"finalizers": ["a/b"]}}
    client.api.registry.room = Room()
    await client.request("PATCH", f"{MAPS}/a", with_finalizer, patch)
    client.api.registry.room = Room(objects=0, size=0)
    assert (await client.request("DELETE", f"{MAPS}/a")).status == 200
    gone = {"metadata": {"finalizers": None}}
    assert (await client.request("PATCH", f"{MAPS}/a", gone, patch)).status == 200
    assert store.objects == 1
    assert store.size == sum(len(e.raw) for r in store.resources() for e in store.list(r))


async def test_watches_are_counted(client: Client, monkeypatch):
    monkeypatch.setattr(client.api, "watches", client.api.options.max_watches)
    refused = await client.get(f"{MAPS}?watch=1")
    assert (refused.status, refused.json()["reason"]) == (429, "TooManyRequests")
    assert refused.headers["retry-after"] == "1"
