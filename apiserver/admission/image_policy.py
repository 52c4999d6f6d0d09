"""The backend of ImagePolicyWebhook: how it is reached, and what it has said of images lately."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml

from apimachinery.clock import Clock
from apimachinery.duration import format_duration

API_VERSION = "imagepolicy.k8s.io/v1alpha1"
TIMEOUT = 30.0
# Tries while the backend fails, each after a wait that is half as long again.
TRIES, FACTOR = 5, 1.5
KEPT = 1024


@dataclass(frozen=True, slots=True)
class Backend:
    """Where images are judged, and who asks there; certificates and keys are PEM."""

    url: str
    ca: str = ""
    certificate: str = ""
    key: str = ""
    token: str = ""
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class ImagePolicy:
    """The plugin's configuration; times are seconds, 0 remembers nothing."""

    backend: Backend
    allow_ttl: float
    deny_ttl: float
    backoff: float
    default_allow: bool


def read_image_policy(own: Mapping[str, Any], directory: Path) -> ImagePolicy:
    """Return what the plugin's configuration says. Raises ValueError or OSError."""
    said = own.get("imagePolicy") or {}
    return ImagePolicy(
        _backend(directory / (said.get("kubeConfigFile") or "")),
        allow_ttl=_time(said.get("allowTTL") or 0, 1, 1800, 300),
        deny_ttl=_time(said.get("denyTTL") or 0, 1, 1800, 30),
        backoff=_time((said.get("retryBackoff") or 0) / 1000, 1e-9, 300, 0.5, -0.001),
        default_allow=bool(said.get("defaultAllow")),
    )


def _time(value: float, least: float, most: float, default: float, off: float = -1) -> float:
    if value == off:
        return 0
    if value == 0:
        return default
    if not least < value <= most:
        bounds = f"{format_duration(least)} and {format_duration(most)}"
        raise ValueError(f"valid value is between {bounds}, got {format_duration(value)}")
    return value


def _backend(kubeconfig: Path) -> Backend:
    document = yaml.safe_load(kubeconfig.read_text()) or {}
    context = _named(document, "context", document.get("current-context") or "")
    cluster = _named(document, "cluster", context.get("cluster") or "")
    user = _named(document, "user", context.get("user") or "")
    if not cluster.get("server"):
        raise ValueError(f"{kubeconfig}: no server is named")

    def pem(source: Mapping[str, Any], field: str) -> str:
        if data := source.get(f"{field}-data"):
            return base64.b64decode(data).decode()
        return (kubeconfig.parent / source[field]).read_text() if source.get(field) else ""

    return Backend(
        str(cluster["server"]),
        pem(cluster, "certificate-authority"),
        pem(user, "client-certificate"),
        pem(user, "client-key"),
        str(user.get("token") or ""),
        bool(cluster.get("insecure-skip-tls-verify")),
    )


def _named(document: Mapping[str, Any], kind: str, name: str) -> dict[str, Any]:
    """Return an entry of a kubeconfig: the one of that name, or the only one."""
    listed = document.get(f"{kind}s") or []
    found = [each for each in listed if each.get("name") == name] or (listed if not name else [])
    return dict(found[0].get(kind) or {}) if found else {}


class Verdict(NamedTuple):
    """What the backend says of a pod's images."""

    allowed: bool
    reason: str = ""
    annotations: Mapping[str, str] = {}


class BackendFailed(Exception):
    """The backend gives no answer, or none that can be read."""


class Reviewer:
    """Asks the backend, and remembers its answers for a while."""

    def __init__(self, policy: ImagePolicy, clock: Clock) -> None:
        self._policy, self._clock = policy, clock
        self._known: OrderedDict[bytes, tuple[float, Verdict]] = OrderedDict()

    async def review(self, spec: Mapping[str, Any]) -> Verdict:
        """Return the verdict on an ImageReviewSpec. Raises BackendFailed."""
        # Its digest: annotations may be large, and all that is needed is whether they are the same.
        key = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).digest()
        until, verdict = self._known.get(key, (0.0, None))
        if verdict is not None and self._clock.seconds() < until:
            return verdict
        verdict = await self._ask(spec)
        ttl = self._policy.allow_ttl if verdict.allowed else self._policy.deny_ttl
        if ttl:
            self._known[key] = (self._clock.seconds() + ttl, verdict)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return verdict

    async def _ask(self, spec: Mapping[str, Any]) -> Verdict:
        review = {"kind": "ImageReview", "apiVersion": API_VERSION, "metadata": {}, "spec": spec}
        wait, why = self._policy.backoff, ""
        for attempt in range(TRIES):
            if attempt:
                await self._clock.sleep(wait)
                wait *= FACTOR
            try:
                answer = await self._client.post(self._policy.backend.url, json=review)
            except httpx.HTTPError as error:
                why = f'Post "{self._policy.backend.url}?timeout=30s": {error}'
                continue
            if answer.status_code < 500 and answer.status_code != 429:
                return _verdict(answer)
            why = f"Error contacting webhook: {answer.status_code}"
        raise BackendFailed(why)

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        backend = self._policy.backend
        context = ssl.create_default_context(cadata=backend.ca or None)
        if backend.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if backend.certificate:
            # OpenSSL reads a client's key from files alone.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(f"{backend.certificate}\n{backend.key}")
                file.flush()
                context.load_cert_chain(file.name)
        headers = {"Authorization": f"Bearer {backend.token}"} if backend.token else {}
        return httpx.AsyncClient(verify=context, headers=headers, timeout=TIMEOUT)


def _verdict(answer: httpx.Response) -> Verdict:
    if not answer.is_success:
        raise BackendFailed(f"Error contacting webhook: {answer.status_code}")
    try:
        status = answer.json().get("status") or {}
        notes = status.get("auditAnnotations") or {}
        return Verdict(bool(status.get("allowed")), str(status.get("reason") or ""), dict(notes))
    except (ValueError, AttributeError, TypeError) as error:
        raise BackendFailed(f"the answer of the webhook cannot be read: {error}") from error
