"""The parts around an interpreter: messages, copies of trees, the pool, terminals' settings."""

from __future__ import annotations

import asyncio

import pytest

from nodes.runtime.simulated.shell.copies import Copy
from nodes.runtime.simulated.shell.helpers import (
    KEPT,
    MAX_HELPERS,
    Helper,
    Interpreters,
    Lost,
)
from nodes.runtime.simulated.shell.mirrors import Mirrors
from nodes.runtime.simulated.shell.whole import stands_alone
from nodes.runtime.simulated.shell.wire import MAX_BODY, BadFrame, Decoder, encode
from nodes.runtime.simulated.termios import TerminalSettings
from nodes.runtime.simulated.volume import MAX_BYTES, MAX_FILES, Changes, File, Volume
from tests.nodes.runtime.lab import Lab
from tests.support.interpreters import same_loop


def test_messages_come_in_pieces():
    frames = encode({"op": "a"}, b"body") + encode({"op": "b"})
    decoder = Decoder()
    found = [message for at in range(len(frames)) for message in decoder.feed(frames[at : at + 1])]
    assert found == [({"op": "a"}, b"body"), ({"op": "b"}, b"")]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 8,
        (2).to_bytes(4) + (MAX_BODY + 1).to_bytes(4) + b"{}",
        (2).to_bytes(4) + (0).to_bytes(4) + b"[]",
    ],
)
def test_what_is_no_message(data):
    with pytest.raises(BadFrame):
        list(Decoder().feed(data))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "echo hi",
        "echo 'a; (' \"b $(date) ${x:-y} (\"",
        "if true; then echo x; fi",
        "for i in 1 2 3; do echo $i; done",
        "while read x; do case $x in a) echo a;; *) echo b;; esac; done < /f",
        "f() { echo in $1; }; f x",
        "i=$((i+1))",
        "(cd /tmp && ls) | wc -l",
        "echo done; echo if",
        "# don't ( mind\necho hi # nor \" this",
        "echo a\\'b",
        "echo don\\'t $#",
    ],
)
def test_scripts_that_stand_alone(text):
    assert stands_alone(text)


@pytest.mark.parametrize(
    "text",
    [
        "echo 'a",
        'echo "a',
        "if true; then echo",
        "while true; do",
        "echo $(date",
        "echo ${x",
        "{ echo a",
        "done",
        "echo a)",
        "echo a |",
        "echo a &&",
        "echo \\",
        "cat <<E\nfi",
        "fi",
        "(" * 100_000,
    ],
)
def test_scripts_that_do_not_surely_stand_alone(text):
    assert not stands_alone(text)


# -- trees ---------------------------------------------------------------------------------------


class Both:
    """A tree, and an interpreter's copy of it, with what goes between them."""

    def __init__(self, lower=()):
        self.tree = Volume(dict(lower))
        self.mirrors = Mirrors(self.send)
        self.copy = None
        self.sent = 0
        self.mirrors.hold(self.tree, writable=True)

    def send(self, head, body):
        self.sent += 1
        self.copy = self.copy or Copy(devices=head["devices"])
        self.copy.put(head["files"], head["directories"], head["gone"], body)

    def script(self, change):
        """Let a script change the copy; tell the tree."""
        change(self.copy.files)
        changed = self.copy.changes()
        if changed is not None:
            head = {
                "tree": 1,
                "files": changed.files,
                "directories": changed.directories,
                "gone": changed.gone,
            }
            self.mirrors.apply(head, changed.body)

    def seen(self, path):
        try:
            return self.copy.files.read_file(f"/{path}")
        except RuntimeError:
            return None


