"""port-forward: which ways are spoken, which ports are meant, and why one cannot be reached.

kubectl's way is SPDY/3.1 inside binary WebSocket messages (portforward_spdy), with any number of
connections to any ports. Other clients use the channels of v4.channel.k8s.io
(portforward_channels): one connection to each of the ports that the URL names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nodes.network.stream import ByteStream

SPDY = "SPDY/3.1+portforward.k8s.io"
CHANNELS, BASE64 = "v4.channel.k8s.io", "v4.base64.channel.k8s.io"
PROTOCOLS = (SPDY, CHANNELS, BASE64, "")

_LARGEST_PORT = 65535
# Channels are told apart by one byte, and each port takes two.
_MOST_PORTS = 127

Dial = Callable[[int], Awaitable[ByteStream]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def choose(offered: Sequence[str]) -> str | None:
    """Return the protocol to speak, None if none of those offered is known."""
    wanted = list(offered) or [""]
    return next((protocol for protocol in PROTOCOLS if protocol in wanted), None)


def refusal(error: Exception, sandbox: str, port: int) -> str:
    """Say why a port cannot be reached, as the kubelet and its runtime say it."""
    why = str(error)
    if isinstance(error, OSError):
        namespace = f"{sandbox[:8]}-{sandbox[8:12]}-{sandbox[12:16]}-{sandbox[16:20]}"
        why = (
            "failed to execute portforward in network namespace "
            f'"/var/run/netns/cni-{namespace}-{sandbox[20:32]}": failed to connect to '
            f'localhost:{port} inside namespace "{sandbox}", IPv4: dial tcp4 127.0.0.1:{port}: '
            f"connect: {why or 'connection refused'} IPv6 dial tcp6: address localhost: "
            "no suitable address found "
        )
    return f"error forwarding port {port} to pod {sandbox}, uid : {why}"


def parse_port(text: str) -> int:
    """Read a port. Raises ValueError with the kubelet's words."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(
            f'unable to parse "{text}" as a port: strconv.ParseUint: parsing "{text}": '
            "invalid syntax"
        )
    if int(text) > _LARGEST_PORT:
        raise ValueError(
            f'unable to parse "{text}" as a port: strconv.ParseUint: parsing "{text}": '
            "value out of range"
        )
    if int(text) < 1:
        raise ValueError(f'port "{text}" must be > 0')
    return int(text)


def parse_ports(texts: Sequence[str]) -> list[int]:
    """Read the ports that a URL names. Raises ValueError."""
    if not texts:
        raise ValueError('query parameter "port" is required')
    if not all(texts):
        raise ValueError('query parameter "port" cannot be empty')
    ports = [parse_port(part) for text in texts for part in text.split(",")]
    if len(ports) > _MOST_PORTS:
        raise ValueError(f"at most {_MOST_PORTS} ports can be forwarded at once")
    return ports
