"""Which object points at which: every rule by which Kubernetes' objects hang together. Pure.

An edge goes from what acts to what is acted on: an owner to what it owns, a Service to its slice,
a pod to the ConfigMap that it reads. `KINDS` are the kinds that rules are about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from playground.objects import facts
from playground.objects.facts import Object
from playground.objects.summary.network import POLICIES, SERVICE_OF

# A kind by plural and group as in "deployments.apps", a namespace or "", a name.
Key = tuple[str, str, str]
Objects = Mapping[str, Sequence[Object]]

PODS = "pods"
SLICES = "endpointslices.discovery.k8s.io"
CLAIMS = "persistentvolumeclaims"
VOLUMES = "persistentvolumes"
CLASSES = "storageclasses.storage.k8s.io"
CLUSTER_ROLES = "clusterroles.rbac.authorization.k8s.io"
BUDGETS = "poddisruptionbudgets.policy"
SCALERS = "horizontalpodautoscalers.autoscaling"
INGRESSES = "ingresses.networking.k8s.io"
ROUTES = "httproutes.gateway.networking.k8s.io"
BINDINGS = "rolebindings.rbac.authorization.k8s.io"
CLUSTER_BINDINGS = "clusterrolebindings.rbac.authorization.k8s.io"
INGRESS_CLASSES = "ingressclasses.networking.k8s.io"
PRIORITIES = "priorityclasses.scheduling.k8s.io"
DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
ADMISSION = "admissionregistration.k8s.io"
API_SERVICES = "apiservices.apiregistration.k8s.io"
# A binding of policies, and its policies.
ADMISSION_BINDINGS = {
    f"{kind}admissionpolicybindings.{ADMISSION}": f"{kind}admissionpolicies.{ADMISSION}"
    for kind in ("validating", "mutating")
}
WEBHOOKS = tuple(f"{kind}webhookconfigurations.{ADMISSION}" for kind in ("validating", "mutating"))
ATTACHMENTS = "volumeattachments.storage.k8s.io"
WORKLOADS = "workloads.scheduling.k8s.io"
TEMPLATED = (
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "replicationcontrollers",
)
KINDS = (
    *TEMPLATED,
    PODS,
    "services",
    SLICES,
    INGRESSES,
    ROUTES,
    POLICIES,
    BUDGETS,
    SCALERS,
    CLAIMS,
    BINDINGS,
    "configmaps",
    "secrets",
    "serviceaccounts",
    "controllerrevisions.apps",
    facts.DEVICE_CLAIMS,
    facts.DEVICE_TEMPLATES,
    facts.GROUPS,
    WORKLOADS,
)
_NEEDED = {
    "ServiceAccount": "serviceaccounts",
    "ConfigMap": "configmaps",
    "Secret": "secrets",
    "PersistentVolumeClaim": CLAIMS,
    "ResourceClaim": facts.DEVICE_CLAIMS,
    "ResourceClaimTemplate": facts.DEVICE_TEMPLATES,
    "PodGroup": facts.GROUPS,
}
# Every pod mounts it beside its token; a picture of everything shows nothing.
EVERYWHERE = "kube-root-ca.crt"
_ROLES = {
    "Role": "roles.rbac.authorization.k8s.io",
    "ClusterRole": CLUSTER_ROLES,
}


@dataclass(frozen=True, slots=True)
class Edge:
    """One object points at another: `verb` says how, `remark` what for."""

    source: Key
    target: Key
    verb: str
    remark: str = ""


# Returns the key of what an apiVersion and a kind name, None where the cluster serves no such kind.
KeyOf = Callable[[str, str, str, str], Key | None]


def key(title: str, item: Object) -> Key:
    """Return the key of an object."""
    return title, facts.namespace(item), facts.name(item)


def between(objects: Objects, key_of: KeyOf) -> Iterator[Edge]:
    """Yield every edge between these objects, and to what they name."""
    pods = _Labelled(objects.get(PODS, ()))
    defined = {key(DEFINITIONS, one) for one in objects.get(DEFINITIONS, ())}
    for title, items in objects.items():
        rule = _RULES.get(title)
        for item in items:
            here = key(title, item)
            yield from _owners(here, item, key_of)
            if rule is not None:
                yield from rule(here, item)
            if title in _SELECTING:
                yield from _selected(here, item, pods)
            if title == SCALERS:
                yield from _scaled(here, item, key_of)
            if (DEFINITIONS, "", title) in defined:
                yield Edge((DEFINITIONS, "", title), here, "defines")
            if title in TEMPLATED and _has_no_pods(title, item):
                yield from _needs(here, _template(title, item))
    yield from _of_services(objects, pods)


class _Labelled:
    """Pods by their labels: a selector looks at few of many."""

    def __init__(self, pods: Iterable[Object]) -> None:
        self._all: dict[str, list[Object]] = {}
        self._by: dict[tuple[str, str, str], list[Object]] = {}
        for pod in pods:
            namespace = facts.namespace(pod)
            self._all.setdefault(namespace, []).append(pod)
            for name, value in (facts.meta(pod).get("labels") or {}).items():
                self._by.setdefault((namespace, name, value), []).append(pod)

    def chosen(self, namespace: str, selector: Object) -> Iterator[Object]:
        """Yield the pods of a namespace that a selector chooses."""
        wanted = (selector.get("matchLabels") or {}).items()
        sets = [self._by.get((namespace, *one), []) for one in wanted]
        for pod in min(sets, key=len) if sets else self._all.get(namespace, ()):
            if facts.selects(selector, facts.meta(pod).get("labels") or {}):
                yield pod


def _owners(here: Key, item: Object, key_of: KeyOf) -> Iterator[Edge]:
    for reference in facts.meta(item).get("ownerReferences") or ():
        version, kind = str(reference.get("apiVersion") or ""), str(reference.get("kind") or "")
        owner = key_of(version, kind, here[1], str(reference.get("name") or ""))
        if owner is not None:
            yield Edge(owner, here, "owns")


# --- what pods need -----------------------------------------------------------------------------


def _pod(here: Key, pod: Object) -> Iterator[Edge]:
    yield from _needs(here, pod)
    if node := facts.spec(pod).get("nodeName"):
        yield Edge(here, ("nodes", "", str(node)), "runs")
    if priority := facts.spec(pod).get("priorityClassName"):
        yield Edge(here, (PRIORITIES, "", str(priority)), "class")


def _group(here: Key, group: Object) -> Iterator[Edge]:
    """What a PodGroup has claims to, and what it is made after."""
    yield from _needs(here, group)
    after = (facts.spec(group).get("podGroupTemplateRef") or {}).get("workload") or {}
    if workload := after.get("workloadName"):
        template = f"template {after.get('podGroupTemplateName')}"
        yield Edge(here, (WORKLOADS, here[1], str(workload)), "uses", template)


def _needs(here: Key, pod: Object) -> Iterator[Edge]:
    uses: dict[Key, list[str]] = {}
    for kind, name, use in dict.fromkeys(facts.references(pod)):
        if name and name != EVERYWHERE:
            uses.setdefault((_NEEDED[kind], here[1], name), []).append(use)
    for target, found in uses.items():
        yield Edge(here, target, "uses", ", ".join(found))


def _has_no_pods(title: str, item: Object) -> bool:
    """Tell whether what its pods would need is to be seen in the template alone."""
    if facts.controller(item) is not None:
        return False
    return title == "cronjobs.batch" or not (
        facts.status(item).get("replicas") or facts.status(item).get("currentNumberScheduled")
    )


def _template(title: str, item: Object) -> Object:
    spec = facts.spec(item)
    if title == "cronjobs.batch":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    return dict(spec.get("template") or {})


# --- what chooses pods --------------------------------------------------------------------------

_SELECTING = {POLICIES: ("podSelector", "applies"), BUDGETS: ("selector", "protects")}


def _selected(here: Key, item: Object, pods: _Labelled) -> Iterator[Edge]:
    field, verb = _SELECTING[here[0]]
    selector = facts.spec(item).get(field)
    # A policy without a selector is for all pods of its namespace, a budget for none.
    if selector is None:
        return
    for pod in pods.chosen(here[1], selector):
        yield Edge(here, key(PODS, pod), verb)


def _scaled(here: Key, item: Object, key_of: KeyOf) -> Iterator[Edge]:
    reference = facts.spec(item).get("scaleTargetRef") or {}
    version, kind = str(reference.get("apiVersion") or ""), str(reference.get("kind") or "")
    target = key_of(version, kind, here[1], str(reference.get("name") or ""))
    if target is not None:
        yield Edge(here, target, "scales")


# --- the way to pods ----------------------------------------------------------------------------


def _of_services(objects: Objects, pods: _Labelled) -> Iterator[Edge]:
    """Yield a Service's slices and their pods; its pods themselves where no slice has them."""
    listed: dict[Key, set[Key]] = {}
    for one in objects.get(SLICES, ()):
        here = key(SLICES, one)
        name = (facts.meta(one).get("labels") or {}).get(SERVICE_OF)
        service = ("services", here[1], str(name))
        if name:
            yield Edge(service, here, "endpoints")
        for target, ready in _targets(one):
            listed.setdefault(service, set()).add(target)
            yield Edge(here, target, "lists", "" if ready else "not ready")
    for one in objects.get("services", ()):
        service, selector = key("services", one), facts.spec(one).get("selector")
        if not selector:
            continue
        for pod in pods.chosen(service[1], {"matchLabels": selector}):
            if key(PODS, pod) not in listed.get(service, ()):
                yield Edge(service, key(PODS, pod), "selects")


