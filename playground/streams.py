"""From the API server to kubelets: logs, and connections into containers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson

from apimachinery.clock import parse_time
from apimachinery.errors import ApiError, BadRequest, InternalError, NotFound
from apimachinery.gvk import GroupResource
from apimachinery.meta import Obj
from apiserver.endpoints.requestinfo import is_true
from apiserver.storage import ClusterStore, Key
from nodes.kubelet import portforward, portforward_spdy, streaming, streaming_spdy
from nodes.kubelet.kubelet import Kubelet
from nodes.kubelet.portforward_channels import serve_channels
from nodes.kubelet.portforward_spdy import serve_spdy
from nodes.network.stream import ByteStream
from nodes.runtime.cri import AttachRequest, ExecRequest, LogOptions, Session

Serve = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Upgrade:
    """A connection that a client asks for: what for, how, and the two ends of it."""

    subresource: str
    namespace: str
    name: str
    query: Mapping[str, list[str]]
    offered: tuple[str, ...]
    spdy: bool
    receive: Any
    send: Any

    def flag(self, name: str) -> bool:
        given = self.query.get(name)
        return is_true(given[0] if given else None)

    def asked_streams(self) -> tuple[str, ...]:
        """Return which of a program's streams are wanted. Raises BadRequest where none is."""
        asked = tuple(name for name in ("stdin", "stdout", "stderr") if self.flag(name))
        if not asked:
            raise BadRequest("you must specify at least 1 of stdin, stdout, stderr")
        # A terminal has one output.
        return tuple(name for name in asked if name != "stderr" or not self.flag("tty"))

    def agreed(self, protocol: str | None, spoken: Sequence[str]) -> str:
        """Return the protocol that both sides know. Raises the refusal where there is none."""
        if protocol is not None:
            return protocol
        if not self.spdy:
            raise BadRequest("unable to upgrade: unsupported protocol")
        if not self.offered:
            raise BadRequest("unable to upgrade: X-Stream-Protocol-Version is required")
        both = f"client supports [{' '.join(self.offered)}], server accepts [{' '.join(spoken)}]"
        why = f"unable to upgrade: unable to negotiate protocol: {both}"
        raise ApiError(why, code=403, reason="Forbidden")


class KubeletStreams:
    """Keeps apiserver.endpoints.api.NodeStreams, for the kubelets of this process."""

    def __init__(self, kubelets: Mapping[str, Kubelet], store: ClusterStore) -> None:
        self._kubelets, self._store = kubelets, store

    def logs(
        self, node: str, namespace: str, pod: str, container: str, options: Mapping[str, str]
    ) -> AsyncIterator[bytes]:
        """Return a container's log. Raises the kubelet's refusal."""
        kubelet = self._kubelet(node, pod)
        return kubelet.logs(
            namespace,
            pod,
            container,
            log_options(options, kubelet.host.clock.seconds()),
            previous=is_true(options.get("previous")),
        )

    async def connect(self, request: Any, scope: Any, receive: Any, send: Any) -> None:
        """Serve exec, attach and port-forward over the upgraded connection of `scope`."""
        info = request.info
        upgrade = _Upgrade(
            info.subresource,
            info.namespace,
            info.name,
            parse_qs(scope["query_string"].decode(), keep_blank_values=True),
            tuple(scope.get("subprotocols") or ()),
            "upgrade" in scope.get("extensions", {}),
            receive,
            send,
        )
        await receive()  # websocket.connect
        plan = self._forwarding if info.subresource == "portforward" else self._session
        try:
            protocol, serve = plan(upgrade)
        except ApiError as error:
            await _refuse(send, error)
            return
        await send({"type": "websocket.accept", "subprotocol": protocol or None})
        await serve()

    def _session(self, upgrade: _Upgrade) -> tuple[str, Serve]:
        """Return how exec or attach is served. Raises the refusal of what cannot be."""
        spoken = streaming_spdy if upgrade.spdy else streaming
        protocol = upgrade.agreed(spoken.choose(upgrade.offered), streaming_spdy.PROTOCOLS)
        kubelet, container_id = self._container(upgrade.namespace, upgrade.name, upgrade.query)
        asked = upgrade.asked_streams()
        receive, send, clock = upgrade.receive, upgrade.send, kubelet.host.clock

        async def begin() -> Session:
            return await _begin(kubelet, container_id, asked, upgrade)

        if not upgrade.spdy:
            return protocol, lambda: streaming.serve(protocol, begin, receive, send)
        wanted = streaming_spdy.expected(protocol, asked, tty=upgrade.flag("tty"))
        client = streaming_spdy.SpdyClient(protocol, wanted, clock)
        return protocol, lambda: streaming_spdy.serve(client, begin, clock, receive, send)

    def _forwarding(self, upgrade: _Upgrade) -> tuple[str, Serve]:
        """Return how port-forward is served, by whichever of its protocols the client offers."""
        spoken = portforward_spdy if upgrade.spdy else portforward
        protocol = upgrade.agreed(spoken.choose(upgrade.offered), portforward_spdy.PROTOCOLS)
        kubelet, sandbox = self._sandbox(upgrade.namespace, upgrade.name)
        runtime, clock = kubelet.host.runtime, kubelet.host.clock
        receive, send = upgrade.receive, upgrade.send

        async def dial(port: int) -> ByteStream:
            return await runtime.port_forward(sandbox, port)

        if upgrade.spdy or protocol == portforward.SPDY:
            return protocol, lambda: serve_spdy(dial, sandbox, clock, receive, send)
        ports = _ports(upgrade.query)
        return protocol, lambda: serve_channels(protocol, ports, dial, sandbox, receive, send)

    def _sandbox(self, namespace: str, name: str) -> tuple[Kubelet, str]:
        """Return the kubelet of a pod and the id of the pod's sandbox there."""
        pod, node = self._pod(namespace, name)
        kubelet = self._kubelet(node, name)
        sandbox = kubelet.find(namespace, name).sandbox_id
        if not sandbox:
            shown = f"{name}_{namespace}({pod['metadata']['uid']})"
            raise InternalError(f'failed to find sandboxID for pod "{shown}"')
        return kubelet, sandbox

    def _pod(self, namespace: str, name: str) -> tuple[Obj, str]:
        """Return a pod and the name of its node. Raises NotFound or BadRequest."""
        entry = self._store.get(Key("pods", namespace, name))
        if entry is None:
            raise NotFound(GroupResource("", "pods"), name)
        pod = entry.obj()
        node = pod["spec"].get("nodeName") or ""
        if not node:
            raise BadRequest(f"pod {name} does not have a host assigned")
        return pod, node

    def _container(
        self, namespace: str, name: str, query: Mapping[str, list[str]]
    ) -> tuple[Kubelet, str]:
        pod, node = self._pod(namespace, name)
        container = (query.get("container") or [""])[0] or default_container(pod)
        kubelet = self._kubelet(node, name)
        record = kubelet.container(namespace, name, container)
        if not record.running:
            raise NotFoundContainer(container)
        return kubelet, record.id

    def _kubelet(self, node: str, pod: str) -> Kubelet:
        kubelet = self._kubelets.get(node)
        if kubelet is None:
            raise BadRequest(f"pod {pod} does not have a host assigned")
        return kubelet


