"""The admission plugins, in kube-apiserver's own order. A new one is a file and a line here."""

from __future__ import annotations

import random
from dataclasses import dataclass

from apiserver.admission.chain import AdmissionChain
from apiserver.admission.hooks.inquiry import Ask, nobody_asks
from apiserver.admission.hooks.places import Places
from apiserver.admission.interfaces import May, Plugin, UserInfo
from apiserver.admission.plugins.certificate_approval import CertificateApproval
from apiserver.admission.plugins.certificate_signing import CertificateSigning
from apiserver.admission.plugins.certificate_subject_restriction import (
    CertificateSubjectRestriction,
)
from apiserver.admission.plugins.default_ingress_class import DefaultIngressClass
from apiserver.admission.plugins.default_storage_class import DefaultStorageClass
from apiserver.admission.plugins.default_toleration_seconds import DefaultTolerationSeconds
from apiserver.admission.plugins.limit_ranger import LimitRanger
from apiserver.admission.plugins.mutating_admission_policy import MutatingAdmissionPolicy
from apiserver.admission.plugins.mutating_webhook import MutatingAdmissionWebhook
from apiserver.admission.plugins.namespace_lifecycle import NamespaceLifecycle
from apiserver.admission.plugins.node_restriction import NodeRestriction
from apiserver.admission.plugins.persistent_volume_claim_resize import (
    PersistentVolumeClaimResize,
)
from apiserver.admission.plugins.pod_security import PodSecurity
from apiserver.admission.plugins.priority import Priority
from apiserver.admission.plugins.resource_quota import ResourceQuota
from apiserver.admission.plugins.runtime_class import RuntimeClass
from apiserver.admission.plugins.service_account import ServiceAccount
from apiserver.admission.plugins.storage_object_in_use_protection import (
    StorageObjectInUseProtection,
)
from apiserver.admission.plugins.taint_nodes_by_condition import TaintNodesByCondition
from apiserver.admission.plugins.validating_admission_policy import ValidatingAdmissionPolicy
from apiserver.admission.plugins.validating_webhook import ValidatingAdmissionWebhook
from apiserver.admission.policies.params import Params
from apiserver.admission.policies.policy import Surroundings as PolicySurroundings
from apiserver.admission.webhooks.configurations import WebhookSurroundings
from apiserver.registry.calling import Call, no_call
from apiserver.registry.catalog import Catalog
from apiserver.registry.metadata import Identity
from apiserver.registry.strategy import ObjectReader


def nobody_may(user: UserInfo, verb: str, group: str, resource: str, name: str, /) -> bool:
    """Allow nothing: stands in until the cluster's authorizer is handed in."""
    del user, verb, group, resource, name
    return False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What plugins may be handed: readers, chance, who may do what; never a client."""

    objects: ObjectReader
    chance: random.Random
    may: May = nobody_may
    # What expressions ask of the authorizer.
    ask: Ask = nobody_asks
    # The kinds that are served; None: each under its own name alone.
    catalog: Catalog | None = None
    # The way to webhooks.
    call: Call = no_call


def plugins(around: Surroundings) -> list[Plugin]:
    """Return a cluster's plugins in the order in which they run."""
    objects, places = around.objects, Places(around.catalog)
    identity = Identity(around.chance)
    policies = PolicySurroundings(objects, places, Params(objects, around.catalog), around.ask)
    webhooks = WebhookSurroundings(objects, places, around.ask, around.call, identity.uid)
    return [
        NamespaceLifecycle(objects),
        LimitRanger(objects),
        ServiceAccount(objects, around.chance),
        NodeRestriction(objects),
        TaintNodesByCondition(),
        PodSecurity(objects),
        Priority(objects),
        DefaultTolerationSeconds(),
        DefaultStorageClass(objects),
        StorageObjectInUseProtection(),
        PersistentVolumeClaimResize(objects),
        RuntimeClass(objects),
        CertificateApproval(around.may),
        CertificateSigning(around.may),
        CertificateSubjectRestriction(),
        DefaultIngressClass(objects),
        MutatingAdmissionPolicy(policies, around.catalog),
        MutatingAdmissionWebhook(webhooks),
        ValidatingAdmissionPolicy(policies),
        ValidatingAdmissionWebhook(webhooks),
        # Quota comes last, so that nothing is counted that another plugin refuses.
        ResourceQuota(objects),
    ]


def admission_chain(around: Surroundings) -> AdmissionChain:
    """Return a cluster's admission chain."""
    return AdmissionChain(plugins(around))
