"""What a JobSpec may say, in a Job and in the template of a CronJob."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    OMITTED,
    ErrorType,
    FieldError,
    FieldErrors,
    Path,
    duplicate,
    invalid,
    not_supported,
    repeats,
    required,
    too_long,
    too_many,
)
from apimachinery.validation.names import is_qualified_name
from apiserver.registry.batch import indexes
from apiserver.registry.podspec.checks import nonnegative, nonnegative_fields, obey
from apiserver.registry.podspec.template import template_errors, template_warnings
from apiserver.registry.rules.names import domain_prefixed_path_errors

NON_INDEXED, INDEXED = "NonIndexed", "Indexed"

_NUMBERS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_MOST_INDEXES = 100_000
_MOST_ABOVE = 10_000
_LONGEST_MANAGER = 63
_MOST_RULES = 20
_MOST_EXIT_CODES = 255
_MOST_PATTERNS = 20
_LONGEST_INDEXES = 64 * 1024
_RESTARTS = ("OnFailure", "Never")
_REPLACEMENTS = ("Failed", "TerminatingOrFailed")
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_UNTRACKED = (
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than "
    "10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
)
_NEEDS_INDEXES = "requires indexed completion mode"


def job_spec_errors(spec: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a JobSpec, its selector aside."""
    yield from nonnegative_fields(spec, _NUMBERS, path)
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(path / "backoffLimitPerIndex", "when maxFailedIndexes is specified")
    manager = spec.get("managedBy")
    if manager is not None:
        yield from domain_prefixed_path_errors(manager, path / "managedBy")
        if len(manager) > _LONGEST_MANAGER:
            yield too_long(path / "managedBy", manager, _LONGEST_MANAGER)
    yield from _mode_errors(spec, path)
    yield from _policy_errors(spec, path)
    template = spec.get("template") or {}
    yield from template_errors(template, path / "template")
    yield from _restart_errors(spec, path / "template" / "spec" / "restartPolicy")


def job_warnings(spec: Obj, path: Path) -> list[str]:
    """Return what people should know about a JobSpec that is not wrong."""
    many = (spec.get("completions") or 0) > _MOST_INDEXES
    many = many and (spec.get("parallelism") or 0) > _MOST_ABOVE
    warned = [f"{path}: {_UNTRACKED}"] if many and spec.get("completionMode") == INDEXED else []
    return warned + template_warnings(spec.get("template") or {}, path / "template")


def _mode_errors(spec: Obj, path: Path) -> FieldErrors:
    mode = spec.get("completionMode")
    if mode is not None and mode not in (NON_INDEXED, INDEXED):
        yield not_supported(path / "completionMode", mode, (NON_INDEXED, INDEXED))
    if mode == INDEXED:
        yield from _indexed_errors(spec, path)
    if mode in (None, NON_INDEXED):
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(name) is not None:
                yield invalid(path / name, spec[name], _NEEDS_INDEXES)


def _indexed_errors(spec: Obj, path: Path) -> FieldErrors:
    completions, parallelism = spec.get("completions"), spec.get("parallelism") or 0
    failures = spec.get("maxFailedIndexes")
    if completions is None:
        yield required(path / "completions", f"when completion mode is {INDEXED}")
    if parallelism > _MOST_INDEXES:
        yield invalid(
            path / "parallelism",
            parallelism,
            f"must be less than or equal to {_MOST_INDEXES} when completion mode is {INDEXED}",
        )
    if failures is not None:
        where = path / "maxFailedIndexes"
        if completions is not None and failures > completions:
            yield invalid(where, failures, "must be less than or equal to completions")
        if failures > _MOST_INDEXES:
            yield invalid(where, failures, f"must be less than or equal to {_MOST_INDEXES}")
    per_index = spec.get("backoffLimitPerIndex") is not None
    if completions is not None and completions > _MOST_INDEXES and per_index:
        yield from _large_errors(parallelism, failures, path)


def _large_errors(parallelism: int, failures: int | None, path: Path) -> FieldErrors:
    limit = (
        f"must be less than or equal to {_MOST_ABOVE} when completions are above "
        f"{_MOST_INDEXES} and used with backoff limit per index"
    )
    if failures is None:
        yield required(
            path / "maxFailedIndexes",
            f"must be specified when completions is above {_MOST_INDEXES}",
        )
    if parallelism > _MOST_ABOVE:
        yield invalid(path / "parallelism", parallelism, limit)
    if failures is not None and failures > _MOST_ABOVE:
        yield invalid(path / "maxFailedIndexes", failures, limit)


def _policy_errors(spec: Obj, path: Path) -> FieldErrors:
    if spec.get("podFailurePolicy") is not None:
        yield from _failure_errors(spec, path / "podFailurePolicy" / "rules")
    success = spec.get("successPolicy")
    if success is not None:
        if spec.get("completionMode") != INDEXED:
            yield invalid(path / "successPolicy", go_success_policy(success), _NEEDS_INDEXES)
        else:
            yield from _success_errors(spec, path / "successPolicy" / "rules")
    replacement = spec.get("podReplacementPolicy")
    if replacement is not None:
        allowed = _REPLACEMENTS if spec.get("podFailurePolicy") is None else ("Failed",)
        if replacement not in allowed:
            yield not_supported(path / "podReplacementPolicy", replacement, allowed)