def test_a_copy_follows_the_tree():
    both = Both({"etc/a": File(b"a"), "etc/b": File(b"b", 0o755)})
    both.tree.mkdir("empty")
    both.tree.write("etc/a", b"new")
    both.tree.remove("etc/b")
    both.tree.write("x/y/z", b"deep", 0o600)
    sent = both.sent
    both.mirrors.flush()
    assert both.sent == sent + 1
    assert [both.seen(path) for path in ("etc/a", "etc/b", "x/y/z")] == [b"new", None, b"deep"]
    assert both.copy.files.stat("/empty")["file_type"] == "directory"
    assert both.copy.files.stat("/x/y/z")["mode"] == 0o600
    both.tree.remove("x")
    both.mirrors.flush()
    assert both.seen("x/y/z") is None
    assert both.copy.changes() is None


def test_the_tree_follows_a_copy():
    both = Both({"etc/a": File(b"a"), "only/one": File(b"1")})
    both.script(lambda files: files.write_file("/etc/a", b"changed"))
    both.script(lambda files: files.mkdir("/d/e", recursive=True))
    both.script(lambda files: files.chmod("/etc/a", 0o700))
    both.script(lambda files: files.symlink("a", "/etc/l"))
    both.script(lambda files: files.remove("/only/one"))
    assert (both.tree.read("etc/a"), both.tree.mode("etc/a")) == (b"changed", 0o700)
    assert both.tree.is_dir("d/e")
    assert (both.tree.link("etc/l"), both.tree.read("etc/l")) == ("a", None)
    assert both.tree.names("only") == []
    assert both.tree.is_dir("only")
    both.script(lambda files: files.remove("/d", recursive=True))
    assert not both.tree.exists("d")
    both.mirrors.flush()
    assert both.copy.changes() is None


def test_what_a_tree_has_no_room_for_is_gone_from_the_copy_too():
    both = Both()
    both.script(lambda files: files.mkdir("/f"))
    many = {f"f/{number}": File(b"") for number in range(MAX_FILES + 5)}
    for name in many:
        both.copy.files.write_file(f"/{name}", b"")
    both.script(lambda files: None)
    both.mirrors.flush()
    assert len(list(both.tree.walk())) == MAX_FILES
    assert len(both.copy.files.read_dir("/f")) == MAX_FILES


