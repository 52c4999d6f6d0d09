"""Which labels a node may put on itself: those that cannot steer privileged workloads to it."""

from __future__ import annotations

from collections.abc import Mapping

KUBELET_LABELS = frozenset(
    (
        "kubernetes.io/hostname",
        "kubernetes.io/arch",
        "kubernetes.io/os",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
        "node.kubernetes.io/instance-type",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
    )
)
KUBELET_NAMESPACES = ("kubelet.kubernetes.io", "node.kubernetes.io")
# Labels of this domain are for administrators alone.
RESTRICTED = "node-restriction.kubernetes.io"
_OURS = ("kubernetes.io", "k8s.io")


def forbidden_labels(new: Mapping[str, str], old: Mapping[str, str]) -> list[str]:
    """Return the labels that differ and that a node may not set, sorted."""
    changed = {key for key in {*new, *old} if new.get(key) != old.get(key)}
    return sorted(key for key in changed if not _allowed(key))


def _allowed(key: str) -> bool:
    namespace = key.partition("/")[0] if "/" in key else ""
    if _within(namespace, RESTRICTED):
        return False
    if not any(_within(namespace, domain) for domain in _OURS):
        return True
    return key in KUBELET_LABELS or any(_within(namespace, d) for d in KUBELET_NAMESPACES)


def _within(namespace: str, domain: str) -> bool:
    return namespace == domain or namespace.endswith(f".{domain}")
