"""Where a pod may run: affinity, spreading, tolerations, node selectors."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from apimachinery.validation.names import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_label_value,
    is_qualified_name,
)
from apiserver.registry.podspec.checks import NOT_POSITIVE, obey, one_of
from apiserver.registry.podspec.selectors import selector_errors

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_WEIGHT = "must be in the range 1-100"
_MAX_WEIGHT = 100
_NO_SELECTOR = "must not be specified when labelSelector is not set"
_BOTH = "exists in both matchLabelKeys and labelSelector"


def affinity_errors(affinity: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with spec.affinity."""
    if (node := affinity.get("nodeAffinity")) is not None:
        yield from _node_affinity_errors(node, path / "nodeAffinity")
    for name in ("podAffinity", "podAntiAffinity"):
        pods = affinity.get(name)
        if pods is None:
            continue
        for at, term in enumerate(pods.get(_REQUIRED) or ()):
            yield from _pod_term_errors(term, (path / name / _REQUIRED)[at])
        for at, weighted in enumerate(pods.get(_PREFERRED) or ()):
            where = (path / name / _PREFERRED)[at]
            yield from _weight_errors(weighted, where)
            yield from _pod_term_errors(
                weighted.get("podAffinityTerm") or {}, where / "podAffinityTerm"
            )


def _weight_errors(weighted: Obj, path: Path) -> FieldErrors:
    weight = weighted.get("weight") or 0
    if not 0 < weight <= _MAX_WEIGHT:
        yield invalid(path / "weight", weight, _WEIGHT)


def _node_affinity_errors(affinity: Obj, path: Path) -> FieldErrors:
    if (selector := affinity.get(_REQUIRED)) is not None:
        yield from node_selector_errors(selector, path / _REQUIRED)
    for at, term in enumerate(affinity.get(_PREFERRED) or ()):
        where = (path / _PREFERRED)[at]
        yield from _weight_errors(term, where)
        yield from _term_errors(term.get("preference") or {}, where / "preference", strict=False)


