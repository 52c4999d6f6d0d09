"""The admission plugins, in kube-apiserver's own order. A new one is a file and a line here."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from apimachinery.clock import Clock, ManualClock
from apiserver.admission.chain import AdmissionChain
from apiserver.admission.hooks.inquiry import Ask, nobody_asks
from apiserver.admission.hooks.places import Places
from apiserver.admission.interfaces import May, Plugin, UserInfo
from apiserver.admission.options import DEFAULTS, AdmissionOptions, switch_problems
from apiserver.admission.plugins.always_admit import AlwaysAdmit
from apiserver.admission.plugins.always_deny import AlwaysDeny
from apiserver.admission.plugins.always_pull_images import AlwaysPullImages
from apiserver.admission.plugins.certificate_approval import CertificateApproval
from apiserver.admission.plugins.certificate_signing import CertificateSigning
from apiserver.admission.plugins.certificate_subject_restriction import (
    CertificateSubjectRestriction,
)
from apiserver.admission.plugins.cluster_trust_bundle_attest import ClusterTrustBundleAttest
from apiserver.admission.plugins.default_ingress_class import DefaultIngressClass
from apiserver.admission.plugins.default_storage_class import DefaultStorageClass
from apiserver.admission.plugins.default_toleration_seconds import DefaultTolerationSeconds
from apiserver.admission.plugins.deny_service_external_ips import DenyServiceExternalIPs
from apiserver.admission.plugins.event_rate_limit import EventRateLimit
from apiserver.admission.plugins.extended_resource_toleration import ExtendedResourceToleration
from apiserver.admission.plugins.image_policy_webhook import ImagePolicyWebhook
from apiserver.admission.plugins.job_validation import JobValidation
from apiserver.admission.plugins.limit_pod_hard_anti_affinity_topology import (
    LimitPodHardAntiAffinityTopology,
)
from apiserver.admission.plugins.limit_ranger import LimitRanger
from apiserver.admission.plugins.mutating_admission_policy import MutatingAdmissionPolicy
from apiserver.admission.plugins.mutating_webhook import MutatingAdmissionWebhook
from apiserver.admission.plugins.namespace_auto_provision import NamespaceAutoProvision, Provision
from apiserver.admission.plugins.namespace_exists import NamespaceExists
from apiserver.admission.plugins.namespace_lifecycle import NamespaceLifecycle
from apiserver.admission.plugins.node_restriction import NodeRestriction
from apiserver.admission.plugins.owner_references_permission_enforcement import (
    OwnerReferencesPermissionEnforcement,
)
from apiserver.admission.plugins.persistent_volume_claim_resize import (
    PersistentVolumeClaimResize,
)
from apiserver.admission.plugins.pod_group_protection import PodGroupProtection
from apiserver.admission.plugins.pod_group_workload_exists import PodGroupWorkloadExists
from apiserver.admission.plugins.pod_node_selector import PodNodeSelector
from apiserver.admission.plugins.pod_resize_validator import PodResizeValidator
from apiserver.admission.plugins.pod_security import PodSecurity
from apiserver.admission.plugins.pod_toleration_restriction import PodTolerationRestriction
from apiserver.admission.plugins.pod_topology_labels import PodTopologyLabels
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


def nobody_may(user: UserInfo, verb: str, group: str, resource: str, name: str, /, *_: str) -> bool:
    """Allow nothing: stands in until the cluster's authorizer is handed in."""
    del user, verb, group, resource, name
    return False


async def provides_none(_name: str) -> None:
    """Make no namespace: stands in until there is a way to."""


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
    # Makes namespaces.
    provision: Provision = provides_none
    options: AdmissionOptions = DEFAULTS
    clock: Clock = field(default_factory=ManualClock)


class Entry(NamedTuple):
    """A plugin in its place: how it is made, and whether it runs without being asked for."""

    plugin: type[Any]
    make: Callable[[Workshop], Plugin]
    on: bool = True

    @property
    def name(self) -> str:
        return str(self.plugin.name)


