"""Probes and hooks over the simulated network, in the words of a kubelet's own prober."""

from __future__ import annotations

from nodes.network.fabric import Network
from nodes.network.http import request as http_request
from nodes.network.tls import INSECURE, TLSError

_SHOWN = 512


class SimulatedProbes:
    """Keeps nodes.kubelet.probes.ProbeNetwork: a node's address asks its pods."""

    def __init__(self, network: Network, address: str) -> None:
        self._network, self._address = network, address

    async def http_get(
        self,
        ip: str,
        port: int,
        path: str,
        headers: list[tuple[str, str]],
        *,
        tls: bool,
        timeout: float,
    ) -> tuple[bool, str]:
        scheme = "https" if tls else "http"
        url = f"{scheme}://{ip}:{port}{path}"
        given = dict(headers)
        given.setdefault("User-Agent", "kube-probe/1.36")
        given.setdefault("Accept", "*/*")
        try:
            # A kubelet takes any certificate.
            trust = INSECURE if tls else None
            answer = await http_request(
                self._network, self._address, url, headers=given, timeout=timeout, trust=trust
            )
        except TimeoutError:
            return False, (
                f'Get "{url}": context deadline exceeded '
                "(Client.Timeout exceeded while awaiting headers)"
            )
        except TLSError as error:
            return False, f'Get "{url}": {error}'
        except ConnectionRefusedError:
            return False, f'Get "{url}": dial tcp {ip}:{port}: connect: connection refused'
        except OSError as error:
            return False, f'Get "{url}": dial tcp {ip}:{port}: {error}'
        body = answer.body[:_SHOWN].decode("utf-8", "replace")
        if 200 <= answer.status < 400:
            return True, body
        return False, f"HTTP probe failed with statuscode: {answer.status}"

    async def tcp(self, ip: str, port: int, timeout: float) -> tuple[bool, str]:
        try:
            stream = await self._network.connect(self._address, ip, port, timeout=timeout)
        except TimeoutError:
            return False, f"dial tcp {ip}:{port}: i/o timeout"
        except ConnectionRefusedError:
            return False, f"dial tcp {ip}:{port}: connect: connection refused"
        except OSError as error:
            return False, f"dial tcp {ip}:{port}: {error}"
        stream.close()
        return True, ""
