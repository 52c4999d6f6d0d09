"""The file that a client is given: where a cluster is, whom to trust there, and who one is."""

from __future__ import annotations

import base64

import yaml

from apimachinery.meta import Obj
from apiserver.auth.pki import Issued


def kubeconfig(
    server: str,
    ca_pem: str,
    cluster_name: str,
    user_name: str,
    credential: Issued | str,
) -> Obj:
    """Return a kubeconfig with one context. `credential` is a certificate and key, or a token."""
    user: Obj
    if isinstance(credential, str):
        user = {"token": credential}
    else:
        user = {
            "client-certificate-data": _encoded(credential.certificate),
            "client-key-data": _encoded(credential.key),
        }
    cluster: Obj = {"server": server}
    if ca_pem:
        cluster["certificate-authority-data"] = _encoded(ca_pem)
    context = f"{user_name}@{cluster_name}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [{"name": cluster_name, "cluster": cluster}],
        "users": [{"name": user_name, "user": user}],
        "contexts": [{"name": context, "context": {"cluster": cluster_name, "user": user_name}}],
        "current-context": context,
    }


def kubeconfig_yaml(config: Obj) -> str:
    """Print a kubeconfig as people and kubectl read it."""
    return yaml.safe_dump(config, sort_keys=False)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
