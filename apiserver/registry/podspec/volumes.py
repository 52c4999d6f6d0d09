"""Volumes of a pod: one name each, one source each."""

from __future__ import annotations

from collections.abc import Callable

from apimachinery.meta import Obj
from apimachinery.quantity import ZERO, parse
from apimachinery.validation.field import (
    FieldError,
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    required,
)
from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain
from apiserver.registry.podspec.checks import name_or_required, one_of_required
from apiserver.registry.podspec.claims import claim_template_errors
from apiserver.registry.podspec.paths import local_descending_path
from apiserver.registry.podspec.projected import (
    config_map_errors,
    downward_api_errors,
    projected_errors,
    secret_errors,
)
from apiserver.registry.podspec.volumesources import SHARED_SOURCES, csi_driver_name_errors

MORE_THAN_ONE = "may not specify more than 1 volume type"
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
Rule = Callable[[Obj, Path], FieldErrors]


def check_volumes(
    volumes: list[Obj], pod_name: str, path: Path
) -> tuple[list[FieldError], dict[str, Obj]]:
    """Return what is wrong with spec.volumes, and the volumes that mounts may name.

    Those are the ones with nothing wrong about them. Without a pod's name claims are not compared.
    """
    errors: list[FieldError] = []
    usable: dict[str, Obj] = {}
    made = {f"{pod_name}-{v.get('name')}" for v in volumes if v.get("ephemeral") is not None}
    for at, volume in enumerate(volumes):
        where = path[at]
        name = volume.get("name") or ""
        wrong = list(_source_errors(volume, name, pod_name, where))
        wrong += name_or_required(is_dns1123_label, name, where / "name")
        if name in usable:
            wrong.append(duplicate(where / "name", name))
        errors += wrong
        if not wrong:
            usable[name] = volume
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if pod_name and claim in made:
            why = "must not reference a PVC that gets created for an ephemeral volume"
            errors.append(invalid(where / "persistentVolumeClaim" / "claimName", claim, why))
    return errors, usable


def _source_errors(volume: Obj, name: str, pod_name: str, path: Path) -> FieldErrors:
    found = ""
    # A volume has a name and one source: only a second source makes the order matter.
    for key in SOURCES if len(volume) > 2 else volume:
        source = volume.get(key) if key in SOURCES else None
        if source is None:
            continue
        if found:
            yield forbidden(path / _MISSPELT.get(key, key), MORE_THAN_ONE)
            continue
        found = key
        shown, rule = SOURCES[key]
        yield from rule(source, path / shown)
    if not found:
        yield required(path, "must specify a volume type")
    elif found == "ephemeral" and pod_name and name:
        claim = f"{pod_name}-{name}"
        for message in is_dns1123_subdomain(claim):
            yield invalid(path / "name", name, f'PVC name "{claim}": {message}')
    if volume.get("iscsi") is not None:
        yield from _iscsi_name_errors(volume["iscsi"], name, path)


def _iscsi_name_errors(source: Obj, name: str, path: Path) -> FieldErrors:
    portal = source.get("targetPortal") or ""
    if source.get("initiatorName") is not None and len(f"{name}:{portal}") > 64:
        yield invalid(
            path / "name",
            name,
            "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters "
            "if iscsi.initiatorName is specified.",
        )


def _empty_dir(source: Obj, path: Path) -> FieldErrors:
    limit = source.get("sizeLimit")
    if limit is not None and parse(limit) < ZERO:
        yield forbidden(path / "sizeLimit", "SizeLimit field must be a valid resource quantity")


def _git_repo(source: Obj, path: Path) -> FieldErrors:
    if not source.get("repository"):
        yield required(path / "repository")
    yield from local_descending_path(source.get("directory") or "", path / "directory")


def _claim(source: Obj, path: Path) -> FieldErrors:
    if not source.get("claimName"):
        yield required(path / "claimName")


def _csi(source: Obj, path: Path) -> FieldErrors:
    yield from csi_driver_name_errors(source.get("driver") or "", path / "driver")
    secret = source.get("nodePublishSecretRef")
    if secret is None:
        return
    if not secret.get("name"):
        yield required(path / "nodePublishSecretRef" / "name")
    else:
        for message in is_dns1123_subdomain(secret["name"]):
            yield invalid(path / "name", secret["name"], message)


def _ephemeral(source: Obj, path: Path) -> FieldErrors:
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield required(path / "volumeClaimTemplate")
    else:
        yield from claim_template_errors(template, path / "volumeClaimTemplate")


def _image(source: Obj, path: Path) -> FieldErrors:
    if not source.get("reference"):
        yield required(path / "reference")
    yield from one_of_required(source.get("pullPolicy"), _PULL_POLICIES, path / "pullPolicy")


# Two sources are named otherwise in Kubernetes' own messages about a second source.
_MISSPELT = {"downwardAPI": "downwarAPI", "cephfs": "cephFS"}
# In the order in which Kubernetes looks: the second one that is found is the one too many.
# Value: the name in paths of errors inside of the source, and the rule.
SOURCES: dict[str, tuple[str, Rule]] = {
    "emptyDir": ("emptyDir", _empty_dir),
    "hostPath": SHARED_SOURCES["hostPath"],
    "gitRepo": ("gitRepo", _git_repo),
    "gcePersistentDisk": SHARED_SOURCES["gcePersistentDisk"],
    "awsElasticBlockStore": SHARED_SOURCES["awsElasticBlockStore"],
    "secret": ("secret", secret_errors),
    "nfs": SHARED_SOURCES["nfs"],
    "iscsi": SHARED_SOURCES["iscsi"],
    "glusterfs": SHARED_SOURCES["glusterfs"],
    "flocker": SHARED_SOURCES["flocker"],
    "persistentVolumeClaim": ("persistentVolumeClaim", _claim),
    "rbd": SHARED_SOURCES["rbd"],
    "cinder": SHARED_SOURCES["cinder"],
    "cephfs": SHARED_SOURCES["cephfs"],
    "quobyte": SHARED_SOURCES["quobyte"],
    "downwardAPI": ("downwardAPI", downward_api_errors),
    "fc": SHARED_SOURCES["fc"],
    "flexVolume": SHARED_SOURCES["flexVolume"],
    "configMap": ("configMap", config_map_errors),
    "azureFile": SHARED_SOURCES["azureFile"],
    "vsphereVolume": SHARED_SOURCES["vsphereVolume"],
    "photonPersistentDisk": SHARED_SOURCES["photonPersistentDisk"],
    "portworxVolume": SHARED_SOURCES["portworxVolume"],
    "azureDisk": SHARED_SOURCES["azureDisk"],
    "storageos": SHARED_SOURCES["storageos"],
    "projected": ("projected", projected_errors),
    "scaleIO": SHARED_SOURCES["scaleIO"],
    "csi": ("csi", _csi),
    "ephemeral": ("ephemeral", _ephemeral),
    "image": ("image", _image),
}
