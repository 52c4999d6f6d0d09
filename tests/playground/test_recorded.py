"""Recordings that others send: what is read of them, and what is refused before it does harm."""

import gzip
import json

import pytest

from apimachinery.errors import BadRequest
from apiserver.registry.catalog import Catalog
from playground import recorded, recorded_kinds
from playground.recorded import Recorded

NOW = 1_800_000_000.0
CATALOG = Catalog()
ROLE = "clusterroles.rbac.authorization.k8s.io"


def change(revision, resource, obj, type_="ADDED", **more):
    meta = {"uid": f"u-{obj['metadata']['name'].replace('.', '-')}", **obj["metadata"]}
    place = {"namespace": meta.get("namespace", ""), "name": meta["name"]}
    about = {"revision": revision, "type": type_, "at": NOW, "actor": "a", "trace": "t"}
    return {**about, "resource": resource, **place, "object": {**obj, "metadata": meta}, **more}


def namespace(revision, name):
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    return change(revision, "namespaces", obj)


def config_map(revision, name="a", type_="ADDED", more=(), **data):
    meta = {"name": name, "namespace": "default", "labels": {"l": "1"}}
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
    return {**change(revision, "configmaps", obj, type_), **dict(more)}


def role(revision, name):
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "resourceNames": [name]}
    meta = {"name": "r", "namespace": "default"}
    api = "rbac.authorization.k8s.io"
    obj = {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": meta, "rules": [rule]}
    return change(revision, f"roles.{api}", obj)


def deployment(revision, spec):
    meta = {"name": "d", "namespace": "default"}
    obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
    return change(revision, "deployments.apps", obj)


CONTAINER = {"name": "c", "image": "i", "imagePullPolicy": "Always"}
CONTAINER["terminationMessagePolicy"] = "File"
POD = {"containers": [CONTAINER], "restartPolicy": "Always", "dnsPolicy": "ClusterFirst"}
RUNS = {
    "selector": {"matchLabels": {"a": "b"}},
    "strategy": {"type": "Recreate"},
    "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD},
}
DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


def definition(revision, type_="ADDED", **spec):
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True}
    version |= {"schema": {"openAPIV3Schema": schema}}
    names = {"plural": "xs", "singular": "x", "kind": "X", "listKind": "XList"}
    whole = {"group": "x.io", "scope": "Namespaced", "names": names, "versions": [version]}
    obj = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    obj |= {"metadata": {"name": "xs.x.io"}, "spec": whole | spec}
    obj["spec"]["conversion"] = {"strategy": "None"}
    obj["status"] = {"storedVersions": ["v1"], "conditions": [], "acceptedNames": names}
    return change(revision, DEFINITIONS, obj, type_)


def custom(revision, type_="ADDED", namespace="default", metadata=(), **more):
    meta = {"name": "x", **({"namespace": namespace} if namespace else {}), **dict(metadata)}
    obj = {"apiVersion": "x.io/v1", "kind": "X", "metadata": meta, "free": {"form": [1]}, **more}
    return change(revision, "xs.x.io", obj, type_)


ADMIN = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "cluster-admin"},
    "rules": [],
}
WHOLE = [namespace(1, "default"), namespace(2, "kube-system"), change(3, ROLE, ADMIN)]


MOMENT = {
    "revision": 3,
    "time": "2026-11-30T10:00:00Z",
    "what": "node-1 has no power",
    "kind": "stop-node",
    "failure": "stop-node-1",
    "state": "began",
    "lasts": True,
}


def head(**more):
    about = {"kind": "Recording", "apiVersion": "kubeground.io/v1", "oldest": 0, "newest": 1000}
    return {**about, "cluster": {"template": "bare", "nodes": 1}, "secrets": False, **more}


def packed(changes=(), first=None, end="\n]}\n"):
    begin = json.dumps(first or head())[:-1] + ',"changes":[\n'
    lines = ",\n".join(one if isinstance(one, str) else json.dumps(one) for one in changes)
    return gzip.compress((begin + lines + end).encode())


def read(data):
    reader = Recorded(data, NOW, CATALOG)
    found = []
    while batch := reader.batch():
        found += batch
    return reader, found


