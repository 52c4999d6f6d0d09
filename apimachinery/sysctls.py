"""Kernel settings that a pod may ask for without harm to others, and how their names are read."""

from __future__ import annotations

# Those of pkg/kubelet/sysctl, and of the Pod Security Standards.
SAFE = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    ]
)
_SWAP = str.maketrans("./", "/.")


def dotted(name: str) -> str:
    """Return a name with dots between its parts: "net/ipv4/conf/eth0.1/x" has slashes."""
    first = next((char for char in name if char in "./"), ".")
    return name if first == "." else name.translate(_SWAP)


def namespace(name: str) -> str:
    """Return which namespace a safe setting is of: "net" or "ipc"."""
    return "net" if name.startswith("net.") else "ipc"
