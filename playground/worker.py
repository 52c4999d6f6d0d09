"""The cluster worker: one process, one event loop, one writer thread, any number of clusters.

`python -m playground.worker --fd N --ready-fd M` serves on the socket that its parent holds. It
ends on SIGTERM: watches are told, writes are committed, and nothing acknowledged is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop
from django import setup

from playground.flags import add_flags, read_flags
from playground.secure_server import ClientTrust, SecureServer, adopt, secure_server
from playground.supervisor import end_with_parent

log = logging.getLogger("kubeground.worker")

DEFAULT_CLUSTER = "default"


def main() -> None:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the listening socket")
    parser.add_argument("--ready-fd", type=int, required=True, help="told when the API answers")
    parser.add_argument("--insecure-fd", type=int, help="the socket of the insecure port")
    parser.add_argument("--nodes", type=int, default=3, help="nodes of the default cluster")
    parser.add_argument("--template", default="default", help="template of the default cluster")
    add_flags(parser)
    options = parser.parse_args()
    end_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
    setup()
    # Thousands of parsed objects live for long: full collections are made rare, and what is
    # loaded by now is left out of them (150 ms pauses become 2 ms). What is looked through at once
    # is as much as pauses nobody for long.
    gc.set_threshold(50_000, 5, 1000)
    uvloop.run(serve(options))


async def serve(options: argparse.Namespace) -> None:
    """Open every cluster, answer, and end on SIGTERM."""
    # Imported late: these read Django's settings.
    from apiserver.storage import Storage  # noqa: PLC0415
    from apiserver.watch.hub import WatchHub  # noqa: PLC0415
    from nodes.client.loopclock import LoopClock  # noqa: PLC0415
    from nodes.client.supervise import TaskSet  # noqa: PLC0415
    from playground.api import Application  # noqa: PLC0415
    from playground.auth_options import auth_options  # noqa: PLC0415
    from playground.certificates import ensure_serving  # noqa: PLC0415
    from playground.cluster import Surface  # noqa: PLC0415
    from playground.fleet import Fleet  # noqa: PLC0415
    from playground.housekeeping import keep_house  # noqa: PLC0415
    from playground.instance import Instance, write_private  # noqa: PLC0415
    from playground.options import (  # noqa: PLC0415
        admission_options,
        service_network,
        serving_options,
        switch_features,
    )

    instance = Instance(Path(os.environ["KUBEGROUND_DATA_DIR"]))
    api_url = os.environ["KUBEGROUND_API_URL"]
    clock = LoopClock()
    flags = switch_features(read_flags(vars(options)))
    ca = ensure_serving(
        instance,
        clock,
        urlsplit(api_url).hostname or "",
        os.environ.get("KUBEGROUND_BIND", ""),
        service_network(flags).api_address,
    )
    trust = ClientTrust()
    surface = Surface(
        api_url,
        ca,
        instance.admin_token(),
        serving_options(flags, clock),
        auth_options(flags),
        admission_options(flags),
        service_network(flags),
        instance.data_dir,
        flags.controllers,
    )
    storage = Storage(clock=clock, hub=WatchHub)
    fleet = Fleet(storage, surface, trust)
    await fleet.open_all()
    default = fleet.find(DEFAULT_CLUSTER)
    if default is None and not await storage.clusters():
        default = await fleet.create(
            DEFAULT_CLUSTER, nodes=options.nodes, template=options.template
        )
    if default is not None:
        # The default cluster is also served at the root: the short address is the one to show.
        write_private(instance.kubeconfig_file, default.admin_kubeconfig(server=api_url))
    app = Application(fleet, surface.admin_token, DEFAULT_CLUSTER)
    server = secure_server(app, instance.serving_certificate_file, instance.serving_key_file, trust)
    gc.collect()
    gc.freeze()
    tasks = TaskSet(clock, "worker")
    tasks.serve("housekeeping", lambda: keep_house(fleet))
    _open_insecure_port(tasks, app, options.insecure_fd)
    await _run(server, app.end_streams, adopt(options.fd), options.ready_fd)
    await tasks.close()
    await fleet.close()
    if surface.serving.audit_log is not None:
        surface.serving.audit_log.close()


def _open_insecure_port(tasks: Any, app: Any, descriptor: int | None) -> None:
    from playground.insecure import insecure_server  # noqa: PLC0415

    if descriptor is None:
        return
    server, listener = insecure_server(app), adopt(descriptor)
    tasks.serve("insecure port", lambda: server.serve(sockets=[listener]))


async def _run(
    server: SecureServer, end_streams: Callable[[], None], listener: Any, ready: int
) -> None:
    """Serve until SIGTERM or SIGINT; tell the parent once connections are taken."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True
        end_streams()

    def started() -> None:
        os.write(ready, b"1")
        os.close(ready)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    server.on_started = started
    await server.serve(sockets=[listener])


if __name__ == "__main__":
    main()
