"""Programs in containers and on nodes of a cluster, through its API: nothing runs on this machine.

A shell in a container is `exec` with a terminal. A shell on a node is what `kubectl debug node/X`
makes: a pod in the node's namespaces, with its file system at /host, deleted with the shell.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from playground.shells.caller import Caller
from playground.shells.forward import Api
from playground.shells.launching import LaunchError
from playground.tasks import Tasks

_PROTOCOLS = (Subprotocol("v5.channel.k8s.io"), Subprotocol("v4.channel.k8s.io"))
_STDIN, _STDOUT, _STDERR, _STATUS, _RESIZE = range(5)
_OPEN_SECONDS = 15.0
# A node may have to pull the image first.
_POD_SECONDS = 60.0
_POLL_SECONDS = 0.1
DEBUG_IMAGE = "busybox"


@dataclass(frozen=True, slots=True)
class Target:
    """A container to enter, as the API names it."""

    namespace: str
    pod: str
    container: str = ""
    command: tuple[str, ...] = ("sh",)


class PodProgram:
    """A program in a container, at a terminal there."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._code: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._later = Tasks()

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what it prints, until it has ended."""
        with contextlib.suppress(ConnectionClosed):
            async for frame in self._connection:
                if not isinstance(frame, bytes) or not frame:
                    continue
                channel, data = frame[0], frame[1:]
                if channel in (_STDOUT, _STDERR) and data:
                    yield data
                elif channel == _STATUS and data:
                    code, text = ended(data)
                    if text:
                        yield text.encode()
                    self._set(code)
        self._set(None)

    async def write(self, data: bytes) -> None:
        """Type."""
        await self._send(_STDIN, data)

    def resize(self, rows: int, columns: int) -> None:
        """Tell the container how large the terminal is."""
        size = orjson.dumps({"Width": columns, "Height": rows})
        self._start(self._send(_RESIZE, size))

    def end(self) -> None:
        """Hang up."""
        self._start(self._connection.close())

    async def exit_code(self) -> int | None:
        """Return how it ended; None where the connection broke off before that was known."""
        return await asyncio.shield(self._code)

    def close(self) -> None:
        """Hang up, if it is not done yet."""
        self.end()

    def _set(self, code: int | None) -> None:
        if not self._code.done():
            self._code.set_result(code)

    def _start(self, work: Any) -> None:
        self._later.start(work, "word to a container")

    async def _send(self, channel: int, data: bytes) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(bytes([channel]) + data)


def ended(status: bytes) -> tuple[int | None, str]:
    """Return the exit code that a Status tells, and what to show of it."""
    told = orjson.loads(status)
    if told.get("status") == "Success":
        return 0, ""
    causes = (told.get("details") or {}).get("causes") or ()
    code = next((cause.get("message") for cause in causes if cause.get("reason") == "ExitCode"), "")
    if code.isdecimal():
        return int(code), ""
    return None, f"\r\n{told.get('message') or 'the container runtime refused'}\r\n"


async def enter(
    api: Api, caller: Caller, target: Target, rows: int, columns: int, verb: str = "exec"
) -> PodProgram:
    """Start a program in a container, or attach to the one there. Raises LaunchError."""
    query: list[tuple[str, str]] = [("stdin", "true"), ("stdout", "true"), ("tty", "true")]
    if target.container:
        query.append(("container", target.container))
    if verb == "exec":
        query += [("command", part) for part in target.command]
    path = f"/api/v1/namespaces/{quote(target.namespace)}/pods/{quote(target.pod)}/{verb}"
    base = api.url.replace("http", "ws", 1)
    try:
        connection = await connect(
            f"{base}/clusters/{caller.cluster}{path}?{urlencode(query)}",
            subprotocols=_PROTOCOLS,
            additional_headers=_identity(api, caller),
            user_agent_header="kubeground-shells",
            ssl=api.trust,
            proxy=None,
            compression=None,
            open_timeout=_OPEN_SECONDS,
            max_queue=16,
        )
    except InvalidStatus as error:
        raise LaunchError(_message(error.response.body)) from error
    except (OSError, TimeoutError) as error:
        raise LaunchError(f"the cluster does not answer: {error}") from error
    program = PodProgram(connection)
    program.resize(rows, columns)
    return program


class NodePod:
    """The pod by which one is on a node: made, awaited, deleted."""

    def __init__(self, api: Api, caller: Caller, node: str, namespace: str = "default") -> None:
        self._api, self._caller, self._node = api, caller, node
        self.name = f"node-debugger-{node}-{secrets.token_hex(3)[:5]}"
        self.namespace = namespace

    @property
    def target(self) -> Target:
        return Target(self.namespace, self.name, "debugger")

    async def start(self) -> None:
        """Make the pod and wait until it runs. Raises LaunchError."""
        async with self._client() as client:
            made = await client.post(self._pods, json=self._manifest())
            if made.is_error:
                raise LaunchError(_message(made.content))
            try:
                async with asyncio.timeout(_POD_SECONDS):
                    await self._wait(client)
            except (TimeoutError, LaunchError) as error:
                await client.delete(f"{self._pods}/{self.name}")
                text = str(error) or f"pod {self.name} did not start within {_POD_SECONDS:.0f} s"
                raise LaunchError(text) from error

    async def delete(self) -> None:
        """Delete the pod; one that is gone already is as well."""
        with contextlib.suppress(httpx.HTTPError):
            async with self._client() as client:
                params = {"gracePeriodSeconds": "0"}
                await client.delete(f"{self._pods}/{self.name}", params=params)

    async def _wait(self, client: httpx.AsyncClient) -> None:
        while True:
            found = await client.get(f"{self._pods}/{self.name}")
            if found.is_error:
                raise LaunchError(_message(found.content))
            phase = orjson.loads(found.content)["status"].get("phase")
            if phase == "Running":
                return
            if phase in ("Failed", "Succeeded"):
                raise LaunchError(f"pod {self.name} ended at once ({phase})")
            await asyncio.sleep(_POLL_SECONDS)

    @property
    def _pods(self) -> str:
        return f"/clusters/{self._caller.cluster}/api/v1/namespaces/{quote(self.namespace)}/pods"

    def _client(self) -> httpx.AsyncClient:
        client = self._api.client
        client.headers = httpx.Headers(_identity(self._api, self._caller))
        return client

    def _manifest(self) -> dict[str, Any]:
        """Return what `kubectl debug node` makes with its general profile."""
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": self.name,
                "labels": {"app.kubernetes.io/managed-by": "kubectl-debug"},
            },
            "spec": {
                "nodeName": self._node,
                "hostIPC": True,
                "hostNetwork": True,
                "hostPID": True,
                "restartPolicy": "Never",
                "tolerations": [{"operator": "Exists"}],
                "volumes": [{"name": "host-root", "hostPath": {"path": "/"}}],
                "containers": [
                    {
                        "name": "debugger",
                        "image": DEBUG_IMAGE,
                        "imagePullPolicy": "IfNotPresent",
                        "stdin": True,
                        "tty": True,
                        "volumeMounts": [{"name": "host-root", "mountPath": "/host"}],
                    }
                ],
            },
        }


def _identity(api: Api, caller: Caller) -> list[tuple[str, str]]:
    return [
        ("Authorization", f"Bearer {api.admin_token}"),
        ("Impersonate-User", caller.user),
        *(("Impersonate-Group", group) for group in caller.groups),
    ]


def _message(body: bytes | bytearray | None) -> str:
    """Return what an answer says was wrong."""
    try:
        return str(orjson.loads(body or b"")["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "the API refused"
