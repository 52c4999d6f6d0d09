"""A shop that runs, and whose parts do not find each other by name."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apimachinery.meta import Obj
from playground.cluster_templates import making
from playground.cluster_templates.features import ADDONS
from playground.cluster_templates.template import Size, Template

_SYSTEM, _SHOP, _VAULT = "kube-system", "shop", "vault"
_DNS_ADDRESS = "10.96.0.10"
_COREFILE = """.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
"""
# Looks for the shop's parts for ever, and says what it finds.
_PROBE = (
    "while true; do for name in orders cart.shop prices.vault.svc.cluster.local; do"
    ' if nslookup "$name" >/dev/null 2>&1; then echo "found $name";'
    ' else echo "no such name: $name"; fi; done; sleep 30; done'
)


def _objects() -> list[Obj]:
    return [*_dns(), making.namespace(_SHOP), making.namespace(_VAULT), *_shop(), *_vault()]


def _dns() -> list[Obj]:
    """Return a DNS service whose selector finds none of its servers."""
    labels = {"k8s-app": "kube-dns"}
    servers = making.deployment(
        "coredns",
        image="registry.k8s.io/coredns/coredns:v1.12.1",
        replicas=2,
        space=_SYSTEM,
        labels={"k8s-app": "coredns"},
        container={
            "args": ["-conf", "/etc/coredns/Corefile"],
            "ports": [
                {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
            ],
            "volumeMounts": [
                {"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}
            ],
            **making.requests("100m", "70Mi"),
        },
        spec={
            "dnsPolicy": "Default",
            "volumes": [{"name": "config-volume", "configMap": {"name": "coredns"}}],
        },
    )
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
    ]
    service: Obj = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kube-dns",
            "namespace": _SYSTEM,
            "labels": {**labels, "kubernetes.io/name": "CoreDNS"},
        },
        "spec": {"clusterIP": _DNS_ADDRESS, "selector": labels, "ports": ports},
    }
    config: Obj = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "coredns", "namespace": _SYSTEM},
        "data": {"Corefile": _COREFILE},
    }
    return [config, servers, service]


def _shop() -> list[Obj]:
    # "orders" listens on another port than its Service sends to.
    return [
        making.deployment("cart", image="redis", port=6379, space=_SHOP),
        making.service("cart", port=6379, space=_SHOP),
        making.deployment("orders", image="httpd", replicas=2, port=80, space=_SHOP),
        making.service("orders", port=80, target=8080, space=_SHOP),
        making.deployment(
            "finder",
            image="busybox",
            space=_SHOP,
            container={"command": ["sh", "-c", _PROBE]},
        ),
    ]


def _vault() -> list[Obj]:
    """Return a second namespace, with a pod that asks a name server that never was."""
    resolver = {"nameservers": ["10.96.0.11"], "searches": ["vault.svc.cluster.local"]}
    return [
        making.deployment("prices", image="nginx", port=80, space=_VAULT),
        making.service("prices", port=80, space=_VAULT),
        making.deployment(
            "asker",
            image="busybox",
            space=_VAULT,
            container={"command": ["sleep", "86400"]},
            spec={"dnsPolicy": "None", "dnsConfig": resolver},
        ),
    ]


TEMPLATE = Template(
    name="broken-dns",
    title=_("Broken: DNS"),
    purpose=_("A shop whose parts do not find each other by name. Ask from inside the pods."),
    size=Size(nodes=3),
    objects=_objects,
    features=ADDONS,
    own_dns=True,
)
