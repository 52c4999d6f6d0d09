"""One object, read for a person: facts, conditions, containers, YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from playground.topology import podstatus

Object = Mapping[str, Any]
# Annotations longer than this are kept for the YAML.
LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod, as it is now."""

    name: str
    image: str
    state: str
    why: str
    restarts: int
    ready: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Owner:
    """What an object belongs to, and where its page is."""

    kind: str
    name: str
    group: str
    version: str
    plural: str


def facts(item: Object) -> list[tuple[str, str]]:
    """Return the few values that say most about an object of this kind."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    found: list[tuple[str, Any]] = []
    if item.get("kind") == "Pod":
        ready, restarts = podstatus.readiness(item)
        found = [
            ("Status", podstatus.display_status(item)),
            ("Ready", ready),
            ("Restarts", restarts),
            ("Node", spec.get("nodeName") or "not scheduled yet"),
            ("IP", status.get("podIP")),
            ("QoS class", status.get("qosClass")),
            ("Service account", spec.get("serviceAccountName")),
        ]
    else:
        found = [*_replica_facts(spec, status), *_plain_facts(spec, status)]
    return [(label, str(value)) for label, value in found if value not in (None, "")]


def _replica_facts(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "replicas" in spec:
        yield "Replicas", f"{status.get('readyReplicas') or 0} of {spec['replicas']} ready"
    if "desiredNumberScheduled" in status:
        wanted = status["desiredNumberScheduled"]
        yield "Pods", f"{status.get('numberReady') or 0} of {wanted} ready"


def _plain_facts(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what is one value in spec and status; structures are for the YAML."""
    if phase := status.get("phase"):
        yield "Phase", phase
    for key, value in spec.items():
        if isinstance(value, (str, int)) and key != "replicas":
            yield _words(key), value
    info = status.get("nodeInfo") or {}
    for key in ("kubeletVersion", "osImage", "containerRuntimeVersion"):
        if key in info:
            yield _words(key), info[key]


def conditions(item: Object) -> list[Mapping[str, Any]]:
    """Return the conditions, the latest first."""
    found = (item.get("status") or {}).get("conditions") or ()
    return sorted(found, key=lambda c: str(c.get("lastTransitionTime") or ""), reverse=True)


def containers(item: Object) -> list[Container]:
    """Return a pod's containers, those that start first before the others."""
    if item.get("kind") != "Pod":
        return []
    spec, status = item.get("spec") or {}, item.get("status") or {}
    found: list[Container] = []
    for kind, field, states in (
        ("init", "initContainers", "initContainerStatuses"),
        ("", "containers", "containerStatuses"),
        ("ephemeral", "ephemeralContainers", "ephemeralContainerStatuses"),
    ):
        known = {one.get("name"): one for one in status.get(states) or ()}
        found.extend(
            _container(kind, one, known.get(one.get("name")) or {}) for one in spec.get(field) or ()
        )
    return found


def _container(kind: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Container:
    state, detail = next(iter((status.get("state") or {"waiting": {}}).items()))
    reason = detail.get("reason") or ""
    words = {"running": "Running", "waiting": "Waiting", "terminated": "Ended"}
    why = detail.get("message") or ""
    if state == "terminated":
        why = why or f"exit code {detail.get('exitCode', 0)}"
    return Container(
        name=str(spec.get("name", "")),
        image=str(spec.get("image", "")),
        state=f"{words.get(state, state)}: {reason}" if reason else words.get(state, state),
        why=str(why),
        restarts=int(status.get("restartCount") or 0),
        ready=bool(status.get("ready")),
        kind=kind,
    )


def owners(item: Object) -> list[Owner]:
    """Return what the object belongs to."""
    found = []
    for reference in (item.get("metadata") or {}).get("ownerReferences") or ():
        group, _, version = str(reference.get("apiVersion", "")).rpartition("/")
        kind = str(reference.get("kind", ""))
        found.append(Owner(kind, str(reference.get("name", "")), group, version, plural_of(kind)))
    return found


def plural_of(kind: str) -> str:
    """Return the plural of a kind by the rule that its authors follow nearly always."""
    word = kind.lower()
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"


def short_annotations(item: Object) -> dict[str, str]:
    """Return the annotations that fit on a line."""
    found = (item.get("metadata") or {}).get("annotations") or {}
    return {key: value for key, value in found.items() if len(value) <= LONGEST_VALUE}


def to_yaml(item: Object, *, managed_fields: bool = False) -> str:
    """Return the object as YAML, as `kubectl get -o yaml` prints it."""
    metadata = dict(item.get("metadata") or {})
    if not managed_fields:
        metadata.pop("managedFields", None)
    shown = {**item, "metadata": metadata} if "metadata" in item else dict(item)
    text: str = yaml.dump(
        shown,
        Dumper=_Dumper,
        default_flow_style=False,
        sort_keys=True,
        allow_unicode=True,
        width=1000,
    )
    return text


class _Dumper(yaml.CSafeDumper):
    """Prints texts of several lines as blocks."""


def _text(dumper: Any, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
    return node


_Dumper.add_representer(str, _text)


def _words(key: str) -> str:
    """Turn "clusterIP" into "Cluster IP", for a label."""
    out = ""
    for position, letter in enumerate(key):
        boundary = letter.isupper() and position and not key[position - 1].isupper()
        out += f" {letter}" if boundary else letter
    return out[:1].upper() + out[1:]
