"""A cluster's API in memory: the real chain, registry and hub over a store without a database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from apimachinery.clock import Clock, ManualClock
from apimachinery.meta import Obj
from apiserver.admission.chain import AdmissionChain
from apiserver.admission.options import DEFAULTS as ADMISSION_DEFAULTS
from apiserver.admission.options import AdmissionOptions
from apiserver.admission.order import Surroundings, admission_chain
from apiserver.auth.authentication import admin_token
from apiserver.auth.bootstrap.objects import bootstrap_objects
from apiserver.auth.cluster import ClusterAuth, Credentials, create_credentials
from apiserver.auth.options import DEFAULTS, AuthOptions
from apiserver.auth.questions import Questions
from apiserver.auth.user import MASTERS, User
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.asgi import ApiServer
from apiserver.endpoints.local import LocalTransport
from apiserver.endpoints.options import ServingOptions
from apiserver.registry.bootstrap import initial_writes
from apiserver.registry.calling import Call as WebhookCall
from apiserver.registry.calling import no_call
from apiserver.registry.catalog import Catalog
from apiserver.registry.metadata import Identity
from apiserver.registry.objects import StoredObjects
from apiserver.storage import ClusterRecord, ClusterStore, Compacted, Entry, Event, StorageError
from apiserver.storage.staging import Head, Prepared, Staged
from apiserver.watch.hub import WatchHub

TOKEN = "secret"
ADMIN = User("admin", (MASTERS,))


class MemoryWriter:
    """Stages and commits at once, by the storage's own rules."""

    def __init__(self) -> None:
        self.before_commit: Callable[[], None] | None = None

    def write(
        self, head: Head, prepared: Sequence[Prepared], *, together: bool = False
    ) -> asyncio.Future[list[Entry | StorageError]]:
        if self.before_commit is not None:
            hook, self.before_commit = self.before_commit, None
            hook()
        staged = Staged(head)
        results = (
            staged.add_together(prepared) if together else [staged.add(one) for one in prepared]
        )
        staged.commit()
        head.apply(staged.events)
        future: asyncio.Future[list[Entry | StorageError]] = (
            asyncio.get_running_loop().create_future()
        )
        future.set_result(results)
        return future


class MemoryStore(ClusterStore):
    """A store whose log is a list."""

    def __init__(self, clock: Clock) -> None:
        self.log: list[Event] = []
        self.writer = MemoryWriter()
        super().__init__(
            ClusterRecord("test", uid="c", id=1),
            {},
            writer=self.writer,  # type: ignore[arg-type]
            reader=None,  # type: ignore[arg-type]
            clock=clock,
            hub=WatchHub,
        )

    def apply(self, events: Sequence[Event]) -> None:
        self.log += events
        super().apply(events)

    async def list_at(self, resource: str, namespace: str | None, revision: int) -> Sequence[Entry]:
        if revision < self.oldest:
            raise Compacted(revision, self.oldest)
        state: dict[Any, Entry] = {}
        for event in self.log:
            key = event.entry.key
            if event.revision > revision or key.resource != resource:
                continue
            if event.type == "DELETED":
                state.pop(key, None)
            elif namespace in (None, key.namespace):
                state[key] = event.entry
        return [state[key] for key in sorted(state, key=lambda key: key.path)]

    async def changes(
        self, resource: str | None, after: int, upto: int | None = None
    ) -> Sequence[Event]:
        if after < self.oldest:
            raise Compacted(after, self.oldest)
        end = self.revision if upto is None else upto
        return [
            event
            for event in self.log
            if after < event.revision <= end and resource in (None, event.entry.key.resource)
        ]


@cache
def credentials() -> Credentials:
    return create_credentials("c", ManualClock())


