"""ServiceAccount: every pod runs as one, and finds its token where client libraries look."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from apimachinery.booleans import says_true
from apimachinery.errors import Forbidden
from apimachinery.meta import Obj, annotations_of, name_of
from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, NotYet, Rule
from apiserver.admission.pod_specs import MIRROR, secret_names
from apiserver.registry.podspec.tokens import token_volume
from apiserver.registry.strategy import ObjectReader

DEFAULT = "default"
ENFORCE_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"
VOLUME = "kube-api-access"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
# The alphabet of generated names: no vowels, so that no words come out.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


class ServiceAccount:
    """Sets a pod's service account, mounts its token, and adds its pull secrets."""

    name = "ServiceAccount"
    handles = Rule(("pods",), (CREATE, UPDATE), ("", "ephemeralcontainers"))

    def __init__(self, objects: ObjectReader, chance: random.Random) -> None:
        self._objects = objects
        self._chance = chance

    def admit(self, request: AdmissionRequest) -> None:
        pod = request.object
        if request.operation is not CREATE or request.subresource or pod is None:
            return
        if MIRROR in annotations_of(pod):
            # The kubelet compares a mirror pod with what it runs, so it must stay as it is.
            return
        spec = pod.setdefault("spec", {})
        if not spec.get("serviceAccountName"):
            spec["serviceAccountName"] = DEFAULT
        spec["serviceAccount"] = spec["serviceAccountName"]
        account = self._account(request, spec["serviceAccountName"])
        if _wants_token(account, spec):
            self._mount_token(spec)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            secrets = account["imagePullSecrets"]
            spec["imagePullSecrets"] = [{"name": each.get("name", "")} for each in secrets]

    def validate(self, request: AdmissionRequest) -> None:
        pod = request.object
        if pod is None:
            return
        spec = pod.get("spec") or {}
        if request.operation is UPDATE:
            if request.subresource == "ephemeralcontainers":
                self._check_ephemeral(request, spec)
            return
        if request.subresource:
            return
        if MIRROR in annotations_of(pod):
            _check_mirror(request, spec)
            return
        name = spec.get("serviceAccountName") or ""
        if not name:
            where = f"{request.namespace}/{name_of(pod)}"
            raise request.refusal(f"no service account specified for pod {where}")
        account = self._account(request, name)
        if _enforced(account):
            _check_mountable(request, spec, account)

    def _account(self, request: AdmissionRequest, name: str) -> Obj:
        found = self._objects.get("serviceaccounts", request.namespace, name)
        if found is None:
            why = (
                f"error looking up service account {request.namespace}/{name}: "
                f'serviceaccount "{name}" not found'
            )
            # A controller makes the default account a moment after its namespace.
            kind = NotYet if name == DEFAULT else Forbidden
            raise request.refusal(why, kind)
        return found

    def _mount_token(self, spec: dict[str, Any]) -> None:
        volumes: list[Obj] = spec.get("volumes") or []
        names = {volume.get("name", "") for volume in volumes}
        ready = next((name for name in sorted(names) if name.startswith(f"{VOLUME}-")), "")
        volume_name = ready or self._generate()
        mount = {"name": volume_name, "readOnly": True, "mountPath": MOUNT_PATH}
        mounted = False
        for kind in ("initContainers", "containers"):
            for container in spec.get(kind) or ():
                mounts = container.get("volumeMounts") or []
                if not any(each.get("mountPath") == MOUNT_PATH for each in mounts):
                    container["volumeMounts"] = [*mounts, dict(mount)]
                    mounted = True
        if mounted and not ready:
            spec["volumes"] = [*volumes, {"name": volume_name, "projected": token_volume()}]

    def _generate(self) -> str:
        return f"{VOLUME}-{''.join(self._chance.choices(_ALPHABET, k=5))}"

    def _check_ephemeral(self, request: AdmissionRequest, spec: dict[str, Any]) -> None:
        account = self._account(request, spec.get("serviceAccountName") or DEFAULT)
        if not _enforced(account):
            return
        known = _mountable(account)
        for why in _environment("ephemeral container", spec.get("ephemeralContainers"), known):
            raise request.refusal(f"{why} {_not_referenced(account)}")


def _wants_token(account: Obj, spec: dict[str, Any]) -> bool:
    for holder in (spec, account):
        wish = holder.get("automountServiceAccountToken")
        if wish is not None:
            return bool(wish)
    return True


def _check_mirror(request: AdmissionRequest, spec: dict[str, Any]) -> None:
    if spec.get("serviceAccountName"):
        raise request.refusal("a mirror pod may not reference service accounts")
    if any(True for _ in secret_names(spec)):
        raise request.refusal("a mirror pod may not reference secrets")
    for volume in spec.get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            if "serviceAccountToken" in source:
                raise request.refusal(
                    "a mirror pod may not use ServiceAccountToken volume projections"
                )


def _enforced(account: Obj) -> bool:
    return says_true(annotations_of(account).get(ENFORCE_MOUNTABLE))


def _mountable(account: Obj) -> set[str]:
    return {each.get("name", "") for each in account.get("secrets") or ()}


def _not_referenced(account: Obj, what: str = "secret") -> str:
    return (
        f"is not allowed because service account {name_of(account)} does not reference that {what}"
    )


def _check_mountable(request: AdmissionRequest, spec: dict[str, Any], account: Obj) -> None:
    known = _mountable(account)
    for volume in spec.get("volumes") or ():
        name = (volume.get("secret") or {}).get("secretName")
        if name is not None and name not in known:
            what = f'volume with secret.secretName="{name}"'
            raise request.refusal(f"{what} {_not_referenced(account)}")
    for words, kind in (("init container", "initContainers"), ("container", "containers")):
        for what in _environment(words, spec.get(kind), known):
            raise request.refusal(f"{what} {_not_referenced(account)}")
    pull = {each.get("name", "") for each in account.get("imagePullSecrets") or ()}
    for index, each in enumerate(spec.get("imagePullSecrets") or ()):
        name = each.get("name", "")
        if name not in pull:
            what = f'imagePullSecrets[{index}].name="{name}"'
            raise request.refusal(f"{what} {_not_referenced(account, 'imagePullSecret')}")


def _environment(words: str, containers: list[Obj] | None, known: set[str]) -> Iterator[str]:
    """Yield the words for each secret of an environment that the account does not know."""
    for container in containers or ():
        which = f"{words} {container.get('name', '')}"
        for variable in container.get("env") or ():
            name = ((variable.get("valueFrom") or {}).get("secretKeyRef") or {}).get("name")
            if name is not None and name not in known:
                yield (
                    f"{which} with envVar {variable.get('name', '')} referencing "
                    f'secret.secretName="{name}"'
                )
        for source in container.get("envFrom") or ():
            name = (source.get("secretRef") or {}).get("name")
            if name is not None and name not in known:
                yield f'{which} with envFrom referencing secret.secretName="{name}"'
