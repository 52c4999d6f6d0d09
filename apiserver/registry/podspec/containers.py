"""Containers of the three kinds: regular, init (and sidecars), ephemeral."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
    too_many,
)
from apimachinery.validation.names import is_dns1123_label, is_port_name, is_port_number
from apiserver.registry.podspec.checks import one_of, one_of_required
from apiserver.registry.podspec.env import env_errors, env_from_errors
from apiserver.registry.podspec.mounts import device_errors, mount_errors
from apiserver.registry.podspec.probes import probes_errors
from apiserver.registry.podspec.resources import container_resource_errors
from apiserver.registry.podspec.security import container_security_errors

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_RULE_ACTIONS = ("Restart", "RestartAllContainers")
_MOST_RULES = 20
_MOST_EXIT_CODES = 255
_NOT_FOR_INIT = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
# In the order of Go's struct; the rest of a container may be set.
_NOT_FOR_EPHEMERAL = (
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
)


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What the rules for a container have to know of its pod."""

    volumes: Mapping[str, Obj]
    claims: frozenset[str]
    grace: int | None
    restart_policy: str
    host_users: bool


def regular_errors(containers: list[Obj], pod: PodFacts, path: Path) -> FieldErrors:
    """Yield what is wrong with spec.containers."""
    if not containers:
        yield required(path)
        return
    names: set[str] = set()
    for at, container in enumerate(containers):
        where = path[at]
        yield from _common_errors(container, pod, where)
        name = container.get("name") or ""
        if name in names:
            yield duplicate(where / "name", name)
        names.add(name)
        yield from probes_errors(container, pod.grace, where)
        yield from _restart_errors(container, where)
    yield from _host_port_errors(containers, path)


def _restart_errors(container: Obj, path: Path) -> FieldErrors:
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or ()
    if policy is not None and policy not in _RESTART_POLICIES:
        yield not_supported(path / "restartPolicy", policy, _RESTART_POLICIES)
    if not rules:
        return
    if policy is None:
        why = "must specify restartPolicy when restart rules are used"
        yield required(path / "restartPolicy", why)
    path = path / "restartPolicyRules"
    if len(rules) > _MOST_RULES:
        yield too_many(path, len(rules), _MOST_RULES)
    for at, rule in enumerate(rules):
        yield from _restart_rule_errors(rule, path[at])


def _restart_rule_errors(rule: Obj, path: Path) -> FieldErrors:
    yield from one_of(rule.get("action") or "", _RULE_ACTIONS, path / "action")
    codes = rule.get("exitCodes")
    if codes is None:
        yield required(path / "exitCodes", "must be specified")
        return
    path = path / "exitCodes"
    yield from one_of(codes.get("operator") or "", ("In", "NotIn"), path / "operator")
    values = codes.get("values") or ()
    if len(values) > _MOST_EXIT_CODES:
        yield too_many(path / "values", len(values), _MOST_EXIT_CODES)


def init_errors(
    containers: list[Obj], regular: list[Obj], pod: PodFacts, path: Path
) -> FieldErrors:
    """Yield what is wrong with spec.initContainers."""
    names = {container.get("name") or "" for container in regular}
    for at, container in enumerate(containers):
        where = path[at]
        yield from _common_errors(container, pod, where)
        yield from _init_restart_errors(container, where)
        name = container.get("name") or ""
        if name in names:
            yield duplicate(where / "name", name)
        elif name:
            names.add(name)
        yield from _host_port_errors([container], path)
        if container.get("restartPolicy") == "Always":
            yield from probes_errors(container, pod.grace, where)
        else:
            yield from _run_once_errors(container, where)


def _init_restart_errors(container: Obj, path: Path) -> FieldErrors:
    if container.get("restartPolicy") is not None:
        yield from _restart_errors(container, path)
    elif container.get("restartPolicyRules"):
        why = "must specify restartPolicy when restart rules are used"
        yield required(path / "restartPolicy", why)


def _run_once_errors(container: Obj, path: Path) -> FieldErrors:
    """Yield what an init container that ends before the others start cannot have."""
    why = "may not be set for init containers without restartPolicy=Always"
    for field in _NOT_FOR_INIT:
        if container.get(field) is not None:
            yield forbidden(path / field, why)
    for at, policy in enumerate(container.get("resizePolicy") or ()):
        if policy.get("restartPolicy") == "RestartContainer":
            place = (path / "resizePolicy")[at] / "restartPolicy"
            why = "must not be set to 'RestartContainer' for non-sidecar initContainers"
            yield invalid(place, "RestartContainer", why)