def test_what_is_good_is_read_and_the_rest_counted():
    custom = {"apiVersion": "x.io/v1", "kind": "X", "metadata": {"name": "x"}}
    reader, found = read(
        packed([*WHOLE, change(5, "xs.x.io", custom), config_map(9, a="1", more={"labels": {}})])
    )
    assert (reader.oldest, reader.newest, reader.nodes, reader.template) == (0, 1000, 1, "bare")
    assert reader.skipped == {"xs.x.io": 1}
    last = found[-1]
    assert [one.revision for one in found] == [1, 2, 3, 9]
    assert json.loads(last.raw)["metadata"]["resourceVersion"] == "9"
    assert json.loads(last.attrs)[0] == {"l": "1"}, "computed from the object"
    assert (last.uid, last.at, last.actor, last.trace) == ("u-a", NOW, "a", "t")


def test_a_definition_makes_its_kind_known():
    changes = [definition(4), custom(5), custom(6, "MODIFIED"), custom(7, "DELETED")]
    reader, found = read(packed([*WHOLE, *changes, definition(8, "DELETED"), custom(9)]))
    assert [one.revision for one in found] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert reader.skipped == {"xs.x.io": 1}, "after its end nothing defines it"
    assert found[4].key == ("xs.x.io", "default", "x")
    assert json.loads(found[4].raw)["free"] == {"form": [1]}, "as it was stored"


def test_what_compaction_left_may_have_its_definition_later():
    early = [*WHOLE, custom(5, "MODIFIED"), definition(6, "MODIFIED")]
    reader, found = read(packed(early, head(oldest=6)))
    assert [one.revision for one in found] == [1, 2, 3, 5, 6]
    assert not reader.skipped
    reader, found = read(packed([*WHOLE, custom(5), definition(6)]))
    assert reader.skipped == {"xs.x.io": 1}, "in a whole log the definition comes first"


def test_definitions_that_change_all_the_time_are_refused(monkeypatch):
    monkeypatch.setattr(recorded_kinds, "MOST_DEFINITIONS", 2)
    same = [definition(n, "MODIFIED") for n in range(5, 9)]
    assert len(read(packed([*WHOLE, definition(4), *same]))[1]) == 8
    scopes = [
        definition(n, "MODIFIED", scope=("Cluster", "Namespaced")[n % 2]) for n in range(5, 9)
    ]
    with pytest.raises(BadRequest, match="definitions change more than 2 times"):
        read(packed([*WHOLE, definition(4), *scopes]))


