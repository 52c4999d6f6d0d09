"""Features of v1.36 that are off unless an operator switches them on, most of alpha quality.

As in Kubernetes they hold for all that a process serves, and are switched before it serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from apimachinery.booleans import parse_bool, says_true
from apimachinery.features import (
    GANG_SCHEDULING,
    GENERIC_WORKLOAD,
    GROUP_CLAIMS,
    GROUP_PREEMPTION,
    MIGRATOR,
    SEVERAL_AT_A_TIME,
    TAINT_RULES,
    TOPOLOGY,
    WORKLOAD_WITH_JOB,
)

# What each feature needs besides.
FEATURES: Mapping[str, tuple[str, ...]] = {
    GANG_SCHEDULING: (GENERIC_WORKLOAD,),
    GENERIC_WORKLOAD: (),
    GROUP_CLAIMS: (GENERIC_WORKLOAD,),
    MIGRATOR: (),
    SEVERAL_AT_A_TIME: (),
    TAINT_RULES: (),
    TOPOLOGY: (GENERIC_WORKLOAD,),
    GROUP_PREEMPTION: (GANG_SCHEDULING,),
    WORKLOAD_WITH_JOB: (GENERIC_WORKLOAD,),
}
ALPHA, BETA = "scheduling.k8s.io/v1alpha2", "resource.k8s.io/v1beta2"
MIGRATION = "storagemigration.k8s.io/v1beta1"
# What --runtime-config may name.
VERSIONS = ("api/all", "api/alpha", "api/beta", ALPHA, BETA, MIGRATION)
_OF_BETA = {TAINT_RULES: BETA, MIGRATOR: MIGRATION}

_on: set[str] = set()


def enabled(feature: str) -> bool:
    """Tell whether a feature is on."""
    return feature in _on


def all_on() -> frozenset[str]:
    """Return the features that are on."""
    return frozenset(_on)


def switch(on: Iterable[str]) -> None:
    """Have these features on and all others off."""
    _on.clear()
    _on.update(on)


def chosen(features: Iterable[tuple[str, str]], versions: Iterable[tuple[str, str]]) -> list[str]:
    """Return the features that are on by flags; their kinds have to be served as well."""
    served = {name for name, value in versions if says_true(value)}
    on = [name for name, value in dict(features).items() if says_true(value)]
    return [name for name in on if not (needs := _serving(name)) or not served.isdisjoint(needs)]


def _serving(feature: str) -> tuple[str, ...]:
    """Return what of --runtime-config has the kinds of a feature served, () where it has none."""
    if feature == SEVERAL_AT_A_TIME:
        return ()
    if feature in _OF_BETA:
        return ("api/all", "api/beta", _OF_BETA[feature])
    return ("api/all", "api/alpha", ALPHA)


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
            off = [one for one in FEATURES[name] if not says_true(given.get(one))]
            if off:
                yield f"{name} is enabled, but depends on features that are disabled: {off[0]}"
    for name, value in versions:
        if name not in VERSIONS:
            yield f"unknown api groups {name.partition('/')[0]}"
        elif _no_bool(value):
            yield f"invalid value {name}={value}"


def _no_bool(text: str) -> str:
    """Return what is wrong with a boolean, nothing if nothing is."""
    try:
        parse_bool(text)
    except ValueError as error:
        return str(error)
    return ""