class Workshop:
    """What plugins are made of; what several of them share is made once."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.objects, self.may, self.catalog = around.objects, around.may, around.catalog
        self.options = around.options
        self.config = around.options.configuration
        places = Places(around.catalog)
        params = Params(self.objects, around.catalog)
        self.policies = PolicySurroundings(self.objects, places, params, around.ask)
        uid = Identity(around.chance).uid
        self.webhooks = WebhookSurroundings(self.objects, places, around.ask, around.call, uid)

    def image_policy_webhook(self) -> ImagePolicyWebhook:
        """Return the plugin; whether it is configured `option_problems` has looked at."""
        if self.config.image_policy is None:
            raise ValueError(f"{ImagePolicyWebhook.name} is not configured")
        return ImagePolicyWebhook(self.config.image_policy, self.around.clock)


def _plain(plugin: type[Any], *, on: bool = True) -> Entry:
    return Entry(plugin, lambda _: plugin(), on)


def _reading(plugin: type[Any], *, on: bool = True) -> Entry:
    return Entry(plugin, lambda shop: plugin(shop.objects), on)


def _asking(plugin: type[Any], *, on: bool = True) -> Entry:
    return Entry(plugin, lambda shop: plugin(shop.may), on)


ORDER: tuple[Entry, ...] = (
    _plain(AlwaysAdmit, on=False),
    Entry(
        NamespaceAutoProvision,
        lambda shop: NamespaceAutoProvision(shop.objects, shop.around.provision),
        on=False,
    ),
    _reading(NamespaceLifecycle),
    _reading(NamespaceExists, on=False),
    _plain(LimitPodHardAntiAffinityTopology, on=False),
    _reading(LimitRanger),
    Entry(ServiceAccount, lambda shop: ServiceAccount(shop.objects, shop.around.chance)),
    Entry(NodeRestriction, lambda shop: NodeRestriction(shop.objects, shop.may), on=False),
    _plain(TaintNodesByCondition),
    _plain(AlwaysPullImages, on=False),
    Entry(ImagePolicyWebhook, lambda shop: shop.image_policy_webhook(), on=False),
    Entry(
        PodSecurity,
        lambda shop: PodSecurity(shop.objects, shop.config.pod_security, shop.config.exemptions),
    ),
    Entry(
        PodNodeSelector,
        lambda shop: PodNodeSelector(shop.objects, shop.config.node_selectors),
        on=False,
    ),
    _reading(Priority),
    Entry(
        DefaultTolerationSeconds,
        lambda shop: DefaultTolerationSeconds(
            shop.options.not_ready_seconds, shop.options.unreachable_seconds
        ),
    ),
    Entry(
        PodTolerationRestriction,
        lambda shop: PodTolerationRestriction(
            shop.objects, shop.config.default_tolerations, shop.config.allowed_tolerations
        ),
        on=False,
    ),
    Entry(
        EventRateLimit,
        lambda shop: EventRateLimit(shop.config.event_limits, shop.around.clock),
        on=False,
    ),
    _plain(ExtendedResourceToleration, on=False),
    _reading(DefaultStorageClass),
    _plain(StorageObjectInUseProtection),
    _plain(PodGroupProtection),
    Entry(
        OwnerReferencesPermissionEnforcement,
        lambda shop: OwnerReferencesPermissionEnforcement(shop.may, shop.catalog),
        on=False,
    ),
    _reading(PersistentVolumeClaimResize),
    _reading(RuntimeClass),
    _asking(CertificateApproval),
    _asking(CertificateSigning),
    _asking(ClusterTrustBundleAttest),
    _plain(CertificateSubjectRestriction),
    _reading(DefaultIngressClass),
    _plain(DenyServiceExternalIPs, on=False),
    _reading(PodTopologyLabels),
    _reading(PodGroupWorkloadExists),
    _reading(JobValidation),
    _reading(PodResizeValidator),
    Entry(
        MutatingAdmissionPolicy, lambda shop: MutatingAdmissionPolicy(shop.policies, shop.catalog)
    ),
    Entry(MutatingAdmissionWebhook, lambda shop: MutatingAdmissionWebhook(shop.webhooks)),
    Entry(ValidatingAdmissionPolicy, lambda shop: ValidatingAdmissionPolicy(shop.policies)),
    Entry(ValidatingAdmissionWebhook, lambda shop: ValidatingAdmissionWebhook(shop.webhooks)),
    # Quota comes last, so that nothing is counted that another plugin refuses.
    Entry(ResourceQuota, lambda shop: ResourceQuota(shop.objects, shop.around.clock)),
    _plain(AlwaysDeny, on=False),
)
# Plugins of features that v1.36 leaves off: they may be named, and have nothing to do.
IDLE = ("NodeDeclaredFeatureValidator",)
NAMES = frozenset((*(entry.name for entry in ORDER), *IDLE))


def option_problems(options: AdmissionOptions) -> Iterator[str]:
    """Yield what is wrong with an operator's choices."""
    yield from switch_problems(options.enable, options.disable, NAMES)
    if ImagePolicyWebhook.name in options.enable and options.configuration.image_policy is None:
        yield f'couldn\'t init admission plugin "{ImagePolicyWebhook.name}": no config specified'
    if EventRateLimit.name in options.enable and not options.configuration.event_limits:
        why = "invalid configuration: limits: Required value"
        yield f'couldn\'t init admission plugin "{EventRateLimit.name}": {why}'


def plugins(around: Surroundings) -> list[Plugin]:
    """Return a cluster's plugins in the order in which they run."""
    shop = Workshop(around)
    return [
        entry.make(shop) for entry in ORDER if around.options.runs(entry.name, by_default=entry.on)
    ]


def admission_chain(around: Surroundings) -> AdmissionChain:
    """Return a cluster's admission chain."""
    return AdmissionChain(plugins(around))
