"""Features of v1.36 that are of alpha quality, and off unless an operator switches them on.

As in Kubernetes they hold for all that a process serves, and are switched before it serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

GENERIC_WORKLOAD, GANG_SCHEDULING = "GenericWorkload", "GangScheduling"
# What each feature needs besides.
FEATURES: Mapping[str, tuple[str, ...]] = {
    GANG_SCHEDULING: (GENERIC_WORKLOAD,),
    GENERIC_WORKLOAD: (),
}
ALPHA = "scheduling.k8s.io/v1alpha2"
# What --runtime-config may name.
VERSIONS = ("api/all", "api/alpha", ALPHA)

_on: set[str] = set()
# As Go's strconv.ParseBool reads them.
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_BOOLEANS = _TRUE | {"0", "f", "F", "FALSE", "false", "False"}


def enabled(feature: str) -> bool:
    """Tell whether a feature is on."""
    return feature in _on


def switch(on: Iterable[str]) -> None:
    """Have these features on and all others off."""
    _on.clear()
    _on.update(on)


def chosen(features: Iterable[tuple[str, str]], versions: Iterable[tuple[str, str]]) -> list[str]:
    """Return the features that are on by flags; their kinds have to be served as well."""
    served = any(value in _TRUE for name, value in versions if name in VERSIONS)
    on = [name for name, value in dict(features).items() if value in _TRUE]
    return on if served else []


def problems(
    features: Iterable[tuple[str, str]], versions: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """Yield what is wrong with --feature-gates and --runtime-config."""
    given = dict(features)
    for name, value in given.items():
        if name not in FEATURES:
            yield f"unrecognized feature gate: {name}"
        elif value not in _BOOLEANS:
            why = f'strconv.ParseBool: parsing "{value}": invalid syntax'
            yield f"invalid value of {name}: {value}, err: {why}"
        elif value in _TRUE:
            off = [one for one in FEATURES[name] if given.get(one) not in _TRUE]
            if off:
                yield f"{name} is enabled, but depends on features that are disabled: {off[0]}"
    for name, value in versions:
        if name not in VERSIONS:
            yield f"unknown api groups {name.partition('/')[0]}"
        elif value not in _BOOLEANS:
            yield f"invalid value {name}={value}"
