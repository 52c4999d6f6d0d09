"""Which requests a policy, a binding or a webhook is about: rules and selectors, compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apimachinery.errors import NotFound
from apimachinery.gvk import GroupResource
from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj, labels_of
from apiserver.admission.hooks.places import Place, Places
from apiserver.admission.interfaces import AdmissionRequest, Operation

NAMESPACES = GroupResource("", "namespaces")
# Nothing may keep an administrator from removing a policy or webhook that stands in the way.
EXEMPT = frozenset(
    f"{name}.admissionregistration.k8s.io"
    for name in (
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
    )
)
# Questions about users and rights, which policies are not asked about.
QUESTIONS = frozenset(
    (
        "selfsubjectreviews.authentication.k8s.io",
        "tokenreviews.authentication.k8s.io",
        "localsubjectaccessreviews.authorization.k8s.io",
        "selfsubjectaccessreviews.authorization.k8s.io",
        "selfsubjectrulesreviews.authorization.k8s.io",
        "subjectaccessreviews.authorization.k8s.io",
    )
)
FindNamespace = Callable[[str], Obj | None]


class Rules:
    """A list of RuleWithOperations, with the names of NamedRuleWithOperations."""

    def __init__(self, rules: Sequence[Mapping[str, Any]] | None) -> None:
        self._rules = [_Rule(rule) for rule in rules or ()]

    def __bool__(self) -> bool:
        return bool(self._rules)

    def might(self, request: AdmissionRequest, place: Place) -> bool:
        """Tell whether a rule is about a place, names and namespaces aside."""
        return any(rule.might(request, place) for rule in self._rules)

    def match(self, request: AdmissionRequest, place: Place) -> bool:
        return any(rule.match(request, place) for rule in self._rules)


class _Rule:
    """One rule: every part of it has to agree."""

    def __init__(self, rule: Mapping[str, Any]) -> None:
        self._operations = frozenset(rule.get("operations") or ())
        self._groups = frozenset(rule.get("apiGroups") or ())
        self._versions = frozenset(rule.get("apiVersions") or ())
        self._resources = tuple(text.partition("/")[::2] for text in rule.get("resources") or ())
        self._scope: str = rule.get("scope") or "*"
        self._names = frozenset(rule.get("resourceNames") or ())

    def might(self, request: AdmissionRequest, place: Place) -> bool:
        return (
            _within(request.operation.value, self._operations)
            and _within(place.group, self._groups)
            and _within(place.version, self._versions)
            and any(
                name in ("*", place.resource) and part in ("*", request.subresource)
                for name, part in self._resources
            )
        )

    def match(self, request: AdmissionRequest, place: Place) -> bool:
        if not self.might(request, place) or not _in_scope(self._scope, request):
            return False
        return not self._names or request.name in self._names


def _within(value: str, wanted: frozenset[str]) -> bool:
    return value in wanted or "*" in wanted


def _in_scope(scope: str, request: AdmissionRequest) -> bool:
    if scope == "*":
        return True
    cluster = request.resource == NAMESPACES or not request.namespace
    return cluster == (scope == "Cluster")


class Match:
    """A MatchResources, or the same parts of a webhook."""

    def __init__(self, spec: Mapping[str, Any] | None, rules: str = "resourceRules") -> None:
        spec = spec or {}
        self._rules = Rules(spec.get(rules))
        self._excluded = Rules(spec.get("excludeResourceRules"))
        self._exact = spec.get("matchPolicy") == "Exact"
        self._namespaces = from_label_selector(spec.get("namespaceSelector") or {})
        self._objects = from_label_selector(spec.get("objectSelector") or {})

    def might(self, request: AdmissionRequest, places: Places) -> bool:
        """Tell whether requests of this kind can be matched at all."""
        if not self._rules:
            return True
        own = places.own(request)
        if self._rules.might(request, own):
            return True
        if self._exact:
            return False
        return any(self._rules.might(request, other) for other in places.others(request, own))

    def place(
        self, request: AdmissionRequest, places: Places, find_namespace: FindNamespace
    ) -> Place | None:
        """Return as what the request is matched, None where it is not. Raises NotFound."""
        if not self._objects.empty and not self._object_matches(request):
            return None
        own = places.own(request)
        if self._excluded and self._find(self._excluded, request, own, places) is not None:
            return None
        found = self._find(self._rules, request, own, places) if self._rules else own
        if found is None or self._namespaces.empty:
            return found
        return found if self._namespace_matches(request, find_namespace) else None

    def _find(
        self, rules: Rules, request: AdmissionRequest, own: Place, places: Places
    ) -> Place | None:
        if rules.match(request, own):
            return own
        if self._exact:
            return None
        others = places.others(request, own)
        return next((other for other in others if rules.match(request, other)), None)

    def _object_matches(self, request: AdmissionRequest) -> bool:
        return any(
            obj is not None and self._objects.matches(labels_of(obj))
            for obj in (request.object, request.old_object)
        )

    def _namespace_matches(self, request: AdmissionRequest, find: FindNamespace) -> bool:
        if request.resource == NAMESPACES:
            fresh = request.operation in (Operation.CREATE, Operation.UPDATE)
            if fresh and not request.subresource and request.object is not None:
                return self._namespaces.matches(labels_of(request.object))
        elif not request.namespace:
            # What belongs to the cluster is never exempt.
            return True
        namespace = find(request.namespace or request.name)
        if namespace is None:
            raise NotFound(NAMESPACES, request.namespace)
        return self._namespaces.matches(labels_of(namespace))
