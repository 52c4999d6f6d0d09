"""What the real kubectl sends in protobuf is what it prints with --dry-run=client."""

import http.server
import json
import os
import subprocess
import threading
from pathlib import Path

import pytest

from apimachinery.gvk import GroupVersion
from apimachinery.protobuf import decode_request
from apimachinery.schema.decode import decode

KUBECTL = Path(__file__).resolve().parents[3] / ".venv/bin/kubectl"


class Recorder(http.server.BaseHTTPRequestHandler):
    """Keeps the bodies that are posted, and answers each with itself in JSON."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.headers["Content-Type"], body))
        self.answer(201, json.dumps(decode_request(body)).encode())

    def do_GET(self):
        self.answer(404, b"{}")

    def answer(self, code, body):
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Keep quiet."""


@pytest.fixture(scope="module")
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.posted = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def kubectl(server, home, *arguments):
    url = f"http://127.0.0.1:{server.server_port}"
    return subprocess.run(
        [KUBECTL, "--server", url, *arguments],
        env={"HOME": str(home), "KUBECONFIG": os.devnull},
        capture_output=True, text=True, timeout=30, check=True,
    ).stdout  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        "configmap a --from-literal=x=1",
        "secret generic s --from-literal=x=1",
        "deployment d --image=nginx --replicas=3 --port=80",
        "job j --image=busybox",
        "cronjob c --image=busybox --schedule=@daily",
        "ingress i --rule=foo.com/bar=svc:8080,tls=my-cert",
        "clusterrole x --non-resource-url=/a --verb=get",
        "rolebinding x --clusterrole=y --user=u",
        "service nodeport q --tcp=80:http",
        "quota q --hard=cpu=1,pods=2",
        "poddisruptionbudget p --selector=a=b --min-available=50%",
        "priorityclass p --value=-1000",
        "namespace n",
    ],
)
def test_create(server, tmp_path, command):
    server.posted.clear()
    kubectl(server, tmp_path, "create", *command.split())
    [(content_type, body)] = server.posted
    assert content_type == "application/vnd.kubernetes.protobuf"
    sent = decode_request(body)
    dry = kubectl(server, tmp_path, "create", *command.split(), "--dry-run=client", "-o", "json")
    printed = json.loads(dry)
    # Sending adds the namespace of the context; printing adds nothing.
    for obj in (sent, printed):
        obj["metadata"].pop("namespace", None)
    assert sent == printed
    gvk = GroupVersion.parse(sent["apiVersion"]).kind(sent["kind"])
    assert decode(sent, gvk, "Strict") == decode(printed, gvk, "Strict")
