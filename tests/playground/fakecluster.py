"""A cluster worker in a dict, served over HTTP on loopback: what the site asks of the real one.

Control API, lists, watches, tables, logs and discovery; no validation and no controllers. Faults
are fields: `forbidden` kinds, `down`, revisions that have `expired`.
"""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from tests.playground import fakerights
from tests.playground.fakeanswers import (
    CREATED,
    KINDS,
    api_version,
    dig,
    discovery,
    line,
    merged,
    read_body,
    resource_list,
    status,
    table,
)
from tests.playground.overview.sample import CONTROL, OVERVIEW

ADMIN_TOKEN = "the-admin-token"
# When the log says that its writes were.
WRITTEN = 1_795_428_130.0


@dataclass
class Fake:
    """Clusters by name; each holds objects by resource and key, and a log of changes."""

    clusters: dict[str, FakeCluster] = field(default_factory=dict)
    down: bool = False
    requests: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, owner: str = "operator", nodes: int = 0) -> FakeCluster:
        cluster = FakeCluster(name, owner, nodes)
        self.clusters[name] = cluster
        return cluster

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = [(k.decode().lower(), v.decode()) for k, v in scope["headers"]]
        request = Request(
            scope["method"],
            scope["path"],
            {k: v[0] for k, v in parse_qs(scope["query_string"].decode()).items()},
            dict(headers),
            [v for k, v in headers if k == "impersonate-group"],
            read_body(body, dict(headers).get("content-type", "")),
        )
        self.requests.append(
            {"path": request.path, "user": request.headers.get("impersonate-user")}
        )
        await self.answer(request, send)

    async def answer(self, request, send):
        if self.down:
            return await reply(send, 503, status(503, "ServiceUnavailable", "down"))
        if request.headers.get("authorization") != f"Bearer {ADMIN_TOKEN}":
            return await reply(send, 401, status(401, "Unauthorized", "Unauthorized"))
        if (rights := fakerights.answer(self.clusters, request)) is not None:
            return await reply(send, *rights)
        if request.path.startswith("/kubeground/v1/clusters"):
            return await self.control(request, send)
        parts = request.path.split("/", 3)
        cluster = self.clusters.get(parts[2]) if parts[1] == "clusters" else None
        if cluster is None:
            return await reply(send, 404, status(404, "NotFound", "no such cluster"))
        if cluster.paused:
            told = status(503, "ServiceUnavailable", "paused")
            causes = [{"reason": "ClusterPaused", "message": "paused"}]
            told["details"] = {"name": cluster.name, "causes": causes}
            return await reply(send, 503, told)
        return await cluster.answer(request, f"/{parts[3] if len(parts) > 3 else ''}", send)

    async def control(self, request, send):
        parts = request.path.removeprefix("/kubeground/v1/clusters").strip("/").split("/")
        if parts == [""]:
            if request.method == "GET":
                items = [cluster.described for cluster in self.clusters.values()]
                return await reply(send, 200, {"items": items})
            name = request.body["name"]
            if name in self.clusters:
                text = f'clusters "{name}" already exists'
                return await reply(send, 409, status(409, "AlreadyExists", text))
            made = self.add(name, request.body["owner"], request.body.get("nodes", 3))
            return await reply(send, 201, {**made.described, **made.access})
        cluster = self.clusters.get(parts[0])
        if cluster is None:
            return await reply(send, 404, status(404, "NotFound", "not found"))
        if request.method == "PATCH":
            cluster.owner = request.body.get("owner", cluster.owner)
            return await reply(send, 200, cluster.described)
        pages = ("activity", "at", "clock", "decisions", "failures", "history", "revision")
        if parts[1:2] and parts[1] in (*pages, "scheduling"):
            return await self.page(request, cluster, parts[1:], send)
        if request.method == "GET" and not parts[1:]:
            return await reply(send, 200, cluster.described)
        if request.method == "DELETE":
            cluster.end()
            del self.clusters[parts[0]]
            return await reply(send, 200, {})
        if parts[1:] in (["pause"], ["resume"]):
            cluster.paused = parts[1] == "pause"
        answers = {
            "kubeconfig": {"kubeconfig": cluster.access["kubeconfig"]},
            "connections": {"first": cluster.first},
            "picture": {
                "revision": cluster.revision,
                "nodes": [
                    ["", ""],
                    *[[key[1:], "rrp"] for key in cluster.objects["nodes"]],
                ],
            },
            "pause": {},
            "resume": {},
            "search": cluster.search(request.query.get("q", "")),
            "overview": cluster.overview(request.query),
            "traces": cluster.traces(parts[1:], request.query),
            "audit": {"items": cluster.audit},
        }
        return await reply(send, 200, answers[parts[1]])

    async def page(self, request, cluster, parts, send):
        """Answer for what is below a cluster's name in the control API."""
        if parts[0] == "revision":
            return await reply(send, 200, {"revision": await cluster.after(request.query)})
        if parts[0] == "clock":
            return await reply(send, 200, cluster.told(request))
        if parts[0] == "activity":
            return await reply(send, *await cluster.beat(request))
        if parts[0] == "failures":
            return await reply(send, *cluster.failed(request, parts[1:]))
        if parts[0] == "history" and parts[1:] == ["moment"]:
            rev = int(request.query.get("rev", cluster.revision))
            if rev > cluster.revision:
                return await reply(send, 504, status(504, "Timeout", "Too large resource version"))
            return await reply(send, 200, {"revision": rev, "at": WRITTEN, **cluster.ends})
        if parts[0] in ("decisions", "scheduling"):
            return await reply(send, *cluster.placed(parts, request.body))
        if parts[0] == "history":
            return await reply(send, 200, cluster.remembered(parts[-1], request.query))
        # The fake remembers no past: any revision that it has had looks like the present.
        if int(parts[1]) > cluster.revision:
            return await reply(send, 504, status(504, "Timeout", "Too large resource version"))
        return await cluster.answer(request, "/" + "/".join(parts[2:]), send)


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    groups: list[str]
    body: Any

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


