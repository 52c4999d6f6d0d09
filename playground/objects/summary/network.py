"""Services, endpoints, Ingresses and NetworkPolicies in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apimachinery.services import leads_somewhere
from playground.objects import facts
from playground.objects.reading import Object
from playground.objects.summary.parts import (
    SHOWN,
    Cell,
    Context,
    Parts,
    Rows,
    Sentence,
    code,
    joined,
    known,
    pod_rows,
    text,
)

POLICIES = "networkpolicies.networking.k8s.io"
SERVICE_OF = "kubernetes.io/service-name"


def service(item: Object, context: Context) -> Parts:
    """Yield the summary of a Service."""
    spec, namespace = facts.spec(item), facts.namespace(item)
    slices = [
        one
        for one in context.items("endpointslices.discovery.k8s.io", namespace)
        if (facts.meta(one).get("labels") or {}).get(SERVICE_OF) == facts.name(item)
    ]
    yield _service_sentence(item, slices, context)
    addresses = [one.get("ip") or one.get("hostname") for one in ingress_points(item)]
    yield known(
        (_("Type"), text(spec.get("type"))),
        (_("Cluster IP"), joined(spec.get("clusterIPs") or [spec.get("clusterIP") or ""])),
        (_("DNS name"), code(f"{facts.name(item)}.{namespace}.svc.cluster.local")),
        (_("External name"), code(spec.get("externalName"))),
        (_("External IPs"), joined(spec.get("externalIPs"))),
        (_("Load balancer"), joined(addresses)),
        (_("Selector"), code(facts.selector_text({"matchLabels": spec.get("selector") or {}}))),
        (_("Session affinity"), text(spec.get("sessionAffinity"))),
        (_("Traffic"), text(_traffic(spec))),
    )
    ports = tuple(
        (
            text(port.get("name")),
            text(f"{port.get('port')}/{port.get('protocol') or 'TCP'}"),
            text(port.get("targetPort")),
            text(port.get("nodePort")),
        )
        for port in spec.get("ports") or ()
    )
    yield Rows(
        _("Ports"), (_("Name"), _("Port"), _("To the pods' port"), _("Port of nodes")), ports
    )
    if spec.get("type") != "ExternalName":
        yield endpoint_rows(slices, namespace, context)


def ingress_points(item: Object) -> list[Mapping[str, Any]]:
    """Return the addresses that a load balancer gave."""
    return list((facts.status(item).get("loadBalancer") or {}).get("ingress") or ())


def _traffic(spec: Mapping[str, Any]) -> str:
    found = [
        f"{name} {spec[field]}"
        for name, field in (
            ("internal", "internalTrafficPolicy"),
            ("external", "externalTrafficPolicy"),
            ("distribution", "trafficDistribution"),
        )
        if spec.get(field)
    ]
    return ", ".join(found)


def _service_sentence(item: Object, slices: list[Object], context: Context) -> Sentence:
    spec, namespace = facts.spec(item), facts.namespace(item)
    if spec.get("type") == "ExternalName":
        return Sentence(_("Its name leads to %(name)s.") % {"name": spec.get("externalName")})
    ready = sum(1 for part, one in endpoints(slices) if _is(one, "ready") and leads_somewhere(part))
    if ready:
        told = ngettext(
            "It sends to %(n)d ready endpoint.", "It sends to %(n)d ready endpoints.", ready
        )
        return Sentence(told % {"n": ready}, "good")
    selector = spec.get("selector")
    if not selector:
        return Sentence(_("It has no selector and no ready endpoints: whoever made it adds them."))
    pods = [
        pod
        for pod in context.items("pods", namespace)
        if facts.selects({"matchLabels": selector}, facts.meta(pod).get("labels") or {})
    ]
    words = facts.selector_text({"matchLabels": selector})
    given = {"selector": words, "n": len(pods)}
    if any(_is(one, "ready") for _part, one in endpoints(slices)):
        return Sentence(_("No pod that it selects has the port that it names."), "bad")
    if pods:
        told = ngettext(
            "No endpoint is ready. Selector %(selector)s matches %(n)d pod, which is not ready.",
            "No endpoint is ready. Selector %(selector)s matches %(n)d pods, none of them ready.",
            len(pods),
        )
        return Sentence(told % given, "bad")
    return Sentence(_("No endpoints: selector %(selector)s matches no pod.") % given, "bad")


def endpoints(slices: list[Object]) -> Iterator[tuple[Object, Mapping[str, Any]]]:
    """Yield each endpoint with its slice."""
    for one in slices:
        for endpoint in one.get("endpoints") or ():
            yield one, endpoint


def _is(endpoint: Mapping[str, Any], name: str) -> bool:
    return bool((endpoint.get("conditions") or {}).get(name, name == "ready"))


def endpoint_rows(slices: list[Object], namespace: str, context: Context) -> Rows:
    """Return endpoints as a table."""
    found = list(endpoints(slices))
    rows = []
    for one, endpoint in found[:SHOWN]:
        target = endpoint.get("targetRef") or {}
        ports = [
            f"{port.get('port')}/{port.get('protocol') or 'TCP'}" for port in one.get("ports") or ()
        ]
        words = [name for name in ("ready", "serving", "terminating") if _is(endpoint, name)]
        state = "good" if "ready" in words else "waiting"
        pod = str(target.get("name") or "")
        rows.append(
            (
                joined(endpoint.get("addresses")),
                joined(ports),
                Cell(", ".join(words) or _("not ready"), state=state),
                context.to("pods", namespace, pod) if target.get("kind") == "Pod" else text(pod),
                text(endpoint.get("nodeName")),
                text(endpoint.get("zone")),
            )
        )
    headings = (_("Address"), _("Ports"), _("Conditions"), _("Pod"), _("Node"), _("Zone"))
    more = max(0, len(found) - SHOWN)
    return Rows(_("Endpoints"), headings, tuple(rows), _("There are no endpoints."), more)


def endpoint_slice(item: Object, context: Context) -> Parts:
    """Yield the summary of an EndpointSlice."""
    name = str((facts.meta(item).get("labels") or {}).get(SERVICE_OF) or "")
    namespace = facts.namespace(item)
    yield known(
        (_("Service"), context.to("services", namespace, name) if name else None),
        (_("Address type"), text(item.get("addressType"))),
    )
    yield endpoint_rows([item], namespace, context)


def ingress(item: Object, context: Context) -> Parts:
    """Yield the summary of an Ingress."""
    spec, namespace = facts.spec(item), facts.namespace(item)
    addresses = [one.get("ip") or one.get("hostname") for one in ingress_points(item)]
    if addresses:
        yield Sentence(
            _("It is served at %(where)s.") % {"where": ", ".join(map(str, addresses))}, "good"
        )
    else:
        yield Sentence(_("No ingress controller has given it an address yet."), "waiting")
    hosts = [host for one in spec.get("tls") or () for host in one.get("hosts") or ()]
    default = (spec.get("defaultBackend") or {}).get("service") or {}
    yield known(
        (
            _("Class"),
            context.to(
                "ingressclasses.networking.k8s.io", "", str(spec.get("ingressClassName") or "")
            ),
        ),
        (_("TLS for"), joined(hosts)),
        (_("All else"), _backend(default, namespace, context) if default else None),
    )
    rows = []
    for rule in spec.get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            backend = (path.get("backend") or {}).get("service") or {}
            rows.append(
                (
                    text(rule.get("host") or "*"),
                    code(path.get("path") or "/"),
                    text(path.get("pathType")),
                    _backend(backend, namespace, context),
                )
            )
    yield Rows(
        _("Rules"), (_("Host"), _("Path"), _("Match"), _("Service")), tuple(rows), _("None.")
    )


def _backend(backend: Mapping[str, Any], namespace: str, context: Context) -> Cell:
    port = backend.get("port") or {}
    name = str(backend.get("name") or "")
    return context.to(
        "services", namespace, name, f"{name}:{port.get('name') or port.get('number')}"
    )


def policy(item: Object, context: Context) -> Parts:
    """Yield the summary of a NetworkPolicy: whom it selects, and what it lets through."""
    spec, namespace = facts.spec(item), facts.namespace(item)
    pods = [
        pod
        for pod in context.items("pods", namespace)
        if facts.selects(spec.get("podSelector") or {}, facts.meta(pod).get("labels") or {})
    ]
    types = spec.get("policyTypes") or ["Ingress"]
    told = ngettext("It selects %(n)d pod.", "It selects %(n)d pods.", len(pods)) % {"n": len(pods)}
    yield Sentence(told, "good" if pods else "waiting")
    yield known(
        (_("Selector"), code(facts.selector_text(spec.get("podSelector")) or _("all pods"))),
        (_("About"), joined(types)),
    )
    for direction, field, peers in (("Ingress", "ingress", "from"), ("Egress", "egress", "to")):
        if direction not in types:
            continue
        rows = tuple(
            (
                joined([peer_text(one) for one in rule.get(peers) or ()] or [_("anywhere")]),
                joined(_ports(rule)),
            )
            for rule in spec.get(field) or ()
        )
        title = _("Lets in") if direction == "Ingress" else _("Lets out")
        heading = _("From") if direction == "Ingress" else _("To")
        yield Rows(title, (heading, _("Ports")), rows, _("Nothing."))
    yield pod_rows(_("Pods that it selects"), pods, context, _("It selects no pods."))
    if others := _others(item, pods, context):
        rows = tuple(
            (context.to(POLICIES, namespace, facts.name(one)), text(n)) for one, n in others
        )
        title = _("Other policies of these pods: what one of them lets through is let through")
        yield Rows(title, (_("Name"), _("Of these pods")), rows)


def _others(item: Object, pods: list[Object], context: Context) -> list[tuple[Object, int]]:
    """Return the other policies that hold for some of these pods, and for how many."""
    labels = [facts.meta(pod).get("labels") or {} for pod in pods]
    counted = [
        (one, sum(facts.selects(facts.spec(one).get("podSelector") or {}, of) for of in labels))
        for one in context.items(POLICIES, facts.namespace(item))
        if facts.name(one) != facts.name(item)
    ]
    return [(one, n) for one, n in counted if n]


def peer_text(peer: Mapping[str, Any]) -> str:
    """Return a peer of a NetworkPolicy on a line."""
    if block := peer.get("ipBlock"):
        out = f" except {', '.join(block['except'])}" if block.get("except") else ""
        return f"{block.get('cidr')}{out}"
    parts = []
    if (spaces := peer.get("namespaceSelector")) is not None:
        parts.append(
            _("namespaces %(which)s") % {"which": facts.selector_text(spaces) or _("(all)")}
        )
    if (pods := peer.get("podSelector")) is not None:
        parts.append(_("pods %(which)s") % {"which": facts.selector_text(pods) or _("(all)")})
    return ", ".join(parts)


def _ports(rule: Mapping[str, Any]) -> list[str]:
    found = []
    for port in rule.get("ports") or ():
        end = f"-{port['endPort']}" if port.get("endPort") else ""
        found.append(f"{port.get('port', _('all'))}{end}/{port.get('protocol') or 'TCP'}")
    return found or [_("all")]