def _targets(one: Object) -> Iterator[tuple[Key, bool]]:
    for endpoint in one.get("endpoints") or ():
        target = endpoint.get("targetRef") or {}
        if target.get("kind") == "Pod":
            found = (PODS, facts.namespace(one), str(target.get("name") or ""))
            yield found, (endpoint.get("conditions") or {}).get("ready", True)


def _ingress(here: Key, item: Object) -> Iterator[Edge]:
    spec = facts.spec(item)
    backends = [spec.get("defaultBackend") or {}]
    for rule in spec.get("rules") or ():
        backends += [
            one.get("backend") or {} for one in (rule.get("http") or {}).get("paths") or ()
        ]
    names = [str((one.get("service") or {}).get("name") or "") for one in backends]
    for name in dict.fromkeys(filter(None, names)):
        yield Edge(here, ("services", here[1], name), "routes")
    for one in spec.get("tls") or ():
        if one.get("secretName"):
            yield Edge(here, ("secrets", here[1], str(one["secretName"])), "uses", "TLS")
    if chosen := spec.get("ingressClassName"):
        yield Edge(here, (INGRESS_CLASSES, "", str(chosen)), "class")


def _route(here: Key, item: Object) -> Iterator[Edge]:
    spec = facts.spec(item)
    for parent in spec.get("parentRefs") or ():
        if parent.get("kind", "Gateway") == "Gateway":
            at = str(parent.get("namespace") or here[1]), str(parent.get("name") or "")
            yield Edge(("gateways.gateway.networking.k8s.io", *at), here, "routes")
    for rule in spec.get("rules") or ():
        for backend in rule.get("backendRefs") or ():
            if backend.get("kind", "Service") == "Service":
                at = str(backend.get("namespace") or here[1]), str(backend.get("name") or "")
                yield Edge(here, ("services", *at), "routes")


