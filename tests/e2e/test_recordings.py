"""A cluster exported and imported: kubectl sees the same objects, the site the same past."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.test_every_kind import KINDS, a_list, sample
from tests.support.kubectl import Kubectl
from tests.support.server import Playground, wait_until

pytestmark = pytest.mark.e2e

GROUP = "shop.example"
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"parts.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": "parts", "kind": "Part"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {"size": {"type": "integer", "default": 3}},
                            }
                        },
                    }
                },
            }
        ],
    },
}
PART = {"apiVersion": f"{GROUP}/v1", "kind": "Part", "metadata": {"name": "p"}, "spec": {}}
# What a cluster writes all the time, or takes away at its start: addresses without a Service.
BUSY = {"events", "leases.coordination.k8s.io", "ipaddresses.networking.k8s.io"}


@pytest.fixture
def rest(playground: Playground) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {playground.token}"}
    with httpx.Client(base_url=playground.site, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def source(playground: Playground, home: Path) -> Iterator[Kubectl]:
    """A cluster that had an object of every kind, and one of a kind of its own."""
    made = playground.make_cluster("recorded", nodes=0, template="bare")
    kubectl = Kubectl("1.36", made.kubeconfig, home, "default")
    wait_until(lambda: kubectl.run("get", "serviceaccount", "default").code == 0)
    kubectl("create", "-f", "-", stdin=a_list([sample(one) for one in KINDS]))
    kubectl("create", "-f", "-", stdin=json.dumps(DEFINITION))
    kubectl("wait", "--for=condition=Established", f"crd/parts.{GROUP}")
    kubectl("create", "-f", "-", stdin=json.dumps(PART))
    yield kubectl
    playground.delete_cluster("recorded")
    playground.delete_cluster("again")


def imported(playground: Playground, rest: httpx.Client, name: str, data: bytes) -> httpx.Response:
    return rest.post("/api/recordings", data={"name": name}, files={"file": ("r.json.gz", data)})


def everything(kubectl: Kubectl) -> dict[str, Any]:
    """Return what each object wants, by uid."""
    kinds = [one.key for one in KINDS if one.key not in BUSY and "list" in one.verbs]
    said = kubectl("get", ",".join([*kinds, f"parts.{GROUP}"]), "-A", "-o", "json")
    items = json.loads(said)["items"]
    return {
        one["metadata"]["uid"]: (one["kind"], one["metadata"]["name"], one.get("spec"))
        for one in items
    }


def test_an_import_has_the_same_objects_and_their_past(
    playground: Playground, rest: httpx.Client, source: Kubectl, home: Path
) -> None:
    file = rest.get("/api/clusters/recorded/recording", params={"secrets": "1"})
    newest = json.loads(gzip.decompress(file.content))["newest"]
    before = everything(source)
    made = imported(playground, rest, "again", file.content)
    assert made.status_code == 201, made.text
    assert (made.json()["skipped"], made.json()["changes"]) == ({}, newest)
    kubeconfig = playground.data_dir / "again.kubeconfig"
    kubeconfig.write_text(made.json()["kubeconfig"])
    again = Kubectl("1.36", kubeconfig, home, "default")
    after = everything(again)
    assert ("Part", "p", {"size": 3}) in after.values()
    assert {uid: one for uid, one in before.items() if after.get(uid) != one} == {}
    again("patch", f"parts.{GROUP}/p", "--type=merge", "-p", '{"spec":{"size":4}}')

    told = rest.get("/api/clusters/again/history").json()
    assert (told["oldest"], told["newest"] > newest) == (0, True)
    place = {"resource": f"parts.{GROUP}", "namespace": "default", "name": "p"}
    writes = rest.get("/api/clusters/again/history/object", params=place).json()["items"]
    assert [one["type"] for one in writes] == ["MODIFIED", "ADDED"]
    assert writes[1]["revision"] <= newest
    then = rest.get("/api/clusters/recorded/history/object", params=place).json()["items"]
    assert (writes[1]["at"], writes[1]["trace"]) == (then[0]["at"], then[0]["trace"])


def test_a_bad_file_is_refused_in_words_and_leaves_nothing(
    playground: Playground, rest: httpx.Client
) -> None:
    bomb = gzip.compress(b'{"kind":"Recording","changes":[' + b" " * 2**26)
    for data, why in (
        (b"no gzip", "this is not a gzip file, or it is damaged"),
        (gzip.compress(b'{"kind": "Pod"}'), "this is not the beginning of a recording"),
        (bomb, "a line of the recording is longer than"),
    ):
        refused = imported(playground, rest, "bad", data)
        assert refused.status_code == 400, refused.text
        assert why in refused.json()["error"]["message"]
    names = [one["name"] for one in rest.get("/api/clusters").json()["items"]]
    assert "bad" not in names
