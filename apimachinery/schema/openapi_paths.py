"""The operations of a served resource, and how OpenAPI v3 and v2 write them down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apimachinery.gvk import GroupVersionKind
from apimachinery.schema.openapi_served import ServedResource, Subresource, definition_name

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
STATUS, DELETE_OPTIONS, PATCH, WATCH_EVENT = (
    _META + name for name in ("Status", "DeleteOptions", "Patch", "WatchEvent")
)
_BODIES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]
_STREAMS = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"]
_PATCHES = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
]
# Custom kinds are known to no Go struct: they have neither protobuf nor strategic merge patches.
_CUSTOM_BODIES = _BODIES[:2]
_CUSTOM_PATCHES = [each for each in _PATCHES if "strategic" not in each]
_CONNECTIONS = {"attach", "exec", "portforward", "proxy"}

# Query parameters: name -> (type, what it does).
_QUERY = {
    "allowWatchBookmarks": ("boolean", "Ask a watch for bookmark events that tell its progress."),
    "continue": ("string", "Go on with a list where an earlier answer ended."),
    "dryRun": ("string", "With the value All, do everything but keep the change."),
    "fieldManager": ("string", "The name under which changed fields are recorded."),
    "fieldSelector": ("string", "Limit the answer to objects with these field values."),
    "fieldValidation": (
        "string",
        "What to do about unknown and duplicate fields: Ignore, Warn, or Strict.",
    ),
    "force": ("boolean", "With server-side apply, take fields over from other managers."),
    "gracePeriodSeconds": ("integer", "Seconds that the object has to end by itself."),
    "labelSelector": ("string", "Limit the answer to objects with these labels."),
    "limit": ("integer", "The most objects that one answer of a list may hold."),
    "orphanDependents": ("boolean", "Deprecated; see propagationPolicy."),
    "pretty": ("string", "With the value true, print the answer for people to read."),
    "propagationPolicy": ("string", "What becomes of dependents: Orphan, Background, Foreground."),
    "resourceVersion": ("string", "The revision to read at or to watch from."),
    "resourceVersionMatch": ("string", "How resourceVersion is meant for a list."),
    "sendInitialEvents": ("boolean", "Begin a watch with what exists already."),
    "timeoutSeconds": ("integer", "End the call after so many seconds."),
    "watch": ("boolean", "Follow changes instead of listing."),
}
_LIST_QUERY = (
    "pretty", "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit",
    "resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
)  # fmt: skip
_WRITE_QUERY = ("pretty", "dryRun", "fieldManager", "fieldValidation")
_DELETE_QUERY = ("pretty", "dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_COLLECTION_QUERY = (*_LIST_QUERY[:-3], "timeoutSeconds", *_DELETE_QUERY[1:])
_PATH_PARAMETERS = {
    "name": "The name of the object.",
    "namespace": "The namespace of the objects.",
    "path": "The rest of the path, for what is connected to.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. `body` and the values of `answers` are names of definitions."""

    path: str
    method: str
    action: str
    gvk: GroupVersionKind
    identity: str
    description: str
    query: tuple[str, ...] = ()
    body: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    custom: bool = False

    @property
    def path_parameters(self) -> list[str]:
        return [name for name in _PATH_PARAMETERS if f"{{{name}}}" in self.path]

    @property
    def consumes(self) -> list[str]:
        if self.method != "patch" or not self.body:
            return ["*/*"]
        return _CUSTOM_PATCHES if self.custom else _PATCHES

    @property
    def produces(self) -> list[str]:
        if self.custom:
            return _CUSTOM_BODIES
        if self.action in ("list", "watch", "watchlist"):
            return [*_BODIES, *_STREAMS]
        return _BODIES if any(name for _, name in self.answers) else ["*/*"]

    def definitions(self) -> set[str]:
        return {name for _, name in self.answers if name} | ({self.body} if self.body else set())


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a verb becomes an operation: `body` and `answer` are "", "self", "list" or a name."""

    method: str
    action: str
    title: str
    query: tuple[str, ...]
    codes: tuple[str, ...] = ("200",)
    body: str = ""
    answer: str = "self"


_COLLECTION = {
    "list": _Rule("get", "list", "list", _LIST_QUERY, answer="list"),
    "create": _Rule("post", "post", "create", _WRITE_QUERY, ("200", "201", "202"), body="self"),
    "deletecollection": _Rule(
        "delete", "deletecollection", "delete collection of", _COLLECTION_QUERY,
        body=DELETE_OPTIONS, answer=STATUS,
    ),
}  # fmt: skip
_ITEM = {
    "get": _Rule("get", "get", "read", ("pretty",)),
    "update": _Rule("put", "put", "replace", _WRITE_QUERY, ("200", "201"), body="self"),
    "patch": _Rule("patch", "patch", "patch", (*_WRITE_QUERY, "force"), ("200", "201"), body=PATCH),
    "delete": _Rule(
        "delete", "delete", "delete", _DELETE_QUERY, ("200", "202"),
        body=DELETE_OPTIONS, answer=STATUS,
    ),
}  # fmt: skip
_SUBRESOURCE = {
    **{verb: _ITEM[verb] for verb in ("get", "update", "patch")},
    "create": _COLLECTION["create"],
    "delete": _ITEM["delete"],
}
_METHODS = {"get": "get", "create": "post", "update": "put", "patch": "patch", "delete": "delete"}


def operations(resource: ServedResource) -> Iterator[Operation]:
    """Yield what can be done with a resource, in the order of its paths."""
    root = f"/{resource.document}"
    scope = f"{root}/namespaces/{{namespace}}" if resource.namespaced else root
    collection = f"{scope}/{resource.plural}"
    item = f"{collection}/{{name}}"
    for verb, rule in _COLLECTION.items():
        if verb in resource.verbs:
            yield _operation(resource, rule, collection)
    for verb, rule in _ITEM.items():
        if verb in resource.verbs:
            yield _operation(resource, rule, item)
    if resource.namespaced and "list" in resource.verbs:
        everywhere = _operation(resource, _COLLECTION["list"], f"{root}/{resource.plural}")
        yield everywhere
    if "watch" in resource.verbs:
        yield from _watches(resource, root, scope)
    for subresource in resource.subresources:
        yield from _of_subresource(resource, subresource, f"{item}/{subresource[0]}")


def _watches(resource: ServedResource, root: str, scope: str) -> Iterator[Operation]:
    """Yield the paths of the time before `?watch=true`; clients still find them listed."""
    below = scope.removeprefix(root)
    collections = {f"{root}/watch{below}/{resource.plural}", f"{root}/watch/{resource.plural}"}
    rule = _Rule("get", "watchlist", "watch changes of", _LIST_QUERY, answer=WATCH_EVENT)
    for path in sorted(collections):
        yield _operation(resource, rule, path)
    one = _Rule("get", "watch", "watch changes of", _LIST_QUERY, answer=WATCH_EVENT)
    yield _operation(resource, one, f"{root}/watch{below}/{resource.plural}/{{name}}")


def _of_subresource(
    resource: ServedResource, subresource: Subresource, path: str
) -> Iterator[Operation]:
    name, gvk, verbs = subresource
    if name in _CONNECTIONS:
        places = (path, f"{path}/{{path}}") if name == "proxy" else (path,)
        for place in places:
            for verb in verbs:
                rule = _Rule(_METHODS.get(verb, "get"), "connect", "connect to", (), answer="")
                yield _operation(resource, rule, place, gvk=gvk, suffix=_camel(name))
        return
    for verb, rule in _SUBRESOURCE.items():
        if verb in verbs:
            answer = "" if name == "log" else rule.answer
            shaped = _Rule(
                rule.method, rule.action, rule.title, rule.query, rule.codes, rule.body, answer
            )
            yield _operation(resource, shaped, path, gvk=gvk, suffix=_camel(name))


def _operation(
    resource: ServedResource,
    rule: _Rule,
    path: str,
    *,
    gvk: GroupVersionKind | None = None,
    suffix: str = "",
) -> Operation:
    about = gvk or resource.gvk
    names = {
        "self": definition_name(about),
        "list": definition_name(GroupVersionKind(about.group, about.version, about.kind + "List")),
    }
    where = f"{suffix[:1].lower()}{suffix[1:]} of " if suffix else ""
    plural = "objects of kind" if rule.action in ("list", "deletecollection") else "the specified"
    answer = names.get(rule.answer, rule.answer)
    return Operation(
        path,
        rule.method,
        rule.action,
        about,
        _identity(resource, rule, path, suffix),
        f"{rule.title} {where}{plural} {resource.gvk.kind}",
        rule.query,
        names.get(rule.body, rule.body),
        tuple((code, answer) for code in rule.codes),
        bool(resource.schema),
    )


def _identity(resource: ServedResource, rule: _Rule, path: str, suffix: str) -> str:
    """Return the operation's id: "listAppsV1NamespacedDeployment"."""
    verb = rule.title.split(" ", maxsplit=1)[0]
    if rule.action == "deletecollection":
        verb = "deleteCollection"
    if rule.action == "connect":
        verb = f"connect{rule.method.capitalize()}"
    group = _camel(resource.gvk.group.split(".", maxsplit=1)[0] or "core")
    version = resource.gvk.version[:1].upper() + resource.gvk.version[1:]
    scope = "Namespaced" if "{namespace}" in path else ""
    many = "List" if rule.action == "watchlist" else ""
    everywhere = "ForAllNamespaces" if resource.namespaced and not scope else ""
    rest = "WithPath" if "{path}" in path else ""
    return f"{verb}{group}{version}{scope}{resource.gvk.kind}{many}{everywhere}{suffix}{rest}"


