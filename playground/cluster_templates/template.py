"""What a template says of a new cluster: a value in a file of its own, and a line in the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.utils.functional import Promise

from apimachinery.meta import Obj
from nodes.kubelet.node import Machine
from playground.machines import machine


def _nothing(now: str) -> Iterable[Obj]:
    del now
    return ()


@dataclass(frozen=True, slots=True)
class Size:
    """How many nodes a cluster of a template gets, and whether one may ask for others."""

    nodes: int = 3
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """What a cluster starts with."""

    name: str
    # What it is called, and a sentence on what it is for.
    title: str | Promise
    purpose: str | Promise
    size: Size = field(default_factory=Size)
    # Objects that are created through the API, as a user would, before the cluster is handed out.
    objects: Callable[[], Iterable[Obj]] = list
    # Objects that are stored with the cluster, as of a moment: complete, and nobody is asked.
    seeds: Callable[[str], Iterable[Obj]] = _nothing
    # Which of `features.FEATURES` are on unless somebody says otherwise.
    features: tuple[str, ...] = ()
    machine: Callable[[int], Machine] = machine
    # Controllers of kube-controller-manager that do not run.
    left_out: tuple[str, ...] = ()
    # Names resolve only while a DNS server is behind the cluster's DNS Service.
    own_dns: bool = False
