"""PodSecurity: each check's words, which level has which checks, and where warnings go."""

from __future__ import annotations

import pytest

from apimachinery.errors import Forbidden, Invalid
from apiserver.admission.interfaces import UPDATE
from apiserver.admission.plugins.pod_security import PodSecurity
from apiserver.admission.pod_security.evaluate import violations
from apiserver.admission.pod_security.policy import LevelVersion, policy_of
from tests.apiserver.admission.support import Reader, named, pod, request

BASELINE, RESTRICTED = LevelVersion("baseline"), LevelVersion("restricted")
GOOD = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def container(name="c", **context):
    return {"name": name, "image": "nginx", "securityContext": context}


def found(level, *containers, metadata=None, **spec):
    return violations(level, metadata or {}, {"containers": list(containers), **spec})


def test_bare_pod_at_each_level():
    assert found(LevelVersion("privileged"), container(privileged=True)) == ""
    assert found(BASELINE, container()) == ""
    assert found(RESTRICTED, container(**GOOD)) == ""
    assert found(RESTRICTED, container(), container("d")) == (
        'allowPrivilegeEscalation != false (containers "c", "d" must set '
        "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (containers "
        '"c", "d" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod '
        'or containers "c", "d" must set securityContext.runAsNonRoot=true), seccompProfile (pod '
        'or containers "c", "d" must set securityContext.seccompProfile.type to "RuntimeDefault" '
        'or "Localhost")'
    )


def test_order_of_what_is_found():
    bad = container(privileged=True, capabilities={"add": ["NET_ADMIN"]})
    bad["ports"] = [{"containerPort": 1, "hostPort": 80}]

    assert found(BASELINE, bad, hostPID=True, volumes=[{"name": "h", "hostPath": {}}]) == (
        'non-default capabilities (container "c" must not include "NET_ADMIN" in '
        "securityContext.capabilities.add), host namespaces (hostPID=true), hostPath volumes "
        '(volume "h"), hostPort (container "c" uses hostPort 80), privileged (container "c" must '
        "not set securityContext.privileged=true)"
    )


@pytest.mark.parametrize(
    ("context", "words"),
    [
        (
            {"seLinuxOptions": {"type": "spc_t", "user": "u"}},
            (
                'seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: '
                'type "spc_t"; user may not be set)'
            ),
        ),
        (
            {"procMount": "Unmasked"},
            'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
        ),
        (
            {"seccompProfile": {"type": "Unconfined"}},
            (
                'seccompProfile (container "c" must not set securityContext.seccompProfile.type '
                'to "Unconfined")'
            ),
        ),
        (
            {"windowsOptions": {"hostProcess": True}},
            (
                'hostProcess (container "c" must not set '
                "securityContext.windowsOptions.hostProcess=true)"
            ),
        ),
        (
            {"appArmorProfile": {"type": "Unconfined"}},
            (
                'forbidden AppArmor profile (container "c" must not set AppArmor profile type to '
                '"Unconfined")'
            ),
        ),
    ],
)
def test_baseline_contexts(context, words):
    assert found(BASELINE, container(**context)) == words


def test_baseline_of_the_pod():
    sysctls = [{"name": "kernel.msgmax"}, {"name": "net.ipv4.tcp_syncookies"}]
    assert found(BASELINE, container(), securityContext={"sysctls": sysctls}) == (
        "forbidden sysctls (kernel.msgmax)"
    )
    probing = container() | {"livenessProbe": {"httpGet": {"host": "example.com", "port": 80}}}
    assert found(BASELINE, probing) == (
        'probe or lifecycle host (container "c" uses probe or lifecycle host "example.com")'
    )
    assert found(LevelVersion("baseline", "v1.33"), probing) == ""


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            {"volumes": [{"name": "v", "nfs": {}}, {"name": "w", "hostPath": {}}]},
            (
                'restricted volume types (volumes "v", "w" use restricted volume types '
                '"hostPath", "nfs")'
            ),
        ),
        (
            {"securityContext": {"runAsUser": 0}},
            "runAsUser=0 (pod must not set runAsUser=0)",
        ),
        ({"securityContext": {"runAsUser": 0}, "hostUsers": False}, ""),
    ],
)
def test_restricted(spec, words):
    assert found(RESTRICTED, container(**GOOD), **spec) == words


def labels(**modes):
    return {f"pod-security.kubernetes.io/{k.replace('_', '-')}": v for k, v in modes.items()}


def test_warnings_follow_what_is_enforced_unless_set():
    policy, errors = policy_of(labels(enforce="baseline", enforce_version="v1.30"))
    assert (policy.warn, errors) == (LevelVersion("baseline", "v1.30"), [])
    policy, _ = policy_of(labels(enforce="baseline", warn="restricted"))
    assert policy.warn == RESTRICTED
    assert policy_of({})[0].allows_all