def _restart_errors(spec: Obj, path: Path) -> FieldErrors:
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy") or ""
    if policy in ("", "Always"):
        yield required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in _RESTARTS:
        yield not_supported(path, policy, _RESTARTS)
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        why = 'only "Never" is supported when podFailurePolicy is specified'
        yield invalid(path, policy, why)


def _failure_errors(spec: Obj, path: Path) -> FieldErrors:
    rules = spec["podFailurePolicy"].get("rules") or []
    if len(rules) > _MOST_RULES:
        yield too_many(path, len(rules), _MOST_RULES)
    pod = (spec.get("template") or {}).get("spec") or {}
    names = {
        one.get("name") for kind in ("containers", "initContainers") for one in pod.get(kind) or ()
    }
    for at, rule in enumerate(rules):
        yield from _failure_rule_errors(spec, rule, path[at], names)


def _failure_rule_errors(spec: Obj, rule: Obj, path: Path, names: set[str | None]) -> FieldErrors:
    action = rule.get("action") or ""
    if action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            yield invalid(path / "action", action, "requires the backoffLimitPerIndex to be set")
    else:
        yield from _word_errors(action, _ACTIONS, path / "action")
    codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions") or []
    if codes is not None:
        yield from _exit_code_errors(codes, path / "onExitCodes", names)
    if patterns:
        yield from _pattern_errors(patterns, path / "onPodConditions")
    if codes is not None and patterns:
        why = "specifying both OnExitCodes and OnPodConditions is not supported"
        yield _unshown(path, why)
    if codes is None and not patterns:
        yield _unshown(path, "specifying one of OnExitCodes and OnPodConditions is required")


def _word_errors(value: str, allowed: tuple[str, ...], path: Path) -> FieldErrors:
    if not value:
        shown = " ".join(f'"{word}"' for word in allowed)
        yield required(path, f"valid values: [{shown}]")
    elif value not in allowed:
        yield not_supported(path, value, allowed)


def _unshown(path: Path, why: str) -> FieldError:
    return FieldError(ErrorType.INVALID, str(path), OMITTED, why)


def _pattern_errors(patterns: list[Obj], path: Path) -> FieldErrors:
    if len(patterns) > _MOST_PATTERNS:
        yield too_many(path, len(patterns), _MOST_PATTERNS)
    for at, pattern in enumerate(patterns):
        yield from obey(is_qualified_name, pattern.get("type") or "", path[at] / "type")
        yield from _word_errors(pattern.get("status") or "", _STATUSES, path[at] / "status")


def _exit_code_errors(codes: Obj, path: Path, names: set[str | None]) -> FieldErrors:
    operator, values = codes.get("operator") or "", codes.get("values") or []
    yield from _word_errors(operator, _OPERATORS, path / "operator")
    container = codes.get("containerName")
    if container is not None and container not in names:
        why = "must be one of the container or initContainer names in the pod template"
        yield invalid(path / "containerName", container, why)
    path = path / "values"
    if not values:
        yield invalid(path, codes.get("values"), "at least one value is required")
    elif len(values) > _MOST_EXIT_CODES:
        yield too_many(path, len(values), _MOST_EXIT_CODES)
    again = repeats(values)
    for at, value in enumerate(values):
        if operator == "In" and value == 0:
            yield invalid(path[at], value, "must not be 0 for the In operator")
        if at in again:
            yield duplicate(path[at], value)
    if values != sorted(values):
        yield invalid(path, values, "must be ordered")


def _success_errors(spec: Obj, path: Path) -> FieldErrors:
    rules = spec["successPolicy"].get("rules") or []
    if not rules:
        why = "at least one rules must be specified when the successPolicy is specified"
        yield required(path, why)
    if len(rules) > _MOST_RULES:
        yield too_many(path, len(rules), _MOST_RULES)
    for at, rule in enumerate(rules):
        yield from _success_rule_errors(rule, spec.get("completions") or 0, path[at])


def _success_rule_errors(rule: Obj, completions: int, path: Path) -> FieldErrors:
    count, text = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and text is None:
        why = "at least one of succeededCount or succeededIndexes must be specified"
        yield required(path, why)
    named = 0
    if text is not None:
        where = path / "succeededIndexes"
        if len(text) > _LONGEST_INDEXES:
            yield too_long(where, text, _LONGEST_INDEXES)
        try:
            named = indexes.total(text, completions)
        except indexes.IndexesError as error:
            yield invalid(where, text, f"error parsing succeededIndexes: {error}")
    if count is None:
        return
    where = path / "succeededCount"
    yield from nonnegative(count, where)
    at_most = "must be less than or equal to"
    if count > completions:
        why = f"{at_most} {completions} (the number of specified completions)"
        yield invalid(where, count, why)
    if text is not None and count > named:
        what = "the number of indexes in the specified succeededIndexes field"
        yield invalid(where, count, f"{at_most} {named} ({what})")


def go_success_policy(policy: Obj) -> Obj:
    """Print a successPolicy with the names of Go's fields, as messages show it."""
    return {
        "Rules": [
            {
                "SucceededIndexes": rule.get("succeededIndexes"),
                "SucceededCount": rule.get("succeededCount"),
            }
            for rule in policy.get("rules") or ()
        ]
    }
