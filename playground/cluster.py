"""One running cluster: its API, its workers and its machines, put together.

This is the only place where the API server and the workers meet. What each worker may do is
decided by who it acts as; all of them reach the API through the same chain as anybody else.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from apimachinery import features
from apimachinery.errors import AlreadyExists, ApiError
from apimachinery.meta import Obj
from apiserver.admission.options import DEFAULTS as ADMISSION_DEFAULTS
from apiserver.admission.options import AdmissionOptions
from apiserver.admission.order import Surroundings, admission_chain
from apiserver.auth.authentication import admin_token
from apiserver.auth.cluster import ClusterAuth, Credentials
from apiserver.auth.kubeconfig import kubeconfig, kubeconfig_yaml
from apiserver.auth.options import DEFAULTS as AUTH_DEFAULTS
from apiserver.auth.options import AuthOptions
from apiserver.auth.pki import (
    CertificateAuthority,
    Held,
    front_proxy_authority,
    holder_mark,
    issue_client_certificate,
)
from apiserver.auth.questions import Questions
from apiserver.auth.tokens import LAST_USED
from apiserver.auth.user import (
    AUTHENTICATED,
    MASTERS,
    User,
    service_account_groups,
)
from apiserver.endpoints.aggregation.following import Aggregation
from apiserver.endpoints.aggregation.registration import CustomGroups
from apiserver.endpoints.aggregation.remotes import Remotes
from apiserver.endpoints.api import ClusterApi, Phase
from apiserver.endpoints.flow_objects import FlowObjects
from apiserver.endpoints.local import LocalTransport
from apiserver.endpoints.options import ServingOptions
from apiserver.endpoints.role_objects import bring_roles
from apiserver.flowcontrol.filter import FlowFilter
from apiserver.registry import gates
from apiserver.registry.apiserverinternal.encoding import server_storage_versions
from apiserver.registry.catalog import Catalog, wanted
from apiserver.registry.core.serviceaddresses import missing
from apiserver.registry.core.serviceallocation import open_allocators
from apiserver.registry.core.servicenetwork import ServiceNetwork
from apiserver.registry.custom.service import CustomResources
from apiserver.registry.objects import StoredObjects
from apiserver.registry.resource import Resource
from apiserver.storage import ClusterStore
from nodes.client import election, resources
from nodes.client.eventlog import EventLog
from nodes.client.events import Recorder
from nodes.client.eventsink import EventSink
from nodes.client.informer import Informers
from nodes.client.klog import SILENT, Klog
from nodes.client.loopclock import LoopClock
from nodes.client.patience import Patient
from nodes.client.rest import Client
from nodes.client.supervise import TaskSet
from nodes.client.transport import Transport
from nodes.controllers import manager
from nodes.controllers.common.base import Served
from nodes.controllers.manager import CONTROLLERS, Manager
from nodes.controllers.switches import is_on
from nodes.kubelet.steps import Steps
from nodes.network.fabric import Network
from nodes.proxy import kubeproxy
from nodes.scheduler import loop as scheduling
from nodes.scheduler.podgroup import GroupFeatures
from playground.aggregated import ExtensionServers
from playground.cluster_templates import template_of
from playground.cluster_time import ClusterTime
from playground.controlplane.manifests import MANAGER, SCHEDULER
from playground.controlplane.plane import ControlPlane
from playground.extender_calls import ExtenderCalls
from playground.failures.journal import Journal
from playground.failures.kit import Failures
from playground.kept import Kept
from playground.keys import ClusterKeys
from playground.machines import API_ADDRESS, API_NODE
from playground.metrics import MetricsServer
from playground.proxying import NetworkProxy
from playground.resting import REVOKED, now
from playground.scheduler_config import SchedulerConfig
from playground.services import Services
from playground.simulated_node import NODE_USER, Ground, SimulatedNode
from playground.streams import KubeletStreams
from playground.webhooks import WebhookCalls, allowed_hosts

log = logging.getLogger(__name__)

# The API server itself: what it does on its own account nobody else has to be allowed.
API_USER = "system:apiserver"
ACCOUNT_USER = "system:serviceaccount:"
# The components that elect a leader, and as whom.
LEADERS = {"kube-controller-manager": manager.USER, "kube-scheduler": scheduling.USER}


@dataclass(frozen=True, slots=True)
class Surface:
    """What all clusters of an instance share: where they are served, who may do all, and how."""

    api_url: str
    ca_certificate: str
    admin_token: str
    serving: ServingOptions = field(default_factory=ServingOptions)
    auth: AuthOptions = AUTH_DEFAULTS
    admission: AdmissionOptions = ADMISSION_DEFAULTS
    services: ServiceNetwork = field(default_factory=ServiceNetwork)
    # Where to keep what no database holds; None keeps it in memory.
    data_dir: Path | None = None
    # Which of them run: `nodes.controllers.switches`.
    controllers: Sequence[str] = ("*",)
    # How the cluster's own components reach its API.
    door: Callable[[ClusterApi, User], Transport] = LocalTransport


class RunningCluster:
    """A cluster that answers. Made by `open`; `close` ends its workers, nothing else."""

    # When it was asked for something last, in seconds since the epoch.
    used: float = 0.0

    def __init__(
        self,
        store: ClusterStore,
        surface: Surface,
        clock: LoopClock,
        chance: random.Random | None = None,
    ) -> None:
        record = store.record
        self.store, self.surface, self.clock = store, surface, clock
        self.tasks = TaskSet(clock, record.name)
        wall = LoopClock()
        credentials = Credentials(
            record.ca_cert,
            record.ca_key,
            record.sa_key,
            lambda: record.settings.get(REVOKED) or {},
        )
        self.authority = CertificateAuthority(record.ca_cert, record.ca_key)
        objects = StoredObjects(store)
        self.auth = ClusterAuth(
            credentials,
            store,
            clock,
            admin_token(surface.admin_token),
            surface.auth,
            wall,
            objects.parse,
        )
        seed = record.uid
        self.network = Network(clock)
        self._services = services = Services(self.network, objects, API_ADDRESS)
        calls = WebhookCalls(services, allowed_hosts())
        catalog = Catalog(wanted())
        around = Surroundings(
            objects,
            random.Random(seed),  # noqa: S311
            self.auth.may,
            Questions(self.auth),
            catalog,
            calls,
            self._provision,
            surface.admission,
            clock,
        )
        self.nodes: dict[str, SimulatedNode] = {}
        self._own_machine: SimulatedNode | None = None
        self.steps = Steps()
        self.api = ClusterApi(
            name=record.name,
            store=store,
            clock=clock,
            auth=self.auth,
            admission=admission_chain(around),
            catalog=catalog,
            allocators=open_allocators(objects.list("services"), surface.services),
            objects=objects,
            source=chance,
            options=surface.serving,
        )
        self.api.wall = wall
        self._sink = EventSink(clock, self.tasks)
        self._proxy_informers = Informers(self.transport(kubeproxy.USER), clock, self.tasks)
        self.proxy = kubeproxy.KubeProxy(self._proxy_informers, clock)
        self.ground = Ground(
            clock,
            self.network,
            self._door,
            self.proxy.table,
            self._proxy_informers.get(resources.SERVICES),
            self._sink,
            self._find_node,
            self.steps,
        )
        self.kubelets = self.ground.kubelets
        self.kept = Kept(surface.data_dir, record.uid)
        self.failures = Failures(self, Journal(self.kept))
        self.time = ClusterTime(clock, self.kept, lambda: store.revision)
        self.auth.tokens.on_legacy_use = self._label_legacy
        self.api.streams = KubeletStreams(self.ground.kubelets, store)
        self.custom = CustomResources(
            self.api.catalog, self.api.registry, self.tasks.spawn, call=calls
        )
        self.api.custom_kind = self.custom.resource_then
        # The first request of a client from outside, for the page that waits for it.
        self.first_client: dict[str, str] | None = None
        self.api.proxy = NetworkProxy(self.network, objects, API_ADDRESS, self.ground.pages)
        self.api.remotes.servers = ExtensionServers(services, clock, self._front_proxy)
        self.custom_groups = CustomGroups(self.api, component_user(API_USER), self.tasks.spawn)
        self.aggregation = Aggregation(
            self.api,
            component_user(API_USER),
            self.tasks.spawn,
            [MetricsServer(self.ground.stats, objects, clock).extension()],
        )
        self.flow_objects = FlowObjects(self.api, component_user(API_USER), self.tasks.spawn)
        self.control_plane = ControlPlane(self) if ControlPlane.is_shown(self) else None
        self.manager = Manager(
            self._door_of(MANAGER),
            clock,
            self.tasks,
            events=self._sink,
            served=Served(
                self.resources,
                self.custom.schema_of,
                self._stale,
                gates.all_on(),
                lambda: server_storage_versions(self.api.catalog),
            ),
            root_ca=surface.ca_certificate,
            discard_volume=self.ground.volumes.discard,
            authority=ClusterKeys(self.authority, self.auth.tokens, clock),
            only=controllers_of(record.template, surface.controllers),
            klog=self._klog(MANAGER),
        )
        self._make_scheduler()

    def _make_scheduler(self) -> None:
        clock = self.clock
        transport = Patient(self._door_of(SCHEDULER)(scheduling.USER), clock)
        self._scheduler_informers = Informers(transport, clock, self.tasks)
        client = Client(transport, "kube-scheduler")
        self.scheduler = scheduling.Scheduler(
            client,
            self._scheduler_informers,
            Recorder(client, "default-scheduler", clock, self._sink),
            clock,
            self.tasks,
            ask=ExtenderCalls(self._services),
            groups=_group_features(),
            features=gates.all_on(),
        )
        if self.control_plane is not None:
            self.scheduler.observer = self.control_plane.observer
        self.scheduler_config = SchedulerConfig(
            self.scheduler,
            self.transport(API_USER),
            clock,
            self.tasks,
            Recorder(client, "kube-scheduler", clock, self._sink),
        )

    def _find_node(self, name: str) -> Obj | None:
        """Return a node as the scheduler's watch has it: kubelets need not have one each."""
        return self._scheduler_informers.get(resources.NODES).get("", name)

    @property
    def name(self) -> str:
        return self.store.record.name

    @property
    def server(self) -> str:
        """Return the URL that a kubeconfig names."""
        return f"{self.surface.api_url}/clusters/{self.name}"

    def resources(self) -> list[resources.Res]:
        """Return every kind that can be listed and deleted now, custom ones included."""
        on = [kinds for name, kinds in resources.OF_FEATURES.items() if gates.enabled(name)]
        return [
            *resources.ALL,
            *chain.from_iterable(on),
            *map(address_of, self.custom),
            *_remote_kinds(self.api.remotes),
        ]

    def _stale(self) -> list[str]:
        """Return the group-versions of extension API servers that cannot be asked now."""
        remotes = self.api.remotes
        return [remote.version.api_version for remote in remotes if not remote.available]

    # -- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to authenticate and to work; returns when every node has registered."""
        self.api.phase = Phase.STARTING
        objects = self.api.objects
        await self.api.registry.restore(missing(objects.list("services"), objects), API_USER)
        self.auth.start(self.store.hub, self.store.revision)
        self.api.admission.start(self.store.hub, self.store.revision)
        if gates.all_on() != gates.USUAL:
            await bring_roles(self.api, component_user(API_USER))
        self.custom.start()
        if isinstance(self.api.flow, FlowFilter):
            self.api.flow.follow(self.store.hub, self.store.revision)
        self.flow_objects.start()
        self.aggregation.start()
        self.custom_groups.start()
        template = template_of(self.store.record.template)
        self.network.strict_dns = template.own_dns
        self.network.add_node(API_NODE, API_ADDRESS)
        self._feed_dns()
        if self.control_plane is not None:
            self.control_plane.begin()
        self.proxy.start()
        self._proxy_informers.start()
        self.scheduler_config.start()
        self.scheduler.start()
        self._scheduler_informers.start()
        self.tasks.serve("controller manager", self.manager.run)
        for component, user in LEADERS.items():
            self.tasks.spawn("leader election", self._lead(component, user))
        machines = map(template.machine, range(self.store.record.nodes))
        self.nodes = {one.name: SimulatedNode(one, self.ground) for one in machines}
        if self.control_plane is not None:
            self._own_machine = self.control_plane.node(self.ground)
        await self.failures.resume()
        for node in self.machines():
            await node.start()
        self.ground.all_registered.set()
        self.api.phase = Phase.SERVING

    def machines(self) -> list[SimulatedNode]:
        """Return every machine, that of the control plane last: it is in nobody's way."""
        return [*self.nodes.values(), *([self._own_machine] if self._own_machine else [])]

    async def close(self) -> None:
        """Stop working. What was acknowledged is stored; nothing else needs saving."""
        self.api.phase = Phase.STOPPING
        await self.failures.close()
        await self.time.keep()
        for node in self.machines():
            await node.close()
        await self.ground.interpreters.close()
        self.scheduler_config.stop()
        self.scheduler.stop()
        self.manager.stop()
        for informers in (self._scheduler_informers, self._proxy_informers):
            informers.stop()
        self.aggregation.stop()
        self.custom_groups.stop()
        self.flow_objects.stop()
        if isinstance(self.api.flow, FlowFilter):
            self.api.flow.stop()
        self.custom.stop()
        self.api.admission.stop()
        self.auth.stop()
        await self.tasks.close()
        await self.network.close()

    def _feed_dns(self) -> None:
        dns = self.network.dns

        def service(old: Obj | None, new: Obj | None) -> None:
            if new is not None:
                dns.update_service(new)
            elif old is not None:
                dns.delete_service(old)

        def endpointslice(old: Obj | None, new: Obj | None) -> None:
            if new is not None:
                dns.update_endpointslice(new)
            elif old is not None:
                dns.delete_endpointslice(old)

        self._proxy_informers.get(resources.SERVICES).on_change(service)
        self._proxy_informers.get(resources.ENDPOINTSLICES).on_change(endpointslice)

    def _label_legacy(self, secret: Obj, day: str) -> None:
        """Write on an everlasting token's Secret when it was used last, once a day."""
        metadata = secret["metadata"]
        patch = {"metadata": {"uid": metadata["uid"], "labels": {LAST_USED: day}}}
        client = Client(self.transport(API_USER), "kube-apiserver")

        async def write() -> None:
            # Another label, or its removal, may come first: the next use writes it again.
            with suppress(ApiError):
                await client.patch(
                    resources.SECRETS, metadata["namespace"], metadata["name"], patch
                )

        self.tasks.spawn("legacy token", write())

    async def _lead(self, component: str, user: str) -> None:
        client = Client(self.transport(user), component)
        recorder, klog = Recorder(client, component, self.clock, self._sink), self._klog(component)
        recorder.log = EventLog(klog)
        uid = self.store.record.uid
        await election.lead(component, uid, client, recorder, self.clock, klog)

    async def _provision(self, namespace: str) -> None:
        """Make a namespace; somebody else may have been quicker."""
        client = Client(self.transport(API_USER), "kube-apiserver")
        with suppress(AlreadyExists):
            await client.create({"metadata": {"name": namespace}}, resources.NAMESPACES)

    def _front_proxy(self) -> CertificateAuthority:
        """Return who vouches for the API server where it asks extension API servers."""
        made = front_proxy_authority(self.store.record.ca_key, self.clock)
        return CertificateAuthority(made.certificate, made.key)

    def _klog(self, component: str) -> Klog:
        """Return the log of a component; nobody keeps it where its pod is not shown."""
        return SILENT if self.control_plane is None else self.control_plane.klog[component]

    def _door_of(self, component: str) -> Callable[[str], Transport]:
        if self.control_plane is None:
            return self._door
        return self.control_plane.metered(component, self._door)

    def _door(self, user: str) -> Transport:
        """Return a component's way to the API, where each refusal is heard."""
        return self.surface.door(self.api, component_user(user))

    # -- who is who ------------------------------------------------------------------------------

    def transport(self, user: str) -> Transport:
        """Return a component's way to the API, as its own user."""
        return Patient(self._door(user), self.clock)

    def kubeconfig_for(
        self, user: str, groups: Sequence[str], days: float, token: str = "", holder: str = ""
    ) -> str:
        """Return a kubeconfig for anybody: with a token, or a certificate good for some days.

        The certificate counts until its time is up, or until what `holder` was given is revoked.
        """
        held = self._held(holder)
        issued = issue_client_certificate(self.authority, user, groups, self.clock, days, held)
        config = kubeconfig(
            self.server, self.surface.ca_certificate, self.name, user, token or issued
        )
        return kubeconfig_yaml(config)

    def _held(self, holder: str) -> Held | None:
        return Held(holder_mark(holder), now()) if holder else None

    def admin_kubeconfig(
        self, user: str = "kubernetes-admin", server: str = "", holder: str = ""
    ) -> str:
        """Return a kubeconfig with a fresh client certificate of a member of system:masters."""
        held = self._held(holder)
        issued = issue_client_certificate(self.authority, user, (MASTERS,), self.clock, held=held)
        config = kubeconfig(
            server or self.server, self.surface.ca_certificate, self.name, user, issued
        )
        return kubeconfig_yaml(config)


