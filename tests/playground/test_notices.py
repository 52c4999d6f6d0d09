"""What dialogs of actions tell before something goes that does not come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from playground.objects.actions import deleting, draining
from playground.objects.actions import plan as plans
from playground.objects.actions.requests import Target
from playground.objects.actions.warnings import Notice
from playground.objects.discovery import Resource

BOAT = Resource("harbour.example", "v1", "boats", "Boat", True, (), ("delete",))
RBAC = "rbac.authorization.k8s.io"


class Found:
    """Stands for what a user may read: objects by title and name."""

    def __init__(self, **objects: Sequence[dict[str, Any]]) -> None:
        self.objects = {title.replace("__", "."): items for title, items in objects.items()}
        self.resources = (BOAT,)

    def items(self, title: str, namespace: str = "", **_: Any) -> list[dict[str, Any]]:
        return list(self.objects.get(title.partition(".")[0], ()))

    def maybe(self, path: str) -> dict[str, Any] | None:
        title, name = path.split("/")[-2:]
        return next((one for one in self.items(title) if one["metadata"]["name"] == name), None)

    def named(self, name: str) -> Resource | None:
        return next((one for one in self.resources if one.title == name), None)

    def count(self, resource: Resource, namespace: str = "") -> int:
        return len(self.items(resource.title))


def thing(name: str, **fields: Any) -> dict[str, Any]:
    labels = fields.pop("labels", {})
    return {"metadata": {"name": name, "namespace": "shop", "labels": labels, **fields}}


def with_spec(name: str, kind: str = "", **spec: Any) -> dict[str, Any]:
    return {**thing(name, labels={"app": "web"}), "kind": kind, "spec": spec}


def told(target: Target, reader: Found) -> list[tuple[str, tuple[str, ...]]]:
    found: list[Notice] = deleting.warnings([target], reader)  # type: ignore[arg-type]
    return [(one.text, one.items) for one in found]


def target(plural: str, kind: str, name: str, group: str = "") -> Target:
    return Target(Resource(group, "v1", plural, kind, True, (), ("delete",)), "shop", name)


BUDGET = {
    **with_spec("steady", selector={"matchLabels": {"app": "web"}}),
    "status": {"disruptionsAllowed": 0},
}
POD = with_spec(
    "web-0",
    volumes=[{"name": "a", "configMap": {"name": "site"}}],
    containers=[{"name": "c", "image": "nginx"}],
)
CLAIM = with_spec("data", volumeName="pv-1")
VOLUME = {
    **with_spec(
        "pv-1",
        persistentVolumeReclaimPolicy="Delete",
        claimRef={"namespace": "shop", "name": "data"},
    ),
    "status": {"phase": "Bound"},
}
DRIVER = with_spec("driver", resourceClaims=[{"name": "g", "resourceClaimName": "gpu"}])
GPU = with_spec("gpu")
GRANT = {**thing("readers"), "kind": "RoleBinding", "roleRef": {"kind": "Role", "name": "reader"}}


@pytest.mark.parametrize(
    ("of", "reader", "text", "items"),
    [
        (
            target("pods", "Pod", "web-0"),
            Found(pods=[POD]),
            "No controller makes this pod again:",
            ("web-0",),
        ),
        (
            target("pods", "Pod", "web-0"),
            Found(pods=[POD], poddisruptionbudgets=[BUDGET]),
            "Deleting asks no PodDisruptionBudget; evicting does. There are:",
            ("steady allows 0 now",),
        ),
        (
            target("persistentvolumeclaims", "PersistentVolumeClaim", "data"),
            Found(persistentvolumeclaims=[CLAIM], persistentvolumes=[VOLUME]),
            "Its volume has the reclaim policy Delete: the data is deleted too.",
            ("pv-1",),
        ),
        (
            target("persistentvolumes", "PersistentVolume", "pv-1"),
            Found(persistentvolumes=[VOLUME]),
            "It stays until its claim is gone:",
            ("shop/data",),
        ),
        (
            target(
                "customresourcedefinitions",
                "CustomResourceDefinition",
                "boats.harbour.example",
                "apiextensions.k8s.io",
            ),
            Found(boats=[thing("argo"), thing("ark")]),
            "All 2 objects of this kind are deleted with it.",
            (),
        ),
        (
            target("configmaps", "ConfigMap", "site"),
            Found(pods=[POD]),
            "Pods that use it; new ones would not start:",
            ("web-0",),
        ),
        (
            target("resourceclaims", "ResourceClaim", "gpu", "resource.k8s.io"),
            Found(pods=[DRIVER], resourceclaims=[GPU]),
            "Pods that use it; new ones would not start:",
            ("driver",),
        ),
        (
            target("resourceclaims", "ResourceClaim", "gpu", "resource.k8s.io"),
            Found(
                pods=[DRIVER], resourceclaims=[GPU | {"status": {"allocation": {"devices": {}}}}]
            ),
            "It stays until no pod uses it. In use by:",
            ("driver",),
        ),
        (
            target("roles", "Role", "reader", RBAC),
            Found(rolebindings=[GRANT]),
            "These bindings grant nothing without it:",
            ("RoleBinding readers",),
        ),
        (
            target("boats", "Boat", "argo", "harbour.example"),
            Found(boats=[thing("argo", finalizers=["harbour.example/crew"])]),
            "argo goes only when these have let it go (finalizers):",
            ("harbour.example/crew",),
        ),
    ],
    ids=lambda one: one.resource.plural if isinstance(one, Target) else "",
)
def test_what_deleting_takes_along_is_told(of, reader, text, items):
    assert (text, items) in told(of, reader)


def test_a_drain_that_has_to_wait_says_for_what():
    reader: Any = Found(pods=[POD], poddisruptionbudgets=[BUDGET])
    _, notices = draining.plan([target("nodes", "Node", "n1")], reader)
    assert [one.text for one in notices] == [
        "A PodDisruptionBudget allows no eviction now: its pods wait until it does.",
        "No controller makes these pods again:",
    ]


def test_a_restart_that_leaves_a_gap_says_so():
    alone = with_spec("web", "Deployment", replicas=1, strategy={"type": "Recreate"})
    reader: Any = Found(deployments=[alone])
    made = plans.Plan()
    plans._restart(made, [target("deployments", "Deployment", "web", "apps")], reader)
    assert [one.text for one in made.warnings] == [
        "With the strategy Recreate nothing serves until the new pod is ready."
    ]
