"""The API server's way to extension API servers: Services of the simulated network, under TLS.

It shows them the certificate of the cluster's front proxy, whose authority the ConfigMap
kube-system/extension-apiserver-authentication publishes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from apimachinery.clock import Clock
from apiserver.auth.pki import FRONT_PROXY, CertificateAuthority, issue_client_certificate
from apiserver.endpoints.aggregation.remotes import Fields, Server, Unresolved
from apiserver.registry.calling import CallError, ClientError
from nodes.network.exchange import Exchange, exchange
from nodes.network.http import BadMessage
from nodes.network.tls import KeyPair, TLSError, open_tls
from playground.services import Services, dial_error

CONNECT_TIMEOUT = 30.0
_TOO_LATE = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


class ExtensionServers:
    """Keeps apiserver.endpoints.aggregation.remotes.Servers."""

    def __init__(
        self, services: Services, clock: Clock, authority: Callable[[], CertificateAuthority]
    ) -> None:
        """`authority` is the front proxy's; it is asked for once something is registered."""
        self._services, self._clock, self._authority = services, clock, authority

    @cached_property
    def _pair(self) -> KeyPair:
        made = issue_client_certificate(self._authority(), FRONT_PROXY, (), self._clock)
        return KeyPair(made.certificate.encode(), made.key.encode())

    async def open(
        self,
        server: Server,
        method: str,
        target: str,
        fields: Fields,
        body: bytes = b"",
        timeout: float = 0.0,
    ) -> Exchange:
        """Send a request, and return the answer once its head is there."""
        services, name = self._services, f"{server.service}.{server.namespace}.svc"
        try:
            host, port = services.place(server.namespace, server.service, server.port)
            trust = services.trust(
                server.ca_bundle, name, insecure=server.insecure, pair=self._pair
            )
        except (CallError, ClientError) as error:
            raise Unresolved(str(error)) from None
        own = [("Host", name)]
        if body or method in ("POST", "PUT", "PATCH"):
            own.append(("Content-Length", str(len(body))))
        limit = timeout or CONNECT_TIMEOUT
        started = self._clock.seconds()
        try:
            plain = await services.network.connect(services.source, host, port, timeout=limit)
        except TimeoutError:
            raise CallError(f"dial tcp {host}:{port}: i/o timeout") from None
        except OSError as error:
            raise CallError(dial_error(error, host, port)) from None
        # Only who waits for a short answer sets a time: a watch lasts as long as it lasts.
        deadline = self._clock.call_later(timeout, plain.close) if timeout else None
        try:
            stream = await open_tls(plain, trust, self._clock.now())
            return await exchange(stream, method, target, [*own, *fields], body)
        except (TLSError, BadMessage, EOFError, OSError) as error:
            plain.close()
            if timeout and self._clock.seconds() - started >= timeout:
                raise CallError(_TOO_LATE) from None
            raise CallError(str(error) or "EOF") from None
        except BaseException:
            plain.close()
            raise
        finally:
            if deadline is not None:
                deadline.cancel()
