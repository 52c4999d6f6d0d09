"""A KubeSchedulerConfiguration as the scheduler takes it, or why kube-scheduler refuses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from apimachinery.duration import parse_duration
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    invalid,
    required,
)
from apimachinery.validation.names import is_qualified_name
from nodes.scheduler.config import args
from nodes.scheduler.config.shape import ARGS, CONFIGURATION, Misfit, unknown_fields

GROUP, VERSION, KIND = "kubescheduler.config.k8s.io", "v1", "KubeSchedulerConfiguration"
DEFAULT_SCHEDULER = "default-scheduler"
# Seconds that an extender has for its answer (DefaultExtenderTimeout).
_EXTENDER_TIMEOUT = 5.0
_MISFIT = f'{KIND} in version "{VERSION}" cannot be handled as a {KIND}: '


class ConfigError(Exception):
    """The document is no configuration; the text says why, as kube-scheduler does."""


@dataclass(frozen=True, slots=True)
class ProfileConfig:
    """One scheduler: its plugin sets by extension point, and plugins' completed arguments."""

    name: str = DEFAULT_SCHEDULER
    plugins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    args: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    percentage: int = 0


@dataclass(frozen=True, slots=True)
class Extender:
    """A program that is asked besides the plugins."""

    url: str
    filter: str = ""
    prioritize: str = ""
    bind: str = ""
    weight: int = 0
    timeout: float = _EXTENDER_TIMEOUT
    node_cache: bool = False
    ignorable: bool = False
    # For HTTPS: the certificates to trust, as base64, or that any is good.
    ca_bundle: str = ""
    insecure: bool = False
    # Resource names that it manages, and whether NodeResourcesFit leaves them to it.
    managed: Mapping[str, bool] = field(default_factory=dict)
    preempt: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that is configured of a scheduler."""

    profiles: tuple[ProfileConfig, ...] = (ProfileConfig(),)
    first_backoff: float = 1.0
    longest_backoff: float = 10.0
    extenders: tuple[Extender, ...] = ()

    def completed(self) -> list[ProfileConfig]:
        """Return the profiles; their NodeResourcesFit leaves to extenders what is theirs alone."""
        theirs = [name for one in self.extenders for name, alone in one.managed.items() if alone]
        if not theirs:
            return list(self.profiles)
        name = "NodeResourcesFit"
        found = []
        for one in self.profiles:
            given = args.completed(name, one.args.get(name, {}))
            given["ignoredResources"] = [*(given.get("ignoredResources") or ()), *theirs]
            found.append(replace(one, args={**one.args, name: given}))
        return found


def read(document: Any) -> Configuration:
    """Read a document that was YAML or JSON. Raises ConfigError."""
    if not isinstance(document, Mapping):
        raise ConfigError("couldn't get version/kind; json parse error: cannot unmarshal it")
    _require_kind(document)
    _strictly(document, CONFIGURATION, _MISFIT)
    profiles = _profiles(document)
    found = list(_errors(document, profiles))
    if found:
        raise ConfigError(args.aggregate(found))
    shared = document.get("percentageOfNodesToScore") or 0
    return Configuration(
        tuple(
            ProfileConfig(
                one["schedulerName"],
                one.get("plugins") or {},
                {entry["name"]: entry["args"] for entry in one["pluginConfig"]},
                shared
                if one.get("percentageOfNodesToScore") is None
                else one["percentageOfNodesToScore"],
            )
            for one in profiles
        ),
        float(_or(document, "podInitialBackoffSeconds", 1)),
        float(_or(document, "podMaxBackoffSeconds", 10)),
        tuple(map(_extender, document.get("extenders") or ())),
    )


def _require_kind(document: Mapping[str, Any]) -> None:
    version, kind = str(document.get("apiVersion") or ""), str(document.get("kind") or "")
    if not kind:
        raise ConfigError(f"Object 'Kind' is missing in '{_short(document)}'")
    if not version:
        raise ConfigError(f"Object 'apiVersion' is missing in '{_short(document)}'")
    if (version, kind) != (f"{GROUP}/{VERSION}", KIND):
        raise ConfigError(
            f'no kind "{kind}" is registered for version "{version}" in scheme '
            '"pkg/scheduler/apis/config/scheme/scheme.go:30"'
        )


def _short(document: Mapping[str, Any]) -> str:
    return str(dict(document))[:100]


def _strictly(value: Any, shape: Any, prefix: str) -> None:
    """Refuse fields that there are not, and values of another type."""
    try:
        unknown = list(unknown_fields(value, shape))
    except Misfit as misfit:
        raise ConfigError(f"{prefix}{misfit}") from None
    if unknown:
        raise ConfigError(f"strict decoding error: {', '.join(unknown)}")


def _profiles(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the profiles, their plugins' arguments completed."""
    given = document.get("profiles") or [{}]
    profiles = []
    for at, one in enumerate(given):
        entries = [
            {"name": entry.get("name") or "", "args": _args(entry, f"{at}", f"{number}")}
            for number, entry in enumerate((one or {}).get("pluginConfig") or ())
        ]
        profiles.append({**(one or {}), "pluginConfig": entries})
    if len(profiles) == 1 and profiles[0].get("schedulerName") is None:
        profiles[0]["schedulerName"] = DEFAULT_SCHEDULER
    return profiles


