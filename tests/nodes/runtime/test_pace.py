"""Scripts that wait more than they compute go on and on, and cost little."""

import pytest

from apimachinery.clock import ManualClock
from nodes.runtime.simulated.shell import hosted
from nodes.runtime.simulated.shell.pace import BURST, RATE, Pace, waits

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize(
    ("script", "so"),
    [
        ("while true; do wget -q -O- http://web; done", True),
        ("for i in $(seq 100000); do curl -s web; done", True),
        ("until redis-cli ping; do echo not yet; done", True),
        ("while true; do date; if [ -e /stop ]; then break; fi; sleep 5; done", True),
        ("wget -q -O- http://web", False),  # no loop
        ("while true; do :; done", False),  # waits for nothing
        ("while true; do cat wget.txt my-curl; done", False),
        ("while true; do sleep 0.1 & done", False),  # does not wait for what it has begun
        ("sleep 100000 | while true; do :; done", False),
        ("while wget -q web > /dev/null 2>&1 && true; do :; done", True),
    ],
)
def test_what_waits(script, so):
    assert waits(script, ["redis-cli"]) is so


def test_a_burst_and_then_a_pace():
    clock = ManualClock()
    pace = Pace(clock)
    assert [pace.take() for _ in range(BURST)] == [0.0] * BURST
    assert [round(pace.take() * RATE) for _ in range(3)] == [1, 2, 3]
    clock.advance(5 / RATE)
    assert [round(pace.take() * RATE) for _ in range(3)] == [0, 0, 1]
    clock.advance(10 * BURST / RATE)
    assert sum(pace.take() == 0.0 for _ in range(2 * BURST)) == BURST


@pytest.fixture
def few(monkeypatch):
    """Scripts that do not wait end after 200 commands here, not 20,000."""
    monkeypatch.setattr(hosted, "MAX_COMMANDS", 200)


async def test_a_load_generator_goes_on(lab, few):
    server = await lab.pod("nginx:1.27", name="web")
    turn = f"wget -q -O /dev/null {server.ip} && i=$((i+1)); echo $i"
    pod = await lab.pod("busybox", "sh", "-c", f"i=0; while true; do {turn}; done")
    await lab.clock.sleep(10)
    # At once what a burst is, then ten a second.
    count = int((await pod.log()).split()[-1])
    assert count == pytest.approx(BURST + 10 * RATE, rel=0.05)


async def test_a_line_of_a_terminal_goes_on_until_it_is_interrupted(lab, few):
    shell = await lab.pod("busybox", "sleep", "100000")
    session = await shell.session("sh")
    said = b""

    async def read(words):
        nonlocal said
        async for _, data in session.output():
            said += data
            if words in said:
                return

    await session.write_stdin(b"a=kept; cd /tmp\n")
    work = "for j in $(seq 50); do :; done"
    loop = f"i=0; while true; do i=$((i+1)); {work}; echo turn $i $a; sleep 1; done\n"
    await session.write_stdin(loop.encode())
    await read(b"turn 9 kept")
    await session.write_stdin(b"\x03")
    await session.write_stdin(b"echo $((i+1)) $a $PWD\n")
    await read(b" kept /tmp\r\n")
    await session.close()


async def test_a_loop_that_computes_alone_ends(lab, few):
    shell = await lab.pod("busybox", "sleep", "100000")
    said, code = await shell.sh("while true; do :; done")
    assert (said, code) == ("Killed\n", 137)