# --- storage and rights -------------------------------------------------------------------------


def _claim(here: Key, item: Object) -> Iterator[Edge]:
    spec = facts.spec(item)
    if volume := spec.get("volumeName"):
        yield Edge(here, (VOLUMES, "", str(volume)), "bound")
    elif name := spec.get("storageClassName"):
        yield Edge(here, (CLASSES, "", str(name)), "class")


def _device_claim(here: Key, item: Object) -> Iterator[Edge]:
    spec = facts.spec(item)
    if here[0] == facts.DEVICE_TEMPLATES:
        spec = spec.get("spec") or {}
    for name in facts.device_classes(spec):
        yield Edge(here, (facts.DEVICE_CLASSES, "", name), "class")


def _volume(here: Key, item: Object) -> Iterator[Edge]:
    spec = facts.spec(item)
    claim = spec.get("claimRef") or {}
    if claim.get("name"):
        at = str(claim.get("namespace") or ""), str(claim["name"])
        yield Edge((CLAIMS, *at), here, "bound")
    if name := spec.get("storageClassName"):
        yield Edge(here, (CLASSES, "", str(name)), "class")


def _stateful(here: Key, item: Object) -> Iterator[Edge]:
    """Yield the claims of a StatefulSet: their names say whose they are."""
    spec, status = facts.spec(item), facts.status(item)
    first = int((spec.get("ordinals") or {}).get("start") or 0)
    for one in spec.get("volumeClaimTemplates") or ():
        for number in range(first, first + int(status.get("replicas") or 0)):
            name = f"{facts.name(one)}-{here[2]}-{number}"
            yield Edge(here, (CLAIMS, here[1], name), "claims")
    if service := spec.get("serviceName"):
        yield Edge(here, ("services", here[1], str(service)), "names")


