"""Built files that change under a running site, and answers that break off in the middle."""

from __future__ import annotations

import asyncio

import pytest

from playground import files
from playground.breaking import BREAK_OFF, breaking
from playground.files import Files
from playground.pushback import PatientServer


async def missing(scope, receive, send):
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"no such page"})


@pytest.fixture
def built(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "AGAIN", 0)
    directory = tmp_path / "static" / "dist"
    directory.mkdir(parents=True)
    (directory / "base-OLD.js").write_text("old")
    return directory


@pytest.fixture
def ask(built):
    served = Files(missing, built=built)
    served.add_files(str(built.parent), prefix="static/")

    async def get(name):
        said = []

        async def send(message):
            said.append(message)

        path = f"/static/dist/{name}"
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        await served(scope, None, send)
        body = b"".join(message.get("body", b"") for message in said[1:])
        return said[0]["status"], body

    return get


async def test_a_file_that_was_built_since_is_served_and_one_that_went_is_no_more(ask, built):
    assert await ask("base-OLD.js") == (200, b"old")
    assert await ask("base-NEW.js") == (404, b"no such page")
    (built / "base-NEW.js").write_text("new")
    (built / "base-OLD.js").unlink()
    both = await asyncio.gather(ask("base-NEW.js"), ask("base-OLD.js"), ask("base-NEW.js"))
    assert both == [(200, b"new"), (404, b"no such page"), (200, b"new")]


async def test_without_any_built_file_the_answer_is_404(ask, built):
    (built / "base-OLD.js").unlink()
    built.rmdir()
    assert await ask("base-OLD.js") == (404, b"no such page")
    built.mkdir()
    (built / "base-OLD.js").write_text("again")
    assert await ask("base-OLD.js") == (200, b"again")


async def test_names_that_are_nowhere_do_not_have_the_directory_read_each_time(
    ask, built, monkeypatch
):
    monkeypatch.setattr(files, "AGAIN", 1000)
    assert (await ask("a.js"))[0] == 404
    (built / "b.js").write_text("b")
    assert (await ask("b.js"))[0] == 404
    (built / "base-OLD.js").unlink()
    assert (await ask("base-OLD.js"))[0] == 404, "what went is known at once"


async def test_an_answer_that_fails_in_the_middle_ends_its_connection(caplog):
    said = []

    async def failing(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise FileNotFoundError("it went")

    async def send(message):
        said.append(message["type"])

    await breaking(failing)({"type": "http", "path": "/x"}, None, send)
    assert said == ["http.response.start", BREAK_OFF]
    assert caplog.records[0].message == "an answer broke off: /x"

    class Connection:
        lost = False

        def loseConnection(self):  # noqa: N802 - Twisted's name
            self.lost = True

    connection = Connection()
    server = PatientServer(None, endpoints=["unix:x"])
    await server.handle_reply(connection, {"type": BREAK_OFF})
    assert connection.lost


async def test_a_request_that_fails_before_its_answer_is_the_server_s_to_answer():
    async def failing(scope, receive, send):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await breaking(failing)({"type": "http", "path": "/x"}, None, None)
