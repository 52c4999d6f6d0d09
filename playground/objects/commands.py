"""The kubectl command that shows what a tab of an object's page shows."""

from __future__ import annotations

from playground.objects.discovery import Resource


def of(tab: str, resource: Resource, namespace: str, name: str) -> str:
    """Return the command of a tab, empty where kubectl has none."""
    place = f" -n {namespace}" if namespace else ""
    kind = resource.kind.lower() if not resource.group else resource.title
    return {
        "summary": f"kubectl describe {kind} {name}{place}",
        "yaml": f"kubectl get {kind} {name}{place} -o yaml",
        "events": f"kubectl events --for {kind}/{name}{place}",
    }.get(tab, "")
