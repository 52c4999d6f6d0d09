"""tar in a container: archives there and back, binary-safe, bounded, and none of them trusted."""

from __future__ import annotations

import gzip
import io
import random
import tarfile

import pytest

from nodes.runtime.simulated.shell.commands import archive, ustar
from nodes.runtime.simulated.shell.commands.ustar import BadArchive, members

NO_FILE = "No such file or directory"
CONTENT = bytes(range(256)) * 700


def made(*entries, form=tarfile.PAX_FORMAT):
    """Return an archive: (name, bytes), (name, None) for a directory, (name, "-> target")."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, content in entries:
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            elif isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content.removeprefix("-> ")
            else:
                member.size, member.mode = len(content), 0o640
            tar.addfile(member, io.BytesIO(content if isinstance(content, bytes) else b""))
    return buffer.getvalue()


# --- reading ------------------------------------------------------------------------------------

LONG = "/".join(["directory"] * 30) + "/file"


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_of_every_format(form):
    raw = made(("a/", None), ("a/b", CONTENT), ("a/l", "-> b"), ("empty", b""), form=form)
    found = [(m.shown, m.kind, m.size, bytes(m.data), m.target) for m in members(raw)]
    assert found == [
        ("a/", ustar.DIRECTORY, 0, b"", ""),
        ("a/b", ustar.FILE, len(CONTENT), CONTENT, ""),
        ("a/l", ustar.LINK, 0, b"", "b"),
        ("empty", ustar.FILE, 0, b"", ""),
    ]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_links(form):
    raw = made((LONG, b"x"), ("l", f"-> {LONG}"), ("ünï", b"y"), form=form)
    assert [(m.name, m.target) for m in members(raw)] == [(LONG, ""), ("l", LONG), ("ünï", "")]


def test_names_in_two_parts():
    name = f"{'d' * 120}/file"
    (member,) = members(made((name, b"x"), form=tarfile.USTAR_FORMAT))
    assert member.name == name


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "short read"),
        (b"x" * 512, "invalid tar magic"),
        (b"\x01" * 2000, "invalid tar magic"),
        (made(("a", CONTENT))[:2000], "short read"),
    ],
)
def test_what_is_no_archive(raw, why):
    with pytest.raises(BadArchive, match=why):
        list(members(raw))


def resealed(head: bytearray) -> bytes:
    """Make a head's checksum right again."""
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


@pytest.mark.parametrize(
    "size",
    [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"-0000000001\0", b"99999999999\0", b"7777777777 \0"],
)
def test_sizes_that_cannot_be(size):
    head = bytearray(made(("a", b"x"), form=tarfile.USTAR_FORMAT)[:512])
    head[124:136] = size
    with pytest.raises(BadArchive):
        list(members(resealed(head) + bytes(1024)))


@pytest.mark.parametrize(
    "record", [b"999999 path=x\n", b"0 path=x\n", b"x path=x\n", b"12 nonsense\n"]
)
def test_records_that_cannot_be(record):
    head = bytearray(made(("a", record), form=tarfile.USTAR_FORMAT)[:512])
    head[156:157] = b"x"
    with pytest.raises(BadArchive):
        list(members(resealed(head) + record.ljust(512, b"\0") + bytes(1024)))


