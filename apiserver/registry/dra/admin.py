"""Access to devices that others use: only in namespaces that are set up for administrators."""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.meta import Obj, labels_of
from apimachinery.validation.field import FieldErrors, Path, forbidden
from apiserver.registry.strategy import StrategyContext

LABEL = "resource.kubernetes.io/admin-access"
_WHY = f"admin access to devices requires the `{LABEL}: true` label on the containing namespace"
# The same for claims and for templates, as Kubernetes says it.
_REQUESTS = Path("spec") / "devices" / "requests"
_RESULTS = Path("status") / "allocation" / "devices" / "results"


def asking_errors(spec: Obj, ctx: StrategyContext) -> FieldErrors:
    """Yield that a claim asks for such access where there is none."""
    requests = (spec.get("devices") or {}).get("requests") or ()
    yield from _errors([one.get("exactly") or {} for one in requests], _REQUESTS, ctx)


def granting_errors(status: Obj, before: Obj, ctx: StrategyContext) -> FieldErrors:
    """Yield that a claim is given such access where there is none; what it has it keeps."""
    if not any(one.get("adminAccess") for one in _results(before)):
        yield from _errors(_results(status), _RESULTS, ctx)


def _results(status: Obj) -> list[Obj]:
    devices = (status.get("allocation") or {}).get("devices") or {}
    return devices.get("results") or []


def _errors(given: Iterable[Obj], path: Path, ctx: StrategyContext) -> FieldErrors:
    at = next((at for at, one in enumerate(given) if one.get("adminAccess")), None)
    if at is None:
        return
    namespace = ctx.objects.get("namespaces", "", ctx.namespace) or {}
    if labels_of(namespace).get(LABEL) != "true":
        yield forbidden(path[at] / "adminAccess", _WHY)
