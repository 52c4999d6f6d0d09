"""What the fake worker says of access: one user with a role, one group with one that is missing."""

from __future__ import annotations

VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
_CHAIN = {
    "binding": {"kind": "RoleBinding", "namespace": "default", "name": "reads"},
    "subject": 'User "ann"',
    "role": {"kind": "Role", "namespace": "default", "name": "reader"},
    "rules": [{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}],
    "problem": "",
}


def answer(clusters, request):
    """Return the code and the body for what is about access, None for everything else."""
    *_, name, page = request.path.rsplit("/", 2)
    if page in ("access", "why") and name in clusters:
        if "roles" in clusters[name].forbidden:
            return 403, {"reason": "Forbidden", "message": "roles is forbidden"}
        return 200, grid(request.query) if page == "access" else why(request.query)
    if page == "kubeconfig" and request.method == "POST":
        return 200, kubeconfig(request.body)
    if page == "revoke":
        clusters[name].revoked.append(request.body["holder"])
        return 200, {}
    if page == "serviceaccounts":
        return 200, accounts()
    if page == "token":
        made = token(name)
        return (201, made) if made else (404, {"message": f'serviceaccount "{name}" not found'})
    return None


def grid(query):
    rows = [
        {"kind": "User", "name": "ann", "user": "ann", "group": "", "may": _may(["get", "list"])},
        {"kind": "Group", "name": "devs", "user": "", "group": "devs", "may": _may([])},
    ]
    return {
        "resource": query.get("resource", "pods"),
        "namespace": query.get("namespace", ""),
        "verbs": VERBS,
        "total": len(rows),
        "items": rows,
        "namespaces": ["default", "kube-system"],
        "resources": ["deployments.apps", "pods"],
    }


def why(query):
    allowed = query["verb"] in ("get", "list") and query.get("user") == "ann"
    reason = 'RBAC: allowed by RoleBinding "reads/default" of Role "reader" to User "ann"'
    return {
        "allowed": allowed,
        "reason": reason if allowed else "",
        "by": "RBAC",
        "sentence": "",
        "chains": [_CHAIN] if allowed else [],
        "nearest": [] if allowed else [_CHAIN],
    }


def kubeconfig(body):
    groups = ",".join(body["groups"])
    text = f"kubeconfig of {body['user']} in {groups} for {body['days']} days"
    held = f" for {body['holder']}" if body["holder"] else ""
    return {"kubeconfig": f"{text} with {body['token']!r}{held}"}


def accounts():
    return {"items": [{"metadata": {"namespace": "default", "name": "default"}}]}


def token(name):
    """Return the status of a TokenRequest, None where there is no such account."""
    if name != "default":
        return None
    return {
        "status": {"token": f"a-token-of-{name}", "expirationTimestamp": "2026-11-23T10:00:00Z"}
    }


def _may(verbs):
    return [verb in verbs for verb in VERBS]