@pytest.mark.parametrize("seed", range(100))
def test_noise_is_read_or_refused(seed):
    rand = random.Random(seed)
    raw = bytearray(made(("a/", None), (LONG, b"x" * 600), ("b", b"y")))
    for _ in range(rand.randrange(1, 6)):
        at = rand.randrange(0, len(raw) // 512) * 512
        head = bytearray(raw[at : at + 512])
        head[rand.randrange(512)] = rand.randrange(256)
        raw[at : at + 512] = resealed(head) if rand.random() < 0.7 else head
    try:
        assert len(list(members(bytes(raw)))) < 30
    except BadArchive:
        return


# --- the command --------------------------------------------------------------------------------

pytestmark = pytest.mark.looptime


@pytest.fixture
async def box(lab):
    return await lab.pod("busybox", "sleep", "100000", name="box")


async def fed(pod, data, *argv):
    """Run a command with some input; return (stdout, stderr, code)."""
    session = await pod.session(*argv, tty=False)
    for start in range(0, len(data), 65536):
        await session.write_stdin(data[start : start + 65536])
    session.close_stdin()
    said = {1: b"", 2: b""}
    async for stream, chunk in session.output():
        said[stream] += chunk
    return said[1], said[2].decode(), await session.wait()


async def test_there_and_back(box):
    """What kubectl cp runs, both ways."""
    raw = made(("d", None), ("d/bin", CONTENT), ("d/link", "-> bin"), ("d/none", b""))
    assert await fed(box, raw, "tar", "-xmf", "-", "-C", "/tmp") == (b"", "", 0)
    assert await box.sh(
        "cat /tmp/d/bin | sha256sum; readlink /tmp/d/link; wc -c < /tmp/d/none"
    ) == (await box.sh("printf ''; sha256sum < /tmp/d/bin") + "bin\n0\n")
    answer = await box.run("tar", "cf", "-", "/tmp/d")
    assert answer.stderr == b"tar: removing leading '/' from member names\n"
    assert len(answer.stdout) % tarfile.RECORDSIZE == 0
    with tarfile.open(fileobj=io.BytesIO(answer.stdout)) as tar:
        assert tar.getnames() == ["tmp/d", "tmp/d/bin", "tmp/d/link", "tmp/d/none"]
        assert tar.extractfile("tmp/d/bin").read() == CONTENT
        assert tar.getmember("tmp/d/bin").mode == 0o640
        assert tar.getmember("tmp/d/link").linkname == "bin"


async def test_files_of_the_containers_own(box):
    script = """
        mkdir -p /w/in /w/out; cd /w; echo 1 > in/a; echo 2 > in/b
        tar -czf all.tgz in; tar tf all.tgz; tar -xzvf all.tgz -C out in/b; ls out/in; cat out/in/b
    """
    assert await box.sh(script) == "in/\nin/a\nin/b\nin/b\nb\n2\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("tar", ("tar: You must specify one of the c, x and t options\n", 1)),
        ("tar -jxf x", ("tar: invalid option -- 'j'\n", 1)),
        ("tar --frob -c x", ("tar: unrecognized option '--frob'\n", 1)),
        ("tar -c", ("tar: Cowardly refusing to create an empty archive\n", 1)),
        ("tar xf /no", ("tar: can't open '/no': No such file or directory\n", 1)),
        (
            "tar x -C /no",
            ("tar: can't change directory to '/no': No such file or directory\n", 1),
        ),
        ("echo nonsense | tar x", ("tar: short read\n", 1)),
        (
            "tar cf /t.tar nope",
            (
                f"tar: nope: {NO_FILE}\ntar: error exit delayed from previous errors\n",
                1,
            ),
        ),
        ("mkdir d; echo x > d/f; tar c d | tar x d/g", ("tar: d/g: not found in archive\n", 1)),
        ("mkdir d; echo x > d/f; tar c d | tar xO", "x\n"),
        ("mkdir d; echo x > d/f; tar c d | tar x --strip-components=1; cat f", "x\n"),
    ],
)
async def test_scripts(box, script, said):
    assert await box.sh(script) == said


async def test_a_listing(box):
    raw = made(("d/", None), ("d/f", b"abc"), ("l", "-> d/f"))
    out, _, _ = await fed(box, raw, "tar", "tv")
    assert out.decode().splitlines() == [
        "drwxr-xr-x 0/0         0 d/",
        "-rw-r----- 0/0         3 d/f",
        "lrw-r--r-- 0/0         0 l -> d/f",
    ]


async def test_names_that_lead_out(box):
    _, said, code = await fed(box, made(("../x", b"x")), "tar", "x")
    assert (said, code) == ("tar: name with '..' skipped: '../x'\n", 1)


async def test_a_bomb(box):
    raw = gzip.compress(bytes(archive.MAX_ARCHIVE + 1))
    _, said, code = await fed(box, raw, "tar", "xz")
    assert (said, code) == ("tar: write error: No space left on device\n", 1)
