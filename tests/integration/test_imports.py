"""Clusters made of recordings: the same log, keys of their own, and all at work."""

import gzip

import orjson
import pytest

from apimachinery.errors import AlreadyExists
from apiserver.auth.pki import CertificateAuthority
from nodes.client import resources
from tests.apiserver.endpoints.support import config_map
from tests.integration.conftest import Lab, deployment
from tests.integration.serving import definition
from tests.integration.test_past import MAPS, Past
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME
CLUSTERS = "/kubeground/v1/clusters"


@pytest.fixture
async def past(fleet, lab):
    return Past(fleet, lab.cluster)


async def recording(past):
    """Return the file of the whole log, as the site packs it."""
    headers = {"impersonate-user": "me", "impersonate-group": "system:masters"}
    path, after, lines = f"{CLUSTERS}/lab/history/recording", 0, []
    failures = []
    while True:
        query = f"{path}?after={after}&upto={past.revision}"
        page = (await past.http.request("GET", query, None, headers)).json()
        if page["next"] is None:
            break
        failures = failures or page["failures"]
        after = page["next"]
        lines += map(orjson.dumps, page["changes"])
    head = {"kind": "Recording", "apiVersion": "kubeground.io/v1", "secrets": True}
    about = {"cluster": {"template": page["template"], "nodes": page["nodes"]}}
    ends = {"oldest": page["oldest"], "newest": page["newest"]}
    first = orjson.dumps({**head, **about, **ends, "failures": failures})[:-1] + b',"changes":[\n'
    return gzip.compress(first + b",\n".join(lines) + b"\n]}\n")


async def send(past, name, data):
    answer = await past.http.request("POST", f"{CLUSTERS}/{name}/import?owner=me", data)
    return answer.status, answer.json()


async def test_an_import_has_the_whole_log_and_goes_on(fleet, lab, past):
    first = await past.now("POST", MAPS, config_map("a", n="1"))
    then = past.revision
    await past.now("PUT", f"{MAPS}/a", config_map("a", n="2"))
    await past.now("POST", "/apis/apps/v1/namespaces/default/deployments", deployment())
    await lab.available()
    await past.now("DELETE", f"{MAPS}/a")
    await lab.cluster.failures.begin({"kind": "slow-api", "target": {"milliseconds": 1}})
    data, end = await recording(past), past.revision

    status, made = await send(past, "again", data)
    assert (status, made["name"], made["owner"], made["skipped"]) == (201, "again", "me", {})
    assert made["changes"] == end
    cluster = fleet.find("again")
    again = Past(fleet, cluster)
    assert cluster.store.oldest == lab.cluster.store.oldest
    assert not cluster.failures.journal.failures
    moments = [(one.revision, one.state) for one in cluster.failures.journal.moments]
    assert moments == [(end, "began"), (end + 1, "ended")]
    for revision in (then, then + 1, end // 2, end):
        old = {e.key: e.raw for e in await lab.cluster.store.snapshot(revision)}
        new = {e.key: e.raw for e in await cluster.store.snapshot(revision)}
        assert new == old, revision
    assert (await again.at(then, f"{MAPS}/a")).json() == first
    theirs = await lab.cluster.store.records(before=end + 1, limit=end)
    ours = await cluster.store.records(before=end + 1, limit=end)
    told = [
        [(r.type, r.entry.key, r.at, r.actor, r.trace, r.entry.labels, r.entry.fields) for r in rs]
        for rs in (theirs, ours)
    ]
    assert told[0] == told[1]

    record = cluster.store.record
    assert record.ca_cert != lab.cluster.store.record.ca_cert
    assert CertificateAuthority(record.ca_cert, record.ca_key)
    copy = Lab(cluster)
    published = copy.get("configmaps", "extension-apiserver-authentication", "kube-system")
    assert published["data"]["client-ca-file"] == record.ca_cert
    await copy.client.patch(resources.DEPLOYMENTS, "default", "web", {"spec": {"replicas": 5}})
    await copy.available(replicas=5)
    await eventually(lambda: len(copy.pods()) == 5, within=60)
    assert len(lab.pods()) == 3, "the original is not touched"


MERGE = {"content-type": "application/merge-patch+json"}
WIDGETS = "/apis/shop.example/v1/namespaces/default/widgets"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


async def test_custom_kinds_come_along_before_and_after_compaction(fleet, lab, past):
    await past.now(
        "POST", CRDS, definition("shop.example", "widgets", "Widget", [("v1", True, None)])
    )
    body = {"apiVersion": "shop.example/v1", "kind": "Widget", "metadata": {"name": "w"}}
    first = await past.now("POST", WIDGETS, {**body, "spec": {"size": 1}})
    then = past.revision
    second = await past.now("PATCH", f"{WIDGETS}/w", {"spec": {"size": 2}}, **MERGE)
    # The definition is written last, after its objects: compaction leaves it behind them.
    crd = f"{CRDS}/widgets.shop.example"
    await past.now("PATCH", crd, {"metadata": {"labels": {"late": "1"}}}, **MERGE)
    await lab.quiet()

    status, made = await send(past, "whole", await recording(past))
    assert (status, made["skipped"]) == (201, {})
    whole = Past(fleet, fleet.find("whole"))
    assert (await whole.at(then, f"{WIDGETS}/w")).json() == first
    assert (await whole.http.request("GET", f"/clusters/whole{WIDGETS}/w")).json() == second
    await whole.now("PATCH", f"{WIDGETS}/w", {"spec": {"size": 3}}, **MERGE)

    await past.cluster.store.compact(past.revision)
    status, made = await send(past, "short", await recording(past))
    assert (status, made["skipped"]) == (201, {})
    short = Past(fleet, fleet.find("short"))
    assert (await short.http.request("GET", f"/clusters/short{WIDGETS}/w")).json() == second


async def test_what_is_refused_leaves_nothing(fleet, lab, past):
    data = await recording(past)
    first, *lines = gzip.decompress(data).split(b"\n")
    late = gzip.compress(b"\n".join([first, *lines[:-3], lines[0], *lines[-3:]]))
    status, answer = await send(past, "x", late)
    assert status == 400
    assert "is out of order" in answer["message"]
    assert (await send(past, "Bad_Name", data))[0] == 422
    assert (await send(past, "lab", data))[1]["reason"] == "AlreadyExists"
    assert (await send(past, "x", b"x" * (16 * 1024**2 + 1)))[0] == 413
    assert [cluster.name for cluster in fleet] == ["lab"]
    assert (await send(past, "x", data))[0] == 201, "the name is free"
    with pytest.raises(AlreadyExists):
        await fleet.create("x", nodes=0, template="bare")
