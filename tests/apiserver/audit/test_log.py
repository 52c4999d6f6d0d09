"""Where events are kept: files that begin anew, a thread that writes, a memory with bounds."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from apimachinery.clock import ManualClock
from apiserver.audit import files, log
from apiserver.audit.files import Keeping, RotatingFile
from apiserver.audit.log import AuditLog, encode, legacy_line, open_log
from apiserver.audit.memory import AuditMemory

EVENT = {
    "auditID": "1",
    "stage": "ResponseComplete",
    "requestURI": "/api/v1/namespaces/a/pods",
    "verb": "list",
    "user": {"username": "ann", "groups": ["a", "b"]},
    "sourceIPs": ["10.0.0.1"],
    "userAgent": 'kubectl "x"',
    "objectRef": {"namespace": "a"},
    "responseStatus": {"code": 200},
    "requestReceivedTimestamp": "2026-01-02T03:04:05.000006Z",
}


def test_a_file_begins_anew_when_it_is_large(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(files, "MEGABYTE", 10)
    clock = ManualClock()
    path = tmp_path / "logs" / "audit.log"
    file = RotatingFile(path, Keeping(days=1, backups=2, megabytes=1), clock)
    for number in range(5):
        file.write(b"line %d....\n" % number)
        clock.advance(1)
    file.close()
    kept = sorted(one.name for one in path.parent.iterdir())
    assert len(kept) == 3
    assert kept[-1] == "audit.log"
    assert kept[0] == "audit-2026-01-02T03-04-08.000.log"
    assert path.read_bytes() == b"line 4....\n"
    assert path.stat().st_mode & 0o777 == 0o600
    clock.advance(2 * 86400)
    # What was there before the start counts, too.
    file = RotatingFile(path, Keeping(days=1, backups=0, megabytes=1), clock)
    file.write(b"the next\n")
    file.close()
    assert len(list(path.parent.iterdir())) == 2


def test_a_thread_writes_in_order(tmp_path: Path):
    path = tmp_path / "audit.log"
    made = open_log(str(path), "json", Keeping(), ManualClock())
    for number in range(100):
        event = {**EVENT, "auditID": str(number)}
        made.put(event, encode(event))
    made.close()
    lines = path.read_bytes().splitlines()
    assert [line.split(b'"')[3] for line in lines] == [b"%d" % n for n in range(100)]


class Stuck:
    """An output that does not go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.written = 0

    def write(self, data: bytes) -> None:
        self.go_on.wait(10)
        self.written += 1

    def close(self) -> None:
        pass


def test_who_writes_never_waits(monkeypatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setattr(log, "LONGEST_QUEUE", 5)
    output = Stuck()
    made = AuditLog(output)
    for _ in range(50):
        made.put(EVENT, b"{}")
    assert made.dropped >= 40
    assert "events were dropped" in caplog.text
    output.go_on.set()
    made.close()
    assert output.written == 50 - made.dropped


def test_events_wait_in_so_many_bytes(monkeypatch):
    monkeypatch.setattr(log, "LARGEST_QUEUE", 1000)
    output = Stuck()
    made = AuditLog(output)
    for _ in range(20):
        made.put(EVENT, b"x" * 400)
    assert made.dropped == 18
    output.go_on.set()
    made.close()
    assert output.written == 2


class Broken(Stuck):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error

    def write(self, data: bytes) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error
        self.written += 1


@pytest.mark.parametrize("error", [OSError("no space left on device"), ValueError("closed")])
def test_an_output_that_fails_ends_nothing(error, caplog: pytest.LogCaptureFixture):
    output = Broken(error)
    made = AuditLog(output)
    made.put(EVENT, b"{}")
    made.put(EVENT, b"{}")
    made.close()
    assert "could not be written" in caplog.text
    assert (output.written, made.dropped) == (1, 1)


def test_lines_for_people():
    assert legacy_line(EVENT) == (
        '2026-01-02T03:04:05.000006Z AUDIT: id="1" stage="ResponseComplete" ip="10.0.0.1" '
        'method="list" user="ann" groups="\\"a\\",\\"b\\"" as="<self>" asgroups="<lookup>" '
        'user-agent="kubectl \\"x\\"" namespace="a" uri="/api/v1/namespaces/a/pods" response="200"'
    )
    bare = {name: EVENT[name] for name in ("auditID", "stage", "requestURI", "verb")}
    other = {"impersonatedUser": {"username": "bob", "groups": ["c"]}}
    line = legacy_line({**bare, **other, "requestReceivedTimestamp": "t"})
    assert 'user="<none>" groups="<none>" as="bob" asgroups="\\"c\\""' in line
    assert line.endswith('response="<deferred>"')


def test_memory_has_bounds():
    memory = AuditMemory(events=3, size=100)
    for number in range(5):
        memory.add(b"%d" % number)
    assert list(memory) == [b"4", b"3", b"2"]
    memory.add(b"x" * 99)
    assert len(memory) == 2
    memory.add(b"y" * 101)
    assert list(memory) == []
