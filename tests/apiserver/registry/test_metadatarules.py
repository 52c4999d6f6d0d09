"""Metadata that changes: how often each kind says what is wrong with it."""

import pytest

from apimachinery.meta import Obj
from apiserver.registry.admissionregistration import VALIDATINGWEBHOOKCONFIGURATIONS
from apiserver.registry.apiregistration import APISERVICES
from apiserver.registry.apps.deployments import DEPLOYMENTS
from apiserver.registry.apps.replicasets import REPLICASETS
from apiserver.registry.certificates import CERTIFICATESIGNINGREQUESTS
from apiserver.registry.coordination.leases import LEASES
from apiserver.registry.core.configmaps import CONFIGMAPS
from apiserver.registry.core.pods import PODS
from apiserver.registry.flowcontrol import FLOWSCHEMAS
from apiserver.registry.metadatarules import created_metadata_errors, updated_metadata_errors
from apiserver.registry.policy.poddisruptionbudgets import PODDISRUPTIONBUDGETS
from apiserver.registry.rbac import CLUSTERROLEBINDINGS, ROLES
from apiserver.registry.resource import Resource

BARE = {"name": "a", "namespace": "default", "resourceVersion": "7"}


def errors_of(resource: Resource, **metadata: object) -> list[str]:
    bare = {name: one for name, one in BARE.items() if resource.namespaced or name != "namespace"}
    old: Obj = {"metadata": bare}
    new: Obj = {"metadata": {**bare, **metadata}}
    errors = updated_metadata_errors(resource, resource.strategy, new, old)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("resource", "times"),
    [
        (DEPLOYMENTS, 3),
        (CONFIGMAPS, 4),
        (PODS, 4),
        (REPLICASETS, 4),
        (PODDISRUPTIONBUDGETS, 2),
        (ROLES, 5),
        (CLUSTERROLEBINDINGS, 5),
        (VALIDATINGWEBHOOKCONFIGURATIONS, 3),
        (CERTIFICATESIGNINGREQUESTS, 4),
        (FLOWSCHEMAS, 3),
        (APISERVICES, 4),
    ],
)
def test_a_bad_label_is_told_by_each_check(resource: Resource, times: int):
    found = errors_of(resource, labels={"a": "-"})
    assert len(found) == times
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("resource", "finalizers", "wrong"),
    [
        (DEPLOYMENTS, ["odd"], []),
        (DEPLOYMENTS, ["-/a"], ["metadata.finalizers"]),
        (PODS, ["odd"], ["metadata.finalizers[0]"]),
        (PODS, ["example.com/a", "odd"], ["metadata.finalizers[1]"]),
        (PODS, ["foregroundDeletion", "example.com/a"], []),
    ],
)
def test_finalizers_of_a_change(resource: Resource, finalizers: list[str], wrong: list[str]):
    found = errors_of(resource, finalizers=finalizers)
    assert [one.partition(":")[0] for one in found] == wrong


@pytest.mark.parametrize(("resource", "wrong"), [(PODS, 1), (LEASES, 0), (DEPLOYMENTS, 1)])
def test_finalizers_of_new_objects_have_a_domain(resource: Resource, wrong: int):
    meta = {**BARE, "finalizers": ["odd"]}
    found = list(created_metadata_errors(resource, resource.strategy, meta))
    assert len(found) == wrong


def test_a_prefix_of_names_fits_into_a_path():
    found = errors_of(DEPLOYMENTS, generateName="a/b-")
    assert found == [
        "metadata.generateName: Invalid value: \"a/b-\": may not contain '/'",
    ]
