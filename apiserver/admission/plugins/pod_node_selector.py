"""PodNodeSelector: a namespace keeps its pods on nodes of its own.

The annotation of the namespace says which labels its nodes have; without it the default of the
plugin's configuration counts. The configuration may also list, by namespace, which labels pods
there may select by.
"""

from __future__ import annotations

from collections.abc import Mapping

from apimachinery.errors import ApiError, BadRequest, NotFound
from apimachinery.gvk import GroupResource
from apimachinery.labels import parse_selector
from apimachinery.meta import annotations_of
from apiserver.admission.interfaces import CREATE, AdmissionRequest, Rule
from apiserver.registry.strategy import ObjectReader

ANNOTATION = "scheduler.alpha.kubernetes.io/node-selector"
DEFAULT = "clusterDefaultNodeSelector"


class PodNodeSelector:
    """Merges the namespace's selector into each pod's, and refuses what contradicts it."""

    name = "PodNodeSelector"
    handles = Rule(("pods",), (CREATE,))

    def __init__(self, objects: ObjectReader, config: Mapping[str, str]) -> None:
        self._objects = objects
        # Selectors by namespace, and the default for those that say nothing.
        self._config = config

    def admit(self, request: AdmissionRequest) -> None:
        wanted = self._selector(request.namespace)
        spec = (request.object or {}).setdefault("spec", {})
        own = spec.get("nodeSelector") or {}
        _check(request, wanted, own)
        if wanted or own:
            spec["nodeSelector"] = {**wanted, **own}

    def validate(self, request: AdmissionRequest) -> None:
        own = ((request.object or {}).get("spec") or {}).get("nodeSelector") or {}
        _check(request, self._selector(request.namespace), own)
        allowed = _labels(self._config.get(request.namespace) or "")
        if allowed and not own.items() <= allowed.items():
            why = "pod node label selector labels conflict with its namespace whitelist"
            raise request.refusal(why)

    def _selector(self, namespace: str) -> dict[str, str]:
        found = self._objects.get("namespaces", "", namespace)
        if found is None:
            raise NotFound(GroupResource("", "namespaces"), namespace)
        default = self._config.get(DEFAULT) or ""
        return _labels(annotations_of(found).get(ANNOTATION, default))


def _check(request: AdmissionRequest, wanted: Mapping[str, str], own: Mapping[str, str]) -> None:
    if any(own.get(key, value) != value for key, value in wanted.items()):
        why = "pod node label selector conflicts with its namespace node label selector"
        raise request.refusal(why)


def _labels(selector: str) -> dict[str, str]:
    """Read `a=b,c=d` as labels. Raises ApiError: the namespace's annotation is at fault."""
    found: dict[str, str] = {}
    for term in filter(None, map(str.strip, selector.split(","))):
        key, sign, value = term.partition("=")
        if not sign:
            raise ApiError(f"invalid selector: [{term}]", reason="")
        found[key.strip()] = value.strip().removeprefix("=")
    try:
        parse_selector(selector)
    except BadRequest as error:
        raise ApiError(error.message, reason="") from error
    return found
