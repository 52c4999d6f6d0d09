"""What a cluster holds, in order; and what asking costs."""

from apiserver.storage.cache import ResourceCache
from apiserver.storage.types import Entry, Event, Key


def entry(namespace: str, name: str, revision: int = 1) -> Entry:
    return Entry(Key("pods", namespace, name), "uid", revision, b"{}", {}, {})


def names(cache: ResourceCache, namespace: str | None) -> list[str]:
    return [f"{one.key.namespace}/{one.key.name}" for one in cache.list(namespace)]


def test_lists_follow_changes_in_order():
    cache = ResourceCache([entry("b", "2"), entry("a", "1"), entry("a-b", "3")])
    assert names(cache, None) == ["a-b/3", "a/1", "b/2"]
    assert names(cache, "a") == ["a/1"]
    cache.apply(Event("ADDED", 2, entry("a", "0", 2), None))
    assert names(cache, "a") == ["a/0", "a/1"]
    cache.apply(Event("DELETED", 3, entry("a", "1", 3), None))
    assert names(cache, None) == ["a-b/3", "a/0", "b/2"]


def test_what_did_not_change_is_not_listed_again():
    cache = ResourceCache([entry("a", "1"), entry("b", "2")])
    kept = cache.list("a")
    cache.apply(Event("ADDED", 2, entry("b", "3", 2), None))
    assert cache.list("a") is kept


def test_namespaces_that_are_not_there_leave_nothing_behind():
    cache = ResourceCache([entry("a", "1")])
    for number in range(10):
        assert not cache.list(f"none-{number}")
    assert len(cache._lists) == 0


def bound(name: str, node: str, revision: int = 1) -> Entry:
    return Entry(Key("pods", "a", name), "u", revision, b"{}", {}, {"spec.nodeName": node})


def on(cache: ResourceCache, node: str) -> list[str]:
    return [one.key.name for one in cache.having(node)]


def test_pods_are_looked_up_by_their_node() -> None:
    first, second = bound("2", "n1"), bound("1", "n1")
    cache = ResourceCache([first, second, bound("3", "")], "pods")
    assert on(cache, "n1") == ["1", "2"]
    moved = bound("2", "n2", 2)
    cache.apply(Event("MODIFIED", 2, moved, first))
    assert (on(cache, "n1"), on(cache, "n2"), on(cache, "")) == (["1"], ["2"], ["3"])
    cache.apply(Event("DELETED", 3, second, second))
    cache.apply(Event("ADDED", 4, bound("4", "n2", 4), None))
    assert (on(cache, "n1"), on(cache, "n2")) == ([], ["2", "4"])
