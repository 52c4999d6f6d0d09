"""The controller manager: every controller by name, each acting as its own service account.

All share one set of informers, which watch as the manager itself; none works before these hold
what there is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from apimachinery.clock import Clock
from nodes.client.controller import Loop
from nodes.client.eventlog import EventLog
from nodes.client.events import Recorder
from nodes.client.eventsink import EventSink
from nodes.client.informer import Informers
from nodes.client.klog import SILENT, Klog
from nodes.client.metering import QueueMeter
from nodes.client.pace import CONTROLLER
from nodes.client.patience import Patient
from nodes.client.rest import Client
from nodes.client.supervise import TaskSet
from nodes.client.transport import Transport
from nodes.client.turns import Turns
from nodes.controllers.bootstrap import BootstrapSigner, TokenCleaner
from nodes.controllers.certificates.controllers import (
    ApprovingController,
    CleanerController,
    SigningController,
)
from nodes.controllers.clusterroleaggregation import ClusterRoleAggregationController
from nodes.controllers.common.base import (
    Authority,
    Managed,
    ManagerContext,
    Served,
    no_content,
)
from nodes.controllers.common.counting import Counts
from nodes.controllers.cronjob import CronJobController
from nodes.controllers.daemonset.controller import DaemonSetController
from nodes.controllers.deployment.controller import DeploymentController
from nodes.controllers.devicetainteviction import DeviceTaintEvictionController
from nodes.controllers.disruption.controller import DisruptionController
from nodes.controllers.endpoints import EndpointsController
from nodes.controllers.endpointslice.controller import EndpointSliceController
from nodes.controllers.endpointslice.mirroring import EndpointSliceMirroringController
from nodes.controllers.garbage.collector import GarbageCollector
from nodes.controllers.gateway.controller import GatewayController
from nodes.controllers.ingress import IngressController
from nodes.controllers.iprepair import IPRepair
from nodes.controllers.job.controller import JobController
from nodes.controllers.legacytokencleaner import LegacyTokenCleaner
from nodes.controllers.namespace import NamespaceController
from nodes.controllers.nodeipam import NodeIPAMController
from nodes.controllers.nodelifecycle.controller import NodeLifecycleController
from nodes.controllers.podautoscaler.controller import HorizontalPodAutoscalerController
from nodes.controllers.podgc import PodGarbageCollector
from nodes.controllers.podgroupprotection import PodGroupProtection
from nodes.controllers.replicaset import ReplicaSetController
from nodes.controllers.replicationcontroller import ReplicationControllerController
from nodes.controllers.resourceclaim import ResourceClaimController
from nodes.controllers.resourcequota import ResourceQuotaController
from nodes.controllers.root_ca import RootCAPublisher
from nodes.controllers.serveridentity import ServerIdentity
from nodes.controllers.serviceaccount import ServiceAccountController
from nodes.controllers.serviceaccounttoken import TokensController
from nodes.controllers.servicecidr import ServiceCIDRController
from nodes.controllers.servicelb import ServiceController
from nodes.controllers.startwords import STARTS, queue_name, tell_left_out
from nodes.controllers.statefulset.controller import StatefulSetController
from nodes.controllers.storageversiongc import StorageVersionGC
from nodes.controllers.storageversionmigrator import StorageVersionMigrator
from nodes.controllers.storageversionreporter import StorageVersionReporter
from nodes.controllers.switches import OF_THE_SERVER, has_features
from nodes.controllers.tainteviction import TaintEvictionController
from nodes.controllers.ttl import TTLController
from nodes.controllers.ttlafterfinished import TTLAfterFinishedController
from nodes.controllers.validatingadmissionpolicystatus import (
    ValidatingAdmissionPolicyStatusController,
)
from nodes.controllers.volumes.attachdetach import AttachDetachController
from nodes.controllers.volumes.attacher import SimulatedAttacher
from nodes.controllers.volumes.binder import PersistentVolumeBinder
from nodes.controllers.volumes.ephemeral import EphemeralVolumeController
from nodes.controllers.volumes.expander import VolumeExpander
from nodes.controllers.volumes.protection import (
    AttributesProtection,
    ClaimProtection,
    VolumeProtection,
)
from nodes.controllers.volumes.provisioner import SimulatedProvisioner

USER = "system:kube-controller-manager"
# As whom kube-apiserver's own controllers act, and the name under which they write.
_SERVER = ("system:apiserver", "kube-apiserver")
# Of one controller: one that has a thousand pods to make does not fill the queues of the API, nor
# waits there until it is refused.
CALLS_TOGETHER = 64

# The names are kube-controller-manager's own (`--controllers`), but for what is simulated or
# kube-apiserver's.
CONTROLLERS: dict[str, type[Managed]] = {
    "bootstrap-signer-controller": BootstrapSigner,
    "certificatesigningrequest-approving-controller": ApprovingController,
    "certificatesigningrequest-cleaner-controller": CleanerController,
    "certificatesigningrequest-signing-controller": SigningController,
    "clusterrole-aggregation-controller": ClusterRoleAggregationController,
    "cronjob-controller": CronJobController,
    "daemonset-controller": DaemonSetController,
    "deployment-controller": DeploymentController,
    "device-taint-eviction-controller": DeviceTaintEvictionController,
    "disruption-controller": DisruptionController,
    "endpoints-controller": EndpointsController,
    "endpointslice-controller": EndpointSliceController,
    "endpointslice-mirroring-controller": EndpointSliceMirroringController,
    "ephemeral-volume-controller": EphemeralVolumeController,
    "garbage-collector-controller": GarbageCollector,
    "horizontal-pod-autoscaler-controller": HorizontalPodAutoscalerController,
    "ipallocator-repair-controller": IPRepair,
    "job-controller": JobController,
    "kube-apiserver-identity-lease-controller": ServerIdentity,
    "kube-apiserver-storage-version-updater": StorageVersionReporter,
    "legacy-serviceaccount-token-cleaner-controller": LegacyTokenCleaner,
    "namespace-controller": NamespaceController,
    "node-ipam-controller": NodeIPAMController,
    "node-lifecycle-controller": NodeLifecycleController,
    "persistentvolume-attach-detach-controller": AttachDetachController,
    "persistentvolume-binder-controller": PersistentVolumeBinder,
    "persistentvolume-expander-controller": VolumeExpander,
    "persistentvolume-protection-controller": VolumeProtection,
    "persistentvolumeclaim-protection-controller": ClaimProtection,
    "pod-garbage-collector-controller": PodGarbageCollector,
    "podgroup-protection-controller": PodGroupProtection,
    "replicaset-controller": ReplicaSetController,
    "replicationcontroller-controller": ReplicationControllerController,
    "resourceclaim-controller": ResourceClaimController,
    "resourcequota-controller": ResourceQuotaController,
    "root-ca-certificate-publisher-controller": RootCAPublisher,
    "service-cidr-controller": ServiceCIDRController,
    "service-lb-controller": ServiceController,
    "serviceaccount-controller": ServiceAccountController,
    "serviceaccount-token-controller": TokensController,
    "simulated-attacher": SimulatedAttacher,
    "simulated-gateway-controller": GatewayController,
    "simulated-ingress-controller": IngressController,
    "simulated-provisioner": SimulatedProvisioner,
    "statefulset-controller": StatefulSetController,
    "storage-version-migrator-controller": StorageVersionMigrator,
    "storageversion-garbage-collector-controller": StorageVersionGC,
    "taint-eviction-controller": TaintEvictionController,
    "token-cleaner-controller": TokenCleaner,
    "ttl-after-finished-controller": TTLAfterFinishedController,
    "ttl-controller": TTLController,
    "validatingadmissionpolicy-status-controller": ValidatingAdmissionPolicyStatusController,
    "volumeattributesclass-protection-controller": AttributesProtection,
}


class Manager:
    """Runs the controllers of one cluster."""

    def __init__(
        self,
        transport_for: Callable[[str], Transport],
        clock: Clock,
        tasks: TaskSet,
        *,
        events: EventSink | None = None,
        served: Served | None = None,
        root_ca: str = "",
        discard_volume: Callable[[str], None] = no_content,
        authority: Authority | None = None,
        only: Sequence[str] | None = None,
        klog: Klog = SILENT,
    ) -> None:
        """`transport_for` gives a user's way to the API; `only` runs some controllers alone, if
        the features are on that they need.

        What a manager that logs does is counted too.
        """
        self.informers = Informers(Patient(transport_for(USER), clock), clock, tasks)
        self._clock, self._tasks = clock, tasks
        self._transport_for = transport_for
        self._events = events if events is not None else EventSink(clock, tasks)
        self._served, self._root_ca = served or Served(), root_ca
        # One source for all: a Random is 2.5 KB, and nothing depends on who draws.
        self._random = random.Random(0)  # noqa: S311
        self._discard_volume, self._authority = discard_volume, authority
        self._klog = klog
        self._loops: list[Loop[Any]] = []
        self._loops_of_server: list[Loop[Any]] = []
        self.counts = Counts() if klog is not SILENT else None
        chosen = CONTROLLERS if only is None else only
        names = [name for name in chosen if has_features(name, self._served.features)]
        self.controllers = {name: self._make(name) for name in names}
        if klog is not SILENT:
            for loop in self._loops:
                loop.queue.meter = QueueMeter(clock)

    async def run(self) -> None:
        """Fill the caches, then let the controllers work."""
        if self._klog is not SILENT:
            off = CONTROLLERS.keys() - self.controllers.keys()
            tell_left_out(self._klog, off, self._served.features)
        for name, controller in self.controllers.items():
            controller.start()
            self._say_start(name)
        self.informers.start()
        self._klog.info("shared_informer.go:370", "Waiting for caches to sync")
        await self.informers.synced()
        self._klog.info("shared_informer.go:377", "Caches are synced")
        for controller in self.controllers.values():
            controller.release()
        if "garbage-collector-controller" in self.controllers:
            self._say_garbage()

    def _say_start(self, name: str) -> None:
        klog = self._klog
        if klog is SILENT or (start := STARTS.get(name)) is None:
            return
        klog.info(start.where, start.message, "logger", name, *start.pairs)

    def _say_garbage(self) -> None:
        logger = ("logger", "garbage-collector-controller")
        synced = "Garbage collector: all resource monitors have synced"
        self._klog.info("garbagecollector.go:166", synced, *logger)
        self._klog.info("garbagecollector.go:169", "Proceeding to collect garbage", *logger)
        self._klog.info("garbagecollector.go:253", "synced garbage collector", *logger)

    def stop(self) -> None:
        """Stop working; tasks under way end with their task set."""
        for controller in self.controllers.values():
            controller.stop()
        self.informers.stop()

    @property
    def idle(self) -> bool:
        """Nothing is queued, worked on or waiting to be told."""
        return self._events.idle and all(one.idle for one in self.controllers.values())

    @property
    def own(self) -> list[str]:
        """Return the names of controllers that kube-controller-manager itself runs."""
        return sorted(self.controllers.keys() - OF_THE_SERVER)

    def meters(self) -> Iterator[tuple[str, int, QueueMeter]]:
        """Yield the name of each queue, how much waits in it, and what it has counted."""
        for loop in self._loops:
            if (meter := loop.queue.meter) is not None:
                yield queue_name(loop.name), len(loop.queue), meter

    def depths(self) -> dict[str, dict[str, int]]:
        """Return how much waits in the queue of each loop, by the loop's name."""
        loops = (*self._loops, *self._loops_of_server)
        return {loop.name: loop.queue.depths() for loop in loops}

    def _make(self, name: str) -> Managed:
        factory = CONTROLLERS[name]
        account, component = factory.service_account, factory.component
        of_server = name in OF_THE_SERVER
        user, program = _SERVER if of_server else (USER, "kube-controller-manager")
        if account:
            user = f"system:serviceaccount:kube-system:{account}"
        turns = Turns(self._transport_for(user), CALLS_TOGETHER)
        transport = Patient(turns, self._clock)
        client = Client(transport, program)
        recorder = Recorder(client, component, self._clock, self._events, pace=CONTROLLER)
        if self._klog is not SILENT and not of_server:
            recorder.log = EventLog(self._klog, name)
        start = STARTS.get(name)
        return factory(
            ManagerContext(
                client,
                self.informers,
                recorder,
                self._clock,
                self._tasks,
                self._random,
                self._loops_of_server if of_server else self._loops,
                self._klog,
                start.where if start is not None else f"{name}.go:1",
                self._served,
                self._root_ca,
                self._discard_volume,
                self._authority,
                self.counts,
            )
        )
