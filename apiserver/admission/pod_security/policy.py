"""A namespace's policy: the levels and versions that its labels ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from apimachinery.validation.field import FieldError, Path, invalid

PREFIX = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
LATEST = "latest"
# Newer than any check: what `latest` compares as.
NEWEST = 1_000_000
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)")


class LevelVersion(NamedTuple):
    """A level, and the release of Kubernetes whose reading of it counts."""

    level: str = "privileged"
    version: str = LATEST

    @property
    def strictness(self) -> int:
        return LEVELS.index(self.level)

    @property
    def minor(self) -> int:
        return NEWEST if self.version == LATEST else int(self.version.removeprefix("v1."))

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"


class Policy(NamedTuple):
    """What is refused, what is written to the audit log, and what is warned of."""

    enforce: LevelVersion
    audit: LevelVersion
    warn: LevelVersion

    @property
    def allows_all(self) -> bool:
        return not any(mode.strictness for mode in self)


PRIVILEGED = Policy(LevelVersion(), LevelVersion(), LevelVersion())


def policy_of(
    labels: Mapping[str, str], defaults: Policy = PRIVILEGED
) -> tuple[Policy, list[FieldError]]:
    """Return a namespace's policy, and what is wrong with its labels.

    A level that cannot be read counts as restricted where it is enforced, as privileged
    otherwise. Warnings follow what is enforced unless they are set.
    """
    errors: list[FieldError] = []
    enforce = _mode("enforce", labels, errors, defaults.enforce)
    audit = _mode("audit", labels, errors, defaults.audit)
    warn = _mode("warn", labels, errors, defaults.warn)
    if f"{PREFIX}warn" not in labels and f"{PREFIX}enforce" in labels:
        level = enforce.level if labels[f"{PREFIX}enforce"] in LEVELS else warn.level
        version = warn.version if f"{PREFIX}warn-version" in labels else enforce.version
        warn = LevelVersion(level, version)
    return Policy(enforce, audit, warn), errors


def _mode(
    mode: str, labels: Mapping[str, str], errors: list[FieldError], default: LevelVersion
) -> LevelVersion:
    level, version = default
    given = labels.get(f"{PREFIX}{mode}")
    if given is not None:
        fallback = "restricted" if mode == "enforce" else "privileged"
        level = given if given in LEVELS else fallback
        if given not in LEVELS:
            errors.append(_wrong(mode, given, "must be one of privileged, baseline, restricted"))
    given = labels.get(f"{PREFIX}{mode}-version")
    if given is not None:
        version = given if is_version(given) else LATEST
        if not is_version(given):
            words = 'must be "latest" or "v1.x"'
            errors.append(_wrong(f"{mode}-version", given, words))
    return LevelVersion(level, version)


def is_version(text: str) -> bool:
    """Tell whether a text names a release whose reading of a level can be pinned."""
    return text == LATEST or _VERSION.fullmatch(text) is not None


def _wrong(label: str, value: str, words: str) -> FieldError:
    return invalid((Path("metadata") / "labels").key(f"{PREFIX}{label}"), value, words)
