"""sample-apiserver: the extension API server of Kubernetes' own tests, wardle.example.com.

It stores its Flunders and Fischers in its own memory (the etcd beside it is not asked), so they go
with its pod. It knows a front proxy by the name in the certificate of the connection, and takes
the user from it; who comes without is anonymous and may read nothing. What the API server has
authorized it does not ask about again.

A Flunder can be connected to (`flunders/NAME/connect`), by a WebSocket or SPDY/3.1: it echoes. The
real server has nothing of the kind; this one has it to try upgraded connections with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias
from urllib.parse import parse_qs

import orjson

from apimachinery.errors import ApiError, BadRequest, MethodNotAllowed, UnsupportedMediaType
from apimachinery.labels import parse_selector
from apimachinery.meta import labels_of
from apimachinery.patch import json as json_patch
from apimachinery.patch import merge as merge_patch
from nodes.network.echo import echo, is_upgrade
from nodes.network.http import Headers, HttpRequest, HttpResponse, serve_http
from nodes.network.tls import KeyPair, serve_tls
from nodes.runtime.simulated.image import MIB, ImageFamily, executables
from nodes.runtime.simulated.images import sampleapi_kinds as kinds
from nodes.runtime.simulated.images import sampleapi_pages as pages
from nodes.runtime.simulated.images.sampleapi_forms import Form, watch_events
from nodes.runtime.simulated.images.sampleapi_kinds import Kind
from nodes.runtime.simulated.images.sampleapi_objects import Objects, Place
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.program import Server
from nodes.runtime.simulated.shell.options import parse_options

Obj: TypeAlias = dict[str, Any]
FRONT_PROXY = "CN=front-proxy-client"
_OPTIONS = ("secure-port", "tls-cert-file", "tls-private-key-file", "v", "etcd-servers")
_JSON = "application/json"
# Applying is merging here: the server keeps no managed fields.
_PATCHES = {
    "application/json-patch+json": json_patch.apply,
    "application/merge-patch+json": merge_patch.apply,
    "application/apply-patch+yaml": merge_patch.apply,
}


class SampleApiServer(Server):
    """sample-apiserver --tls-cert-file FILE --tls-private-key-file FILE [--secure-port PORT]."""

    def start(self, process: Process) -> None:
        self._process = process
        self._objects = Objects(process.clock, process.world.seed)
        options = parse_options(process.argv[1:], "", "", _OPTIONS)
        port = int(options.number("secure-port", default=443))
        files = (options.value("tls-cert-file"), options.value("tls-private-key-file"))
        try:
            if any(files):
                pair = KeyPair(*(process.fs.read(path) or b"" for path in files))
            else:
                pair = KeyPair.self_signed("localhost", process.clock.now())
            handler = serve_tls(serve_http(self._answer), pair, ask_client=True)
            process.listen(port, handler)
        except (OSError, ValueError) as error:
            process.complain(f"Error: {error}")
            process.exit(1)
            return
        process.complain(f"I Serving securely on [::]:{port}")

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        self._process.work(0.001)
        page = pages.page(request)
        if page is not None:
            return page
        try:
            asked = Asked(request, self._objects)
            return await asked.answer()
        except ApiError as error:
            return _json(error.status(), error.code)


class Asked:
    """One request for objects."""

    def __init__(self, request: HttpRequest, objects: Objects) -> None:
        """Read the path. Raises Forbidden, PathNotFound."""
        user = pages.user_of(request, FRONT_PROXY)
        self._request, self._objects = request, objects
        place = pages.parse(request.path)
        kind = kinds.find(place.version, place.resource)
        pages.authorize(user, request.method, place)
        if kind is None or (place.namespace and not kind.namespaced):
            raise pages.no_such_path()
        self._kind: Kind = kind
        self._place = Place(kind.resource, place.namespace, place.name)
        self._part = place.subresource
        self._query = {key: values[0] for key, values in _query(request).items()}
        self._form = Form.read(kind, request.headers.get("Accept"), objects.clock.seconds())
        self._selector = parse_selector(self._query.get("labelSelector", ""))

    async def answer(self) -> HttpResponse:
        """Do what is asked."""
        method = self._request.method
        one, many = (self._one, self._many)
        if self._part == "connect":
            return self._connect()
        if self._place.name:
            return one(method)
        if method == "GET" and self._query.get("watch") in ("true", "1"):
            events = watch_events(self._objects, self._place, self._form, self._query, self._takes)
            return HttpResponse(200, Headers([("Content-Type", _JSON)]), stream=events)
        return many(method)

    # -- one object ------------------------------------------------------------------------------

    def _one(self, method: str) -> HttpResponse:
        objects, place = self._objects, self._place
        if method in ("GET", "HEAD"):
            return self._show(objects.get(place))
        if method == "PUT":
            return self._show(self._replace(self._body()))
        if method == "PATCH":
            patch = _PATCHES.get(self._request.headers.get("Content-Type").partition(";")[0])
            if patch is None:
                raise UnsupportedMediaType("the body of the request was in an unknown format")
            before = kinds.shown(self._kind, objects.get(place))
            return self._show(self._replace(patch(before, _parsed(self._request.body))))
        if method == "DELETE" and not self._part:
            gone = objects.get(place) if self._dry else objects.delete(place)
            if gone["metadata"].get("finalizers"):
                return self._show(gone)
            return _json(_success(self._kind, gone))
        raise MethodNotAllowed(self._kind.resource, method.lower())

    def _connect(self) -> HttpResponse:
        if self._kind.kind != "Flunder":
            raise pages.no_such_path()
        self._objects.get(self._place)
        if not is_upgrade(self._request):
            raise BadRequest("Upgrade request required")
        return echo(self._request)

    def _replace(self, sent: Obj) -> Obj:
        old = self._objects.get(self._place)
        new = kinds.stored(self._kind, self._checked(sent))
        part = self._part or "spec"
        if part == "status":
            new = {**old, "status": new.get("status") or {}}
        elif self._kind.kind == "Flunder":
            new = {**new, "status": old.get("status") or {}}
        return new if self._dry else self._objects.update(self._place, new)

    # -- many ------------------------------------------------------------------------------------

    def _many(self, method: str) -> HttpResponse:
        if method == "POST":
            return self._create()
        if method not in ("GET", "DELETE"):
            raise MethodNotAllowed(self._kind.resource, method.lower())
        found = [
            obj
            for obj in self._objects.list(self._kind.resource, self._place.namespace)
            if self._takes(obj)
        ]
        if method == "DELETE" and not self._dry:
            for obj in found:
                about = obj["metadata"]
                place = Place(self._kind.resource, about.get("namespace") or "", about["name"])
                self._objects.delete(place)
        return _json(self._form.many(found, self._objects.revision))

    def _create(self) -> HttpResponse:
        sent = self._body()
        about, namespace = dict(sent["metadata"]), self._place.namespace
        if self._kind.namespaced and not namespace:
            raise pages.no_such_path()
        if about.get("namespace", namespace) != namespace:
            raise BadRequest(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
        if namespace:
            about["namespace"] = namespace
        if not about.get("name") and about.get("generateName"):
            about["name"] = f"{about['generateName']}{self._objects.revision:05x}"
        obj = kinds.stored(self._kind, self._checked({**sent, "metadata": about}))
        place = Place(self._kind.resource, namespace, about["name"])
        kinds.refuse_banned(self._kind, place.name, self._fischers())
        made = obj if self._dry else self._objects.create(place, obj)
        return self._show(made, 201)

    def _fischers(self) -> list[Obj]:
        return self._objects.list(kinds.FISCHER.resource, "")

    # -- bodies ----------------------------------------------------------------------------------

    def _body(self) -> Obj:
        """Return the object that was sent. Raises BadRequest."""
        sent = _parsed(self._request.body)
        wanted = (self._kind.version.api_version, self._kind.kind)
        if (sent.get("apiVersion"), sent.get("kind")) != wanted:
            given = f"{sent.get('apiVersion')}, Kind={sent.get('kind')}"
            raise BadRequest(
                f"the object provided is unrecognized (must be of type {self._kind.kind}): "
                f"couldn't get version/kind; got {given}"
            )
        return {**sent, "metadata": sent.get("metadata") or {}}

    def _checked(self, sent: Obj) -> Obj:
        if self._place.name and sent["metadata"].get("name") != self._place.name:
            raise BadRequest(
                f"the name of the object ({sent['metadata'].get('name')}) does not match the name "
                f"on the URL ({self._place.name})"
            )
        kinds.check(self._kind, sent)
        return sent

    @property
    def _dry(self) -> bool:
        return bool(self._query.get("dryRun"))

    def _takes(self, obj: Obj) -> bool:
        field, _, name = self._query.get("fieldSelector", "").partition("=")
        if field == "metadata.name" and name.removeprefix("=") != obj["metadata"]["name"]:
            return False
        return self._selector.matches(labels_of(obj))

    def _show(self, obj: Obj, code: int = 200) -> HttpResponse:
        return _json(self._form.one(obj), code)


def _query(request: HttpRequest) -> dict[str, list[str]]:
    return parse_qs(request.query, keep_blank_values=True)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"couldn't get version/kind; json parse error: {error}") from None


def _success(kind: Kind, obj: Obj) -> Obj:
    about = obj["metadata"]
    details = {"name": about["name"], "group": kinds.GROUP, "kind": kind.plural}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**details, "uid": about.get("uid", "")},
    }


def _json(value: Obj, code: int = 200) -> HttpResponse:
    fields: Sequence[tuple[str, str]] = [("Content-Type", _JSON)]
    return HttpResponse(code, Headers(list(fields)), orjson.dumps(value))


SAMPLE_API = ImageFamily(
    repositories=(
        "registry.k8s.io/e2e-test-images/sample-apiserver",
        "k8s.gcr.io/e2e-test-images/sample-apiserver",
    ),
    programs={"sample-apiserver": SampleApiServer},
    entrypoint=("/sample-apiserver",),
    files=executables("/sample-apiserver"),
    size=40 * MIB,
    memory=20 * MIB,
)