async def make_api(
    clock: Clock | None = None,
    *,
    admission: bool = True,
    bare: bool = False,
    call: WebhookCall | None = None,
    options: AuthOptions = DEFAULTS,
    serving: ServingOptions | None = None,
    switches: AdmissionOptions = ADMISSION_DEFAULTS,
) -> ClusterApi:
    """Return the API of a fresh cluster; `bare` has no objects at all but namespace default.

    `call` reaches webhooks; `options` are those of authentication and authorization,
    `switches` those of admission, `serving` those of how requests are served.
    """
    clock = clock or ManualClock()
    store = MemoryStore(clock)
    catalog, identity = Catalog(), Identity(random.Random(1))
    first = bootstrap_objects(clock)
    if bare:
        first = [o for o in first if (o["kind"], o["metadata"]["name"]) == ("Namespace", "default")]
    await store.commit_many(initial_writes(catalog, first, identity, clock))
    auth = ClusterAuth(credentials(), store, clock, admin_token(TOKEN), options)
    auth.start(store.hub, store.revision)
    objects = StoredObjects(store)
    chain = AdmissionChain([])
    if admission:

        async def provision(name: str) -> None:
            body = {"metadata": {"name": name}}
            await local(made).call(Call("create", "", "v1", "namespaces", body=body))

        chain = admission_chain(
            Surroundings(
                objects,
                random.Random(2),
                auth.may,
                Questions(auth),
                catalog,
                call or no_call,
                provision,
                switches,
                clock,
            )
        )
        chain.start(store.hub, store.revision)
    made = ClusterApi(
        name="test",
        store=store,
        clock=clock,
        auth=auth,
        admission=chain,
        catalog=catalog,
        objects=objects,
        source=random.Random(3),
        options=serving,
    )
    return made


@dataclass(slots=True)
class Call:
    """A request in process."""

    verb: str
    group: str
    version: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    body: Any = None
    content_type: str = ""
    params: dict[str, str] = field(default_factory=dict)
    cause: tuple[int, ...] = ()


def local(api: ClusterApi, user: User = ADMIN) -> LocalTransport:
    return LocalTransport(api, user)


@dataclass(slots=True)
class Response:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def message(self) -> str:
        return str(self.json().get("message", ""))


class Client:
    """An HTTP client of the ASGI app, without a server between."""

    def __init__(self, api: ClusterApi, token: str = TOKEN) -> None:
        self.api = api
        self.token = token

        async def lookup(name: str) -> ClusterApi | None:
            return api if name in ("default", "test") else None

        self.app = ApiServer(lookup, "default")

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        scope = self.scope(method, path, headers or {}, body)
        raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        sent: list[Any] = []
        incoming = [{"type": "http.request", "body": raw}]

        async def receive() -> Any:
            if incoming:
                return incoming.pop()
            return await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        content = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
        answered: dict[str, str] = {}
        for name, value in ((k.decode(), v.decode()) for k, v in sent[0]["headers"]):
            # Those that come more than once are one list to a reader (RFC 9110, 5.3).
            answered[name] = f"{answered[name]}, {value}" if name in answered else value
        return Response(sent[0]["status"], answered, content)

    def scope(
        self, method: str, path: str, headers: Mapping[str, str], body: Any = None
    ) -> dict[str, Any]:
        """Return the scope of a request."""
        target, _, query = path.partition("?")
        given = {"host": "test", **{k.lower(): v for k, v in headers.items()}}
        if self.token:
            given.setdefault("authorization", f"Bearer {self.token}")
        if body is not None:
            given.setdefault("content-type", "application/json")
        return {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": target,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(k.encode(), v.encode()) for k, v in given.items()],
            "client": ("127.0.0.1", 1),
            "server": ("test", 443),
            "extensions": {},
        }

    async def get(self, path: str, **headers: str) -> Response:
        return await self.request("GET", path, headers=headers)

    async def post(self, path: str, body: Any) -> Response:
        return await self.request("POST", path, body)


class Stream:
    """An open watch: what it has sent, and the client's way to leave."""

    def __init__(self, client: Client, path: str, **headers: str) -> None:
        self.sent: list = []
        self._gone = asyncio.Event()
        scope = client.scope("GET", path, headers)
        self.task = asyncio.ensure_future(client.app(scope, self._receive, self._send))
        self._asked = False

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b""}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message) -> None:
        self.sent.append(message)

    async def events(self) -> list:
        """Return what has come so far."""
        for _ in range(20):
            await asyncio.sleep(0)
        body = b"".join(m.get("body", b"") for m in self.sent if m["type"].endswith("body"))
        return [orjson.loads(line) for line in body.splitlines()]

    async def leave(self) -> None:
        self._gone.set()
        await self.task


def config_map(name: str, **data: str) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": data,
    }
