"""Programs of Kubernetes' own test images, behind Services and under TLS."""

from __future__ import annotations

import base64

from nodes.client.loopclock import LoopClock
from tests.apiserver.endpoints.support import Client as Http
from tests.integration.conftest import Lab
from tests.support.certificates import Authority
from tests.support.eventually import eventually

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.55"
NAMESPACE = "hooks"
LABELS = {"hooked": "true"}
# The administrator's token of the fixture's clusters.
TOKEN = "admin-token"


class Served:
    """A program that runs: the authority of its certificate, and an HTTP client of the API."""

    def __init__(self, lab: Lab, service: str) -> None:
        self.lab, self.service = lab, service
        self.authority = Authority("e2e-server-cert-ca", LoopClock())
        self.http = Http(lab.cluster.api, TOKEN)

    @property
    def bundle(self) -> str:
        return base64.b64encode(self.authority.pem).decode()

    def client_config(self, path: str, *, trusted: bool = True) -> dict[str, object]:
        about = {"namespace": NAMESPACE, "name": self.service, "path": path, "port": 8443}
        return {"service": about} | ({"caBundle": self.bundle} if trusted else {})

    async def ok(self, method, path, body=None, **headers):
        """Make a request that has to be answered well; return the answer."""
        answer = await self.http.request(method, path, body, headers)
        assert answer.status < 300, (answer.status, answer.body)
        return answer.json()

    async def refused(self, method, path, body=None, **headers):
        """Make a request that has to be refused; return code and message."""
        answer = await self.http.request(method, path, body, headers)
        assert answer.status >= 400, answer.body
        return answer.status, answer.message

    async def start(self, *args: str, image: str = AGNHOST, namespace: str = NAMESPACE) -> Served:
        """Run a program with a pair mounted at /certs, and wait until its Service has it."""
        if self.lab.get("namespaces", namespace, "") is None:
            about = {"name": namespace, "labels": LABELS}
            await self.ok("POST", "/api/v1/namespaces", {"metadata": about})
        base = f"/api/v1/namespaces/{namespace}"

        def there():
            return self.lab.get("serviceaccounts", "default", namespace)

        await eventually(there, within=60)
        pair = self.authority.issue(f"{self.service}.{namespace}.svc")
        data = {
            name: base64.b64encode(part).decode()
            for name, part in zip(("tls.crt", "tls.key"), pair, strict=True)
        }
        await self.ok("POST", f"{base}/secrets", {"metadata": {"name": self.service}, "data": data})
        await self.ok(
            "POST",
            f"/apis/apps/v1/namespaces/{namespace}/deployments",
            _deployment(self.service, image, args),
        )
        port = {"port": 8443, "targetPort": 8444}
        service = {"metadata": {"name": self.service}}
        service["spec"] = {"selector": {"app": self.service}, "ports": [port]}
        await self.ok("POST", f"{base}/services", service)
        await eventually(lambda: self._ready(namespace), within=60)
        return self

    def _ready(self, namespace):
        return any(
            endpoint["conditions"]["ready"]
            for part in self.lab.all("endpointslices.discovery.k8s.io", namespace)
            if part["metadata"]["labels"]["kubernetes.io/service-name"] == self.service
            for endpoint in part.get("endpoints") or ()
        )


def _deployment(name, image, args):
    files = ("--tls-cert-file=/certs/tls.crt", "--tls-private-key-file=/certs/tls.key")
    container = {
        "name": name,
        "image": image,
        "args": [*args, *files],
        "readinessProbe": {
            "httpGet": {"scheme": "HTTPS", "port": 8444, "path": "/readyz"},
            "periodSeconds": 1,
        },
        "volumeMounts": [{"name": "certs", "mountPath": "/certs", "readOnly": True}],
    }
    spec = {
        "containers": [container],
        "volumes": [{"name": "certs", "secret": {"secretName": name}}],
    }
    return {
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
    }


def definition(group, plural, kind, versions, **spec):
    """Return a CustomResourceDefinition; `versions` are (name, storage, schema or None)."""
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"plural": plural, "kind": kind},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": name,
                    "served": True,
                    "storage": storage,
                    "schema": {"openAPIV3Schema": schema or _ANYTHING},
                }
                for name, storage, schema in versions
            ],
            **spec,
        },
    }


_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