@pytest.mark.parametrize(
    ("modes", "words"),
    [
        ({"enforce": "nope"}, "must be one of privileged, baseline, restricted"),
        ({"warn_version": "1.2"}, 'must be "latest" or "v1.x"'),
    ],
)
def test_wrong_labels(modes, words):
    ((name, value),) = labels(**modes).items()
    namespace = named("ns")
    namespace["metadata"]["labels"] = labels(**modes)

    with pytest.raises(Invalid) as caught:
        PodSecurity(Reader()).validate(request(namespace, "namespaces"))

    assert caught.value.message == (
        f'Namespace "ns" is invalid: metadata.labels[{name}]: Invalid value: "{value}": {words}'
    )


def plugin(*pods, **modes):
    namespace = named("ns")
    namespace["metadata"]["labels"] = labels(**modes)
    return PodSecurity(Reader(namespaces=[namespace], pods=list(pods)))


def test_pod_is_refused():
    with pytest.raises(Forbidden) as caught:
        plugin(enforce="baseline").validate(request(pod(hostNetwork=True)))

    assert caught.value.message == (
        'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces '
        "(hostNetwork=true)"
    )


def test_workload_is_warned_of_and_let_through():
    template = {"metadata": {}, "spec": {"hostIPC": True, "containers": [container(**GOOD)]}}
    deployment = named("d", "ns", spec={"template": template})
    asked = request(deployment, "deployments.apps")

    plugin(enforce="restricted", audit="baseline").validate(asked)

    told = "host namespaces (hostIPC=true)"
    assert asked.warnings == [f'would violate PodSecurity "restricted:latest": {told}']
    assert list(asked.annotations.values()) == [
        f'would violate PodSecurity "baseline:latest": {told}'
    ]


def test_update_counts_only_when_images_change():
    old = pod(hostNetwork=True)
    labelled = pod(hostNetwork=True)
    plugin(enforce="baseline").validate(request(labelled, operation=UPDATE, old_object=old))
    other = pod(hostNetwork=True, containers=[{"name": "c", "image": "other"}])

    with pytest.raises(Forbidden):
        plugin(enforce="baseline").validate(request(other, operation=UPDATE, old_object=old))


def test_stricter_label_names_the_pods_that_are_there():
    pods = [pod(hostPID=True), pod(hostPID=True), pod()]
    for name, obj in zip("abc", pods, strict=True):
        obj["metadata"]["name"] = name
    new = named("ns")
    new["metadata"]["labels"] = labels(enforce="baseline")
    asked = request(new, "namespaces", UPDATE, old_object=named("ns"))

    plugin(*pods).validate(asked)

    assert asked.warnings == [
        (
            'existing pods in namespace "ns" violate the new PodSecurity enforce level '
            '"baseline:latest"'
        ),
        "a (and 1 other pod): host namespaces (hostPID=true)",
    ]


@pytest.mark.parametrize(
    ("since", "level", "containers", "more"),
    [
        (31, "baseline", [container(seLinuxOptions={"type": "container_engine_t"})], {}),
        (27, "baseline", [], {"sysctls": "net.ipv4.ip_local_reserved_ports"}),
        (29, "baseline", [], {"sysctls": "net.ipv4.tcp_fin_timeout"}),
        (32, "baseline", [], {"sysctls": "net.ipv4.tcp_rmem"}),
        (25, "restricted", [container(runAsNonRoot=True)], {"os": {"name": "windows"}}),
        (35, "baseline", [container(procMount="Unmasked")], {"hostUsers": False}),
        (35, "restricted", [container(**{**GOOD, "runAsNonRoot": False})], {"hostUsers": False}),
    ],
)
def test_a_pinned_version_is_held_to_what_was_allowed_then(since, level, containers, more):
    if name := more.pop("sysctls", None):
        more = {"securityContext": {"sysctls": [{"name": name, "value": "1"}]}}
    for minor, passes in ((since - 1, False), (since, True), (99, True)):
        words = found(LevelVersion(level, f"v1.{minor}"), *containers, **more)
        assert (words == "") is passes, words


def test_before_v1_19_seccomp_was_an_annotation():
    wrong = {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}}
    assert found(LevelVersion("baseline", "v1.18"), container(), metadata=wrong) == (
        "seccompProfile (forbidden annotation "
        'seccomp.security.alpha.kubernetes.io/pod="unconfined")'
    )
    assert found(LevelVersion("baseline", "v1.19"), container(), metadata=wrong) == ""


def test_a_check_of_baseline_holds_until_restricted_has_a_stricter_one():
    adding = container(allowPrivilegeEscalation=False, capabilities={"add": ["NET_ADMIN"]})
    words = "non-default capabilities"
    assert words in found(LevelVersion("restricted", "v1.21"), adding)
    assert words not in found(LevelVersion("restricted", "v1.22"), adding)


@pytest.mark.parametrize("minor", [34, 35, 99])
def test_restricted_makes_no_exception_for_proc_mounts(minor):
    unmasked = container(**GOOD, procMount="Unmasked")
    words = found(LevelVersion("restricted", f"v1.{minor}"), unmasked, hostUsers=False)
    assert words == (
        'procMount (container "c" must not set securityContext.procMount to "Unmasked")'
    )
