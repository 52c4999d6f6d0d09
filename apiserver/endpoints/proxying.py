"""`/proxy`: HTTP to a pod, a service or a node, through the API server."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from apimachinery.errors import BadRequest, NotFound, ServiceUnavailable
from apiserver.endpoints.connecting import admit_connect
from apiserver.endpoints.request import Answer, ApiRequest

_SERVICE_NAME = "kubernetes.io/service-name"
_SCHEMES = ("", "http", "https")


@dataclass(frozen=True, slots=True)
class ProxyTarget:
    """Where a proxied request goes: `http:web:80` is scheme, name and port."""

    resource: str
    namespace: str
    name: str
    port: str
    scheme: str
    # What is asked for there: "" for a path that ends at /proxy.
    path: str
    # The path before it, as clients write it.
    prefix: str = ""

    def outward(self, url: str, host: str, backend: str) -> str:
        """Return a URL that the server has said, as a client has to ask for it.

        `host` is what the client calls the API server, `backend` what answers behind it.
        """
        try:
            parts = urlsplit(url)
        except ValueError:
            return url
        if parts.netloc not in ("", backend, host) or not parts.path.startswith("/"):
            return url
        if parts.netloc != host:
            parts = parts._replace(scheme="", netloc="")
        if not parts.path.startswith(self.prefix):
            path = posixpath.normpath(f"{self.prefix}{parts.path}")
            slash = "/" if parts.path.endswith("/") else ""
            parts = parts._replace(path=f"{path}{slash}")
        return urlunsplit(parts)


async def proxy(request: ApiRequest) -> Answer:
    """Hand a request on to what listens there. Raises ServiceUnavailable, or what is wrong."""
    await admit_connect(request)
    info, api = request.info, request.api
    scheme, name, port = split_name(info.name)
    if not name or scheme not in _SCHEMES:
        kind = request.resource.kind.kind.lower()
        raise BadRequest(f'invalid {kind} request "{info.name}"')
    api.registry.get(request.resource, info.namespace, name)
    if info.resource == "services" and not _slices(request, name):
        # Without any EndpointSlice nothing is known of the service's ends.
        raise NotFound(info.group_resource, name)
    path = "/" + info.rest if info.rest or info.path.endswith("/") else ""
    prefix = request.root + info.path.removesuffix(path or "/")
    target = ProxyTarget(info.resource, info.namespace, name, port, scheme or "http", path, prefix)
    if api.proxy is None:
        raise ServiceUnavailable("the cluster's network cannot be reached")
    answer: Answer = await api.proxy.fetch(request, target)
    request.trace.stage("proxy", name)
    return answer


def _slices(request: ApiRequest, service: str) -> bool:
    entries = request.api.store.list("endpointslices.discovery.k8s.io", request.info.namespace)
    return any(entry.labels.get(_SERVICE_NAME) == service for entry in entries)


def split_name(text: str) -> tuple[str, str, str]:
    """Return scheme, name and port: of `name`, `name:port` or `scheme:name:port`.

    The name is "" where the text has another form.
    """
    parts = text.split(":")
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    if len(parts) > 3:
        return "", "", ""
    return "", parts[0], parts[1] if len(parts) == 2 else ""
