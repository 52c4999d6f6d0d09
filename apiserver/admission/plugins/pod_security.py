"""PodSecurity: a namespace takes pods of its level, and warns of workloads that would not pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apimachinery.errors import Invalid
from apimachinery.gvk import GroupKind
from apimachinery.meta import Obj, controller_of, labels_of, name_of
from apiserver.admission.configuration import PLAIN, Exemptions
from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule
from apiserver.admission.pod_security.evaluate import violations
from apiserver.admission.pod_security.policy import (
    PRIVILEGED,
    LevelVersion,
    Policy,
    policy_of,
)
from apiserver.admission.pod_specs import CONTAINERS, TEMPLATES, pod_template
from apiserver.registry.strategy import ObjectReader

ENFORCED = "pod-security.kubernetes.io/enforce-policy"
EXEMPT = "pod-security.kubernetes.io/exempt"
# A label change looks at so many pods at most, so that it stays quick.
MOST_PODS = 3000


class PodSecurity:
    """Enforces, warns and annotates by the pod-security labels of namespaces."""

    name = "PodSecurity"
    handles = Rule(
        ("pods", "namespaces", *TEMPLATES), (CREATE, UPDATE), ("", "ephemeralcontainers")
    )

    def __init__(
        self,
        objects: ObjectReader,
        defaults: Policy = PRIVILEGED,
        exemptions: Exemptions = PLAIN.exemptions,
    ) -> None:
        self._objects = objects
        self._defaults, self._exempt = defaults, exemptions

    def validate(self, request: AdmissionRequest) -> None:
        resource = str(request.resource)
        if request.object is None:
            return
        if resource == "namespaces":
            if not request.subresource:
                self._check_namespace(request, request.object)
            return
        if resource == "pods" and request.operation is not CREATE and not _significant(request):
            return
        namespace = self._objects.get("namespaces", "", request.namespace)
        if namespace is None or self._exempts(request):
            return
        policy, _ = policy_of(labels_of(namespace), self._defaults)
        is_pod = resource == "pods"
        if is_pod:
            request.annotations[ENFORCED] = str(policy.enforce)
        if policy.allows_all:
            return
        pod = request.object if is_pod else pod_template(resource, request.object)
        if pod is not None and not self._exempts_class(request, pod):
            _check_pod(request, policy, pod, enforce=is_pod)

    def _exempts(self, request: AdmissionRequest) -> bool:
        if request.namespace in self._exempt.namespaces:
            request.annotations[EXEMPT] = "namespace"
        elif request.user.name in self._exempt.usernames:
            request.annotations[EXEMPT] = "user"
        return EXEMPT in request.annotations

    def _exempts_class(self, request: AdmissionRequest, pod: Obj) -> bool:
        runtime = (pod.get("spec") or {}).get("runtimeClassName") or ""
        if runtime in self._exempt.runtime_classes:
            request.annotations[EXEMPT] = "runtimeClass"
        return EXEMPT in request.annotations

    def _check_namespace(self, request: AdmissionRequest, namespace: Obj) -> None:
        new, errors = policy_of(labels_of(namespace), self._defaults)
        old, old_errors = policy_of(labels_of(request.old_object or {}), self._defaults)
        if errors and (request.operation is CREATE or errors != old_errors):
            raise Invalid(GroupKind("", "Namespace"), name_of(namespace), errors)
        if request.operation is CREATE or new.enforce == old.enforce:
            return
        if name_of(namespace) in self._exempt.namespaces:
            return
        relaxed = (
            new.enforce.version == old.enforce.version
            and new.enforce.strictness <= old.enforce.strictness
        )
        if not relaxed:
            request.warnings.extend(self._existing(name_of(namespace), new.enforce))

    def _existing(self, namespace: str, mode: LevelVersion) -> Iterator[str]:
        """Yield warnings about pods that are there and would not be let in any more."""
        if not mode.strictness:
            return
        by_words: dict[str, list[str]] = {}
        seen: set[str] = set()
        for pod in self._objects.list("pods", namespace)[:MOST_PODS]:
            owner = controller_of(pod)
            if owner is not None:
                # The pods of one controller are alike; one stands for all.
                if owner["uid"] in seen:
                    continue
                seen.add(owner["uid"])
            words = violations(mode, pod["metadata"], pod.get("spec") or {})
            if words:
                by_words.setdefault(words, []).append(name_of(pod))
        if by_words:
            yield (
                f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce '
                f'level "{mode}"'
            )
        for names, words in sorted((sorted(names), words) for words, names in by_words.items()):
            others = len(names) - 1
            more = f" (and {others} other pod{'' if others == 1 else 's'})" if others else ""
            yield f"{names[0]}{more}: {words}"


def _check_pod(request: AdmissionRequest, policy: Policy, pod: Obj, *, enforce: bool) -> None:
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    if enforce and (words := violations(policy.enforce, metadata, spec)):
        raise request.refusal(f'violates PodSecurity "{policy.enforce}": {words}')
    if words := violations(policy.audit, metadata, spec):
        told = f'would violate PodSecurity "{policy.audit}": {words}'
        request.annotations["pod-security.kubernetes.io/audit-violations"] = told
    if words := violations(policy.warn, metadata, spec):
        request.warnings.append(f'would violate PodSecurity "{policy.warn}": {words}')


def _significant(request: AdmissionRequest) -> bool:
    """Tell whether an update of a pod changes what the checks look at."""
    new, old = (
        (request.object or {}).get("spec") or {},
        (request.old_object or {}).get("spec") or {},
    )
    return _images(new) != _images(old)


def _images(spec: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (kind, each.get("name", ""), each.get("image", ""))
        for kind in CONTAINERS
        for each in spec.get(kind) or ()
    ]
