"""Features of v1.36 that an operator may switch: most are of alpha quality, and off by default.

As in Kubernetes they hold for all that a process serves, and are switched before it serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from apimachinery.booleans import parse_bool, says_true
from apimachinery.features import (
    GANG_SCHEDULING,
    GENERIC_WORKLOAD,
    GROUP_CLAIMS,
    GROUP_PREEMPTION,
    MIGRATOR,
    SERVER_IDENTITY,
    SEVERAL_AT_A_TIME,
    STORAGE_VERSIONS,
    TAINT_RULES,
    TOPOLOGY,
    WORKLOAD_WITH_JOB,
)

_WORKLOADS, _DEVICES = "scheduling.k8s.io/v1alpha2", "resource.k8s.io/v1beta2"
_MIGRATIONS = "storagemigration.k8s.io/v1beta1"
_STORAGE_VERSIONS = "internal.apiserver.k8s.io/v1alpha1"


class Feature(NamedTuple):
    """needs: the features that it needs besides.
    kinds: the version of the API in which its kinds are served, "" where it has none.
    usual: it is on unless it is switched off.
    """

    kinds: str = ""
    needs: tuple[str, ...] = ()
    usual: bool = False


FEATURES: Mapping[str, Feature] = {
    GANG_SCHEDULING: Feature(_WORKLOADS, (GENERIC_WORKLOAD,)),
    GENERIC_WORKLOAD: Feature(_WORKLOADS),
    GROUP_CLAIMS: Feature(_WORKLOADS, (GENERIC_WORKLOAD,)),
    MIGRATOR: Feature(_MIGRATIONS),
    SERVER_IDENTITY: Feature(usual=True),
    SEVERAL_AT_A_TIME: Feature(),
    STORAGE_VERSIONS: Feature(_STORAGE_VERSIONS),
    TAINT_RULES: Feature(_DEVICES),
    TOPOLOGY: Feature(_WORKLOADS, (GENERIC_WORKLOAD,)),
    GROUP_PREEMPTION: Feature(_WORKLOADS, (GANG_SCHEDULING,)),
    WORKLOAD_WITH_JOB: Feature(_WORKLOADS, (GENERIC_WORKLOAD,)),
}
# What is on by default.
USUAL = frozenset(name for name, feature in FEATURES.items() if feature.usual)
# What --runtime-config may name.
VERSIONS = {"api/all", "api/alpha", "api/beta", *(one.kinds for one in FEATURES.values())} - {""}

_on = {*USUAL}


def enabled(feature: str) -> bool:
    """Tell whether a feature is on."""
    return feature in _on


def all_on() -> frozenset[str]:
    """Return the features that are on."""
    return frozenset(_on)


def switch(said: Mapping[str, bool]) -> None:
    """Have these features on or off, and all others as they are by default."""
    _on.clear()
    _on.update(name for name in FEATURES if said.get(name, name in USUAL))


def chosen(
    features: Iterable[tuple[str, str]], versions: Iterable[tuple[str, str]]
) -> dict[str, bool]:
    """Return what flags switch on or off; kinds of a feature have to be served as well."""
    served = {name for name, value in versions if says_true(value)}
    given = {name: says_true(value) for name, value in features if name in FEATURES}
    return {name: on and _is_served(FEATURES[name].kinds, served) for name, on in given.items()}


def _is_served(kinds: str, served: set[str]) -> bool:
    """Tell whether a version of the API is served, or none is needed."""
    quality = "api/alpha" if "alpha" in kinds else "api/beta"
    return not kinds or not served.isdisjoint(("api/all", quality, kinds))


def problems(
    features: Iterable[tuple[str, str]], versions: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """Yield what is wrong with --feature-gates and --runtime-config."""
    given = dict(features)
    for name, value in given.items():
        if name not in FEATURES:
            yield f"unrecognized feature gate: {name}"
        elif why := _no_bool(value):
            yield f"invalid value of {name}: {value}, err: {why}"
        elif says_true(value):
            off = [one for one in FEATURES[name].needs if not _is_given(one, given)]
            if off:
                yield f"{name} is enabled, but depends on features that are disabled: {off[0]}"
    for name, value in versions:
        if name not in VERSIONS:
            yield f"unknown api groups {name.partition('/')[0]}"
        elif _no_bool(value):
            yield f"invalid value {name}={value}"


def _is_given(name: str, given: Mapping[str, str]) -> bool:
    return says_true(given[name]) if name in given else name in USUAL


def _no_bool(text: str) -> str:
    """Return what is wrong with a boolean, nothing if nothing is."""
    try:
        parse_bool(text)
    except ValueError as error:
        return str(error)
    return ""
