"""`python manage.py playground`: the site and one cluster worker, on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from playground.accounts.links import create_sign_in_link
from playground.cluster_templates import DEFAULT, TEMPLATES
from playground.flags import DEFAULTS, Flags, add_flags, read_flags
from playground.instance import Instance
from playground.options import problems
from playground.supervisor import Child, end_with_parent, listen, listen_locally, supervise


class Command(BaseCommand):
    """Serve everything until SIGTERM; print `ready` when site and API answer."""

    help = "Serve the site and one cluster worker; prints `ready` when both answer."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port of the site; 0: any")
        parser.add_argument(
            "--secure-port", type=int, default=6443, help="port of the Kubernetes API; 0: any"
        )
        parser.add_argument(
            "--site-url",
            help="where browsers reach the site, if a proxy that ends TLS stands before it; "
            "with https:// cookies go over TLS alone",
        )
        parser.add_argument("--data-dir", default=".kubeground", help="where everything is kept")
        parser.add_argument("--nodes", type=int, help="nodes of the default cluster")
        parser.add_argument(
            "--template", choices=tuple(TEMPLATES), default=DEFAULT, help="of the default cluster"
        )
        add_flags(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
        end_with_parent()
        if options["nodes"] is None:
            options["nodes"] = TEMPLATES[options["template"]].size.nodes
        if not 0 <= options["nodes"] <= 1000:
            raise CommandError("--nodes takes a number from 0 to 1000")
        flags = read_flags(options)
        if told := problems(flags):
            raise CommandError(told)
        asyncio.run(self._serve(Instance(Path(options["data_dir"]).resolve()), options, flags))

    async def _serve(self, instance: Instance, options: dict[str, Any], flags: Flags) -> None:
        try:
            site_socket = listen(options["bind"], options["port"])
            api_socket = listen(options["bind"], options["secure_port"])
            insecure = _insecure(flags)
            instance.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            shells_socket = listen_locally(instance.data_dir)
        except OSError as error:
            raise CommandError(f"cannot listen: {error}") from error
        host = _reachable(options["bind"])
        local_url = f"http://{host}:{site_socket.getsockname()[1]}"
        site_url = (options["site_url"] or local_url).rstrip("/")
        api_url = f"https://{host}:{api_socket.getsockname()[1]}"
        environment = {
            "KUBEGROUND_DATA_DIR": str(instance.data_dir),
            "KUBEGROUND_SITE_URL": site_url,
            "KUBEGROUND_API_URL": api_url,
            "KUBEGROUND_BIND": options["bind"],
            "KUBEGROUND_SHELLS": shells_socket.getsockname(),
        }
        os.environ.update(environment)
        await asyncio.to_thread(call_command, "migrate", verbosity=0, interactive=False)
        link = await asyncio.to_thread(create_sign_in_link)
        worker = Child(
            "cluster worker",
            "playground.worker",
            api_socket,
            (
                *("--nodes", str(options["nodes"]), "--template", options["template"]),
                *(("--insecure-fd", str(insecure.fileno())) if insecure else ()),
                *flags.arguments(),
            ),
            # How people sign in is no matter of the worker: it does without what that loads.
            environment | {"KUBEGROUND_OIDC_ISSUER": ""},
            [insecure.fileno()] if insecure else (),
        )
        site = Child("site", "playground.site", site_socket, (), environment)
        shells = Child("shells", "playground.shells.server", shells_socket, (), environment)
        ready = asyncio.Event()
        announcing = asyncio.ensure_future(
            self._announce(ready, f"{site_url}{link}", api_url, instance)
        )
        self._warn(flags)
        await supervise((worker, site, shells), ready)
        announcing.cancel()

    def _warn(self, flags: Flags) -> None:
        for name in ("insecure_port", "insecure_bind_address"):
            if getattr(flags, name) != getattr(DEFAULTS, name):
                told = "has been deprecated, This flag will be removed in a future version."
                self.stderr.write(f"Flag --{name.replace('_', '-')} {told}")

    async def _announce(
        self, ready: asyncio.Event, page: str, api_url: str, instance: Instance
    ) -> None:
        await ready.wait()
        self.stdout.write(f"Page        {page}  (this sign-in link works once)")
        self.stdout.write(f"API         {api_url}")
        self.stdout.write(f"kubeconfig  {instance.kubeconfig_file}")
        self.stdout.write("ready")
        self.stdout.flush()


def _insecure(flags: Flags) -> socket.socket | None:
    """Return the socket of the insecure port, None where it is off."""
    if not flags.insecure_port:
        return None
    return listen(flags.insecure_bind_address, flags.insecure_port)


def _reachable(bind: str) -> str:
    """Return the address to print for a bind address: a wildcard is reached as loopback."""
    if bind in ("0.0.0.0", "::"):  # noqa: S104 - a comparison, not a bind
        return "127.0.0.1"
    return f"[{bind}]" if ":" in bind else bind
