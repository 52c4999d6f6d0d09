"""Whatever is sent: a refused request changes nothing, and none is a fault of the server."""

import copy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apiserver.endpoints.support import Client, config_map, make_api
from tests.apiserver.endpoints.test_patches import deployment

APPS = "/apis/apps/v1/namespaces/default"
CORE = "/api/v1/namespaces/default"
LABELS = {"a": "b"}
OBJECTS = {
    f"{APPS}/deployments": deployment(),
    f"{APPS}/statefulsets": {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "d"},
        "spec": {**deployment()["spec"], "serviceName": "s"},
    },
    f"{CORE}/configmaps": config_map("d", k="v"),
    f"{CORE}/services": {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "d", "labels": LABELS},
        "spec": {"selector": LABELS, "ports": [{"port": 80, "targetPort": "http"}]},
    },
    f"{CORE}/resourcequotas": {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "d"},
        "spec": {"hard": {"cpu": "1", "pods": "5"}},
    },
    "/apis/networking.k8s.io/v1/namespaces/default/ingresses": {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "d"},
        "spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}},
    },
}
VALUES = st.sampled_from(
    [
        None, True, 0, -1, 2**31, 1.5, "", "x", "A b", "25%", [], {}, [None], ["x"], [[]], [{}],
        {"a": 1}, {"x": None}, {"$patch": "delete"}, {"$patch": "x"}, {"$retainKeys": ["a"]},
    ]
)  # fmt: skip
WAYS = {
    "POST": "application/json",
    "PUT": "application/json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


def places(value, path=()):
    if path:
        yield path
    parts = value if isinstance(value, dict) else {}
    if isinstance(value, list):
        parts = dict(enumerate(value))
    for key, part in parts.items():
        yield from places(part, (*path, key))


@st.composite
def requests(draw):
    path = draw(st.sampled_from(sorted(OBJECTS)))
    body = copy.deepcopy(OBJECTS[path])
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from(sorted(places(body), key=str)))
        inside = body
        for key in way:
            inside = inside[key]
        if draw(st.booleans()):
            inside[last] = copy.deepcopy(draw(VALUES))
        elif isinstance(inside[last], dict):
            name = draw(st.sampled_from(["name", "x", "$setElementOrder/ports"]))
            inside[last][name] = copy.deepcopy(draw(VALUES))
        else:
            del inside[last]
    return path, draw(st.sampled_from(sorted(WAYS))), body


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(requests(), min_size=1, max_size=8))
async def test_refused_requests(asked):
    client = Client(await make_api(bare=True))
    for path, body in OBJECTS.items():
        assert (await client.post(path, body)).status == 201
    for path, way, body in asked:
        before = client.api.store.revision
        headers = {"content-type": WAYS[way]}
        method, target = (way, path) if way == "POST" else ("PATCH", f"{path}/d?fieldManager=m")
        if way == "PUT":
            method, target = way, f"{path}/d"
        answer = await client.request(method, target, body, headers)
        assert answer.json().get("reason") != "InternalError", answer.message
        assert answer.status < 400 or client.api.store.revision == before
