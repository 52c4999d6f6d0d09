"""From the API server to kubelets: logs, and WebSockets into containers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from apimachinery.clock import parse_time
from apimachinery.errors import ApiError, BadRequest, InternalError, NotFound
from apimachinery.gvk import GroupResource
from apimachinery.meta import Obj, annotations_of
from apiserver.storage import ClusterStore, Key
from nodes.kubelet import portforward, streaming
from nodes.kubelet.kubelet import Kubelet
from nodes.kubelet.portforward_channels import serve_channels
from nodes.kubelet.portforward_spdy import serve_spdy
from nodes.network.stream import ByteStream
from nodes.runtime.cri import AttachRequest, ExecRequest, LogOptions, Session

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_TRUE = {"1", "true", "True", "TRUE", "t", "T"}


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
            previous=options.get("previous") in _TRUE,
        )

    async def connect(self, request: Any, scope: Any, receive: Any, send: Any) -> None:
        """Serve exec and attach over the WebSocket of `scope`."""
        info = request.info
        query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
        if info.subresource == "portforward":
            await self._forward(info.namespace, info.name, query, scope, receive, send)
            return
        protocol = streaming.choose(scope.get("subprotocols") or ())
        await receive()  # websocket.connect
        if protocol is None:
            await _refuse(send, BadRequest("unable to upgrade: unsupported protocol"))
            return
        try:
            kubelet, container_id = self._container(info.namespace, info.name, query)
        except ApiError as error:
            await _refuse(send, error)
            return
        await send({"type": "websocket.accept", "subprotocol": protocol or None})
        await streaming.serve(
            protocol,
            lambda: _begin(kubelet, info.subresource, container_id, query),
            receive,
            send,
        )

    async def _forward(
        self,
        namespace: str,
        name: str,
        query: Mapping[str, list[str]],
        scope: Any,
        receive: Any,
        send: Any,
    ) -> None:
        """Serve port-forward, by whichever of its protocols the client offers."""
        protocol = portforward.choose(scope.get("subprotocols") or ())
        await receive()  # websocket.connect
        ports: list[int] = []
        try:
            if protocol is None:
                raise BadRequest("unable to upgrade: unsupported protocol")
            kubelet, sandbox = self._sandbox(namespace, name)
            if protocol != portforward.SPDY:
                ports = _ports(query)
        except ApiError as error:
            await _refuse(send, error)
            return
        runtime, clock = kubelet.host.runtime, kubelet.host.clock

        async def dial(port: int) -> ByteStream:
            return await runtime.port_forward(sandbox, port)

        await send({"type": "websocket.accept", "subprotocol": protocol or None})
        if protocol == portforward.SPDY:
            await serve_spdy(dial, sandbox, clock, receive, send)
        else:
            await serve_channels(protocol, ports, dial, sandbox, receive, send)

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
    """Return the container that is meant where none is named."""
    names: list[str] = [container["name"] for container in pod["spec"]["containers"]]
    chosen = annotations_of(pod).get(DEFAULT_CONTAINER)
    return chosen if chosen is not None and chosen in names else names[0]


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
        follow=options.get("follow") in _TRUE,
        tail_lines=tail,
        since=since,
        timestamps=options.get("timestamps") in _TRUE,
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
    kubelet: Kubelet, subresource: str, container_id: str, query: Mapping[str, list[str]]
) -> Session:
    def flag(name: str) -> bool:
        return (query.get(name) or [""])[0] in _TRUE

    runtime = kubelet.host.runtime
    if subresource == "attach":
        return await runtime.attach(
            AttachRequest(container_id, flag("tty"), flag("stdin"), flag("stdout"), flag("stderr"))
        )
    command = tuple(query.get("command") or ())
    return await runtime.exec(
        ExecRequest(
            container_id, command, flag("tty"), flag("stdin"), flag("stdout"), flag("stderr")
        )
    )


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
