"""kubectl describes, applies and compares an object of every kind that there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apiserver.registry.catalog import RESOURCES
from apiserver.registry.resource import Resource
from tests.contracts.samples import CSR, NAMES, SAMPLES
from tests.support.certificaterequests import certificate_request
from tests.support.kubectl import Kubectl
from tests.support.server import Playground, wait_until

pytestmark = pytest.mark.e2e

KINDS = [resource for resource in RESOURCES if resource.key in SAMPLES]


@pytest.fixture
def alone(playground: Playground, home: Path) -> Iterator[Kubectl]:
    """A cluster without nodes, where quotas and webhooks are in nobody's way."""
    made = playground.make_cluster("every-kind", nodes=0, template="bare")
    kubectl = Kubectl("1.36", made.kubeconfig, home, "default")
    wait_until(lambda: kubectl.run("get", "serviceaccount", "default").code == 0)
    yield kubectl
    playground.delete_cluster("every-kind")


def sample(resource: Resource) -> dict[str, Any]:
    kind = resource.kind
    name = NAMES.get(resource.key, ("one", "two"))[0]
    body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}}
    text = json.dumps({**body, **SAMPLES[resource.key]})
    made: dict[str, Any] = json.loads(
        text.replace(f'"{CSR}"', json.dumps(certificate_request("ann")))
    )
    return made


def full_name(resource: Resource) -> str:
    """Return `deployments.v1.apps/one`, which can be no other kind's."""
    kind = resource.kind
    name = NAMES.get(resource.key, ("one", "two"))[0]
    return ".".join(filter(None, (resource.plural, kind.group and kind.version, kind.group))) + (
        f"/{name}"
    )


def a_list(items: list[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def test_every_kind(alone: Kubectl) -> None:
    said = alone("create", "-f", "-", stdin=a_list([sample(one) for one in KINDS]))
    assert len(said.splitlines()) == len(KINDS)
    names = [full_name(one) for one in KINDS]
    stored = alone.json("get", *names)["items"]
    for item in stored:
        # Controllers go on while this test looks.
        item.pop("status", None)
        del item["metadata"]["resourceVersion"]
    assert alone("diff", "-f", "-", stdin=a_list(stored)) == ""
    said = alone("apply", "--dry-run=server", "-f", "-", stdin=a_list(stored))
    assert said.count("(server dry run)") == len(KINDS)
    server_side = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    said = alone(*server_side, stdin=a_list(stored))
    assert said.count("serverside-applied") == len(KINDS)
    tables = alone("get", *names, "-o", "wide", "--no-headers")
    assert len([line for line in tables.splitlines() if line]) == len(KINDS)
    shown = re.findall(r"^Name: +(\S+)$", alone("describe", *names), re.MULTILINE)
    assert shown == [name.partition("/")[2] for name in names]