class NotFoundContainer(ApiError):
    """The container is known and does not run."""

    code, reason = 500, "InternalError"

    def __init__(self, container: str) -> None:
        message = f'unable to upgrade connection: container not found ("{container}")'
        super().__init__(message, details={"causes": [{"message": message}]})


def default_container(pod: Obj) -> str:
    """Return the container that is meant where none is named: the API server lets one pass."""
    return str(pod["spec"]["containers"][0]["name"])


def log_options(options: Mapping[str, str], now: float) -> LogOptions:
    """Read PodLogOptions from query parameters. Raises BadRequest on what is not a number."""
    since = 0
    try:
        if options.get("sinceSeconds"):
            since = int((now - int(options["sinceSeconds"])) * 1e9)
        elif options.get("sinceTime"):
            since = int(parse_time(options["sinceTime"]).timestamp() * 1e9)
        tail = int(options["tailLines"]) if options.get("tailLines") else -1
        limit = int(options["limitBytes"]) if options.get("limitBytes") else 0
    except ValueError as error:
        raise BadRequest(str(error)) from error
    return LogOptions(
        follow=is_true(options.get("follow")),
        tail_lines=tail,
        since=since,
        timestamps=is_true(options.get("timestamps")),
        limit_bytes=limit,
        stream=options.get("stream") or "All",
    )


def _ports(query: Mapping[str, list[str]]) -> list[int]:
    """Read the ports that a client without SPDY asks for. Raises BadRequest."""
    try:
        return portforward.parse_ports(query.get("ports") or ())
    except ValueError as error:
        raise BadRequest(str(error)) from error


async def _begin(
    kubelet: Kubelet, container_id: str, asked: Collection[str], upgrade: _Upgrade
) -> Session:
    tty = upgrade.flag("tty")
    flags = (tty, "stdin" in asked, "stdout" in asked, "stderr" in asked)
    runtime = kubelet.host.runtime
    if upgrade.subresource == "attach":
        return await runtime.attach(AttachRequest(container_id, *flags))
    command = tuple(upgrade.query.get("command") or ())
    return await runtime.exec(ExecRequest(container_id, command, *flags))


async def _refuse(send: Any, error: ApiError) -> None:
    """Answer the upgrade with a Status instead of a connection."""
    body = orjson.dumps(error.status())
    await send(
        {
            "type": "websocket.http.response.start",
            "status": error.code,
            "headers": [(b"content-type", b"application/json")],
        }
    )
    await send({"type": "websocket.http.response.body", "body": body})
