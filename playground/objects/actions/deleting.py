"""What goes, stays or comes again when objects are deleted or evicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apimachinery.resourceclaims import is_allocated
from playground.objects import facts
from playground.objects.actions.draining import covering
from playground.objects.actions.requests import Target
from playground.objects.actions.warnings import Notice, bad, info, named, warn
from playground.objects.reading import Object, Reader

# Objects that can be looked at one by one; more are counted only.
LOOKED_AT = 50
Warned = Iterator[Notice]


def warnings(targets: Sequence[Target], reader: Reader, *, evict: bool = False) -> list[Notice]:
    """Return what to know before these objects of one kind are deleted."""
    resource = targets[0].resource
    found: list[Notice] = []
    if resource.title == "pods":
        found.extend(_pods(_pods_of(targets, reader), reader, evict=evict))
    elif len(targets) <= LOOKED_AT:
        found.extend(_by_kind(targets, reader))
        found.extend(_owned(targets, reader))
    if len(targets) <= LOOKED_AT:
        found.extend(_held_back(targets, reader))
    return found


def _pods_of(targets: Sequence[Target], reader: Reader) -> list[Object]:
    spaces = {target.namespace for target in targets}
    space = next(iter(spaces)) if len(spaces) == 1 else ""
    wanted = {(target.namespace, target.name) for target in targets}
    return [
        pod
        for pod in reader.items("pods", space)
        if (facts.namespace(pod), facts.name(pod)) in wanted
    ]


def _pods(pods: Sequence[Object], reader: Reader, *, evict: bool) -> Warned:
    mirrors = [pod for pod in pods if facts.is_mirror(pod)]
    bare = [pod for pod in pods if facts.controller(pod) is None and not facts.is_mirror(pod)]
    owned = [pod for pod in pods if facts.controller(pod) is not None]
    if bare:
        text = ngettext(
            "No controller makes this pod again:",
            "No controller makes these pods again:",
            len(bare),
        )
        yield bad(text, named(bare))
    if owned:
        makers = Counter(_maker(pod) for pod in owned)
        yield info(_("New pods will take their place, made by:"), list(makers))
    if mirrors:
        text = _("Static pods: the kubelet runs on, and shows them again at once.")
        yield warn(text, named(mirrors))
    if local := [pod for pod in pods if facts.has_local_data(pod) and not facts.ended(pod)]:
        yield warn(_("The data of their emptyDir volumes goes with them:"), named(local))
    yield from _budgets(pods, reader, evict=evict)


def _maker(pod: Object) -> str:
    owner = facts.controller(pod) or {}
    return f"{owner.get('kind')} {owner.get('name')}"


def _budgets(pods: Sequence[Object], reader: Reader, *, evict: bool) -> Warned:
    spaces = {facts.namespace(pod) for pod in pods}
    budgets = reader.items("poddisruptionbudgets.policy", spaces.pop() if len(spaces) == 1 else "")
    hit = {facts.name(one): one for pod in pods for one in covering(budgets, pod)}
    lines = [
        _("%(name)s allows %(n)d now")
        % {"name": name, "n": facts.status(one).get("disruptionsAllowed") or 0}
        for name, one in sorted(hit.items())
    ]
    if not lines:
        return
    if evict:
        yield info(_("The API asks these PodDisruptionBudgets for each pod:"), lines)
    else:
        text = _("Deleting asks no PodDisruptionBudget; evicting does. There are:")
        yield warn(text, lines)


def _by_kind(targets: Sequence[Target], reader: Reader) -> Warned:
    work = _KINDS.get(targets[0].resource.title)
    if work is not None:
        for target in targets:
            yield from work(target, reader)


def _namespace(target: Target, reader: Reader) -> Warned:
    counts = []
    for resource in reader.resources:
        if not resource.namespaced or resource.plural == "events":
            continue
        # Two groups serve the same object now and then; it is enough to say it once.
        if (n := reader.count(resource, target.name)) and "delete" in resource.verbs:
            counts.append(f"{n} {resource.title}")
    if counts:
        yield bad(_("Everything in %(name)s goes with it:") % {"name": target.name}, counts)
    if target.name in ("default", "kube-system", "kube-public", "kube-node-lease"):
        yield info(_("The API refuses to delete %(name)s.") % {"name": target.name})


def _node(target: Target, reader: Reader) -> Warned:
    pods = reader.items("pods", fieldSelector=f"spec.nodeName={target.name}", metadata=True)
    if pods:
        text = _("Pods on %(name)s are deleted without asking budgets. Drain it first.")
        yield bad(text % {"name": target.name}, named(pods))


def _claim(target: Target, reader: Reader) -> Warned:
    claim = reader.maybe(target.path) or {}
    yield from _held(target, reader, "PersistentVolumeClaim")
    volume = reader.maybe(f"/api/v1/persistentvolumes/{facts.spec(claim).get('volumeName')}")
    if volume is None:
        return
    policy = facts.spec(volume).get("persistentVolumeReclaimPolicy")
    if policy == "Delete":
        text = _("Its volume has the reclaim policy Delete: the data is deleted too.")
        yield bad(text, [facts.name(volume)])
    else:
        text = _("Its volume has the reclaim policy %(policy)s: the data stays.")
        yield info(text % {"policy": policy}, [facts.name(volume)])


def _volume(target: Target, reader: Reader) -> Warned:
    volume = reader.maybe(target.path) or {}
    if facts.status(volume).get("phase") == "Bound":
        claim = facts.spec(volume).get("claimRef") or {}
        where = f"{claim.get('namespace')}/{claim.get('name')}"
        yield warn(_("It stays until its claim is gone:"), [where])


def _definition(target: Target, reader: Reader) -> Warned:
    plural, _dot, group = target.name.partition(".")
    resource = reader.named(f"{plural}.{group}")
    if resource is not None and (n := reader.count(resource)):
        text = ngettext(
            "%(n)d object of this kind is deleted with it.",
            "All %(n)d objects of this kind are deleted with it.",
            n,
        )
        yield bad(text % {"n": n})


def _service(target: Target, reader: Reader) -> Warned:
    service = reader.maybe(target.path) or {}
    address = facts.spec(service).get("clusterIP")
    if address and address != "None":
        text = _("Its name and its address %(address)s end. The pods behind it run on.")
        yield warn(text % {"address": address})
    else:
        yield warn(_("Its name ends. The pods behind it run on."))
    ingresses = [
        one
        for one in reader.items("ingresses.networking.k8s.io", target.namespace)
        if target.name in _backends(one)
    ]
    if ingresses:
        yield warn(_("These Ingresses lead to it:"), named(ingresses))


def _backends(ingress: Object) -> set[str]:
    inner = facts.spec(ingress)
    paths = [
        path.get("backend") or {}
        for rule in inner.get("rules") or ()
        for path in (rule.get("http") or {}).get("paths") or ()
    ]
    found = [*paths, inner.get("defaultBackend") or {}]
    return {str((one.get("service") or {}).get("name") or "") for one in found}


def _device_claim(target: Target, reader: Reader) -> Warned:
    if is_allocated(reader.maybe(target.path) or {}):
        yield from _held(target, reader, "ResourceClaim")
    else:
        yield from _used("ResourceClaim")(target, reader)


def _held(target: Target, reader: Reader, kind: str) -> Warned:
    if using := _users(reader, target, kind):
        yield warn(_("It stays until no pod uses it. In use by:"), using)


def _used(kind: str) -> Callable[[Target, Reader], Warned]:
    def work(target: Target, reader: Reader) -> Warned:
        if using := _users(reader, target, kind):
            yield warn(_("Pods that use it; new ones would not start:"), using)

    return work


def _users(reader: Reader, target: Target, kind: str) -> list[str]:
    return [
        facts.name(pod)
        for pod in reader.items("pods", target.namespace)
        if not facts.ended(pod)
        and any(k == kind and n == target.name for k, n, _use in facts.references(pod))
    ]


def _role(target: Target, reader: Reader) -> Warned:
    kinds = (
        "rolebindings.rbac.authorization.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io",
    )
    bound = [
        f"{one.get('kind') or kind.partition('.')[0]} {facts.name(one)}"
        for kind in kinds
        for one in reader.items(kind, target.namespace if kind.startswith("role") else "")
        if (one.get("roleRef") or {}).get("name") == target.name
        and (one.get("roleRef") or {}).get("kind") == target.resource.kind
    ]
    if bound:
        yield warn(_("These bindings grant nothing without it:"), bound)


_KINDS: dict[str, Callable[[Target, Reader], Warned]] = {
    "namespaces": _namespace,
    "nodes": _node,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
    "services": _service,
    facts.DEVICE_CLAIMS: _device_claim,
    facts.DEVICE_TEMPLATES: _used("ResourceClaimTemplate"),
    "configmaps": _used("ConfigMap"),
    "secrets": _used("Secret"),
    "serviceaccounts": _used("ServiceAccount"),
    "roles.rbac.authorization.k8s.io": _role,
    "clusterroles.rbac.authorization.k8s.io": _role,
}

# Where the garbage collector finds what these own.
_OWNS: dict[str, tuple[str, ...]] = {
    "deployments.apps": ("replicasets.apps",),
    "replicasets.apps": ("pods",),
    "statefulsets.apps": ("pods", "controllerrevisions.apps"),
    "daemonsets.apps": ("pods", "controllerrevisions.apps"),
    "replicationcontrollers": ("pods",),
    "cronjobs.batch": ("jobs.batch",),
    "jobs.batch": ("pods",),
    "services": ("endpointslices.discovery.k8s.io",),
}


def _owned(targets: Sequence[Target], reader: Reader) -> Warned:
    """Yield what is deleted with the targets because they own it."""
    counts: Counter[str] = Counter()
    for space in {target.namespace for target in targets}:
        inside = [target for target in targets if target.namespace == space]
        _count_owned(counts, inside[0].resource.title, _uids(inside, reader), space, reader)
    if counts:
        lines = [f"{n} {title}" for title, n in counts.items()]
        yield warn(_("What they own goes with them, unless you choose otherwise:"), lines)


def _uids(targets: Sequence[Target], reader: Reader) -> set[str]:
    found = {target.uid for target in targets if target.uid}
    if len(found) < len(targets):
        for target in targets:
            if not target.uid and (item := reader.maybe(target.path)):
                found.add(str(facts.meta(item).get("uid")))
    return found


def _count_owned(
    counts: Counter[str], title: str, uids: set[str], space: str, reader: Reader
) -> None:
    # A kind of its own may own anything: what its operators make most often is looked at.
    usual = (
        "deployments.apps",
        "statefulsets.apps",
        "jobs.batch",
        "pods",
        "services",
        "configmaps",
    )
    for owned in _OWNS.get(title, () if "." not in title else usual):
        children = facts.owned_by(reader.items(owned, space, metadata=True), uids)
        if not children:
            continue
        counts[owned] += len(children)
        if owned in _OWNS:
            below = {str(facts.meta(one).get("uid")) for one in children}
            _count_owned(counts, owned, below, space, reader)


def _held_back(targets: Sequence[Target], reader: Reader) -> Warned:
    for target in targets[:5]:
        item = reader.maybe(target.path)
        if item is not None and (held := facts.meta(item).get("finalizers")):
            text = _("%(name)s goes only when these have let it go (finalizers):")
            yield info(text % {"name": target.name}, list(held))
