"""The catalog, and what holds for every kind in it."""

import pytest

from apimachinery.gvk import CORE_V1, GroupVersion, GroupVersionKind
from apimachinery.schema import types
from apiserver.registry.catalog import RESOURCES, Catalog, version_priority
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy

WIDGET = Resource(
    kind=GroupVersionKind("example.com", "v1", "Widget"), plural="widgets", strategy=Strategy()
)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.key)
def test_every_kind_is_known_to_the_type_table(resource: Resource):
    assert types().type_of(resource.kind) is not None
    for version in resource.versions:
        assert types().type_of(version.kind) is not None


def test_names_are_unique():
    keys = [resource.key for resource in RESOURCES]
    assert len(keys) == len(set(keys))


def test_kinds_come_and_go():
    catalog = Catalog()
    before = catalog.generation
    catalog.add(WIDGET)
    assert catalog.generation == before + 1
    found = catalog.find("example.com", "v1", "widgets")
    assert found is not None
    assert (found.resource, found.is_storage) == (WIDGET, True)
    assert list(catalog.groups())[-1] == "example.com"
    assert catalog.of_kind(WIDGET.kind) == found
    catalog.remove("widgets.example.com")
    catalog.remove("widgets.example.com")
    assert catalog.generation == before + 2
    assert catalog.find("example.com", "v1", "widgets") is None


def test_catalogs_are_a_clusters_own():
    one, other = Catalog(), Catalog()
    one.add(WIDGET)
    assert other.get("widgets.example.com") is None


def test_objects_can_be_served_in_several_versions():
    catalog = Catalog()
    old = catalog.find("autoscaling", "v1", "horizontalpodautoscalers")
    new = catalog.find("autoscaling", "v2", "horizontalpodautoscalers")
    assert old is not None
    assert new is not None
    assert old.resource is new.resource
    assert (old.is_storage, new.is_storage) == (False, True)
    assert catalog.groups()["autoscaling"] == ["v2", "v1"]


def test_a_version_is_listed_by_name():
    names = [served.plural for served in Catalog().in_version(CORE_V1)]
    assert names == sorted(names)
    assert "pods" in names
    assert Catalog().in_version(GroupVersion("nope", "v1")) == []


def test_versions_have_an_order():
    given = ["v1beta1", "v11alpha2", "foo1", "v10", "v2", "v1", "v3beta1", "foo10"]
    assert sorted(given, key=version_priority, reverse=True) == [
        "v10", "v2", "v1", "v3beta1", "v1beta1", "v11alpha2", "foo10", "foo1",
    ]  # fmt: skip
