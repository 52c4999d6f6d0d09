"""The scheduler's way to its extenders: over the simulated network, and nowhere else.

A URL names a Service (`NAME.NAMESPACE.svc`), or an address of the network.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

from apiserver.registry.calling import CallError, ClientError
from nodes.network.http import BadMessage
from nodes.network.http import request as http_request
from nodes.network.tls import TLSError
from nodes.scheduler.config.reading import Extender
from nodes.scheduler.extenders import ExtenderError
from playground.services import Services, dial_error

_HEADERS = {"Content-Type": "application/json", "User-Agent": "kube-scheduler"}


class ExtenderCalls:
    """Keeps nodes.scheduler.extenders.Ask."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, extender: Extender, url: str, body: bytes) -> bytes:
        """Return what an extender answers. Raises ExtenderError."""
        services, parts = self._services, _split(url)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        port = _port(url, parts)
        try:
            place, at = self._place(host, port)
            trust = (
                services.trust(extender.ca_bundle, host, insecure=extender.insecure)
                if secure
                else None
            )
            answer = await http_request(
                services.network,
                services.source,
                urlunsplit((parts.scheme, f"{place}:{at}", parts.path, parts.query, "")),
                method="POST",
                headers={**_HEADERS, "Host": parts.netloc},
                body=body,
                timeout=extender.timeout,
                trust=trust,
            )
        except (CallError, ClientError) as error:
            raise ExtenderError(f'Post "{url}": {error}') from None
        except TimeoutError:
            why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            raise ExtenderError(f'Post "{url}": {why}') from None
        except (BadMessage, TLSError) as error:
            raise ExtenderError(f'Post "{url}": {error}') from None
        except OSError as error:
            raise ExtenderError(f'Post "{url}": {dial_error(error, host, port)}') from None
        if answer.status != 200:
            verb = parts.path.rpartition("/")[2]
            raise ExtenderError(f"failed {verb} with extender at URL {url}, code {answer.status}")
        return answer.body

    def _place(self, host: str, port: int) -> tuple[str, int]:
        """Return where a Service's program listens. Raises CallError."""
        name, _, rest = host.partition(".")
        namespace, _, suffix = rest.partition(".")
        if suffix in ("svc", "svc.cluster.local"):
            return self._services.place(namespace, name, port)
        return host, port


def _split(url: str) -> SplitResult:
    """Take a URL apart. Raises ExtenderError."""
    try:
        return urlsplit(url)
    except ValueError as error:
        raise ExtenderError(f'parse "{url}": {error}') from None


def _port(url: str, parts: SplitResult) -> int:
    """Return the port that a URL names. Raises ExtenderError, in the words of Go."""
    try:
        named = parts.port
    except ValueError:
        given = parts.netloc.rpartition(":")[2]
        if given.isdecimal():
            raise ExtenderError(f'Post "{url}": dial tcp: address {given}: invalid port') from None
        raise ExtenderError(f'parse "{url}": invalid port ":{given}" after host') from None
    if named is not None:
        return named
    return 443 if parts.scheme == "https" else 80
