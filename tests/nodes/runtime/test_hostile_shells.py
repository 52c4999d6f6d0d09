"""Scripts that attack their interpreter: they harm nobody else, whatever becomes of themselves.

Each runs as the product runs it, in a process of its own, while a neighbour's shell goes on.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from pathlib import Path

import pytest

from nodes.runtime.simulated.shell.host import MAX_MEMORY
from nodes.runtime.simulated.shell.links import own_process
from tests.nodes.runtime.lab import Lab
from tests.support.eventually import eventually

MIB = 1024 * 1024
# Each attack has to be over by then, and a neighbour may wait so long for its `echo`.
TOO_LATE = 5.0
PATIENCE = 2.0
# What the test's own process may grow by: outputs are collected up to 1 MiB.
GROWTH = 96 * MIB


def self_calling(line: str) -> str:
    """Return a script that makes a file which runs itself by a line, and runs it."""
    return f"printf '#!/bin/sh\\n%s\\n' '{line}' > /tmp/a; chmod +x /tmp/a; /tmp/a"


ATTACKS = {
    # Files that run themselves.
    "by path": self_calling("/tmp/a"),
    "by path, twice": self_calling("/tmp/a; /tmp/a"),
    "by eval": self_calling("eval /tmp/a"),
    "by a pipe": self_calling("/tmp/a | cat"),
    "by a substitution": self_calling("echo $(/tmp/a)"),
    "by a subshell": self_calling("(/tmp/a)"),
    "by xargs": self_calling("echo x | xargs /tmp/a"),
    "by env": self_calling("env /tmp/a"),
    "by timeout": self_calling("timeout 100 /tmp/a"),
    "by exec": self_calling("exec /tmp/a"),
    "by find": self_calling("find /tmp/a -exec /tmp/a {} +"),
    "by awk": self_calling('awk "BEGIN { system(\\"/tmp/a\\") }"'),
    "by a trap": self_calling("trap /tmp/a EXIT; exit"),
    "by sh": self_calling("sh /tmp/a"),
    "by sh -c": self_calling("sh -c /tmp/a"),
    "by source": self_calling(". /tmp/a"),
    "by a process substitution": self_calling("cat <(/tmp/a)"),
    # Recursion inside of one script.
    "function": "f() { f; }; f",
    "two functions": "f() { g | cat; }; g() { f & wait; }; f",
    "alias": "shopt -s expand_aliases; alias a='a; a'; a",
    "trap in a trap": "trap 'trap \"kill -1 $$\" USR1; f' EXIT; f() { trap f EXIT; exit; }; exit",
    "arithmetic": "a=b; b=a; echo $((a))",
    "deep eval": 'e=true; i=0; while [ $i -lt 5000 ]; do e="eval $e"; i=$((i+1)); done; $e',
    # Fork bombs.
    "bomb": ":() { :|:& }; :",
    "bomb with wait": ":() { :|:& }; :; wait",
    "background": "while true; do sleep 0.1 & done",
    # Memory.
    "doubling": "x=a; while true; do x=$x$x; done",
    "array": "i=0; while true; do a[$i]=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done",
    "braces": "echo {1..100000000}",
    "braces of braces": "echo {1..9}{1..9}{1..9}{1..9}{1..9}{1..9}{1..9}{1..9}{1..9}",
    "seq": "seq 1 1000000000000",
    "seq in a variable": "x=$(seq 1 1000000000000); echo ${#x}",
    "yes": "yes",
    "yes in a variable": "x=$(yes); echo ${#x}",
    "printf": "printf %1000000000d 1",
    "zeros": "x=$(head -c 10000000000 /dev/zero | tr '\\0' a); echo ${#x}",
    "zeros to sort": "cat /dev/zero | sort",
    "tail": "cat /dev/zero | tail",
    "mapfile": "bash -c 'mapfile a < <(yes)'",
    "awk": "awk 'BEGIN { x = \"a\"; while (1) x = x x }'",
    "awk arrays": "awk 'BEGIN { while (1) a[i++] = i }'",
    "sed": "echo a | sed ':a;s/a/aa/;ta'",
    "files": "i=0; while true; do echo x > /tmp/$i; i=$((i+1)); done",
    "a large file": "cd /tmp; while true; do cat f f >> g; cp g f; echo x >> f; done",
    "deep directories": "while true; do mkdir -p d; cd d; done",
    # Time.
    "loop": "while true; do :; done",
    "arithmetic loop": "for ((i=0; i<1000000000; i++)); do :; done",
    "awk loop": "awk 'BEGIN { while (1) {} }'",
    "awk recursion": "awk 'function f(n) { return f(n+1) } BEGIN { f(1) }'",
    "sed loop": "echo a | sed ':a;ba'",
    "regex": "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! | grep -E '^(a+)+$'",
    "regex with back references": "echo aaaaaaaaaaaaaaaaaaaaaaaa! | grep -P '^(a|aa)+\\1$'",
    "glob": "x=$(printf 'a%.0s' 1 2 3 4 5 6 7 8 9 0); case $x$x$x$x in "
    + "*a" * 20
    + "*b) echo y;; esac",
    "globs of files": "mkdir /g; cd /g; touch {1..90}; echo "
    + "/".join(["*"] * 3)
    + " [!x]*[!y]*[!z]*",
    "jq": "echo 1 | jq 'def f: f | f; f'",
    "dc of expr": "expr " + "\\( " * 2000 + "1" + " \\)" * 2000,
    "xargs": "seq 1 100000 | xargs -n 1 sh -c 'seq 1 1000'",
    # The parser.
    "parentheses": "(" * 500_000,
    "braces open": "{ " * 200_000,
    "substitutions": "echo " + "$(" * 100_000,
    "quoted substitutions": "echo " + '"$(' * 100_000,
    "backquotes": "echo " + "`\\" * 100_000,
    "arithmetic parentheses": "echo $((" + "(" * 400_000,
    "arithmetic signs": "echo $((" + "-" * 400_000 + "1))",
    "ifs": "if " * 200_000,
    "bangs": "! " * 400_000 + "true",
    "condition": "[[ " + "( " * 200_000 + "a ]]",
    "condition of bangs": "[[ " + "! " * 400_000 + "a ]]",
    "values": "echo " + "${a:-" * 100_000,
    "cases": "case a in a) " * 50_000,
    "functions": "f() { " * 100_000,
    "pipes": "true" + "|true" * 150_000,
    "and and and": "true" + " && true" * 100_000,
    "redirections": "true" + " < /dev/null" * 60_000,
    "a long line": "echo " + "a" * 900_000,
    "beyond what execve takes": "echo " + "a" * 2_000_000,
    "here-documents": "cat" + " <<E" * 50_000,
    "a large here-document": "cat <<E | wc -c\n" + "line of text\n" * 60_000 + "E",
    "quotes": "'" * 900_001,
    "nothing but newlines": "\n" * 900_000,
    "gaps": "while true; do " + "; ;" * 1000 + " " * 900_000 + "x",
    "traps": "trap '" * 100_000,
    "words of waiting": "while true; do sleep 1; " * 20_000,
}


def resident(pid: int | str = "self") -> int:
    fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGESIZE")


@pytest.fixture
async def street():
    """Two containers with interpreters in processes of their own."""
    lab = Lab(own_process)
    attacker = await lab.pod("busybox", "sleep", "1000")
    neighbour = await lab.pod("busybox", "sleep", "1000")
    yield lab, attacker, neighbour
    await lab.close()


async def asked(neighbour, answers):
    while True:
        before = time.monotonic()
        said = await neighbour.sh("echo still here")
        answers.append((said, time.monotonic() - before))
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_harms_nobody_else(street, name):
    _, attacker, neighbour = street
    # Each has its own process before the attack begins, or the first would be everybody's.
    session = await neighbour.session("sh", tty=False)
    await session.write_stdin(b"true\n")
    await asyncio.gather(attacker.sh("true"), neighbour.sh("true"))
    held, beats = resident(), [0.0]
    answers: list[tuple[object, float]] = []
    asking = asyncio.ensure_future(asked(neighbour, answers))
    beating = asyncio.ensure_future(heartbeat(beats))
    started = time.monotonic()
    try:
        await asyncio.wait_for(attacker.run("sh", "-c", ATTACKS[name]), TOO_LATE)
        lasted = time.monotonic() - started
        await eventually(lambda: answers)
    finally:
        asking.cancel()
        beating.cancel()
    assert lasted < TOO_LATE
    assert resident() - held < GROWTH
    assert max(beats) < 0.5
    assert {said for said, _ in answers} == {"still here\n"}
    assert max(took for _, took in answers) < PATIENCE
    assert await attacker.sh("echo recovered") == "recovered\n"
    await session.write_stdin(b"echo the session too\nexit\n")
    assert b"".join([data async for _, data in session.output()]) == b"the session too\n"


async def heartbeat(gaps):
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.005)
        gaps.append(time.monotonic() - before)


@pytest.mark.parametrize(
    "code",
    ["f = lambda: f()\nf()", "x = 'a'\nwhile True: x += x", "x = [0] * 10**10", "(" * 100_000],
)
async def test_python_that_attacks_its_interpreter(street, code):
    lab, _, neighbour = street
    pod = await lab.pod("python:3.12", "sleep", "1000")
    answer = await asyncio.wait_for(pod.run("python", "-c", code), TOO_LATE)
    assert answer.exit_code
    assert await neighbour.sh("echo still here") == "still here\n"


async def test_an_interpreter_is_bounded_and_ends_when_it_has_grown(street):
    lab, attacker, _ = street
    await attacker.sh("! " * 400_000 + "true")
    await attacker.sh("true")
    assert [resident(pid) < MAX_MEMORY / 4 for pid in processes(lab)] == [True] * lab.helpers
    limit, _ = resource.prlimit(processes(lab)[0], resource.RLIMIT_AS)
    assert limit == MAX_MEMORY


async def test_an_interpreter_has_no_way_to_files_or_networks(street):
    lab, attacker, _ = street
    await attacker.sh("true")
    held, environment, directory = surroundings(processes(lab)[0])
    assert {path for path in held if path.startswith("/")} <= {"/dev/null", "/dev/urandom"}
    assert {path for path in held if path.startswith("socket:")} <= unix_sockets()
    assert b"PATH" not in environment
    assert directory == "/"


async def test_a_script_that_breaks_pid_1s_interpreter_ends_the_container(street):
    lab, _, neighbour = street
    pod = await lab.pod("busybox", "sh", "-c", ATTACKS["by path"])
    await asyncio.wait_for(lab.runtime.stop_container(pod.id, 5), TOO_LATE)
    assert (await pod.status()).exit_code == 137
    assert await neighbour.sh("echo still here") == "still here\n"


async def test_a_broken_session_is_told(street):
    _, attacker, _ = street
    session = await attacker.session("sh")
    await session.write_stdin(ATTACKS["by path"].encode() + b"\r")
    said = b"".join([data async for _, data in session.output()])
    assert said.endswith(b"Killed\r\n")
    assert await session.wait() == 137


async def test_containers_that_only_wait_start_no_interpreter(street):
    lab, _, _ = street
    await lab.pod("busybox", "sh", "-c", "while true; do sleep 5; done")
    await lab.pod("nginx")
    assert lab.helpers == 0


async def test_all_interpreters_end_with_the_cluster(street):
    lab, attacker, neighbour = street
    script = "read x < /dev/null; sleep 0.1; true"
    await asyncio.gather(attacker.sh(script), neighbour.sh(script))
    pids = processes(lab)
    await lab.interpreters.close()
    assert len(pids) == 2
    assert [pid for pid in pids if is_there(pid)] == []


async def test_an_interpreter_that_starts_ends_with_the_cluster():
    links = []

    async def connect(receive, lost):
        links.append(await own_process(receive, lost))
        return links[-1]

    lab = Lab(connect)
    pod = await lab.pod("busybox", "sleep", "1000")
    session = await pod.session("cat", tty=False)
    await eventually(lambda: lab.helpers)
    await session.close()
    await lab.close()
    assert [is_there(link.pid) for link in links] == [False]


async def test_messages_that_keep_no_protocol_end_the_interpreter(street):
    lab, attacker, neighbour = street
    await attacker.sh("true")
    [helper] = lab.interpreters.helpers
    nonsense = (
        {"op": "files", "tree": 1, "files": [["../x", 420, 1]], "directories": [], "gone": []},
        {"op": "files", "tree": 1, "files": [["x", 420, 99]], "directories": [], "gone": []},
        {"op": "nonsense"},
        {},
    )
    for head in nonsense:
        with pytest.raises((KeyError, ValueError)):
            helper.receive(head, b"x")
    helper.link.data_received(b"\xff" * 100)
    await asyncio.sleep(0.1)
    assert not helper.alive
    assert await neighbour.sh("echo still here") == "still here\n"


def surroundings(pid):
    """Return what a process has open, its environment, and its directory."""
    process = Path(f"/proc/{pid}")
    held = [str(fd.readlink()) for fd in (process / "fd").iterdir()]
    return held, (process / "environ").read_bytes(), str((process / "cwd").readlink())


def unix_sockets():
    lines = Path("/proc/net/unix").read_text(encoding="ascii", errors="replace").splitlines()
    return {f"socket:[{line.split()[6]}]" for line in lines[1:]}


def is_there(pid):
    return Path(f"/proc/{pid}").exists()


def processes(lab):
    """Return the pids of the interpreters."""
    return [helper.link.pid for helper in lab.interpreters.helpers]
