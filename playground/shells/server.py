"""The process of shells: takes the site's orders on a local socket until SIGTERM.

When it ends, every program that it started ends too: the launcher sees its socket close, and the
kernel kills a sandbox whose launcher is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import ssl
from pathlib import Path

import uvicorn

from playground.instance import Instance
from playground.shells.cgroups import Groups
from playground.shells.forward import Api
from playground.shells.host import Host
from playground.shells.launching import Launching
from playground.shells.service import Service
from playground.shells.table import Limits, Table
from playground.supervisor import end_with_parent

log = logging.getLogger("kubeground.shells")


def main() -> None:
    """Serve on the file descriptor named by the parent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the listening socket")
    parser.add_argument("--ready-fd", type=int, help="gets one byte when orders are taken")
    options = parser.parse_args()
    end_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s shells %(name)s: %(message)s")
    for noisy in ("httpx", "httpcore", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    asyncio.run(_serve(options))


async def _serve(options: argparse.Namespace) -> None:
    instance = Instance(Path(os.environ["KUBEGROUND_DATA_DIR"]))
    await _prepared(instance)
    api = _api(instance, os.environ["KUBEGROUND_API_URL"])
    launching, groups = Launching(), Groups()
    host = Host(launching, groups, instance.ca_certificate_file)
    table = Table(api, host, launching, groups, asyncio.get_running_loop().time, _limits())
    trial = asyncio.ensure_future(host.ready())
    server = uvicorn.Server(
        uvicorn.Config(
            Service(table),
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    if options.ready_fd is not None:
        os.write(options.ready_fd, b"1")
        os.close(options.ready_fd)
    await server.serve(sockets=[socket.socket(fileno=options.fd)])
    trial.cancel()
    await table.close()


def _limits() -> Limits:
    """Return the operator's limits: KUBEGROUND_TERMINAL_* of the settings."""
    given = {
        name: os.environ.get(f"KUBEGROUND_TERMINAL_{name.upper()}")
        for name in ("per_user", "in_all", "detached", "idle")
    }
    limits = Limits()
    for name, text in given.items():
        if text:
            setattr(limits, name, type(getattr(limits, name))(text))
    return limits


async def _prepared(instance: Instance) -> None:
    """Wait until the worker has made the instance's certificates: the first time takes a second."""
    while not instance.serving_certificate_file.exists():  # noqa: ASYNC110 - a file tells nobody
        await asyncio.sleep(0.1)


def _api(instance: Instance, url: str) -> Api:
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(instance.serving_certificate_file, instance.serving_key_file)
    serving.set_alpn_protocols(["http/1.1"])
    trust = ssl.create_default_context(cafile=str(instance.ca_certificate_file))
    return Api(url, trust, instance.admin_token(), serving)


if __name__ == "__main__":
    main()