def _group_features() -> GroupFeatures | None:
    """Return what of scheduling by groups the operator has switched on."""
    found = GroupFeatures(
        gates.enabled(features.GANG_SCHEDULING),
        gates.enabled(features.GROUP_PREEMPTION),
        gates.enabled(features.TOPOLOGY),
    )
    return found if any(found) else None


def controllers_of(template: str, switches: Sequence[str]) -> list[str]:
    """Return the controllers that run in clusters of a template."""
    left_out = template_of(template).left_out
    return [name for name in CONTROLLERS if is_on(name, switches) and name not in left_out]


def address_of(resource: Resource) -> resources.Res:
    """Return how workers address a custom kind: in a version that is served."""
    kind = resource.kind if resource.serves_storage else resource.versions[0].kind
    return resources.Res(kind.group, kind.version, resource.plural, kind.kind, resource.namespaced)


def _remote_kinds(remotes: Remotes) -> Iterator[resources.Res]:
    """Yield the kinds of extension API servers that can be listed and deleted."""
    for remote in remotes:
        group, version = remote.version.group, remote.version.version
        for row in remote.resources:
            if "/" not in row["name"] and {"list", "delete"} <= set(row.get("verbs") or ()):
                namespaced = bool(row.get("namespaced"))
                yield resources.Res(group, version, row["name"], row["kind"], namespaced)


def component_user(name: str) -> User:
    """Return the user that a component acts as, with the groups that authentication would give."""
    if name.startswith(NODE_USER):
        return User(name, ("system:nodes", AUTHENTICATED))
    if name == API_USER:
        return User(name, (MASTERS, AUTHENTICATED))
    if name.startswith(ACCOUNT_USER):
        namespace = name.removeprefix(ACCOUNT_USER).partition(":")[0]
        return User(name, service_account_groups(namespace))
    return User(name, (AUTHENTICATED,))
