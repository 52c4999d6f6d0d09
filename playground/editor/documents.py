"""What a document of YAML says it is, and the request that writes it. No I/O.

The text itself goes to the API as it was written, so that the API's own reader finds what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from playground.objects.actions.requests import Call

MANAGER = "kubeground-editor"
APPLY, CREATE, REPLACE = "apply", "create", "replace"
ACTIONS = (APPLY, CREATE, REPLACE)
YAML = "application/yaml"
APPLY_PATCH = "application/apply-patch+yaml"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotAnObject(ValueError):
    """The text is no document that a cluster could take; `line` counts from 1."""

    def __init__(self, words: str, line: int = 1) -> None:
        super().__init__(words)
        self.line = line


@dataclass(frozen=True, slots=True)
class Reference:
    """Which object a document is about, in its own words; what it does not say is empty."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def root(self) -> str:
        """Return where the group and version is served."""
        return (
            f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        )


@dataclass(frozen=True, slots=True)
class Served:
    """How the cluster serves a kind."""

    plural: str
    namespaced: bool


def reference(text: str) -> Reference:
    """Return what a document is about. Raises NotAnObject."""
    try:
        # Composed, not constructed: aliases are not followed, so a small text stays small.
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise NotAnObject(str(error.problem or error), mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise NotAnObject(str(error).partition("\n")[0]) from None
    if not isinstance(root, yaml.MappingNode):
        raise NotAnObject("the document is no mapping")
    metadata = _child(root, "metadata")
    return Reference(
        _text(root, "apiVersion"),
        _text(root, "kind"),
        _text(metadata, "namespace"),
        _text(metadata, "name"),
    )


def _child(node: Any, key: str) -> Any:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for one, value in node.value if one.value == key), None)


def _text(node: Any, key: str) -> str:
    found = _child(node, key)
    plain = isinstance(found, yaml.ScalarNode) and found.tag != "tag:yaml.org,2002:null"
    return str(found.value) if plain else ""


def find(resources: list[dict[str, Any]], kind: str) -> Served | None:
    """Return how a kind is served, out of an APIResourceList."""
    for one in resources:
        if one["kind"] == kind and "/" not in one["name"]:
            return Served(str(one["name"]), bool(one["namespaced"]))
    return None


def request_of(
    action: str, text: str, about: Reference, served: Served, *, dry: bool, force: bool
) -> Call:
    """Return the request; `about` has its namespace by now."""
    place = f"/namespaces/{about.namespace}" if served.namespaced else ""
    many = f"{about.root}{place}/{served.plural}"
    one = f"{many}/{about.name}"
    params = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
    if dry:
        params["dryRun"] = "All"
    body = text.encode()
    if action == CREATE:
        return Call("POST", many, body, YAML, params)
    if action == REPLACE:
        return Call("PUT", one, body, YAML, params)
    if force:
        params["force"] = "true"
    return Call("PATCH", one, body, APPLY_PATCH, params)


def outcome(action: str, code: int) -> str:
    """Return what was done, as kubectl says it."""
    if code == 201:
        return "created"
    return {APPLY: "serverside-applied", REPLACE: "replaced"}.get(action, "created")
