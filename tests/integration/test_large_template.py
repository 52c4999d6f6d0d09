"""The large template, with fewer apps: what is stored at first is what controllers would make."""

from __future__ import annotations

from playground.cluster_templates import large
from tests.integration.conftest import Lab
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


async def test_controllers_and_kubelets_go_on_from_the_seeds(fleet, monkeypatch):
    monkeypatch.setattr(large, "APPS", 2)
    monkeypatch.setattr(large, "NODES", 10)
    lab = Lab(await fleet.create("large", nodes=10, template="large"))
    before = {pod["metadata"]["uid"] for pod in lab.all("pods")}
    for name in ("web-1", "api-1"):
        await lab.available(name, large.PODS_OF_APP, within=300)
    # No pod was made anew, and no second ReplicaSet: the seeds are complete.
    assert {pod["metadata"]["uid"] for pod in lab.all("pods")} == before
    assert len(lab.all("replicasets.apps")) == 2
    assert all(pod["status"]["phase"] == "Running" for pod in lab.all("pods"))
