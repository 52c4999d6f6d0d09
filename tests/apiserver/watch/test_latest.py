"""What has changed last, and who has missed nothing because of it."""

from __future__ import annotations

import pytest

from apiserver.storage import Event
from apiserver.storage.staging import Head, Prepared, Staged
from apiserver.watch import latest
from apiserver.watch.latest import Latest
from tests.support.writes import create, key, update


def changes(*nodes: str, revision: int = 10) -> list[Event]:
    """One pod that moves from node to node, a revision each."""
    staged = Staged(Head(1, revision, {}, print))
    pod = key("a", resource="pods")
    for number, node in enumerate(nodes):
        write = update(pod, n=number) if number else create(pod)
        write.fields = {"spec.nodeName": node}
        staged.add(Prepared(write, 0.0))
    return staged.events


def noted(seen: Latest, *nodes: str) -> Latest:
    for event in changes(*nodes):
        seen.note(event)
    return seen


def test_a_resource_is_quiet_after_its_last_change_and_what_never_changed_from_the_start():
    seen = noted(Latest(10), "node-1", "node-1")
    assert not seen.is_quiet("pods", None, 11)
    assert seen.is_quiet("pods", None, 12)
    assert seen.is_quiet("configmaps", None, 10)
    # Of what was before nothing is known.
    assert not seen.is_quiet("configmaps", None, 9)


def test_a_value_is_quiet_whatever_happens_to_others():
    seen = Latest(10)
    seen.select("pods", "spec.nodeName", 10)
    noted(seen, "", "node-1", "node-2")
    quiet = {
        value: [after for after in range(9, 14) if seen.is_quiet("pods", (f, value), after)]
        for f, value in (("spec.nodeName", node) for node in ("", "node-1", "node-2", "node-3"))
    }
    # It came to node-1 with 12, and left it with 13.
    assert quiet == {
        "": [12, 13],
        "node-1": [13],
        "node-2": [13],
        "node-3": [10, 11, 12, 13],
    }


def test_what_was_not_told_apart_then_is_not_known():
    seen = noted(Latest(10), "node-1", "node-2")
    seen.select("pods", "spec.nodeName", 12)
    assert not seen.is_quiet("pods", ("spec.nodeName", "node-3"), 11)
    assert seen.is_quiet("pods", ("spec.nodeName", "node-3"), 12)
    assert not seen.is_quiet("pods", ("metadata.name", "b"), 11)


def test_so_many_values_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(latest, "VALUES", 2)
    seen = Latest(10)
    seen.select("pods", "spec.nodeName", 10)
    noted(seen, "node-1", "node-2", "node-3")
    assert not seen.is_quiet("pods", ("spec.nodeName", "node-9"), 12)
    assert seen.is_quiet("pods", ("spec.nodeName", "node-9"), 13)
