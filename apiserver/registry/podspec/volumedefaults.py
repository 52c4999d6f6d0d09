"""Defaults of volumes: modes, token lifetimes, and an emptyDir where no source is named."""

from __future__ import annotations

from apimachinery.meta import Obj

FILE_MODE = 0o644
TOKEN_SECONDS = 3600


def default_volume(volume: Obj) -> None:
    """Default one volume of a pod."""
    source = next((key for key in volume if key != "name" and volume[key] is not None), None)
    if source is None:
        volume["emptyDir"] = {}
    elif default := _DEFAULTS.get(source):
        default(volume[source])


def _mode(source: Obj) -> None:
    if source.get("defaultMode") is None:
        source["defaultMode"] = FILE_MODE


def _downward_api(source: Obj) -> None:
    _mode(source)
    _items(source)


def _items(source: Obj) -> None:
    for item in source.get("items") or ():
        reference = item.get("fieldRef")
        if reference is not None and not reference.get("apiVersion"):
            reference["apiVersion"] = "v1"


def _projected(source: Obj) -> None:
    _mode(source)
    for part in source.get("sources") or ():
        if (token := part.get("serviceAccountToken")) is not None:
            if token.get("expirationSeconds") is None:
                token["expirationSeconds"] = TOKEN_SECONDS
        elif (downward := part.get("downwardAPI")) is not None:
            _items(downward)
        elif (certificate := part.get("podCertificate")) is not None:
            # A day: what the signers of pod certificates are asked for by default.
            certificate.setdefault("maxExpirationSeconds", 86400)


def _host_path(source: Obj) -> None:
    if source.get("type") is None:
        source["type"] = ""


def _image(source: Obj) -> None:
    if not source.get("pullPolicy"):
        image = source.get("reference") or ""
        tag = "" if "@" in image else image.rpartition("/")[2].partition(":")[2] or "latest"
        source["pullPolicy"] = "Always" if tag == "latest" else "IfNotPresent"


def default_iscsi(source: Obj) -> None:
    """Default an iSCSI source of a pod or a PersistentVolume."""
    if not source.get("iscsiInterface"):
        source["iscsiInterface"] = "default"


def default_rbd(source: Obj) -> None:
    """Default a Ceph block device of a pod or a PersistentVolume."""
    for key, value in (("pool", "rbd"), ("user", "admin"), ("keyring", "/etc/ceph/keyring")):
        if not source.get(key):
            source[key] = value


def default_azure_disk(source: Obj) -> None:
    """Default an Azure disk of a pod or a PersistentVolume."""
    for key, value in (
        ("cachingMode", "ReadWrite"),
        ("fsType", "ext4"),
        ("readOnly", False),
        ("kind", "Shared"),
    ):
        if source.get(key) is None:
            source[key] = value


def default_scale_io(source: Obj) -> None:
    """Default a ScaleIO source of a pod or a PersistentVolume."""
    for key, value in (("storageMode", "ThinProvisioned"), ("fsType", "xfs")):
        if not source.get(key):
            source[key] = value


def _ephemeral(source: Obj) -> None:
    claim = (source.get("volumeClaimTemplate") or {}).get("spec")
    if claim is not None and claim.get("volumeMode") is None:
        claim["volumeMode"] = "Filesystem"


# Also used for PersistentVolumes, whose spec holds the same sources by the same names.
SHARED_DEFAULTS = {
    "hostPath": _host_path,
    "iscsi": default_iscsi,
    "rbd": default_rbd,
    "azureDisk": default_azure_disk,
    "scaleIO": default_scale_io,
}
_DEFAULTS = {
    **SHARED_DEFAULTS,
    "secret": _mode,
    "configMap": _mode,
    "downwardAPI": _downward_api,
    "projected": _projected,
    "image": _image,
    "ephemeral": _ephemeral,
}
