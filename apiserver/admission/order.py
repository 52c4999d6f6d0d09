"""The admission plugins, in kube-apiserver's own order. A new one is a file and a line here."""

from __future__ import annotations

import random
from dataclasses import dataclass

from apiserver.admission.chain import AdmissionChain
from apiserver.admission.interfaces import Plugin
from apiserver.admission.plugins.default_toleration_seconds import DefaultTolerationSeconds
from apiserver.admission.plugins.namespace_lifecycle import NamespaceLifecycle
from apiserver.admission.plugins.priority import Priority
from apiserver.admission.plugins.service_account import ServiceAccount
from apiserver.registry.strategy import ObjectReader


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What plugins may be handed: readers and the cluster's source of chance, never a client."""

    objects: ObjectReader
    chance: random.Random


def plugins(around: Surroundings) -> list[Plugin]:
    """Return a cluster's plugins in the order in which they run."""
    return [
        NamespaceLifecycle(around.objects),
        ServiceAccount(around.objects, around.chance),
        Priority(around.objects),
        DefaultTolerationSeconds(),
    ]


def admission_chain(around: Surroundings) -> AdmissionChain:
    """Return a cluster's admission chain."""
    return AdmissionChain(plugins(around))
