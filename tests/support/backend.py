"""A small HTTPS server in a thread, for what the API server asks of others."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from apimachinery.clock import ManualClock
from apiserver.auth.pki import CertificateAuthority, create_authority, issue_serving_certificate

# What a request is answered with: its code, and the document; `body` is None for a GET.
Answers = Callable[[str, Any], tuple[int, Any]]


class HttpsBackend:
    """Answers as it is told; `ca` is the CA that its certificate is of, in `ca_file` too."""

    def __init__(self, directory: Path, answers: Answers) -> None:
        # Certificates must be good by the machine's time: real clients look at them.
        clock = ManualClock(time.time())
        authority = create_authority("backend-ca", clock)
        self.ca = authority.certificate
        self.ca_file = directory / "backend-ca.crt"
        self.ca_file.write_text(self.ca)
        issued = issue_serving_certificate(
            CertificateAuthority(authority.certificate, authority.key), clock
        )
        pair = directory / "backend.pem"
        pair.write_text(issued.certificate + issued.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answers))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer, in a thread."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _handler(answers: Answers) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            form = "form-urlencoded" in self.headers.get("Content-Type", "")
            self._answer(dict(parse_qsl(sent.decode())) if form else json.loads(sent))

        def _answer(self, sent: Any) -> None:
            code, document = answers(self.path, sent)
            body = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    return Handler
