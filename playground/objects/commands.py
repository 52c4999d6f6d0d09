"""The kubectl command that shows what a tab of an object's page shows."""

from __future__ import annotations

from urllib.parse import urlencode

from playground.objects.discovery import Resource


def of(tab: str, resource: Resource, namespace: str, name: str, rev: int | None = None) -> str:
    """Return the command of a tab, empty where kubectl has none."""
    if rev is not None:
        return _past(resource, namespace, name, rev) if tab == "yaml" else ""
    place = f" -n {namespace}" if namespace else ""
    kind = resource.kind.lower() if not resource.group else resource.title
    return {
        "summary": f"kubectl describe {kind} {name}{place}",
        "yaml": f"kubectl get {kind} {name}{place} -o yaml",
        "events": f"kubectl events --for {kind}/{name}{place}",
    }.get(tab, "")


def _past(resource: Resource, namespace: str, name: str, rev: int) -> str:
    """Return how the API is asked for an object as it was; `kubectl get` has no flag for that."""
    query = urlencode(
        {
            "resourceVersion": rev,
            "resourceVersionMatch": "Exact",
            "fieldSelector": f"metadata.name={name}",
        }
    )
    return f"kubectl get --raw '{resource.path(namespace)}?{query}'"
