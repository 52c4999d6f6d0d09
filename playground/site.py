"""The site's process: Daphne on a socket that the parent lends, until SIGTERM.

One byte goes to `--ready-fd` once requests are answered. On SIGTERM every websocket is closed
with 1012 (service restart), so that browsers come back by themselves; the process ends within
two seconds, whatever its threads do.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
from typing import Any

# Daphne comes with it, and must be imported before anything else of Twisted.
from playground.pushback import PatientProtocol, PatientServer
from playground.supervisor import end_with_parent

log = logging.getLogger("kubeground.site")

GOODBYE = 0.2  # seconds for close frames to leave
LONGEST = 1.5  # seconds until the process ends although something hangs: the promise is two
# A ping every 20 s keeps proxies from cutting an idle websocket; 30 s in which it neither answers
# nor takes anything ends it.
PING_INTERVAL, PING_TIMEOUT = 20, 30


class SiteServer:
    """Daphne, told to compress websockets and to say goodbye."""

    def __init__(self, application: Any, descriptor: int, ready_descriptor: int | None) -> None:
        self._ready_descriptor = ready_descriptor
        self._server = PatientServer(
            application=application,
            endpoints=[f"fd:fileno={descriptor}"],
            signal_handlers=False,
            ready_callable=self._before_serving,
            ping_interval=PING_INTERVAL,
            ping_timeout=PING_TIMEOUT,
            application_close_timeout=2,
            server_name="kubeground",
        )

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        self._server.run()

    def _before_serving(self) -> None:
        """Run once the listeners are made and before the reactor starts."""
        from twisted.internet import reactor  # noqa: PLC0415 - installed by daphne.server

        self._reactor: Any = reactor
        _share_deflate()
        self._server.ws_factory.protocol = PatientProtocol
        self._server.ws_factory.setProtocolOptions(perMessageCompressionAccept=_accept_deflate)
        self._reactor.callWhenRunning(self._serving)

    def _serving(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        if self._ready_descriptor is not None:
            os.write(self._ready_descriptor, b"1")
            os.close(self._ready_descriptor)

    def _on_signal(self, number: int, frame: object) -> None:
        deadline = threading.Timer(LONGEST, os._exit, (0,))
        deadline.daemon = True
        deadline.start()
        self._reactor.callFromThread(self._goodbye)

    def _goodbye(self) -> None:
        for protocol in list(self._server.connections):
            if hasattr(protocol, "sendCloseFrame"):
                # sendClose() would refuse 1012, which is younger than the RFC.
                protocol.sendCloseFrame(code=1012, reasonUtf8=b"The server restarts", isReply=False)
        self._reactor.callLater(GOODBYE, self._server.stop)


def _share_deflate() -> None:
    """Have autobahn compress with `SharedDeflate`."""
    from autobahn.websocket.compress import (  # noqa: PLC0415 - after the reactor
        PERMESSAGE_COMPRESSION_EXTENSION,
        PerMessageDeflate,
    )

    from playground.deflating import SharedDeflate  # noqa: PLC0415 - after the reactor

    extension = PERMESSAGE_COMPRESSION_EXTENSION[PerMessageDeflate.EXTENSION_NAME]
    extension["PMCE"] = SharedDeflate


def _accept_deflate(offers: list[Any]) -> Any:
    """Take the browser's offer of permessage-deflate: a snapshot shrinks to a tenth."""
    from autobahn.websocket.compress import (  # noqa: PLC0415 - after the reactor
        PerMessageDeflateOffer,
        PerMessageDeflateOfferAccept,
    )

    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer)  # type: ignore[no-untyped-call]
    return None


def main() -> None:
    """Run the site on the file descriptor named by the parent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the listening socket")
    parser.add_argument("--ready-fd", type=int, help="gets one byte when the site answers")
    options = parser.parse_args()
    end_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s site %(name)s: %(message)s")
    for noisy in ("httpx", "httpcore", "daphne"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    from playground.asgi import application  # noqa: PLC0415 - after the reactor

    SiteServer(application, options.fd, options.ready_fd).run()
    # Threads of views may still wait for an answer; nothing that they do must be kept.
    logging.shutdown()
    os._exit(0)


if __name__ == "__main__":
    main()