def _attachment(here: Key, item: Object) -> Iterator[Edge]:
    spec = facts.spec(item)
    if volume := (spec.get("source") or {}).get("persistentVolumeName"):
        yield Edge(here, (VOLUMES, "", str(volume)), "attaches")
    if node := spec.get("nodeName"):
        yield Edge(here, ("nodes", "", str(node)), "attaches")


def _account(here: Key, item: Object) -> Iterator[Edge]:
    for field, use in (("secrets", ""), ("imagePullSecrets", "image pull secret")):
        for one in item.get(field) or ():
            if one.get("name"):
                yield Edge(here, ("secrets", here[1], str(one["name"])), "uses", use)


def _binding(here: Key, item: Object) -> Iterator[Edge]:
    role = item.get("roleRef") or {}
    title = _ROLES.get(str(role.get("kind")))
    if title:
        space = here[1] if role.get("kind") == "Role" else ""
        yield Edge(here, (title, space, str(role.get("name") or "")), "grants")
    for one in item.get("subjects") or ():
        if one.get("kind") == "ServiceAccount":
            at = str(one.get("namespace") or here[1]), str(one.get("name") or "")
            yield Edge(here, ("serviceaccounts", *at), "grants-to")


def _admission(here: Key, item: Object) -> Iterator[Edge]:
    if policy := facts.spec(item).get("policyName"):
        yield Edge(here, (ADMISSION_BINDINGS[here[0]], "", str(policy)), "bound")


def _webhooks(here: Key, item: Object) -> Iterator[Edge]:
    for one in item.get("webhooks") or ():
        service = (one.get("clientConfig") or {}).get("service") or {}
        if service.get("name"):
            at = str(service.get("namespace") or ""), str(service["name"])
            yield Edge(here, ("services", *at), "calls", str(one.get("name") or ""))


def _extension(here: Key, item: Object) -> Iterator[Edge]:
    service = facts.spec(item).get("service") or {}
    if service.get("name"):
        at = str(service.get("namespace") or ""), str(service["name"])
        yield Edge(here, ("services", *at), "calls")


def _event(here: Key, item: Object) -> Iterator[Edge]:
    about = item.get("involvedObject") or item.get("regarding") or {}
    if about.get("kind") == "Pod" and about.get("name"):
        yield Edge(here, (PODS, here[1], str(about["name"])), "about")


_RULES: dict[str, Callable[[Key, Object], Iterator[Edge]]] = {
    PODS: _pod,
    INGRESSES: _ingress,
    ROUTES: _route,
    CLAIMS: _claim,
    VOLUMES: _volume,
    facts.DEVICE_CLAIMS: _device_claim,
    facts.GROUPS: _group,
    facts.DEVICE_TEMPLATES: _device_claim,
    "statefulsets.apps": _stateful,
    ATTACHMENTS: _attachment,
    "serviceaccounts": _account,
    BINDINGS: _binding,
    CLUSTER_BINDINGS: _binding,
    **dict.fromkeys(ADMISSION_BINDINGS, _admission),
    **dict.fromkeys(WEBHOOKS, _webhooks),
    API_SERVICES: _extension,
    "events": _event,
}
