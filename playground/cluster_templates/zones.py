"""Six nodes in two zones, with a service spread over both: for topology and disruption."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from apimachinery.meta import Obj
from nodes.kubelet.node import Machine
from playground.cluster_templates import making
from playground.cluster_templates.features import ADDONS
from playground.cluster_templates.template import Size, Template
from playground.machines import machine

_ZONES = ("east-1a", "east-1b")


def _machine(number: int) -> Machine:
    zone = _ZONES[number % len(_ZONES)]
    return replace(machine(number), zone=zone, region="east-1")


def _objects() -> list[Obj]:
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    return [
        making.deployment(
            "web", image="nginx", replicas=4, port=80, spec={"topologySpreadConstraints": [spread]}
        ),
        making.service("web", port=80),
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}},
        },
    ]


TEMPLATE = Template(
    name="two-zones",
    title=_("Two zones"),
    purpose=_("Six nodes in two zones: spread pods over them, then take one zone away."),
    size=Size(nodes=6),
    objects=_objects,
    features=ADDONS,
    machine=_machine,
)
