"""What the access page and its REST API ask of a cluster, and the kubectl that asks the same."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from playground.sandboxes.gateway import Cluster, Identity, gateway

ACCOUNT = "system:serviceaccount:"
# The API gives no token for less; longer ones are asked for with kubectl.
SHORTEST_TOKEN = 600
AUTHENTICATED = "system:authenticated"


@dataclass(frozen=True, slots=True)
class Question:
    """May somebody use a verb on a resource? `user` or `group` may be empty, not both."""

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()

    def params(self) -> dict[str, Any]:
        """Return the question as the control API takes it."""
        return {
            "verb": self.verb,
            "resource": self.resource,
            "namespace": self.namespace,
            "name": self.name,
            "user": self.user,
            "group": list(self.groups),
        }

    def command(self) -> str:
        """Return the kubectl command that asks the same."""
        resource, _, subresource = self.resource.partition("/")
        if self.resource.startswith("/"):
            resource, subresource = self.resource, ""
        words = ["kubectl", "auth", "can-i", self.verb]
        words.append(f"{resource}/{self.name}" if self.name else resource)
        if subresource:
            words.append(f"--subresource={subresource}")
        if self.namespace:
            words += ["-n", self.namespace]
        # kubectl takes groups only along with a name.
        words.append(f"--as={self.user or 'anybody'}")
        words += [f"--as-group={group}" for group in self.groups]
        return shlex.join(words)


def why(cluster: Cluster, identity: Identity, question: Question) -> dict[str, Any]:
    """Return the answer with its reasons, and the command."""
    answer = gateway().access(cluster.name, identity, "why", question.params())
    return {**answer, "command": question.command()}


def accounts(cluster: Cluster, identity: Identity) -> list[tuple[str, str]]:
    """Return the cluster's service accounts: namespace and name."""
    answer = gateway().api(cluster.name, identity, "/api/v1/serviceaccounts")
    items = orjson.loads(answer.content)["items"]
    return [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in items]


def token(
    cluster: Cluster, identity: Identity, namespace: str, name: str, seconds: int
) -> dict[str, Any]:
    """Ask for a token of a service account; return it with its end and the kubectl command."""
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": seconds},
    }
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    answer = gateway().write(cluster.name, identity, "POST", path, body)
    status = orjson.loads(answer.content)["status"]
    return {
        "account": f"{namespace}/{name}",
        "token": status["token"],
        "expires": status["expirationTimestamp"],
        "command": f"kubectl create token {name} -n {namespace} --duration={seconds}s",
    }


def kubeconfig(
    cluster: Cluster,
    identity: Identity,
    user: str,
    groups: Sequence[str],
    days: float,
    holder: str,
) -> str:
    """Return a kubeconfig for anybody; service accounts get a token, the others a certificate.

    The certificate ends with the account of its `holder`, who asks for it.
    """
    if not user.startswith(ACCOUNT):
        return gateway().kubeconfig_for(cluster.name, user, groups, days, holder=holder)
    namespace, _, name = user.removeprefix(ACCOUNT).partition(":")
    seconds = max(SHORTEST_TOKEN, int(days * 86400))
    made = token(cluster, identity, namespace, name, seconds)
    return gateway().kubeconfig_for(cluster.name, user, groups, days, token=made["token"])


def is_account(user: str) -> bool:
    """Tell whether a user name is that of a service account."""
    parts = user.split(":")
    return user.startswith(ACCOUNT) and len(parts) == 4 and all(parts)


def rule_text(rule: Mapping[str, Any]) -> str:
    """Print a rule of a role in one line, as `kubectl describe` has its parts."""
    verbs = ", ".join(rule.get("verbs") or ())
    if paths := rule.get("nonResourceURLs"):
        return f"{verbs} on {', '.join(paths)}"
    groups = [group for group in rule.get("apiGroups") or () if group]
    text = f"{verbs} on {', '.join(rule.get('resources') or ())}"
    if groups:
        text += f" of {', '.join(groups)}"
    if names := rule.get("resourceNames"):
        text += f", named {', '.join(names)}"
    return text