class FakeCluster:
    """One cluster. Change it from the loop that serves it, or through `Served.change`."""

    def __init__(self, name: str, owner: str, nodes: int) -> None:
        self.name, self.owner, self.wanted_nodes = name, owner, nodes
        # A cluster that was made again under an old name is another one.
        self.uid = str(uuid.uuid4())
        self.revision = 1
        self.objects: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}
        self.log: list[tuple[int, str, str, dict[str, Any]]] = []
        self.watchers: list[asyncio.Queue] = []
        self.first: dict[str, str] | None = None
        self.forbidden: set[str] = set()
        # Rights that access reviews deny: "patch pods", "create pods/eviction".
        self.denied: set[str] = set()
        self.refusals: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        # How many lists are no longer known where they would be continued.
        self.forgets = 0
        self.writes: list[tuple[str, str, Any]] = []
        self.oldest = 0
        self.ended = False
        self.paused = False
        self.used: str | None = None
        self.logs: dict[str, str] = {}
        self.revoked: list[str] = []
        self.schema_hash = "ABC"
        self.failures: list[dict[str, Any]] = []
        self.facts: list[dict[str, Any]] = []
        self.attempts: dict[str, list[dict[str, Any]]] = {}
        self.scheduling: dict[str, Any] = {}
        self.audit: list[dict[str, Any]] = []
        # What was asked last, and first, by page.
        self.asked: dict[str, dict[str, str]] = {}
        self.first_asked: dict[str, dict[str, str]] = {}
        # What its overview says otherwise than the usual one.
        self.look: dict[str, Any] = {}
        self.secretive = False
        # How many requests there were, and from whom.
        self.beats: dict[str, int] = {}
        self.waiting: dict[str, Any] = {
            "controllers": {},
            "scheduler": {"active": 0, "backoff": 0, "unschedulable": 0, "gated": 0},
        }
        self.clock: dict[str, Any] = {
            "time": CREATED,
            "seconds": 1_795_424_400.0,
            "rate": 1.0,
            "paused": False,
            "ahead": 0.0,
            "next": None,
        }

    async def after(self, query):
        """Return the revision, as soon as it is another."""
        for _ in range(400):
            if self.revision != int(query.get("after", 0)):
                break
            await asyncio.sleep(0.05)
        return self.revision

    def told(self, request):
        """Answer for the clock: it takes what it is told, and does not run."""
        wanted = request.body or {}
        if wanted.get("action") in ("pause", "resume", "step"):
            self.clock["paused"] = wanted["action"] != "resume"
        self.clock["rate"] = wanted.get("rate") or self.clock["rate"]
        return self.clock | ({"moved": 60.0} if wanted.get("action") == "step" else {})

    async def beat(self, request):
        """Tell what the control plane does: at once what was `ask`ed since, or after a while."""
        if self.secretive:
            text = f'User "{request.headers["impersonate-user"]}" cannot get path "/metrics"'
            return 403, status(403, "Forbidden", f"forbidden: {text}")
        count, after = sum(self.beats.values()), request.query.get("after")
        if after is not None and int(after) == count:
            await asyncio.sleep(0.2)
            count = sum(self.beats.values())
        since = 0 if after is None else count - int(after)
        nodes = len(self.objects["nodes"])
        return 200, {
            "count": count,
            "revision": self.revision,
            "requests": since,
            "refused": 0,
            "from": self.beats if since else {},
            "watches": len(self.watchers),
            **self.waiting,
            "kubelets": {"running": nodes, "all": nodes},
        }

    def ask(self, **times):
        """Count requests: ask(scheduler=3)."""
        for who, number in times.items():
            self.beats[who] = self.beats.get(who, 0) + number

    def failed(self, request, rest):
        """Answer for the failure kit: what is broken is listed, and nothing happens."""
        if request.method == "GET":
            return 200, {"items": self.failures, "moments": [], "kinds": []}
        if request.method == "DELETE":
            gone = [one for one in self.failures if not rest or one["id"] in rest]
            self.failures = [one for one in self.failures if one not in gone]
            return 200, gone[0] if rest else {"items": gone}
        node = request.body["target"].get("node")
        if node == "n9":
            text = 'Failure "stop-node" is invalid: target.node: Not found: "n9"'
            wrong = status(422, "Invalid", text)
            wrong["details"] = {"causes": [{"field": "target.node", "message": 'Not found: "n9"'}]}
            return 422, wrong
        made = {
            "id": f"{request.body['kind']}-{len(self.failures) + 1}",
            "what": f"Stopped node {node}",
            "began": CREATED,
            "revision": self.revision,
            "active": True,
            **request.body,
        }
        self.failures.append(made)
        return 201, made

    @property
    def described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "uid": self.uid,
            "owner": self.owner,
            "template": "default",
            "nodes": len(self.objects["nodes"]) or self.wanted_nodes,
            "created": CREATED,
            "revision": self.revision,
            "state": "paused" if self.paused else "running",
            "version": "v1.36.2",
            "pods": len(self.objects["pods"]),
            "used": self.used,
            "expires": None,
        }

    @property
    def access(self) -> dict[str, str]:
        server = f"https://127.0.0.1:6443/clusters/{self.name}"
        config = f"apiVersion: v1\nkind: Config\nclusters:\n- cluster: {{server: {server}}}\n"
        return {"server": server, "kubeconfig": config}

    def placed(self, parts: list[str], body: Any) -> tuple[int, dict[str, Any]]:
        """Answer for what the scheduler did, or would do."""
        if parts == ["scheduling"]:
            return 200, self.scheduling
        if parts[-1] != "what-if":
            return self.decided(parts[-1])
        return self.tried(body)

    def decided(self, uid: str) -> tuple[int, dict[str, Any]]:
        """Answer for why a pod stands where it stands."""
        items = [one for one in self.objects["pods"].values() if one["metadata"]["uid"] == uid]
        if not items:
            return 404, status(404, "NotFound", f'pods "{uid}" not found')
        if "pods" in self.forbidden:
            return 403, status(403, "Forbidden", "pods is forbidden")
        meta = items[0]["metadata"]
        where = {"namespace": meta["namespace"], "name": meta["name"]}
        filters = ["TaintToleration", "NodeResourcesFit"]
        return 200, {**where, "items": self.attempts.get(uid, []), "filters": filters}

    def tried(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer for what would be: as the last attempt at the pod that is named."""
        if "name" not in asked.get("pod", {}):
            return 400, status(400, "BadRequest", "pod: must be an object")
        uid = f"pods-{asked['pod']['namespace']}-{asked['pod']['name']}"
        code, found = self.decided(uid)
        return code, {**found["items"][-1], "filters": found["filters"]} if code == 200 else found

    def traces(self, parts: list[str], asked: dict[str, str]) -> dict[str, Any]:
        """Answer as a worker that has seen no request, and note what was asked for."""
        if parts[0] == "traces":
            self.asked["traces"] = asked
            self.first_asked.setdefault("traces", asked)
        counts = {"count": 0, "skipped": 0, "revision": self.revision}
        return {"items": [], "recording": False, **counts}

    def hide_control(self) -> None:
        """Tell nobody what the control plane does."""
        self.secretive = True

    def overview(self, asked: dict[str, str]) -> dict[str, Any]:
        """Answer as a worker whose cluster is always the same."""
        found = {"revision": int(asked.get("rev", self.revision)), "at": 1_795_424_400.0}
        if "rev" not in asked and not self.secretive:
            found["control"] = CONTROL
        return found if asked.get("seen") == str(self.revision) else found | OVERVIEW | self.look

    def search(self, words: str) -> dict[str, Any]:
        found = [
            {
                "group": api_version(kind).rpartition("/")[0],
                "plural": kind,
                "kind": KINDS[kind],
                "namespace": item["metadata"].get("namespace", ""),
                "name": item["metadata"]["name"],
            }
            for kind, items in self.objects.items()
            for item in items.values()
            if all(word in item["metadata"]["name"] for word in words.split())
        ]
        return {"items": found[:20], "total": len(found)}

    # --- changing it ------------------------------------------------------------------------

    def put(self, resource: str, item: dict[str, Any]) -> dict[str, Any]:
        """Create or replace an object; its uid stays."""
        meta = item["metadata"]
        key = f"{meta.get('namespace', '')}/{meta['name']}"
        before = self.objects[resource].get(key)
        self.revision += 1
        meta.setdefault("uid", f"{resource}-{meta.get('namespace', '')}-{meta['name']}")
        meta.setdefault("creationTimestamp", CREATED)
        meta["resourceVersion"] = str(self.revision)
        item.setdefault("kind", KINDS[resource])
        item.setdefault("apiVersion", api_version(resource))
        self.objects[resource][key] = item
        self.note(resource, "MODIFIED" if before else "ADDED", item)
        return item

    def delete(self, resource: str, key: str) -> None:
        item = json.loads(json.dumps(self.objects[resource].pop(key)))
        self.revision += 1
        item["metadata"]["resourceVersion"] = str(self.revision)
        self.note(resource, "DELETED", item)

    def note(self, resource: str, type_: str, item: dict[str, Any]) -> None:
        entry = (self.revision, resource, type_, json.loads(json.dumps(item)))
        self.log.append(entry)
        for queue in self.watchers:
            queue.put_nowait(entry)

    def cut_watches(self) -> None:
        for queue in self.watchers:
            queue.put_nowait(None)

    def end(self) -> None:
        self.ended = True
        self.cut_watches()

    # --- answering --------------------------------------------------------------------------

    async def answer(self, request: Request, path: str, send) -> None:
        if not request.headers.get("impersonate-user") or "system:masters" not in request.groups:
            return await reply(send, 403, status(403, "Forbidden", "not impersonated"))
        if (served := self.document(path)) is not None:
            return await reply(send, 200, served)
        if path.endswith("/selfsubjectaccessreviews"):
            return await reply(send, 201, self.reviewed(request.body))
        parts = path.strip("/").split("/")
        root, rest = (2, parts[2:]) if parts[0] == "api" else (3, parts[3:])
        namespace = ""
        if rest and rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        resource = rest[0] if rest else ""
        if root and resource not in self.objects:
            return await reply(send, 404, status(404, "NotFound", "the server could not find it"))
        if resource in self.forbidden:
            user = request.headers["impersonate-user"]
            text = f'{resource} is forbidden: User "{user}" cannot list resource "{resource}"'
            return await reply(send, 403, status(403, "Forbidden", text))
        if len(rest) == 1:
            return await self.collection(request, resource, namespace, send)
        if request.method != "GET":
            return await reply(send, *self.written(request, resource, namespace, rest[1:]))
        return await self.one(request, resource, namespace, rest[1:], send)

    @property
    def ends(self) -> dict[str, int]:
        """Where the log begins and ends."""
        return {"oldest": 0, "newest": self.revision}

    def remembered(self, page: str, asked: dict[str, str]) -> dict[str, Any]:
        """Answer for a page of the history."""
        if page == "history":
            return self.ends | {
                "compacted": False,
                "compacted_at": None,
                "now": WRITTEN,
                "after": 0,
                "upto": self.revision,
                "width": 1,
                "density": [],
                "moments": [[self.revision, WRITTEN]],
                "warnings": [],
                "failures": [],
            }
        told = {"object": self.records, "facts": lambda _: self.facts}
        return {"items": told[page](asked) if page in told else []}

    async def collection(self, request, resource, namespace, send) -> None:
        if request.method == "POST" and request.content_type == "application/yaml":
            name = request.body["metadata"]["name"]
            await reply(send, *self.written(request, resource, namespace, [name]))
        elif request.method == "POST":
            await reply(send, *self.created(resource, namespace, request.body))
        elif request.query.get("watch"):
            await self.watch(request, resource, namespace, send)
        else:
            await self.list(request, resource, namespace, send)

    def document(self, path: str) -> dict[str, Any] | None:
        """Return what the cluster tells of itself at an address, if it does."""
        if path in ("/api", "/apis"):
            return discovery(path)
        if path in ("/api/v1", "/apis/apps/v1"):
            return resource_list(path)
        return openapi(self, path) if path.startswith("/openapi/v3") else None

    def records(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        """Return the writes of one object, the latest first."""
        wanted = (asked.get("namespace", ""), asked["name"])
        return [
            {
                "revision": revision,
                "type": type_,
                "uid": item["metadata"]["uid"],
                "at": WRITTEN,
                "actor": "system:serviceaccount:kube-system:replicaset-controller",
                "trace": "",
                "object": item,
            }
            for revision, resource, type_, item in reversed(self.log)
            if revision < int(asked.get("before", self.revision + 1))
            if resource == asked["resource"].partition(".")[0]
            and (item["metadata"].get("namespace", ""), item["metadata"]["name"]) == wanted
        ]

    def reviewed(self, body: Any) -> dict[str, Any]:
        asked = body["spec"]["resourceAttributes"]
        target = "/".join(filter(None, (asked["resource"], asked.get("subresource"))))
        return {"status": {"allowed": f"{asked['verb']} {target}" not in self.denied}}

    def created(self, resource, namespace, body) -> tuple[int, dict[str, Any]]:
        """Make an object, unless it is there."""
        name = body["metadata"]["name"]
        if f"{namespace}/{name}" in self.objects[resource]:
            return 409, status(409, "AlreadyExists", f'{resource} "{name}" already exists')
        body["metadata"]["namespace"] = namespace
        return 201, self.put(resource, body)

    def written(self, request, resource, namespace, rest) -> tuple[int, dict[str, Any]]:
        """Delete or patch an object, unless `refusals` has an answer for it."""
        name, key = rest[0], f"{namespace}/{rest[0]}"
        self.writes.append((request.method, "/".join([resource, *rest]), request.body))
        if refusal := self.refusals.get((request.method, "/".join([resource, *rest]))):
            return refusal
        if request.content_type in ("application/yaml", "application/apply-patch+yaml"):
            return self.stored(request, resource, namespace, key)
        if key not in self.objects[resource]:
            return 404, status(404, "NotFound", f'{resource} "{name}" not found')
        if request.query.get("dryRun"):
            return 200, self.objects[resource][key]
        if request.method == "DELETE" or rest[1:] == ["eviction"]:
            self.delete(resource, key)
            return 200, {"kind": "Status", "status": "Success"}
        changed = merged(self.objects[resource][key], request.body)
        return 200, self.put(resource, changed)

    def stored(self, request, resource, namespace, key) -> tuple[int, dict[str, Any]]:
        """Take a whole object, as an editor sends it."""
        new = key not in self.objects[resource]
        if request.method == "PUT" and new:
            return 404, status(404, "NotFound", f'{resource} "{key}" not found')
        item = json.loads(json.dumps(request.body))
        if namespace:
            item["metadata"]["namespace"] = namespace
        if request.query.get("dryRun"):
            return 201 if new else 200, item
        return 201 if new else 200, self.put(resource, item)

    def found(self, request: Request, resource: str, namespace: str) -> list[dict[str, Any]]:
        items = list(self.objects[resource].values())
        if namespace:
            items = [i for i in items if i["metadata"].get("namespace") == namespace]
        for term in filter(None, request.query.get("labelSelector", "").split(",")):
            key, _, value = term.partition("=")
            items = [i for i in items if i["metadata"].get("labels", {}).get(key) == value]
        for term in filter(None, request.query.get("fieldSelector", "").split(",")):
            key, _, value = term.partition("=")
            items = [i for i in items if str(dig(i, key)) == value]
        return items

    async def list(self, request: Request, resource: str, namespace: str, send) -> None:
        items = self.found(request, resource, namespace)
        meta: dict[str, Any] = {"resourceVersion": str(self.revision)}
        limit = int(request.query.get("limit") or 0)
        start = int(request.query.get("continue") or 0)
        if start and self.forgets:
            self.forgets -= 1
            old = "The provided continue parameter is too old to display a consistent list result."
            return await reply(send, 410, status(410, "Expired", old))
        if limit and start + limit < len(items):
            meta["continue"] = str(start + limit)
            meta["remainingItemCount"] = len(items) - start - limit
        end = start + limit if limit else len(items)
        if "as=Table" in request.headers.get("accept", ""):
            return await reply(send, 200, table(resource, items[start:end], meta))
        kind = f"{KINDS[resource]}List"
        page = {"kind": kind, "metadata": meta, "items": items[start:end]}
        return await reply(send, 200, page)

    async def watch(self, request: Request, resource: str, namespace: str, send) -> None:
        since = int(request.query.get("resourceVersion") or 0)
        as_table = "as=Table" in request.headers.get("accept", "")
        queue: asyncio.Queue = asyncio.Queue()
        if since < self.oldest:
            text = {"type": "ERROR", "object": status(410, "Expired", "too old resource version")}
            await start(send, 200, "application/json")
            await more(send, line(text))
            return await done(send)
        for entry in self.log:
            if entry[0] > since:
                queue.put_nowait(entry)
        self.watchers.append(queue)
        await start(send, 200, "application/json")
        try:
            while (entry := await queue.get()) is not None:
                _, kind, type_, item = entry
                if kind != resource:
                    continue
                if namespace and item["metadata"].get("namespace") != namespace:
                    continue
                shown = table(resource, [item], {}) if as_table else item
                await more(send, line({"type": type_, "object": shown}))
        finally:
            self.watchers.remove(queue)
        return await done(send)

    async def one(self, request: Request, resource: str, namespace: str, rest, send) -> None:
        item = self.objects[resource].get(f"{namespace}/{rest[0]}")
        if item is None:
            text = f'{resource} "{rest[0]}" not found'
            return await reply(send, 404, status(404, "NotFound", text))
        if rest[1:] != ["log"]:
            return await reply(send, 200, item)
        await start(send, 200, "text/plain")
        await more(send, self.logs.get(rest[0], "").encode())
        while request.query.get("follow") and not self.ended:
            await asyncio.sleep(0.2)
            await more(send, b"tick\n")
        return await done(send)


class Served:
    """A fake on a port of its own, in a thread of its own."""

    def __init__(self, fake: Fake, loop: asyncio.AbstractEventLoop, url: str) -> None:
        self.fake, self.loop, self.url = fake, loop, url

    def change(self, work, *args):
        """Run `work` in the loop that serves, and return what it returns."""

        async def run():
            return work(*args)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)


@contextmanager
def served(fake: Fake, port: int = 0):
    """Serve a fake on loopback while the block runs."""
    config = uvicorn.Config(
        fake, port=port, log_level="error", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    ready = threading.Event()
    found: dict[str, Any] = {}

    async def run() -> None:
        sockets = [config.bind_socket()]
        found["port"] = sockets[0].getsockname()[1]
        found["loop"] = asyncio.get_running_loop()
        task = asyncio.ensure_future(server.serve(sockets=sockets))
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.01)
        ready.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield Served(fake, found["loop"], f"http://127.0.0.1:{found['port']}")
    finally:
        for cluster in fake.clusters.values():
            found["loop"].call_soon_threadsafe(cluster.end)
        server.should_exit = True
        thread.join(10)


async def start(send, code: int, kind: str) -> None:
    headers = [(b"content-type", kind.encode())]
    await send({"type": "http.response.start", "status": code, "headers": headers})


async def more(send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def done(send) -> None:
    await send({"type": "http.response.body", "body": b""})


async def reply(send, code: int, body: Any) -> None:
    await start(send, code, "application/json")
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def openapi(cluster: FakeCluster, path: str) -> dict[str, Any]:
    """Describe ConfigMaps, under a hash that one can change."""
    if path == "/openapi/v3":
        address = f"/clusters/{cluster.name}/openapi/v3/api/v1?hash={cluster.schema_hash}"
        return {"paths": {"api/v1": {"serverRelativeURL": address}}}
    meta = {"type": "object", "properties": {"name": {"type": "string"}}}
    config = {
        "type": "object",
        "properties": {"metadata": {"allOf": [{"$ref": "#/components/schemas/Meta"}]}},
        "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "ConfigMap"}],
    }
    return {"components": {"schemas": {"ConfigMap": config, "Meta": meta, "Other": {}}}}
