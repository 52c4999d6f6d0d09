"""What people should know about a pod spec that is accepted all the same."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.meta import Obj
from apimachinery.quantity import QuantityError, parse
from apimachinery.validation.field import Path
from apiserver.registry.podspec.systems import visit

# key of a label or selector -> what it says about itself
_NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def spec_warnings(spec: Obj, metadata: Obj, path: Path) -> list[str]:
    """Return the texts of the Warning headers for a pod or template."""
    found: list[str] = []
    if spec.get("nodeSelector") or spec.get("affinity") or spec.get("topologySpreadConstraints"):
        found += _placement_warnings(spec, path)
    if spec.get("hostAliases"):
        found += _alias_warnings(spec["hostAliases"], path / "hostAliases")
    if volumes := spec.get("volumes"):
        found += _volume_warnings(volumes, path / "volumes")
    if spec.get("imagePullSecrets"):
        found += _pull_secret_warnings(spec["imagePullSecrets"], path / "imagePullSecrets")
    for container, where in visit(spec, path):
        found += _container_warnings(container, where)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        found.append(
            f"{path / 'terminationGracePeriodSeconds'}: must be >= 0; "
            "negative values are invalid and will be treated as 1"
        )
    if spec.get("overhead") and not spec.get("runtimeClassName"):
        found.append(f"{path / 'overhead'}: should not be set without runtimeClassName")
    return found


def _placement_warnings(spec: Obj, path: Path) -> Iterator[str]:
    for key in spec.get("nodeSelector") or ():
        if key in _NODE_LABELS:
            yield f"{(path / 'nodeSelector').key(key)}: {_NODE_LABELS[key]}"
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    where = path / "affinity" / "nodeAffinity"
    terms = (node.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ()
    for at, term in enumerate(terms):
        yield from _term_warnings(term, (where / _REQUIRED / "nodeSelectorTerms")[at])
    for at, weighted in enumerate(node.get(_PREFERRED) or ()):
        place = (where / _PREFERRED)[at] / "preference"
        yield from _term_warnings(weighted.get("preference") or {}, place)
    for at, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        place = (path / "topologySpreadConstraints")[at]
        key = constraint.get("topologyKey")
        if key in _NODE_LABELS:
            yield f"{place / 'topologyKey'}: {key} is {_NODE_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{place / 'labelSelector'}: a null labelSelector results in matching no pod"


def _term_warnings(term: Obj, path: Path) -> Iterator[str]:
    for at, one in enumerate(term.get("matchExpressions") or ()):
        key = one.get("key")
        if key in _NODE_LABELS:
            yield f"{(path / 'matchExpressions')[at] / 'key'}: {key} is {_NODE_LABELS[key]}"


def _alias_warnings(aliases: list[Obj], path: Path) -> Iterator[str]:
    seen: set[str] = set()
    for at, alias in enumerate(aliases):
        address = alias.get("ip") or ""
        if address in seen:
            yield f'{path[at] / "ip"}: duplicate ip "{address}"'
        seen.add(address)


def _volume_warnings(volumes: list[Obj], path: Path) -> Iterator[str]:
    for at, volume in enumerate(volumes):
        for key, text in _SOURCES.items():
            if volume.get(key) is not None:
                yield f"{path[at] / key}: {text}"
        yield from _overlap_warnings(volume, path[at])


_SOURCES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
}


def _overlap_warnings(volume: Obj, path: Path) -> Iterator[str]:
    sources = (volume.get("projected") or {}).get("sources") or ()
    taken: dict[str, str] = {}
    for at, source in enumerate(sources):
        for key in ("secret", "configMap", "downwardAPI"):
            for item in (source.get(key) or {}).get("items") or ():
                file = item.get("path") or ""
                where = f"{(path / 'projected' / 'sources')[at] / key}"
                if file in taken:
                    yield f'{where}: overlapping paths: "{file}" with {taken[file]}'
                taken.setdefault(file, where)


def _pull_secret_warnings(secrets: list[Obj], path: Path) -> Iterator[str]:
    seen: set[str] = set()
    for at, secret in enumerate(secrets):
        name = secret.get("name") or ""
        if not name:
            yield f'{path[at]}: invalid empty name ""'
        if name in seen:
            yield f'{path[at] / "name"}: duplicate name "{name}"'
        seen.add(name)


def _container_warnings(container: Obj, path: Path) -> Iterator[str]:
    if env := container.get("env"):
        yield from _env_warnings(env, path / "env")
    if ports := container.get("ports"):
        yield from _port_warnings(ports, path / "ports")
    resources = container.get("resources")
    if resources:
        for key in ("limits", "requests"):
            yield from _amount_warnings(resources.get(key) or {}, path / "resources" / key)


def _env_warnings(env: list[Obj], path: Path) -> Iterator[str]:
    seen: dict[str, str] = {}
    for at, variable in enumerate(env):
        name, value = variable.get("name") or "", variable.get("value") or ""
        if name in seen:
            if f"$({name})" not in value:
                yield f'{path[at]}: hides previous definition of "{name}", which may be dropped when using apply'
        seen[name] = value


def _port_warnings(ports: list[Obj], path: Path) -> Iterator[str]:
    seen: dict[tuple[str, int], int] = {}
    for at, port in enumerate(ports):
        number, protocol = port.get("containerPort") or 0, port.get("protocol") or ""
        first = seen.setdefault((protocol, number), at)
        if first != at and not port.get("hostPort") and not ports[first].get("hostPort"):
            yield f"{path[at]}: duplicate port definition with {path[first]}"
        elif first != at:
            yield f"{path[at]}: overlapping port definition with {path[first]}"


def _amount_warnings(amounts: dict[str, str], path: Path) -> Iterator[str]:
    for name, amount in amounts.items():
        if name not in ("memory", "ephemeral-storage"):
            continue
        try:
            whole = parse(amount).milli_value() % 1000 == 0
        except QuantityError:
            continue
        if not whole:
            yield f'{path.key(name)}: fractional byte value "{amount}" is invalid, must be an integer'
