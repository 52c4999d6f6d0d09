"""Reading a command line before it runs: what only waits must cost nothing."""

from __future__ import annotations

import pytest

from nodes.runtime.simulated.shell.durations import parse_duration
from nodes.runtime.simulated.shell.plan import FromFile, Interactive, Loop, Script, Wait, plan

FOREVER = 100 * 365 * 86400.0


def planned(*argv):
    return plan(argv)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("sleep 3600", Wait("", 3600)),
        ("  sleep 1d ; ", Wait("", 86400)),
        ("exec sleep infinity", Wait("", FOREVER)),
        ("tail -f /dev/null", Wait("", FOREVER)),
        ("echo hi && sleep 10", Wait("echo hi", 10)),
        ("echo hi; sleep 10", Wait("echo hi", 10)),
        ("[ -e x ] && exit 0; sleep 10", Script("[ -e x ] && exit 0; sleep 10")),
        ("set -e; false; sleep 10", Script("set -e; false; sleep 10")),
        ("echo hi\nsleep 10\n", Wait("echo hi", 10)),
        ("echo 'a; sleep 10'", Script("echo 'a; sleep 10'")),
        ("if true; then sleep 10", Script("if true; then sleep 10")),
        ("sleep $N", Script("sleep $N")),
        ("sleep 10 &", Script("sleep 10 &")),
        ("trap 'exit' TERM; sleep 10", Script("trap 'exit' TERM; sleep 10")),
        ("while true; do date; sleep 5; done", Loop("", "date", 5, pause_first=False)),
        ("while :; do date\nsleep 5\ndone", Loop("", "date", 5, pause_first=False)),
        ("while true; do sleep 5; done", Loop("", "", 5, pause_first=False)),
        ("i=0; while true; do i=$((i+1)); sleep 1; done", Loop("i=0", "i=$((i+1))", 1, False)),
        (
            "while sleep 0.01; do wget -q -O- http://web; done",
            Loop("", "wget -q -O- http://web", 0.01, pause_first=True),
        ),
    ],
)
def test_scripts(script, expected):
    assert planned("sh", "-c", script) == expected


@pytest.mark.parametrize(
    "script",
    [
        "while true; do date; done",
        "while true; do test -f /x && break; sleep 1; done",
        "while true; do exit 3; sleep 1; done",
        "while true; do sleep 1; done; echo end",
        "for i in 1 2; do while true; do sleep 1; done; done",
        "while true; do if x; then sleep 1; fi; done",
        "echo a | while true; do cat; sleep 1; done | cat",
    ],
)
def test_loops_that_are_run_as_they_are(script):
    assert planned("sh", "-c", script) == Script(script)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("sleep", "60"), Wait("", 60)),
        (("/bin/sleep", "1m", "5"), Wait("", 65)),
        (("sleep", "x"), Script("sleep x")),
        (("ls", "-l", "a b"), Script("ls -l 'a b'")),
        (("sh",), Interactive()),
        (("bash", "-l"), Interactive(login=True)),
        (("sh", "-c", "echo $1", "name", "a b"), Script("set -- 'a b'\necho $1")),
        (("bash", "-ec", "false; true"), Script("set -e\nfalse; true")),
        (("bash", "-o", "pipefail", "-c", "sleep 5"), Wait("", 5)),
        (("sh", "/run.sh", "x"), FromFile("/run.sh", ("x",))),
        (("sh", "-ex", "/run.sh"), FromFile("/run.sh", (), "ex")),
    ],
)
def test_command_lines(argv, expected):
    assert planned(*argv) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1", 1), ("1.5", 1.5), (".5", 0.5), ("2m", 120), ("-1", None), ("", None)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds
