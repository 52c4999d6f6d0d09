"""What Kubernetes' conformance tests require, asked of a whole cluster over its HTTP API.

Each test carries the name of the conformance test that it stands for: `@conformance("...")`.
docs/conformance.md lists them all.
"""

import asyncio

import orjson
import pytest

from tests.apiserver.endpoints.support import Client
from tests.support.eventually import eventually

MERGE = "application/merge-patch+json"
NAMESPACE = "conformance"


class World:
    """A running cluster with a namespace for the test, and an administrator's client."""

    def __init__(self, lab):
        self.lab = lab
        self.client = Client(lab.cluster.api, "admin-token")
        self._watches = []

    async def call(self, method, path, body=None, *, expect=None, **headers):
        """Return an answer's object. Any code below 300 will do unless one is expected."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.request(method, path, body, given)
        good = answer.status < 300 if expect is None else answer.status == expect
        assert good, f"{method} {path}: {answer.status} {answer.body[:500]!r}"
        return orjson.loads(answer.body) if answer.body else None

    async def get(self, path, **options):
        return await self.call("GET", path, **options)

    async def create(self, path, body, **options):
        return await self.call("POST", path, body, **options)

    async def update(self, path, change, to=""):
        """Read an object, let `change` make another of it, and store that; again if others did.

        `to` is the subresource that takes it, where it can't be read from there.
        """
        for _ in range(10):
            found = await self.get(path)
            change(found)
            answer = await self.client.request("PUT", path + to, found)
            if answer.status != 409:
                break
        assert answer.status == 200, answer.body[:500]
        return answer.json()

    async def patch(self, path, body, kind=MERGE, **options):
        return await self.call("PATCH", path, body, content_type=kind, **options)

    async def delete(self, path, body=None, **options):
        return await self.call("DELETE", path, body, **options)

    async def gone(self, path, within=60):
        """Wait until nothing is there."""
        await self.until(path, lambda found: found["kind"] == "Status", within, expect=404)

    async def until(self, path, check, within=60, expect=200):
        """Return an object once it passes a check. The longer it takes, the less often it looks."""
        begin, pause = asyncio.get_running_loop().time(), 0.05
        while True:
            answer = await self.client.get(path)
            found = answer.json()
            if answer.status == expect and check(found):
                return found
            assert asyncio.get_running_loop().time() < begin + within, f"{path}: {found}"
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, 1.0)

    def watch(self, path):
        """Open a watch."""
        made = Watching(self.client, path)
        self._watches.append(made)
        return made

    async def close(self):
        for one in self._watches:
            await one.leave()


class Watching:
    """A watch over HTTP, and what it has shown so far."""

    def __init__(self, client, path):
        self._body = bytearray()
        self._gone = asyncio.Event()
        self._asked = False
        scope = client.scope("GET", path, {})
        self._task = asyncio.ensure_future(client.app(scope, self._receive, self._send))

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b""}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        self._body += message.get("body", b"")

    @property
    def events(self):
        """Every event as (type, name, object)."""
        lines = map(orjson.loads, bytes(self._body).splitlines())
        return [(e["type"], e["object"]["metadata"].get("name"), e["object"]) for e in lines]

    @property
    def seen(self):
        return [event[:2] for event in self.events]

    async def until(self, type_, name, within=30):
        """Return the last object of a type and name once it was shown."""

        def check():
            found = [obj for kind, one, obj in self.events if (kind, one) == (type_, name)]
            return found and found[-1]

        return await eventually(check, within=within)

    async def sees(self, check, within=30):
        """Return the first object of an event that passes a check of its type and object."""

        def found():
            return next((obj for kind, _, obj in self.events if check(kind, obj)), None)

        return await eventually(found, within=within, every=0.2)

    async def leave(self):
        self._gone.set()
        await self._task


@pytest.fixture
async def world(lab):
    made = World(lab)
    await made.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
    await made.until(account, lambda found: found["metadata"]["name"] == "default")
    yield made
    await made.close()
