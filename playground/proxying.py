"""`/proxy` of pods, services and nodes: from the API server onto the simulated network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from apimachinery.errors import ApiError, ServiceUnavailable
from apimachinery.htmllinks import rewrite
from apimachinery.meta import Obj
from apiserver.endpoints import hops, tunnels
from apiserver.endpoints.proxying import ProxyTarget
from apiserver.endpoints.request import Answer
from apiserver.registry.objects import StoredObjects
from nodes.kubelet.pages import KubeletPages
from nodes.network.exchange import exchange
from nodes.network.fabric import Network
from nodes.network.http import BadMessage, HttpResponse
from nodes.network.http import request as http_request
from nodes.network.stream import ByteStream
from nodes.network.tls import INSECURE, open_tls
from playground.services import dial_error

# What a path may hold as it is (RFC 3986); it arrives decoded, and a line break in it would begin
# another request.
_PATH = "/:@!$&'()*+,;=~"
KUBELET_PORT = 10250
CONNECT_TIMEOUT = 30.0
# Rewriting takes up to half a second for a megabyte; what is small is not worth a thread.
LARGEST_PAGE, SMALL_PAGE = 1024 * 1024, 8 * 1024
LAST_PORT = 65535
_SERVICE = "kubernetes.io/service-name"


class NetworkProxy:
    """Keeps apiserver.endpoints.api.Proxy; asks from the address of some node."""

    def __init__(
        self,
        network: Network,
        objects: StoredObjects,
        source: str,
        kubelets: Mapping[str, KubeletPages] = MappingProxyType({}),
    ) -> None:
        self._network, self._objects, self._source = network, objects, source
        self._kubelets = kubelets

    async def fetch(self, request: Any, target: ProxyTarget) -> Answer:
        """Return what listens there answers. Raises ServiceUnavailable where nothing does."""
        of_kubelet = target.resource == "nodes" and target.port in ("", str(KUBELET_PORT))
        address, port = ("", 0) if of_kubelet else self._place(target)
        query = f"?{request.query}" if request.query else ""
        if not target.path and request.upgrade is None and request.method in ("GET", "HEAD"):
            onward = {"Location": f"{target.prefix}/{query}"}
            return Answer(301, text=b"", content_type="text/plain", headers=onward)
        if of_kubelet:
            return await self._ask_kubelet(request, target)
        backend, path = f"{address}:{port}", quote(target.path or "/", safe=_PATH)
        if request.upgrade is not None:
            return await self._upgrade(request, target.scheme, address, port, path + query)
        host = request.headers.get("host") or backend
        forwarded = {"Host": host, "x-forwarded-uri": f"{quote(target.prefix, safe=_PATH)}{path}"}
        try:
            answer = await http_request(
                self._network,
                self._source,
                f"{target.scheme}://{backend}{path}{query}",
                method=request.method,
                # A kubelet's or a pod's certificate is taken as it is.
                trust=INSECURE if target.scheme == "https" else None,
                headers={**hops.onward(request.headers), **forwarded},
                body=request.body if isinstance(request.body, bytes) else b"",
            )
        except OSError as error:
            why = str(error) or "connect: connection refused"
            shown = why if isinstance(error, BadMessage) else f"dial tcp {address}:{port}: {why}"
            raise _unreachable(shown) from error
        if answer.status == tunnels.SWITCHING:
            protocol = answer.headers.get("Upgrade")[:80]
            raise _failed(f'backend tried to switch protocol "{protocol}" when "" was requested')
        made = _answer(answer, head=request.method == "HEAD")
        await _turn_outward(made, lambda url: target.outward(url, host, backend))
        return made

    async def _upgrade(
        self, request: Any, scheme: str, address: str, port: int, path: str
    ) -> Answer:
        """Return a tunnel to a port, or its refusal of one."""
        network, upgrade = self._network, request.upgrade
        place = f"{address}:{port}"
        try:
            plain = await network.connect(self._source, address, port, timeout=CONNECT_TIMEOUT)
        except OSError as error:
            raise _failed(f"error dialing backend: {dial_error(error, address, port)}") from error
        host = request.headers.get("host") or place
        fields = [("Host", host), *upgrade.fields(request.headers).items(), *upgrade.asking()]
        deadline = network.clock.call_later(CONNECT_TIMEOUT, plain.close)
        try:
            stream: ByteStream = plain
            if scheme == "https":
                stream = await open_tls(plain, INSECURE, network.clock.now())
            return await tunnels.answered(
                await exchange(stream, request.method, path, fields), upgrade
            )
        except tunnels.InvalidUpgrade as error:
            raise _failed(str(error)) from error
        except (OSError, EOFError) as error:
            plain.close()
            raise _failed(str(error) or "unexpected EOF") from error
        except BaseException:
            plain.close()
            raise
        finally:
            deadline.cancel()

    async def _ask_kubelet(self, request: Any, target: ProxyTarget) -> Answer:
        """Return a page of the node's kubelet, which has no port on the simulated network."""
        kubelet = self._kubelets.get(target.name)
        if kubelet is None:
            raise ServiceUnavailable(f"error trying to reach service: no kubelet at {target.name}")
        if request.info.verb not in ("get", "list"):
            text = b"405: Method Not Allowed"
            return Answer(405, text=text, content_type="text/plain; charset=utf-8")
        page = await kubelet.get(target.path)
        return Answer(page.code, text=page.body, content_type=page.content_type)

    def _place(self, target: ProxyTarget) -> tuple[str, int]:
        if target.resource == "nodes":
            node = self._objects.get("nodes", "", target.name) or {}
            addresses = (node.get("status") or {}).get("addresses") or ()
            found = next((a["address"] for a in addresses if a["type"] == "InternalIP"), "")
            return found, _number(target.port)
        if target.resource == "pods":
            return self._pod(target)
        return self._endpoint(target)

    def _pod(self, target: ProxyTarget) -> tuple[str, int]:
        pod = self._objects.get("pods", target.namespace, target.name) or {}
        address = (pod.get("status") or {}).get("podIP") or ""
        if not address:
            raise ServiceUnavailable("address not allowed")
        containers = (pod.get("spec") or {}).get("containers") or ()
        ports = [p for c in containers for p in c.get("ports") or ()]
        named = next((p["containerPort"] for p in ports if p.get("name") == target.port), 0)
        if named or not target.port:
            return address, named or (ports[0]["containerPort"] if ports else 80)
        return address, _number(target.port)

    def _endpoint(self, target: ProxyTarget) -> tuple[str, int]:
        service = self._objects.get("services", target.namespace, target.name) or {}
        port = _service_port(service, target.port)
        if port is None:
            raise ServiceUnavailable(
                f'no service port "{target.port}" found for service "{target.name}"'
            )
        for part in self._objects.list("endpointslices.discovery.k8s.io", target.namespace):
            if part["metadata"].get("labels", {}).get(_SERVICE) != target.name:
                continue
            number = next(
                (p["port"] for p in part.get("ports") or () if p.get("name", "") == port), None
            )
            for endpoint in part.get("endpoints") or ():
                ready = (endpoint.get("conditions") or {}).get("ready") is not False
                if ready and number is not None:
                    return endpoint["addresses"][0], number
        raise ServiceUnavailable(f'no endpoints available for service "{target.name}"')


