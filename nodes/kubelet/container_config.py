"""From a container of a pod to what the runtime is asked for: pure translation to CRI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from apimachinery import quantity
from apimachinery.meta import Obj, name_of, namespace_of, uid_of
from nodes.kubelet.environment import BadEnvironment, expand
from nodes.kubelet.volumes import log_directory
from nodes.runtime.cri import (
    ContainerConfig,
    ContainerMetadata,
    DNSConfig,
    ImageSpec,
    LinuxContainerResources,
    LinuxContainerSecurityContext,
    Mount,
    NamespaceMode,
    NamespaceOption,
    PodSandboxConfig,
    PodSandboxMetadata,
    PortMapping,
)

CLUSTER_DNS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
NODE_DNS = "10.0.2.3"


def sandbox_config(pod: Obj, attempt: int) -> PodSandboxConfig:
    """Return the sandbox of a pod."""
    spec = pod["spec"]
    host_network = bool(spec.get("hostNetwork"))
    return PodSandboxConfig(
        PodSandboxMetadata(name_of(pod), uid_of(pod), namespace_of(pod), attempt),
        hostname="" if host_network else (spec.get("hostname") or name_of(pod))[:63],
        log_directory=log_directory(pod),
        dns_config=dns_config(pod),
        port_mappings=tuple(_ports(spec.get("containers") or (), host_only=True)),
        labels=_labels(pod),
        namespace_options=NamespaceOption(
            network=NamespaceMode.NODE if host_network else NamespaceMode.POD
        ),
        sysctls={
            s["name"]: s["value"] for s in (spec.get("securityContext") or {}).get("sysctls") or ()
        },
    )


def dns_config(pod: Obj) -> DNSConfig:
    """Return what /etc/resolv.conf says, by dnsPolicy, with dnsConfig added."""
    spec = pod["spec"]
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    if policy == "ClusterFirst" and spec.get("hostNetwork"):
        policy = "Default"
    servers: list[str] = []
    searches: list[str] = []
    options: list[str] = []
    if policy in ("ClusterFirst", "ClusterFirstWithHostNet"):
        servers = [CLUSTER_DNS]
        searches = [
            f"{namespace_of(pod)}.svc.{CLUSTER_DOMAIN}",
            f"svc.{CLUSTER_DOMAIN}",
            CLUSTER_DOMAIN,
        ]
        options = ["ndots:5"]
    elif policy == "Default":
        servers = [NODE_DNS]
    given = spec.get("dnsConfig") or {}
    servers += [s for s in given.get("nameservers") or () if s not in servers]
    searches += [s for s in given.get("searches") or () if s not in searches]
    for option in given.get("options") or ():
        text = option["name"] + (f":{option['value']}" if option.get("value") else "")
        options = [o for o in options if o.partition(":")[0] != option["name"]] + [text]
    return DNSConfig(tuple(servers), tuple(searches), tuple(options))


def container_config(
    pod: Obj,
    container: Obj,
    attempt: int,
    image: str,
    envs: Mapping[str, str],
    path: Callable[[Obj, str, str], str],
) -> ContainerConfig:
    """Return a container's configuration. `path(pod, volume, sub_path)` is the host's side.

    Raises BadEnvironment where variables lead a subPathExpr out of its volume.
    """
    name = container["name"]
    return ContainerConfig(
        ContainerMetadata(name, attempt),
        ImageSpec(image, user_specified_image=container.get("image") or ""),
        command=tuple(expand(part, envs) for part in container.get("command") or ()),
        args=tuple(expand(part, envs) for part in container.get("args") or ()),
        working_dir=container.get("workingDir") or "",
        envs=tuple(envs.items()),
        mounts=tuple(_mounts(pod, container, envs, path)),
        labels={**_labels(pod), "io.kubernetes.container.name": name},
        annotations={
            "io.kubernetes.container.restartCount": str(attempt),
            "io.kubernetes.container.terminationMessagePath": container.get(
                "terminationMessagePath", "/dev/termination-log"
            ),
        },
        log_path=f"{name}/{attempt}.log",
        stdin=bool(container.get("stdin")),
        stdin_once=bool(container.get("stdinOnce")),
        tty=bool(container.get("tty")),
        resources=resources(container),
        security_context=_security(pod, container),
        declared_ports=tuple(_ports((container,), host_only=False)),
    )


def resources(container: Obj) -> LinuxContainerResources:
    """Return the cgroup's numbers: shares from requests, quota and memory from limits."""
    given = container.get("resources") or {}
    limits = given.get("limits") or {}
    requests = given.get("requests") or limits
    milli = quantity.parse(requests.get("cpu", "0")).milli_value()
    quota = quantity.parse(limits.get("cpu", "0")).milli_value() * 100
    return LinuxContainerResources(
        cpu_quota=quota,
        cpu_shares=max(milli * 1024 // 1000, 2),
        memory_limit_in_bytes=quantity.parse(limits.get("memory", "0")).value(),
    )


def termination_log(pod: Obj, name: str, attempt: int) -> str:
    """Return the host's side of a run's termination log."""
    return f"/var/lib/kubelet/pods/{uid_of(pod)}/containers/{name}/{attempt}"


def _mounts(
    pod: Obj,
    container: Obj,
    envs: Mapping[str, str],
    path: Callable[[Obj, str, str], str],
) -> list[Mount]:
    found = []
    for mount in container.get("volumeMounts") or ():
        sub = mount.get("subPath") or expand(mount.get("subPathExpr") or "", envs)
        if sub.startswith("/"):
            raise BadEnvironment(f"error SubPath `{sub}` must not be an absolute path")
        if ".." in sub.split("/"):
            raise BadEnvironment(f"unable to provision SubPath `{sub}`: must not contain '..'")
        found.append(
            Mount(mount["mountPath"], path(pod, mount["name"], sub), bool(mount.get("readOnly")))
        )
    return found


def _security(pod: Obj, container: Obj) -> LinuxContainerSecurityContext:
    whole = pod["spec"].get("securityContext") or {}
    own = container.get("securityContext") or {}
    capabilities = own.get("capabilities") or {}
    return LinuxContainerSecurityContext(
        privileged=bool(own.get("privileged")),
        run_as_user=own.get("runAsUser", whole.get("runAsUser")),
        run_as_group=own.get("runAsGroup", whole.get("runAsGroup")),
        supplemental_groups=tuple(whole.get("supplementalGroups") or ()),
        readonly_rootfs=bool(own.get("readOnlyRootFilesystem")),
        no_new_privs=own.get("allowPrivilegeEscalation") is False,
        add_capabilities=tuple(capabilities.get("add") or ()),
        drop_capabilities=tuple(capabilities.get("drop") or ()),
    )


def _ports(containers: Iterable[Obj], *, host_only: bool) -> list[PortMapping]:
    return [
        PortMapping(
            port["containerPort"],
            port.get("hostPort") or 0,
            port.get("hostIP") or "",
            port.get("protocol") or "TCP",
        )
        for container in containers
        for port in container.get("ports") or ()
        if not host_only or port.get("hostPort")
    ]


def _labels(pod: Obj) -> dict[str, str]:
    return {
        "io.kubernetes.pod.name": name_of(pod),
        "io.kubernetes.pod.namespace": namespace_of(pod),
        "io.kubernetes.pod.uid": uid_of(pod),
    }
