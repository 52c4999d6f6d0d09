"""What people should know about a pod spec that is accepted all the same.

The texts go into Warning headers, which kubectl prints; they are Kubernetes' own.
"""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.meta import Obj
from apimachinery.quantity import parse
from apimachinery.validation.field import Path
from apiserver.registry.podspec.annotations import (
    APPARMOR_PREFIX,
    SECCOMP_POD,
    SECCOMP_PREFIX,
)
from apiserver.registry.podspec.claims import claim_warnings
from apiserver.registry.podspec.overlaps import overlap_warnings
from apiserver.registry.podspec.profiles import deprecated_apparmor
from apiserver.registry.podspec.systems import containers_of, visit

# key of a label or selector -> what it says about itself
NODE_LABELS = {
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
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
    "security.alpha.kubernetes.io/unsafe-sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
}
# source -> (its name in the text, the text)
VOLUME_SOURCES = {
    "photonPersistentDisk": (
        "photonPersistentDisk",
        "deprecated in v1.11, non-functional in v1.16+",
    ),
    "gitRepo": ("gitRepo", "deprecated in v1.11"),
    "scaleIO": ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    "flocker": ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    "storageos": ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    "quobyte": ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    "cephfs": ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    "rbd": ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_MATCHES_NOTHING = "a null labelSelector results in matching no pod"
_WHOLE_BYTES = ("memory", "ephemeral-storage")


# Each port is compared with those before it. So many comparisons take 20 ms; what would take more
# is left uncompared, since nobody else is served meanwhile.
_MOST_COMPARISONS = 40_000


def spec_warnings(spec: Obj, metadata: Obj, path: Path) -> list[str]:
    """Return the texts for a pod or a template; `path` is that of the spec."""
    found: list[str] = []
    if spec.get("nodeSelector") or spec.get("affinity") or spec.get("topologySpreadConstraints"):
        found += _node_warnings(spec, path)
    annotations = metadata.get("annotations") or {}
    outer = Path(path.text.rpartition(".")[0])
    found += [
        f"{(outer / 'metadata' / 'annotations').key(key)}: {text}"
        for key, text in _ANNOTATIONS.items()
        if key in annotations
    ]
    if volumes := spec.get("volumes"):
        found += _volume_warnings(volumes, path / "volumes")
        found += overlap_warnings(volumes)
    if aliases := spec.get("hostAliases"):
        found += _repeated(aliases, path / "hostAliases", "ip")
    if secrets := spec.get("imagePullSecrets"):
        found += _secret_warnings(secrets, path / "imagePullSecrets")
    if overhead := spec.get("overhead"):
        found += fraction_warnings(overhead, path / "overhead")
    if annotations:
        found += _profile_warnings(spec, annotations, outer)
    found += _container_warnings(spec, path)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        found.append(
            f"{path / 'terminationGracePeriodSeconds'}: must be >= 0; "
            "negative values are invalid and will be treated as 1"
        )
    if affinity := spec.get("affinity"):
        found += _pod_affinity_warnings(affinity, path / "affinity")
    return found


def _node_warnings(spec: Obj, path: Path) -> Iterator[str]:
    for key in spec.get("nodeSelector") or ():
        if key in NODE_LABELS:
            yield f"{(path / 'nodeSelector').key(key)}: {NODE_LABELS[key]}"
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    where = path / "affinity" / "nodeAffinity"
    for at, term in enumerate((node.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ()):
        yield from term_warnings(term, (where / _REQUIRED / "nodeSelectorTerms")[at])
    for at, weighted in enumerate(node.get(_PREFERRED) or ()):
        place = (where / _PREFERRED)[at] / "preference"
        yield from term_warnings(weighted.get("preference") or {}, place)
    for at, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        place = (path / "topologySpreadConstraints")[at]
        key = constraint.get("topologyKey")
        if key in NODE_LABELS:
            yield f"{place / 'topologyKey'}: {key} is {NODE_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{place / 'labelSelector'}: {_MATCHES_NOTHING}"


def term_warnings(term: Obj, path: Path) -> Iterator[str]:
    for at, one in enumerate(term.get("matchExpressions") or ()):
        key = one.get("key")
        if key in NODE_LABELS:
            yield f"{(path / 'matchExpressions')[at] / 'key'}: {key} is {NODE_LABELS[key]}"


def _pod_affinity_warnings(affinity: Obj, path: Path) -> Iterator[str]:
    for name in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(name) or {}
        for at, term in enumerate(rules.get(_REQUIRED) or ()):
            if term.get("labelSelector") is None:
                place = (path / name / _REQUIRED)[at]
                yield f"{place / 'labelSelector'}: {_MATCHES_NOTHING}"
        for at, weighted in enumerate(rules.get(_PREFERRED) or ()):
            if (weighted.get("podAffinityTerm") or {}).get("labelSelector") is None:
                place = (path / name / _PREFERRED)[at] / "podAffinityTerm"
                yield f"{place / 'labelSelector'}: {_MATCHES_NOTHING}"


def _volume_warnings(volumes: list[Obj], path: Path) -> Iterator[str]:
    for at, volume in enumerate(volumes):
        for key in volume.keys() & VOLUME_SOURCES.keys():
            shown, text = VOLUME_SOURCES[key]
            yield f"{path[at] / shown}: {text}"
        if template := (volume.get("ephemeral") or {}).get("volumeClaimTemplate"):
            place = path[at] / "ephemeral" / "volumeClaimTemplate" / "spec"
            yield from claim_warnings(template.get("spec") or {}, place)


def _profile_warnings(spec: Obj, annotations: Obj, outer: Path) -> Iterator[str]:
    """Say which annotations no longer do what fields do now; `outer` is that of a template."""
    path = outer / "metadata" / "annotations"
    text = 'non-functional in v1.27+; use the "seccompProfile" field instead'
    context = spec.get("securityContext") or {}
    if SECCOMP_POD in annotations and context.get("seccompProfile") is None:
        yield f"{path.key(SECCOMP_POD)}: {text}"
    for container in containers_of(spec):
        own, name = container.get("securityContext") or {}, container.get("name") or ""
        key = f"{SECCOMP_PREFIX}{name}"
        if key in annotations and own.get("seccompProfile") is None:
            yield f"{path.key(key)}: {text}"
        profile = own.get("appArmorProfile") or context.get("appArmorProfile")
        key = f"{APPARMOR_PREFIX}{name}"
        # Pods have taken their annotations over into fields by now, and said so.
        if outer.text and profile is None and key in annotations:
            yield deprecated_apparmor(path, key)


def _repeated(items: list[Obj], path: Path, key: str) -> Iterator[str]:
    seen: set[str] = set()
    for at, item in enumerate(items):
        value = item.get(key) or ""
        if value in seen:
            yield f'{path[at] / key}: duplicate {key} "{value}"'
        seen.add(value)


def _secret_warnings(secrets: list[Obj], path: Path) -> Iterator[str]:
    yield from _repeated(secrets, path, "name")
    for at, secret in enumerate(secrets):
        if not secret.get("name"):
            yield f'{path[at] / "name"}: invalid empty name ""'


def _container_warnings(spec: Obj, path: Path) -> list[str]:
    found: list[str] = []
    ports: dict[tuple[int, str], list[tuple[Path, Obj]]] = {}
    of_ports: list[str] = []
    left = _MOST_COMPARISONS
    for container, where in visit(spec, path):
        if resources := container.get("resources"):
            for name in _WHOLE_BYTES:
                for part in ("limits", "requests"):
                    if amounts := resources.get(part):
                        found += _fraction_warnings(amounts, name, where / "resources" / part)
        env = container.get("env")
        if env and len(env) > 1:
            found += _env_warnings(env, where / "env")
        for at, port in enumerate(container.get("ports") or ()):
            if port.get("hostIP") and not port.get("hostPort"):
                text = f"hostIP set without hostPort: {_go_port(port)}"
                of_ports.append(f"{(where / 'ports')[at]}: {text}")
            key = port.get("containerPort") or 0, port.get("protocol") or ""
            others = ports.setdefault(key, [])
            place = (where / "ports")[at]
            of_ports += _port_warnings(port, others[:left], place)
            left -= min(left, len(others))
            others.append((place, port))
    return found + of_ports


def fraction_warnings(amounts: dict[str, str], path: Path) -> Iterator[str]:
    """Yield which amounts of bytes are not whole."""
    for name in _WHOLE_BYTES:
        yield from _fraction_warnings(amounts, name, path)


def _fraction_warnings(amounts: dict[str, str], name: str, path: Path) -> Iterator[str]:
    amount = amounts.get(name)
    if amount is not None and parse(amount).milli_value() % 1000:
        yield f'{path.key(name)}: fractional byte value "{amount}" is invalid, must be an integer'


def _go_port(port: Obj) -> str:
    """Print a port as Go prints its struct."""
    name, protocol, host = (port.get(key) or "" for key in ("name", "protocol", "hostIP"))
    number = port.get("containerPort") or 0
    return f"{{Name:{name} HostPort:0 ContainerPort:{number} Protocol:{protocol} HostIP:{host}}}"


def _env_warnings(env: list[Obj], path: Path) -> Iterator[str]:
    seen: set[str] = set()
    for at, variable in enumerate(env):
        name, value = variable.get("name") or "", variable.get("value") or ""
        own = f"$({name})"
        replaces = variable.get("valueFrom") is not None or value == own or own not in value
        if name in seen and replaces:
            yield (
                f'{path[at]}: hides previous definition of "{name}", '
                "which may be dropped when using apply"
            )
        seen.add(name)


def _port_warnings(port: Obj, others: list[tuple[Path, Obj]], path: Path) -> Iterator[str]:
    host, address = port.get("hostPort") or 0, port.get("hostIP") or ""
    for place, other in others:
        other_host, other_address = other.get("hostPort") or 0, other.get("hostIP") or ""
        if (host, address) == (other_host, other_address):
            yield f"{path}: duplicate port definition with {place}"
        elif not host or not other_host:
            yield f"{path}: overlapping port definition with {place}"
        elif host == other_host and (not address or not other_address):
            yield f"{path}: dangerously ambiguous port definition with {place}"