def test_secrets_without_values_are_not_checked_for_them():
    meta = {"name": "s", "namespace": "default"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta}
    secret |= {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": ""}}
    changes = [*WHOLE, change(4, "secrets", secret)]
    assert len(read(packed(changes))[1]) == 4
    with pytest.raises(BadRequest, match="“s” is no valid Secret"):
        read(packed(changes, head(secrets=True)))


def test_what_the_api_server_writes_itself_is_taken_as_it_is():
    meta = {"name": "kubernetes", "namespace": "default"}
    subsets = [{"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": 6443, "protocol": "TCP"}]}]
    own = {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": subsets}
    assert len(read(packed([*WHOLE, change(4, "endpoints", own)]))[1]) == 4
    own["metadata"] = {**meta, "name": "mine"}
    with pytest.raises(BadRequest, match="loopback"):
        read(packed([*WHOLE, change(4, "endpoints", own)]))


def test_what_compaction_left_may_begin_with_any_change():
    changes = [*WHOLE, config_map(7, type_="MODIFIED")]
    assert len(read(packed(changes, head(oldest=7)))[1]) == 4
    with pytest.raises(BadRequest, match="line 5: MODIFIED does not fit"):
        read(packed(changes, head(oldest=6)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([config_map(3)], "line 5: revision 3 is out of order"),
        ([config_map(1001)], "revision 1001 is out of order"),
        ([config_map(4), config_map(5)], "line 6: ADDED does not fit what was there of “a”"),
        ([config_map(4, type_="DELETED")], "DELETED does not fit"),
        ([config_map(4, type_="PATCHED")], "type must be"),
        (["{"], "line 5: this is not the JSON of one change"),
        (["[]"], "a change is a JSON object"),
        ([config_map(4, more={"name": "b"})], "not those of the object"),
        ([config_map(4, name="a/b")], "not a name"),
        ([config_map(4, name="a\0b")], "not a name"),
        ([config_map(4, more={"object": {"metadata": []}})], "with metadata"),
        ([config_map(4, more={"resource": "pods"})], "the object of pods is not a v1 Pod"),
        ([config_map(4, more={"at": 4e9})], "no more than a year ahead"),
        ([config_map(4, more={"at": "now"})], "seconds since 1970"),
        ([config_map(4, more={"actor": "a\0"})], "actor must be a text"),
        ([config_map(4, a=1)], "line 5: .*cannot"),
        ([config_map(4, a="x" * 1_500_000)], "line 5: “a” is no valid ConfigMap: .*Too long"),
        ([role(4, "x" * 1_600_000)], "larger than 1572864 bytes"),
        ([deployment(4, {**RUNS, "replicas": -1})], "no valid Deployment: spec.replicas: Invalid"),
        ([deployment(4, {})], "“d” is no (whole|valid) Deployment"),
        ([definition(4, names={})], "“xs.x.io” is no valid CustomResourceDefinition: .*plural"),
        ([definition(4), custom(5, kind="Y")], "line 6: the object of xs.x.io is not a X of x.io"),
        ([definition(4), custom(5, apiVersion="y.io/v1")], "is not a X of x.io"),
        ([definition(4), custom(5, metadata={"labels": []})], "line 6: .*cannot"),
        ([definition(4), custom(5, namespace="")], "metadata.namespace is not a namespace"),
        ([config_map(4, a="x" * 3_300_000)], "a line of the recording is longer"),
    ],
)
def test_a_wrong_change_is_refused_with_its_line(changes, why):
    with pytest.raises(BadRequest, match=why):
        read(packed([*WHOLE, *changes]))


def test_a_uid_or_namespace_that_is_none_is_refused():
    for wrong, why in (({"uid": "../x"}, "not a uid"), ({"namespace": "A_"}, "not a namespace")):
        one = config_map(4)
        one["object"]["metadata"] |= wrong
        one["namespace"] = one["object"]["metadata"]["namespace"]
        with pytest.raises(BadRequest, match=why):
            read(packed([*WHOLE, one]))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "cut off"),
        (b"PK\3\4 no gzip", "not a gzip file"),
        (packed(WHOLE)[:-40], "cut off"),
        (packed(WHOLE) + b"more", "something follows"),
        # The time is part of the bytes, and so of the test's name, which each process has to find.
        (gzip.compress(b"{}", mtime=0), "not the beginning of a recording"),
        (gzip.compress(b'{"kind":"Recording","changes":[', mtime=0), "apiVersion"),
        (packed(WHOLE, head(oldest=-1)), "oldest must be"),
        (packed(WHOLE, head(newest=2**60)), "newest must be"),
        (packed(WHOLE, head(oldest=1001)), "oldest is after newest"),
        (packed(WHOLE, head(cluster={"nodes": 10**6})), "nodes must be"),
        (packed(WHOLE, head(failures={})), "line 1: failures must be a list"),
        (packed(WHOLE, head(failures=[MOMENT] * 501)), "at most 500"),
        (packed(WHOLE, head(failures=[{**MOMENT, "x": 1}])), "other fields"),
        (packed(WHOLE, head(failures=[{**MOMENT, "revision": 1001}])), "no revision of"),
        (packed(WHOLE, head(failures=[{**MOMENT, "state": "x"}])), "neither begun nor ended"),
        (packed(WHOLE, head(failures=[{**MOMENT, "what": "x" * 513}])), "up to 512"),
        (packed(WHOLE, head(failures=[MOMENT, {**MOMENT, "revision": 2}])), "out of order"),
        (packed(WHOLE, end="\n"), "ends before its last line"),
        (packed(WHOLE, end="\n]}\n{}"), "something follows the end of the recording"),
        (packed(WHOLE[:2]), "clusterroles “cluster-admin” is missing"),
    ],
)
def test_a_file_that_is_no_recording_is_refused(data, why):
    with pytest.raises(BadRequest, match=why):
        read(data)


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(recorded, "LARGEST_UNPACKED", 2**20)
    with pytest.raises(BadRequest, match="unpacks to more than 1 MiB"):
        read(gzip.compress(json.dumps(head())[:-1].encode() + b',"changes":[\n' + b"\n" * 2**21))
    monkeypatch.setattr(recorded, "LARGEST_UNPACKED", 2**30)
    with pytest.raises(BadRequest, match="a line of the recording is longer"):
        read(gzip.compress(b" " * 2**23))


def test_there_are_limits_of_changes_and_objects(monkeypatch):
    many = packed([*WHOLE, *(config_map(n, f"m{n}") for n in range(4, 14))])
    monkeypatch.setattr(recorded, "MOST_OBJECTS", 10)
    with pytest.raises(BadRequest, match="more than 10 objects at once"):
        read(many)
    monkeypatch.setattr(recorded, "MOST_CHANGES", 8)
    with pytest.raises(BadRequest, match="more than 8 changes"):
        read(many)
