"""Interactive shells: prompts, editing, interrupts, and the ways out."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import contextmanager

import pytest

from nodes.runtime.cri import AttachRequest
from nodes.runtime.simulated.sessions import SimulatedSession

pytestmark = pytest.mark.looptime


class Person:
    """Types, and reads what the screen says."""

    def __init__(self, lab, session):
        self.lab, self.session, self.screen = lab, session, ""
        self.reading = asyncio.ensure_future(self._read())

    async def _read(self):
        async for _, data in self.session.output():
            self.screen += data.decode()

    async def types(self, text):
        """Type, wait until it has run, and return what came on the screen since."""
        before = len(self.screen)
        await self.session.write_stdin(text.encode())
        await self.lab.clock.sleep(0.01)
        return self.screen[before:]

    async def leaves(self):
        code = await self.session.wait()
        await self.reading
        return code


@contextmanager
def no_time_passes(seconds):
    """Keep the virtual loop from going idle, for so many real seconds at most."""
    deadline = time.monotonic() + seconds
    loop, over = asyncio.get_running_loop(), False

    def go_on():
        if not over and time.monotonic() < deadline:
            time.sleep(0)
            loop.call_soon(go_on)

    go_on()
    try:
        yield
    finally:
        over = True


async def a_person(lab):
    pod = await lab.pod("busybox", "sleep", "100000", name="box")
    someone = Person(lab, await pod.session("sh"))
    await lab.clock.sleep(0.01)
    return someone


async def test_a_session(lab):
    person = await a_person(lab)
    assert person.screen == "/ # "
    assert await person.types("echo hi\r") == "echo hi\r\nhi\r\n/ # "
    assert await person.types("cd /etc\r") == "cd /etc\r\n/etc # "
    assert await person.types("X=7\r") == "X=7\r\n/etc # "
    assert await person.types("echo $X; pwd\r") == "echo $X; pwd\r\n7\r\n/etc\r\n/etc # "
    assert await person.types("exit 3\r") == "exit 3\r\n"
    assert await person.leaves() == 3


async def test_the_last_code_is_kept(lab):
    person = await a_person(lab)
    await person.types("(exit 5)\r")
    assert "\n5\r\n" in await person.types("echo $?\r")
    await person.types("(exit 6)\r")
    await person.types("exit\r")
    assert await person.leaves() == 6


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("hostname; exit 4", 4),
        ("echo a; exit", 0),
        ("false; exit", 1),
        ("leave() { exit 5; }; leave", 5),
        ("if true; then exit 8; fi", 8),
        ("(exit 3)\rexit $(($? + 1))", 4),
    ],
)
async def test_an_exit_in_the_middle_of_a_line_ends_the_shell(lab, typed, code):
    person = await a_person(lab)
    await person.types(f"{typed}\r")
    assert await person.leaves() == code


async def test_an_exit_elsewhere_does_not(lab):
    person = await a_person(lab)
    lines = ("(exit 3)", "echo a | exit 6", "echo $(exit 4)", "exit 4 &", "return 3", "'", "'")
    for typed in lines:
        assert (await person.types(f"{typed}\r")).endswith(("/ # ", "> "))
    assert "\nstill here\r\n" in await person.types("echo still here\r")


async def test_a_command_over_several_lines(lab):
    person = await a_person(lab)
    assert await person.types("if true; then\r") == "if true; then\r\n> "
    assert await person.types("echo yes\r") == "echo yes\r\n> "
    assert await person.types("fi\r") == "fi\r\nyes\r\n/ # "
    await person.types("cat <<END\rtwo\r")
    assert (await person.types("END\r")).endswith("two\r\n/ # ")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("echo hix\x7f\r", "hi"),
        ("junk\x15echo hi\r", "hi"),
        ("echo junk\x17hi\r", "hi"),
        ("echo i\x1b[Dh\r", "hi"),
        ("cho hi\x01e\r", "hi"),
        ("ech hi\x01\x1b[C\x1b[C\x1b[Co\x05\r", "hi"),
        ("junk\x03echo hi\r", "hi"),
        ("\x1b[5~echo hi\r", "hi"),
    ],
)
async def test_editing(lab, keys, said):
    person = await a_person(lab)
    assert (await person.types(keys)).endswith(f"\r\n{said}\r\n/ # ")


async def test_history(lab):
    person = await a_person(lab)
    await person.types("echo one\r")
    await person.types("echo two\r")
    assert (await person.types("\x1b[A\x1b[A\r")).endswith("\r\none\r\n/ # ")
    assert (await person.types("\x1b[A\x1b[A\x1b[B\r")).endswith("\r\none\r\n/ # ")


async def test_ctrl_c_ends_what_runs(lab):
    person = await a_person(lab)
    assert await person.types("sleep 1000\r") == "sleep 1000\r\n"
    assert await person.types("\x03") == "^C\r\n/ # "
    assert "\n130\r\n" in await person.types("echo $?\r")


async def test_ctrl_d_leaves(lab):
    person = await a_person(lab)
    await person.types("\x04")
    assert await person.leaves() == 0


async def test_what_is_typed_ahead_runs_next(lab):
    person = await a_person(lab)
    await person.types("sleep 5\recho later\r")
    await person.lab.clock.sleep(6)
    assert person.screen.endswith("later\r\n/ # ")


async def test_a_busy_loop_is_killed_and_the_shell_lives(lab):
    person = await a_person(lab)
    assert "Killed" in await person.types("while true; do :; done\r")
    assert "\nalive\r\n" in await person.types("echo alive\r")


async def test_bash_has_its_prompt(lab):
    pod = await lab.pod("nginx", name="web")
    someone = Person(lab, await pod.session("bash"))
    await lab.clock.sleep(0.01)
    assert someone.screen == "root@web:/# "
    await someone.types("nosuch\r")
    assert "bash: line 1: nosuch: command not found" in someone.screen
    await someone.types("exit\r")
    assert await someone.leaves() == 127


async def test_without_a_terminal_lines_are_commands(lab):
    pod = await lab.pod("busybox", "sleep", "1000")
    session = await pod.session("sh", tty=False)
    await session.write_stdin(b"echo a\ncd /tmp\npwd\nexit 4\necho never\n")
    session.close_stdin()
    said = b"".join([data async for _, data in session.output()])
    assert (said, await session.wait()) == (b"a\n/tmp\n", 4)


@pytest.mark.parametrize(
    ("argv", "typed", "said", "code"),
    [
        (("echo", "hi"), b"", b"hi\n", 0),
        (("sh", "-c", "read line; echo got $line"), b"x\ny\n", b"got x\n", 0),
        (("sh", "-c", "echo a; exit 4"), b"", b"a\n", 4),
        (("head", "-1"), b"x\ny\n", b"x\n", 0),
    ],
)
async def test_a_script_ends_though_its_client_keeps_its_input_open(lab, argv, typed, said, code):
    pod = await lab.pod("busybox", "sleep", "1000")
    session = await pod.session(*argv, tty=False)
    await session.write_stdin(typed)
    # Whether the script computes or waits for more input nobody here can tell, so no time may pass.
    with no_time_passes(seconds=60):
        output = b"".join([data async for _, data in session.output()])
        assert (output, await session.wait()) == (said, code)


async def test_attach_to_a_shell(lab):
    pod = await lab.pod("busybox", "sh", stdin=True, tty=True)
    request = AttachRequest(pod.id, tty=True, stdin=True)
    someone = Person(lab, await lab.runtime.attach(request))
    assert (await someone.types("echo attached\r")).endswith("\r\nattached\r\n/ # ")
    await someone.types("exit 5\r")
    assert await someone.leaves() == 5
    assert (await pod.status()).exit_code == 5


async def test_attach_to_a_loop_shows_what_it_prints(lab):
    pod = await lab.pod("busybox", "sh", "-c", "while true; do echo tick; sleep 1; done")
    someone = Person(lab, await lab.runtime.attach(AttachRequest(pod.id)))
    await lab.clock.sleep(3.5)
    # The first may have been before the attach.
    assert someone.screen.count("tick\n") in (3, 4)
    await someone.session.close()
    assert await someone.leaves() == 137


def sessions():
    """How many sessions are kept, those of tests before this one among them."""
    gc.collect()
    return sum(type(kept) is SimulatedSession for kept in gc.get_objects())


async def test_nothing_is_kept_of_who_has_detached(lab):
    pod = await lab.pod("busybox", "sleep", "1000")
    before = sessions()
    session = await lab.runtime.attach(AttachRequest(pod.id))
    assert sessions() == before + 1
    await session.close()
    del session
    assert sessions() == before


async def test_closing_kills_the_program(lab):
    pod = await lab.pod("busybox", "sleep", "1000")
    session = await pod.session("sleep", "500")
    await session.close()
    assert await session.wait() == 137
    processes = (await pod.run("ps")).stdout.decode()
    assert "sleep 500" not in processes


async def test_redis_cli_prompts(lab):
    pod = await lab.pod("redis")
    someone = Person(lab, await pod.session("redis-cli"))
    await lab.clock.sleep(0.01)
    assert someone.screen == "127.0.0.1:6379> "
    assert await someone.types("set a 1\r") == "set a 1\r\nOK\r\n127.0.0.1:6379> "
    assert await someone.types("incr a\r") == "incr a\r\n(integer) 2\r\n127.0.0.1:6379> "
    await someone.types("quit\r")
    assert await someone.leaves() == 0