def _number(port: str) -> int:
    """Read a port, as Go's dialer would. Raises ServiceUnavailable."""
    if not (port.isascii() and port.isdigit()):
        raise _unreachable(f"dial tcp: lookup tcp/{port}: unknown port")
    if int(port[:6]) > LAST_PORT:
        raise _unreachable(f"dial tcp: address {port}: invalid port")
    return int(port)


def _unreachable(why: str) -> ServiceUnavailable:
    return ServiceUnavailable(f"error trying to reach service: {why}")


def _failed(why: str) -> ApiError:
    """Return what is said of an upgrade that did not come about: an error of no kind."""
    return ApiError(why, code=500, reason="", details={})


def _service_port(service: Obj, wanted: str) -> str | None:
    """Return the name ("" for an unnamed one) of the Service port that is meant."""
    for port in (service.get("spec") or {}).get("ports") or ():
        if wanted in ("", port.get("name", ""), str(port["port"])):
            return str(port.get("name") or "")
    return None


async def _turn_outward(answer: Answer, outward: Callable[[str], str]) -> None:
    """Let an answer's Location, or the links of its page, lead through the proxy."""
    fields = {name.lower(): name for name in answer.headers}
    if location := fields.get("location"):
        answer.headers[location] = outward(answer.headers[location])
        return
    is_html = answer.content_type.partition(";")[0].strip() == "text/html"
    page = answer.text or b""
    if not is_html or "content-encoding" in fields or len(page) > LARGEST_PAGE:
        return
    if len(page) > SMALL_PAGE:
        answer.text = await asyncio.to_thread(rewrite, page, outward)
    else:
        answer.text = rewrite(page, outward)


def _answer(answer: HttpResponse, *, head: bool) -> Answer:
    kept = hops.back(answer.headers.items)
    if head and (length := answer.headers.get("Content-Length")):
        kept["Content-Length"] = length  # of a body that is not there
    return Answer(
        code=answer.status,
        text=answer.body,
        content_type=hops.content_type(answer.headers.items, "text/plain"),
        headers=kept,
    )