def _camel(text: str) -> str:
    return text[:1].upper() + text[1:]


def _common(operation: Operation) -> dict[str, Any]:
    group = operation.path.split("/")[2 if operation.path.startswith("/apis") else 1]
    tag = "core" if group == "api" else group.split(".", maxsplit=1)[0]
    return {
        "description": operation.description,
        "operationId": operation.identity,
        "tags": [tag],
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": {
            "group": operation.gvk.group,
            "version": operation.gvk.version,
            "kind": operation.gvk.kind,
        },
    }


def path_item_v3(operation: Operation) -> dict[str, Any]:
    """Return a new path item with the parameters in the path."""
    return {
        "parameters": [
            {
                "name": name,
                "in": "path",
                "description": _PATH_PARAMETERS[name],
                "required": True,
                "schema": {"type": "string", "uniqueItems": True},
            }
            for name in operation.path_parameters
        ]
    }


def render_v3(operation: Operation) -> dict[str, Any]:
    """Return the operation object of OpenAPI v3."""
    rendered = _common(operation)
    rendered["parameters"] = [
        {
            "name": name,
            "in": "query",
            "description": _QUERY[name][1],
            "schema": {"type": _QUERY[name][0], "uniqueItems": True},
        }
        for name in operation.query
    ]
    if operation.body:
        schema = {"$ref": f"#/components/schemas/{operation.body}"}
        rendered["requestBody"] = {
            "content": {media: {"schema": schema} for media in operation.consumes},
            "required": operation.method != "delete",
        }
    rendered["responses"] = {
        code: {
            "description": _CODES[code],
            "content": {
                media: {
                    "schema": {"$ref": f"#/components/schemas/{name}"}
                    if name
                    else {"type": "string"}
                }
                for media in operation.produces
            },
        }
        for code, name in operation.answers
    } | {"401": {"description": "Unauthorized"}}
    return rendered