def ephemeral_errors(spec: Obj, pod: PodFacts, path: Path) -> FieldErrors:
    """Yield what is wrong with spec.ephemeralContainers."""
    others = {
        container.get("name") or ""
        for key in ("containers", "initContainers")
        for container in spec.get(key) or ()
    }
    names = set(others)
    for at, container in enumerate(spec["ephemeralContainers"]):
        where = path[at]
        yield from _common_errors(container, pod, where)
        yield from image_whitespace(container, where)
        name = container.get("name") or ""
        if name in names:
            yield duplicate(where / "name", name)
        names.add(name)
        target = container.get("targetContainerName")
        if target and target not in others:
            yield not_found(where / "targetContainerName", target)
        for field in _NOT_FOR_EPHEMERAL:
            if container.get(field):
                yield forbidden(where / field, "cannot be set for an Ephemeral Container")
        for index, mount in enumerate(container.get("volumeMounts") or ()):
            for field in ("subPath", "subPathExpr"):
                if mount.get(field):
                    yield forbidden(
                        (where / "volumeMounts")[index] / field,
                        "cannot be set for an Ephemeral Container",
                    )


def image_whitespace(container: Obj, path: Path) -> FieldErrors:
    """Yield that an image has blanks around it: templates may, pods may not."""
    image = container.get("image") or ""
    if image.strip() != image:
        yield invalid(path / "image", image, "must not have leading or trailing whitespace")


def _common_errors(container: Obj, pod: PodFacts, path: Path) -> FieldErrors:
    name = container.get("name") or ""
    if not name:
        yield required(path / "name")
    elif wrong := is_dns1123_label(name):
        for message in wrong:
            yield invalid(path / "name", name, message)
    if not container.get("image"):
        yield required(path / "image")
    policy = container.get("terminationMessagePolicy")
    if policy not in _MESSAGE_POLICIES:
        yield from one_of_required(policy, _MESSAGE_POLICIES, path / "terminationMessagePolicy")
    yield from _part_errors(container, pod, path)
    policy = container.get("imagePullPolicy")
    if policy not in PULL_POLICIES:
        yield from one_of_required(policy, PULL_POLICIES, path / "imagePullPolicy")
    if resources := container.get("resources"):
        yield from container_resource_errors(resources, pod.claims, path / "resources")
    if policies := container.get("resizePolicy"):
        yield from _resize_policy_errors(policies, pod.restart_policy, path / "resizePolicy")
    if context := container.get("securityContext"):
        yield from container_security_errors(
            context, path / "securityContext", host_users=pod.host_users
        )


def _part_errors(container: Obj, pod: PodFacts, path: Path) -> FieldErrors:
    if ports := container.get("ports"):
        yield from _port_errors(ports, path / "ports")
    if env := container.get("env"):
        yield from env_errors(env, path / "env")
    if env_from := container.get("envFrom"):
        yield from env_from_errors(env_from, path / "envFrom")
    if container.get("volumeMounts"):
        yield from mount_errors(container, pod.volumes, path / "volumeMounts")
    if container.get("volumeDevices"):
        yield from device_errors(container, pod.volumes, path / "volumeDevices")


def _port_errors(ports: list[Obj], path: Path) -> FieldErrors:
    names: set[str] = set()
    for at, port in enumerate(ports):
        if name := port.get("name"):
            yield from _port_name_errors(name, names, path[at] / "name")
        number, host_port = port.get("containerPort") or 0, port.get("hostPort")
        if not number:
            yield required(path[at] / "containerPort")
        elif wrong := is_port_number(number):
            yield invalid(path[at] / "containerPort", number, wrong[0])
        if host_port and (wrong := is_port_number(host_port)):
            yield invalid(path[at] / "hostPort", host_port, wrong[0])
        if port.get("protocol") not in _PROTOCOLS:
            yield from one_of_required(port.get("protocol"), _PROTOCOLS, path[at] / "protocol")


def _port_name_errors(name: str, names: set[str], path: Path) -> FieldErrors:
    wrong = is_port_name(name)
    for message in wrong:
        yield invalid(path, name, message)
    if not wrong and name in names:
        yield duplicate(path, name)
    names.add(name)


def _host_port_errors(containers: list[Obj], path: Path) -> FieldErrors:
    seen: set[str] = set()
    for at, container in enumerate(containers):
        for index, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            key = f"{port.get('protocol')}/{port.get('hostIP') or ''}/{port['hostPort']}"
            if key in seen:
                yield duplicate((path[at] / "ports")[index] / "hostPort", key)
            seen.add(key)


def _resize_policy_errors(policies: list[Obj], restart_policy: str, path: Path) -> FieldErrors:
    seen: set[str] = set()
    for at, policy in enumerate(policies):
        name, restart = policy.get("resourceName") or "", policy.get("restartPolicy")
        if name in seen:
            yield duplicate(path[at], name)
        seen.add(name)
        yield from one_of_required(name, ("cpu", "memory"), path)
        yield from one_of_required(restart, ("NotRequired", "RestartContainer"), path)
        if restart_policy == "Never" and restart != "NotRequired":
            why = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            yield invalid(path, restart or "", why)