def node_selector_errors(selector: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a NodeSelector, of pods or of volumes."""
    terms = selector.get("nodeSelectorTerms")
    if not terms:
        yield required(path / "nodeSelectorTerms", "must have at least one node selector term")
        return
    for at, term in enumerate(terms):
        yield from _term_errors(term, (path / "nodeSelectorTerms")[at], strict=True)


def _term_errors(term: Obj, path: Path, *, strict: bool) -> FieldErrors:
    for at, one in enumerate(term.get("matchExpressions") or ()):
        yield from _expression_errors(one, (path / "matchExpressions")[at], strict=strict)
    for at, one in enumerate(term.get("matchFields") or ()):
        yield from _field_errors(one, (path / "matchFields")[at])


def _expression_errors(one: Obj, path: Path, *, strict: bool) -> FieldErrors:
    operator, values = one.get("operator") or "", one.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            yield required(path / "values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(
                path / "values",
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            yield required(
                path / "values",
                "must be specified single value when `operator` is 'Lt' or 'Gt'",
            )
    else:
        yield invalid(path / "operator", operator, "not a valid selector operator")
    yield from obey(is_qualified_name, one.get("key") or "", path / "key")
    if strict:
        for at, value in enumerate(values):
            yield from obey(is_label_value, value, (path / "values")[at])


def _field_errors(one: Obj, path: Path) -> FieldErrors:
    operator, values = one.get("operator") or "", one.get("values") or ()
    if operator not in ("In", "NotIn"):
        yield invalid(path / "operator", operator, "not a valid selector operator")
    elif len(values) != 1:
        yield required(
            path / "values",
            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        )
    if one.get("key") != "metadata.name":
        yield invalid(path / "key", one.get("key") or "", "not a valid field selector key")
        return
    for at, value in enumerate(values):
        yield from obey(is_dns1123_subdomain, value, (path / "values")[at])


def _pod_term_errors(term: Obj, path: Path) -> FieldErrors:
    selector = term.get("labelSelector")
    yield from selector_errors(selector, path / "labelSelector")
    yield from selector_errors(term.get("namespaceSelector"), path / "namespaceSelector")
    for namespace in term.get("namespaces") or ():
        yield from obey(is_dns1123_label, namespace, path / "namespace")
    if term.get("matchLabelKeys") or term.get("mismatchLabelKeys"):
        yield from _label_key_errors(term, selector, path)
    key = term.get("topologyKey") or ""
    if not key:
        yield required(path / "topologyKey", "can not be empty")
    yield from obey(is_qualified_name, key, path / "topologyKey")


def _label_key_errors(term: Obj, selector: Obj | None, path: Path) -> FieldErrors:
    same, other = term.get("matchLabelKeys") or [], term.get("mismatchLabelKeys") or []
    for name, keys in (("matchLabelKeys", same), ("mismatchLabelKeys", other)):
        if keys and selector is None:
            yield forbidden(path / name, _NO_SELECTOR)
            continue
        for at, key in enumerate(keys):
            yield from obey(is_qualified_name, key, (path / name)[at])
    if selector is not None:
        # The keys have been merged into the selector by now: a second time is the user's own.
        seen = set(selector.get("matchLabels") or ())
        first = {key: at for at, key in reversed([*enumerate(same)])}
        for requirement in selector.get("matchExpressions") or ():
            key = requirement.get("key")
            if key in first and key in seen:
                yield invalid(path[first[key]], key, _BOTH)
            seen.add(key)
    others = set(other)
    for at, key in enumerate(same):
        if key in others:
            yield invalid(
                (path / "matchLabelKeys")[at],
                key,
                "exists in both matchLabelKeys and mismatchLabelKeys",
            )


def spread_errors(constraints: list[Obj], path: Path) -> FieldErrors:
    """Yield what is wrong with spec.topologySpreadConstraints."""
    pairs = [_spread_pair(constraint) for constraint in constraints]
    last = {pair: at for at, pair in enumerate(pairs)}
    for at, constraint in enumerate(constraints):
        where = path[at]
        skew = constraint.get("maxSkew") or 0
        if skew <= 0:
            yield invalid(where / "maxSkew", skew, NOT_POSITIVE)
        key, action = pairs[at]
        if not key:
            yield required(where / "topologyKey", "can not be empty")
        yield from one_of(action, ("DoNotSchedule", "ScheduleAnyway"), where / "whenUnsatisfiable")
        if at < last[key, action]:  # all but the last of those that are alike
            yield duplicate(where / "{topologyKey, whenUnsatisfiable}", f"{{{key}, {action}}}")
        yield from _min_domain_errors(constraint.get("minDomains"), action, where / "minDomains")
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if constraint.get(name) is not None:
                yield from one_of(constraint[name], ("Honor", "Ignore"), where / name)
        selector = constraint.get("labelSelector")
        if keys := constraint.get("matchLabelKeys"):
            yield from _spread_key_errors(keys, selector, where / "matchLabelKeys")
        yield from selector_errors(selector, where / "labelSelector")


def _spread_pair(constraint: Obj) -> tuple[str, str]:
    return constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""


def _min_domain_errors(domains: int | None, action: str, path: Path) -> FieldErrors:
    if domains is None:
        return
    if domains <= 0:
        yield invalid(path, domains, NOT_POSITIVE)
    if action != "DoNotSchedule":
        yield invalid(
            path,
            domains,
            f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}",
        )


def _spread_key_errors(keys: list[str], selector: Obj | None, path: Path) -> FieldErrors:
    taken: set[str] = set()
    if selector is None:
        yield forbidden(path, _NO_SELECTOR)
    else:
        taken |= set(selector.get("matchLabels") or ())
        taken |= {one.get("key") for one in selector.get("matchExpressions") or ()}
    for at, key in enumerate(keys):
        yield from obey(is_qualified_name, key, path[at])
        if key in taken:
            yield invalid(path[at], key, _BOTH)


def toleration_errors(tolerations: list[Obj], path: Path) -> FieldErrors:
    """Yield what is wrong with a list of tolerations."""
    for at, toleration in enumerate(tolerations):
        where = path[at]
        key, operator = toleration.get("key") or "", toleration.get("operator") or ""
        effect, value = toleration.get("effect") or "", toleration.get("value") or ""
        if key:
            yield from obey(is_qualified_name, key, where / "key")
        elif operator != "Exists":
            yield invalid(
                where / "operator",
                operator,
                "operator must be Exists when `key` is empty, "
                'which means "match all values and all keys"',
            )
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            yield invalid(
                where / "effect",
                effect,
                "effect must be 'NoExecute' when `tolerationSeconds` is set",
            )
        yield from _operator_errors(operator, value, where / "operator")
        if effect:
            yield from one_of(effect, EFFECTS, where / "effect")


def _operator_errors(operator: str, value: str, path: Path) -> FieldErrors:
    if operator in ("", "Equal"):
        if wrong := is_label_value(value):
            yield invalid(path, value, ";".join(wrong))
    elif operator == "Exists":
        if value:
            yield invalid(path, value, "value must be empty when `operator` is 'Exists'")
    else:
        yield not_supported(path, operator, ("Equal", "Exists"))
