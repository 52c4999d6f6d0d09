"""The control plane of one cluster as its node shows it: what its components log and answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from apimachinery.meta import annotations_of
from nodes.client.klog import Klog
from nodes.client.metering import Metered
from nodes.client.transport import Transport
from nodes.kubelet.node import VERSION
from nodes.runtime.simulated.image import ImageFamily
from nodes.scheduler.observing import Observer
from playground.controlplane import managermetrics, schedulermetrics, sharedmetrics
from playground.controlplane import manifests as pods
from playground.controlplane.manifests import APISERVER, ETCD, MANAGER, SCHEDULER
from playground.controlplane.pages import Pages, Server, configz, health, metrics
from playground.controlplane.programs import Component, ComponentLog, Door, family
from playground.machines import API_NODE, control_plane
from playground.simulated_node import Equipment, Ground, SimulatedNode

if TYPE_CHECKING:
    from playground.cluster import RunningCluster

KIB = 1024
# Of each log so much is kept: 64 KiB of a cluster.
_KEPT = {MANAGER: 40 * KIB, SCHEDULER: 16 * KIB, APISERVER: 4 * KIB, ETCD: 4 * KIB}
# What each image weighs and each process uses, in MiB.
_SIZES = {ETCD: (24, 40), APISERVER: (29, 260), MANAGER: (22, 60), SCHEDULER: (18, 30)}
# The first line of each, where it stands, and where its Go settings stand.
_STARTS = {
    MANAGER: ("controllermanager.go:189", "Starting", "controllermanager.go:191"),
    SCHEDULER: ("server.go:175", "Starting Kubernetes Scheduler", "server.go:177"),
}


class ControlPlane:
    """Logs, counts and programs of the components of one cluster."""

    def __init__(self, cluster: RunningCluster) -> None:
        self._cluster = cluster
        self._logs = {name: ComponentLog(kept) for name, kept in _KEPT.items()}
        self.klog = {name: Klog(cluster.clock, log.keep) for name, log in self._logs.items()}
        self.observer = Observer(cluster.clock, self.klog[SCHEDULER])
        # Answers of the API by component, then by code and method.
        self.answers: dict[str, Counter[tuple[int, str]]] = {
            MANAGER: Counter(),
            SCHEDULER: Counter(),
        }

    @staticmethod
    def is_shown(cluster: RunningCluster) -> bool:
        """Tell whether a cluster shows its control plane: one that has the Node for it."""
        found = cluster.api.objects.get("nodes", "", API_NODE)
        return found is not None and pods.MARK in annotations_of(found)

    def metered(
        self, component: str, transport: Callable[[str], Transport]
    ) -> Callable[[str], Transport]:
        """Count what is asked over the transports of a component."""
        return lambda user: Metered(transport(user), self.answers[component])

    def begin(self) -> None:
        """Log that the processes have started."""
        for name in _KEPT:
            self._greet(name)

    def node(self, ground: Ground) -> SimulatedNode:
        """Return the machine that all of it runs on, off as yet."""
        surface = self._cluster.surface
        equipment = Equipment(
            pods.manifests(surface.controllers, surface.services.cidrs),
            [self._image(name) for name in _KEPT],
            pods.images(),
        )
        return SimulatedNode(control_plane(), ground, equipment)

    def _image(self, name: str) -> ImageFamily:
        doors = list(self._doors(name))

        def make() -> Component:
            return Component(self._logs[name], doors, self.klog[name], lambda: self._greet(name))

        return family(name, make, *_SIZES[name])

    # -- logs ------------------------------------------------------------------------------------

    def _greet(self, name: str) -> None:
        klog = self.klog[name]
        if name == ETCD:
            return
        if name == APISERVER:
            klog.text("server.go:147", f"Version: {VERSION}")
            go = "server.go:149"
        else:
            where, message, go = _STARTS[name]
            klog.text("serving.go:386", "Generated self-signed cert in-memory")
            klog.info(where, message, "version", VERSION)
        klog.info(go, "Golang settings", "GOGC", "", "GOMAXPROCS", "", "GOTRACEBACK", "")
        klog.text("secure_serving.go:211", f"Serving securely on [::]:{pods.SECURE_PORTS[name]}")
        klog.info("tlsconfig.go:243", "Starting DynamicServingCertificateController")

    # -- ports -----------------------------------------------------------------------------------

    def _doors(self, name: str) -> Iterator[Door]:
        if name == APISERVER:
            return  # it is asked where clients ask it, not on the simulated network
        cluster = self._cluster
        server = Server(name, self._pages(name), cluster.auth, cluster.clock)
        if name != ETCD:
            yield server.secure(pods.SECURE_PORTS[name])
        yield server.plain(pods.PLAIN_PORTS[name])

    def _pages(self, name: str) -> Pages:
        if name == MANAGER:
            return self._manager_pages()
        return self._scheduler_pages() if name == SCHEDULER else self._etcd_pages()

    def _manager_pages(self) -> Pages:
        cluster = self._cluster

        def checks() -> dict[str, bool]:
            return {"leaderElection": True} | dict.fromkeys(cluster.manager.own, True)

        return {
            "/healthz": health("/healthz", checks),
            "/configz": configz("kubecontrollermanager.config.k8s.io", self._manager_config),
            "/metrics": metrics(
                lambda: [
                    *sharedmetrics.families(MANAGER, self.answers[MANAGER], cluster.clock),
                    *managermetrics.families(cluster.manager),
                ]
            ),
            "/metrics/slis": metrics(lambda: sharedmetrics.slis("healthz", checks())),
        }

    def _manager_config(self) -> dict[str, object]:
        generic = {
            "Port": pods.SECURE_PORTS[MANAGER],
            "Address": "0.0.0.0",  # noqa: S104 - what it says of itself
            "Controllers": list(self._cluster.surface.controllers),
            "LeaderElection": {
                "leaderElect": True,
                "leaseDuration": "15s",
                "renewDeadline": "10s",
                "retryPeriod": "2s",
                "resourceLock": "leases",
                "resourceName": MANAGER,
                "resourceNamespace": "kube-system",
            },
        }
        return {"Generic": generic}

    def _scheduler_pages(self) -> Pages:
        cluster = self._cluster

        def alive() -> dict[str, bool]:
            return {"ping": True, "leaderElection": True}

        def ready() -> dict[str, bool]:
            return {**alive(), "sched-handler-sync": True, "shutdown": True}

        return {
            "/healthz": health("/healthz", alive),
            "/livez": health("/livez", alive),
            "/readyz": health("/readyz", ready),
            "/configz": configz("kubescheduler.config.k8s.io", self._scheduler_config),
            "/metrics": metrics(
                lambda: [
                    *sharedmetrics.families(SCHEDULER, self.answers[SCHEDULER], cluster.clock),
                    *schedulermetrics.families(cluster.scheduler, self.observer),
                ]
            ),
            "/metrics/slis": metrics(lambda: sharedmetrics.slis("livez", alive())),
        }

    def _scheduler_config(self) -> dict[str, object]:
        scheduler = self._cluster.scheduler
        configured = scheduler.configuration
        return {
            "podInitialBackoffSeconds": configured.first_backoff,
            "podMaxBackoffSeconds": configured.longest_backoff,
            "profiles": [
                {
                    "schedulerName": one.name,
                    "plugins": {
                        "multiPoint": {"enabled": [{"name": name} for name in one.plugins]}
                    },
                }
                for one in scheduler.profiles
            ],
        }

    def _etcd_pages(self) -> Pages:
        store = self._cluster.store

        def checks() -> dict[str, bool]:
            return {"data_corruption": True, "serializable_read": True}

        return {
            "/livez": health("/livez", checks),
            "/readyz": health("/readyz", checks),
            "/metrics": metrics(lambda: sharedmetrics.storage(store)),
        }