def _args(entry: Mapping[str, Any], profile: str, number: str) -> Mapping[str, Any]:
    name, given = entry.get("name") or "", entry.get("args")
    given = {} if given is None else given
    shape = ARGS.get(name)
    if shape is None:
        return given if isinstance(given, Mapping) else {}
    where = f"decoding .profiles[{profile}].pluginConfig[{number}]: "
    kind = given.get("kind") if isinstance(given, Mapping) else None
    if kind not in (None, f"{name}Args"):
        raise ConfigError(
            f"{where}args for plugin {name} were not of type {name}Args.{GROUP}, got {kind}.{GROUP}"
        )
    _require_fit(given, shape, f"{where}decoding args for plugin {name}: ")
    return args.completed(name, given)


def _require_fit(given: Any, shape: Any, where: str) -> None:
    try:
        _strictly(given, shape, "")
    except ConfigError as error:
        raise ConfigError(f"{where}{error}") from None


def _errors(document: Mapping[str, Any], profiles: Sequence[Mapping[str, Any]]) -> FieldErrors:
    if _or(document, "parallelism", 16) <= 0:
        detail = "should be an integer value greater than zero"
        yield invalid(Path("parallelism"), document["parallelism"], detail)
    names: dict[str, int] = {}
    for at, one in enumerate(profiles):
        path, name = Path("profiles")[at], one.get("schedulerName") or ""
        yield from _profile_errors(one, path)
        if name in names:
            other = Path("profiles")[names[name]] / "schedulerName"
            yield duplicate(path / "schedulerName", str(other))
        names[name] = at
    sorts = [(one.get("plugins") or {}).get("queueSort") or {} for one in profiles]
    if (several := len(sorts[0].get("enabled") or ())) > 1:
        where = Path("profiles")[0] / "plugins" / "queueSort" / "Enabled"
        yield invalid(where, several, "only one queue sort plugin can be enabled")
    for at, sort in enumerate(sorts):
        if sort != sorts[0]:
            where = Path("profiles")[at] / "plugins" / "queueSort"
            yield invalid(where, sort, "has to match for all profiles")
    yield from _percentage(document, Path(""))
    first = _or(document, "podInitialBackoffSeconds", 1)
    longest = _or(document, "podMaxBackoffSeconds", 10)
    if first <= 0:
        yield invalid(Path("podInitialBackoffSeconds"), first, "must be greater than 0")
    if longest < first:
        detail = "must be greater than or equal to PodInitialBackoffSeconds"
        yield invalid(Path("podMaxBackoffSeconds"), longest, detail)
    yield from _extender_errors(document.get("extenders") or (), Path("extenders"))


def _profile_errors(profile: Mapping[str, Any], path: Path) -> FieldErrors:
    if not profile.get("schedulerName"):
        yield required(path / "schedulerName")
    yield from _percentage(profile, path)
    seen = set()
    for at, entry in enumerate(profile["pluginConfig"]):
        where, name = (path / "pluginConfig")[at], entry["name"]
        if name in seen:
            yield duplicate(where, name)
        seen.add(name)
        yield from args.errors(name, entry["args"], where / "args")


def _percentage(given: Mapping[str, Any], path: Path) -> FieldErrors:
    value = _or(given, "percentageOfNodesToScore", 0)
    if not 0 <= value <= 100:
        yield invalid(path / "percentageOfNodesToScore", value, "not in valid range [0-100]")


def _extender_errors(extenders: Sequence[Mapping[str, Any]], path: Path) -> FieldErrors:
    managed: set[str] = set()
    for at, one in enumerate(extenders):
        weight = one.get("weight") or 0
        if one.get("prioritizeVerb") and weight <= 0:
            yield invalid(path[at] / "weight", weight, "must have a positive weight applied to it")
        for number, resource in enumerate(one.get("managedResources") or ()):
            where, name = (
                (path[at] / "managedResources")[number] / "name",
                resource.get("name") or "",
            )
            yield from _resource_name_errors(name, where)
            if name in managed:
                yield invalid(where, name, "duplicate extender managed resource name")
            managed.add(name)
    binders = sum(bool(one.get("bindVerb")) for one in extenders)
    if binders > 1:
        shown = f"found {binders} extenders implementing bind"
        yield invalid(path, shown, "only one extender can implement bind")


def _resource_name_errors(name: str, path: Path) -> FieldErrors:
    wrong = is_qualified_name(name)
    for why in wrong:
        yield invalid(path, name, why)
    native = "/" not in name or "kubernetes.io/" in name or name.startswith("requests.")
    if not wrong and (native or is_qualified_name(f"requests.{name}")):
        yield invalid(path, name, "is an invalid extended resource name")


def _extender(given: Mapping[str, Any]) -> Extender:
    timeout = given.get("httpTimeout")
    try:
        seconds = (parse_duration(timeout) if timeout else 0.0) or _EXTENDER_TIMEOUT
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return Extender(
        given.get("urlPrefix") or "",
        given.get("filterVerb") or "",
        given.get("prioritizeVerb") or "",
        given.get("bindVerb") or "",
        given.get("weight") or 0,
        seconds,
        bool(given.get("nodeCacheCapable")),
        bool(given.get("ignorable")),
        str((given.get("tlsConfig") or {}).get("caData") or ""),
        bool((given.get("tlsConfig") or {}).get("insecure")),
        {
            one.get("name") or "": bool(one.get("ignoredByScheduler"))
            for one in given.get("managedResources") or ()
        },
        given.get("preemptVerb") or "",
    )


def _or(given: Mapping[str, Any], name: str, default: int) -> int:
    value = given.get(name)
    return default if value is None else int(value)
