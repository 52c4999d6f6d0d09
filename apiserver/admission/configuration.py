"""The AdmissionConfiguration of `--admission-control-config-file`: how single plugins are set.

It is `apiserver.config.k8s.io/v1`, in YAML; a plugin's own configuration stands in it, or in a
file that it names. What cannot be read ends the start with a ValueError in kube-apiserver's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

import yaml

from apimachinery.validation.field import FieldError, Path, invalid, not_supported, required
from apiserver.admission.image_policy import ImagePolicy, read_image_policy
from apiserver.admission.pod_security.policy import LEVELS, PRIVILEGED, LevelVersion, Policy
from apiserver.admission.pod_security.policy import is_version as is_policy_version
from apiserver.admission.tolerations import Toleration

VERSIONS = ("apiserver.config.k8s.io/v1", "apiserver.k8s.io/v1alpha1")
LIMIT_TYPES = ("Server", "Namespace", "User", "SourceAndObject")
DEFAULT_CACHE = 4096


@dataclass(frozen=True, slots=True)
class EventLimit:
    """One limit of EventRateLimit; `type` says what has a bucket of its own."""

    type: str
    qps: int
    burst: int
    cache_size: int = DEFAULT_CACHE


@dataclass(frozen=True, slots=True)
class Exemptions:
    """Whom PodSecurity leaves alone."""

    usernames: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    runtime_classes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Configuration:
    """How the plugins are set that can be."""

    pod_security: Policy = PRIVILEGED
    exemptions: Exemptions = Exemptions()
    event_limits: Sequence[EventLimit] = ()
    node_selectors: Mapping[str, str] = field(default_factory=dict)
    default_tolerations: Sequence[Toleration] = ()
    allowed_tolerations: Sequence[Toleration] = ()
    image_policy: ImagePolicy | None = None


PLAIN = Configuration()
Own = Mapping[str, Any]


def read_configuration(path: str) -> Configuration:
    """Return what a file says; "" says nothing. Raises ValueError."""
    if not path:
        return PLAIN
    where = FilePath(path)
    try:
        document = _document(where, where.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"failed to read plugin config: unable to read admission control configuration from "
            f'"{path}" [{error}]'
        ) from error
    found = PLAIN
    for plugin in document.get("plugins") or ():
        name = plugin.get("name") or ""
        reader = _READERS.get(name)
        if reader is None:
            raise ValueError(f'couldn\'t init admission plugin "{name}": it has no configuration')
        try:
            found = reader(found, _own(where.parent, plugin), where.parent)
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise ValueError(f'couldn\'t init admission plugin "{name}": {error}') from error
    return found


def _document(path: FilePath, text: str) -> dict[str, Any]:
    document = _mapping(text)
    version, kind = document.get("apiVersion") or "", document.get("kind") or ""
    if version not in VERSIONS or kind != "AdmissionConfiguration":
        raise ValueError(f'no kind "{kind}" is registered for version "{version}" in {path.name}')
    return document


def _mapping(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    if not isinstance(found, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - a file's fault, not ours
    return found


def _own(directory: FilePath, plugin: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plugin's configuration: in line, or in a file beside the one that names it."""
    if named := plugin.get("path"):
        return _mapping((directory / named).read_text())
    return dict(plugin.get("configuration") or {})


# -- one plugin each ------------------------------------------------------------------------------


def _pod_security(found: Configuration, own: Own, _directory: FilePath) -> Configuration:
    defaults, exempt = own.get("defaults") or {}, own.get("exemptions") or {}
    _raise(_level_errors(defaults))
    modes = (
        LevelVersion(
            defaults.get(mode) or "privileged", defaults.get(f"{mode}-version") or "latest"
        )
        for mode in ("enforce", "audit", "warn")
    )
    exemptions = Exemptions(
        frozenset(exempt.get("usernames") or ()),
        frozenset(exempt.get("namespaces") or ()),
        frozenset(exempt.get("runtimeClasses") or ()),
    )
    return replace(found, pod_security=Policy(*modes), exemptions=exemptions)


def _level_errors(defaults: Mapping[str, Any]) -> Iterator[FieldError]:
    for mode in ("enforce", "audit", "warn"):
        level, version = defaults.get(mode), defaults.get(f"{mode}-version")
        if level and level not in LEVELS:
            words = "must be one of privileged, baseline, restricted"
            yield invalid(Path("defaults") / mode, level, words)
        if version and not is_policy_version(version):
            words = 'must be "latest" or "v1.x"'
            yield invalid(Path("defaults") / f"{mode}-version", version, words)


def _event_limits(found: Configuration, own: Own, _directory: FilePath) -> Configuration:
    limits = own.get("limits") or ()
    _raise(_limit_errors(limits))
    return replace(
        found,
        event_limits=tuple(
            EventLimit(
                each["type"], each["qps"], each["burst"], each.get("cacheSize") or DEFAULT_CACHE
            )
            for each in limits
        ),
    )


def _limit_errors(limits: Sequence[Mapping[str, Any]]) -> Iterator[FieldError]:
    path = Path("limits")
    if not limits:
        yield required(path)
    for index, limit in enumerate(limits):
        place, kind = path[index], limit.get("type") or ""
        if kind not in LIMIT_TYPES:
            yield not_supported(place / "type", kind, sorted(LIMIT_TYPES))
        for name in ("burst", "qps"):
            value = limit.get(name) or 0
            if not isinstance(value, int) or value <= 0:
                yield invalid(place / name, value, "must be positive")
        if kind != "Server" and (limit.get("cacheSize") or 0) < 0:
            yield invalid(place / "cacheSize", limit["cacheSize"], "must not be negative")


def _image_policy(found: Configuration, own: Own, directory: FilePath) -> Configuration:
    return replace(found, image_policy=read_image_policy(own, directory))


def _node_selectors(found: Configuration, own: Own, _directory: FilePath) -> Configuration:
    return replace(found, node_selectors=dict(own.get("podNodeSelectorPluginConfig") or {}))


def _tolerations(found: Configuration, own: Own, _directory: FilePath) -> Configuration:
    return replace(
        found,
        default_tolerations=tuple(own.get("default") or ()),
        allowed_tolerations=tuple(own.get("whitelist") or ()),
    )


_READERS: Mapping[str, Callable[[Configuration, Own, FilePath], Configuration]] = {
    "EventRateLimit": _event_limits,
    "ImagePolicyWebhook": _image_policy,
    "PodNodeSelector": _node_selectors,
    "PodSecurity": _pod_security,
    "PodTolerationRestriction": _tolerations,
}


def _raise(errors: Iterator[FieldError]) -> None:
    told = [str(error) for error in errors]
    if told:
        raise ValueError(told[0] if len(told) == 1 else f"[{', '.join(told)}]")
