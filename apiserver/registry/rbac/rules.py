"""What a role's rules may say."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required


def rule_errors(rules: Sequence[Obj] | None, path: Path, *, namespaced: bool) -> FieldErrors:
    """Yield what is wrong with a list of rules."""
    for at, rule in enumerate(rules or ()):
        yield from _one_rule_errors(rule, path[at], namespaced=namespaced)


def _one_rule_errors(rule: Obj, path: Path, *, namespaced: bool) -> FieldErrors:
    if not rule.get("verbs"):
        yield required(path / "verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            why = "namespaced rules cannot apply to non-resource URLs"
            yield invalid(path / "nonResourceURLs", urls, why)
        if any(rule.get(name) for name in ("apiGroups", "resources", "resourceNames")):
            why = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(path / "nonResourceURLs", urls, why)
        return
    if not rule.get("apiGroups"):
        yield required(path / "apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(path / "resources", "resource rules must supply at least one resource")