def test_a_tree_that_a_script_has_filled_loses_its_largest_files():
    tree, other = Volume(), Both()
    part = b"x" * (MAX_BYTES // 4)
    tree.apply(Changes({f"{n}": File(part + b"x" * n) for n in range(5)}, (), ()), other.mirrors)
    assert tree.used_bytes() <= MAX_BYTES
    assert tree.names("") == ["0", "1", "2"]


def test_a_copy_that_may_only_be_read_changes_nothing():
    tree, sent = Volume({"a": File(b"1")}), []
    mirrors = Mirrors(lambda head, body: sent.append(head["op"]))
    number = mirrors.hold(tree, writable=False)
    head = {"tree": number, "files": [["a", 0o644, 1]], "directories": [], "gone": []}
    mirrors.apply(head, b"2")
    assert tree.read("a") == b"1"
    mirrors.close()
    tree.write("a", b"3")
    mirrors.flush()
    assert sent == ["files"]


# -- the pool ------------------------------------------------------------------------------------


@pytest.fixture
async def lab_that_waits():
    """A lab whose interpreters start once they may, when they were asked to, and that they may."""
    asked, may_start = asyncio.Event(), asyncio.Event()

    async def connect(receive, lost):
        asked.set()
        await may_start.wait()
        return await same_loop(receive, lost)

    lab = Lab(connect)
    yield lab, asked, may_start
    await lab.close()


@pytest.mark.looptime
async def test_containers_share_interpreters_when_there_are_many(lab):
    pods = [await lab.pod("busybox", "sleep", "100000") for _ in range(5)]
    sessions = [await pod.session("sh", tty=False) for pod in pods]
    for session in sessions:
        await session.write_stdin(b"x=7\n")
    await lab.clock.sleep(0.1)
    assert lab.helpers == MAX_HELPERS
    again = await pods[0].session("sh", tty=False)
    await again.write_stdin(b"true\n")
    await lab.clock.sleep(0.1)
    assert [len(helper.users) for helper in lab.interpreters.helpers] == [2, 2, 1]
    for session in [*sessions, again]:
        await session.close()
    await lab.clock.sleep(KEPT + 1)
    assert lab.helpers == 0


@pytest.mark.looptime
async def test_losses_slow_the_next_starts_down(lab):
    pod = await lab.pod("busybox", "sleep", "100000")
    waits = []
    for _ in range(8):
        before = lab.clock.seconds()
        assert await pod.sh("echo hi") == "hi\n"
        waits.append(round(lab.clock.seconds() - before, 1))
        lab.interpreters.helpers[0].lost()
    assert waits == [0, 0, 0, 0, 0, 0.5, 1, 2]


@pytest.mark.looptime
async def test_a_run_and_its_commands_end_when_the_interpreter_is_lost(lab):
    pod = await lab.pod("busybox", "sleep", "100000")
    session = await pod.session("sh", "-c", "x=1; sleep 1000; echo never", tty=False)
    await lab.clock.sleep(1)
    lab.interpreters.helpers[0].lost()
    assert await session.wait() == 137
    assert b"".join([data async for _, data in session.output()]) == b"Killed\n"


@pytest.mark.looptime
async def test_a_loop_survives_one_loss(lab):
    pod = await lab.pod("busybox", "sh", "-c", "while true; do date +%s; sleep 10; done")
    await lab.clock.sleep(15)
    lab.interpreters.helpers[0].lost()
    await lab.clock.sleep(20)
    assert len((await pod.log()).splitlines()) == 4


async def test_who_leaves_during_the_start_leaves_it_to_the_next(lab_that_waits):
    lab, asked, may_start = lab_that_waits
    pod = await lab.pod("busybox", "sleep", "100000")
    session = await pod.session("cat", tty=False)
    await asked.wait()
    await session.close()
    may_start.set()
    assert await asyncio.wait_for(pod.sh("echo hi"), 10) == "hi\n"
    assert lab.helpers == 1


@pytest.mark.looptime
async def test_a_start_that_nobody_waits_for_any_more_ends_in_time(lab_that_waits):
    lab, asked, may_start = lab_that_waits
    pod = await lab.pod("busybox", "sleep", "100000")
    session = await pod.session("cat", tty=False)
    await asked.wait()
    await session.close()
    may_start.set()
    await lab.clock.sleep(KEPT + 1)
    assert lab.helpers == 0


async def test_a_start_that_fails_fails_for_all_who_wait_and_is_forgotten():
    async def connect(receive, lost):
        await asyncio.sleep(0)
        raise OSError("too many processes")

    interpreters = Interpreters(connect)
    one, another = object(), object()
    answers = await asyncio.gather(
        *(interpreters.take(fs) for fs in (one, one, another)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [Lost] * 3
    assert interpreters.helpers == []


class Wire:
    """An interpreter that does nothing; `sent` is what it was told."""

    def __init__(self):
        self.sent = []

    def send(self, head, body):
        self.sent.append(head)

    def end(self):
        raise AssertionError("it has done nothing wrong")


class Listener:
    """A Runner that remembers its calls."""

    def __init__(self):
        self.calls = []

    def called(self, call, head):
        self.calls.append(call)


async def test_commands_of_a_shell_that_was_let_go_are_ended():
    helper, listener = Helper(lambda helper: None), Listener()
    helper.link = wire = Wire()
    shell, other = helper.open([], b""), helper.open([], b"")
    run, _ = helper.run(shell, b"cat; cat", listener)
    kept, _ = helper.run(other, b"cat", listener)
    helper.receive({"op": "call", "run": run, "call": 1}, b"")
    helper.receive({"op": "call", "run": kept, "call": 2}, b"")
    helper.drop(shell)
    # This one was under way already.
    helper.receive({"op": "call", "run": run, "call": 3}, b"")
    ends = [(head["call"], head["code"]) for head in wire.sent if head["op"] == "done"]
    assert ends == [(1, 143), (3, 143)]
    assert listener.calls == [1, 2]


async def test_nothing_starts_after_the_end(lab):
    await lab.interpreters.close()
    with pytest.raises(Lost):
        await lab.interpreters.take(object())


# -- complaints ----------------------------------------------------------------------------------


async def test_a_flood_of_complaints_is_cut(lab):
    pod = await lab.pod("busybox", "sleep", "1000")
    script = "i=0; while [ $i -lt 5000 ]; do echo complaint number $i >&2; i=$((i+1)); done; true"
    answer = await pod.run("sh", "-c", script)
    assert len(answer.stderr) < 80 * 1024
    assert b"bytes of error messages left out\n" in answer.stderr
    assert answer.stderr.startswith(b"complaint number 0\n")


# -- terminals -----------------------------------------------------------------------------------


async def stty(lab, *scripts, size=(80, 24)):
    """Run scripts at one terminal of a size; return what they print."""
    pod = await lab.pod("debian", "sleep", "1000")
    session = await pod.session("sh", "-c", "sleep 1; " + "; ".join(scripts))
    session.resize(*size)
    said = b"".join([data async for _, data in session.output()]).decode()
    return said.replace("\r\n", "\n"), await session.wait()


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("stty size", "24 80\n"),
        ("stty rows 10 cols 40; stty size", "10 40\n"),
        ("stty", "speed 38400 baud; line = 0;\n-brkint -imaxbel\n"),
        ("stty -echo; stty", "speed 38400 baud; line = 0;\n-brkint -imaxbel -echo\n"),
        ("stty raw -echo; stty sane; stty", "speed 38400 baud; line = 0;\n\n"),
        ("x=$(stty -g); stty -echo raw; stty $x; stty | tail -1", "-brkint -imaxbel\n"),
        ("stty intr ^X; stty -a | grep -o 'intr = ..'", "intr = ^X\n"),
        ("stty -a | head -1", "speed 38400 baud; rows 24; columns 80; line = 0;\n"),
        ("stty cbreak; stty -a | grep -c -e -icanon", "1\n"),
        ("stty 9600 && stty speed", "38400\n"),
        ("/bin/stty size", "24 80\n"),
    ],
)
async def test_stty(lab, script, said):
    assert await stty(lab, script) == (said, 0)


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("stty nonsense", "stty: invalid argument 'nonsense'\n"),
        ("stty rows", "stty: missing argument to 'rows'\n"),
        ("stty rows many", "stty: invalid integer argument: 'many'\n"),
        ("stty 1:2:3", "stty: invalid argument '1:2:3'\n"),
    ],
)
async def test_stty_complains(lab, script, said):
    assert await stty(lab, script) == (said, 1)


@pytest.mark.looptime
async def test_stty_needs_a_terminal(lab):
    pod = await lab.pod("busybox", "sleep", "1000")
    said = "stty: standard input: Inappropriate ioctl for device\n"
    assert await pod.sh("stty size") == (said, 1)


def test_settings_are_saved_and_restored():
    first, second = TerminalSettings(), TerminalSettings()
    first.raw()
    first.set("echo", on=False)
    first.characters["intr"] = 24
    assert second.restore(first.saved())
    assert (second.flags, second.characters) == (first.flags, first.characters)
    assert not second.restore("")
    fresh = TerminalSettings().saved()
    assert fresh.startswith("500:5:bf:8a3b:3:1c:7f:15:4:0:1:0:11:13:1a:0:12:f:17:16:0:0:0")


@pytest.mark.parametrize("name", ["ash -c 'echo hi'", "echo hi | gzip | zcat", "dash -c 'echo hi'"])
async def test_other_names_of_commands(lab, name):
    pod = await lab.pod("busybox", "sleep", "1000")
    assert await pod.sh(name) in ("hi\n", ("sh: dash: not found\n", 127))