_CODES = {"200": "OK", "201": "Created", "202": "Accepted"}


def path_item_v2(operation: Operation) -> dict[str, Any]:
    """Return a new path item with the parameters in the path."""
    return {
        "parameters": [
            {
                "name": name,
                "in": "path",
                "description": _PATH_PARAMETERS[name],
                "required": True,
                "type": "string",
                "uniqueItems": True,
            }
            for name in operation.path_parameters
        ]
    }


def render_v2(operation: Operation) -> dict[str, Any]:
    """Return the operation object of OpenAPI v2."""
    rendered = _common(operation)
    rendered |= {"consumes": operation.consumes, "produces": operation.produces}
    rendered["schemes"] = ["https"]
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "query",
            "description": _QUERY[name][1],
            "type": _QUERY[name][0],
            "uniqueItems": True,
        }
        for name in operation.query
    ]
    if operation.body:
        body: dict[str, Any] = {"name": "body", "in": "body"}
        body["schema"] = {"$ref": f"#/definitions/{operation.body}"}
        if operation.method != "delete":
            body["required"] = True
        parameters.insert(0, body)
    rendered["parameters"] = parameters
    rendered["responses"] = {
        code: {
            "description": _CODES[code],
            "schema": {"$ref": f"#/definitions/{name}"} if name else {"type": "string"},
        }
        for code, name in operation.answers
    } | {"401": {"description": "Unauthorized"}}
    return rendered
