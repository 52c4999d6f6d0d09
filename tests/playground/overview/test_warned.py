"""Warnings by reason."""

from __future__ import annotations

from playground.overview.warned import by_reason, count_of, time_of


def event(reason, name, at, message="", **more):
    about = {"apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": name}
    return {"reason": reason, "involvedObject": about, "message": message} | (
        {"lastTimestamp": f"2026-11-23T09:{at:02}:00Z"} | more
    )


def test_what_came_last_comes_first_with_what_it_said():
    found = by_reason(
        [
            event("BackOff", "a", 1, "again", count=5),
            event("Failed", "a", 4, "no such image"),
            event("BackOff", "b", 3, "and again", count=2),
            event("BackOff", "a", 2, "still"),
        ]
    )
    assert [(one.reason, one.count, one.message) for one in found] == [
        ("Failed", 1, "no such image"),
        ("BackOff", 8, "and again"),
    ]
    assert [place[3] for place in found[1].latest(5)] == ["b", "a"]
    assert len(found[1].latest(1)) == 1


def test_a_series_has_its_own_count_and_time():
    series = {"count": 7, "lastObservedTime": "2026-11-23T10:00:00.123456Z"}
    assert count_of({"count": 1, "series": series}) == 7
    assert time_of({"series": series}) == "2026-11-23T10:00:00Z"
    assert count_of({"count": None}) == 1
    assert time_of({"eventTime": None, "metadata": {"creationTimestamp": "2026-11-23T10:00:00Z"}})


def test_an_event_that_lacks_everything_is_counted():
    (one,) = by_reason([{}])
    assert (one.reason, one.count, one.last) == ("", 1, "")
