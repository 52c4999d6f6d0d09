"""/healthz, /livez and /readyz: each check by itself, or all of them with `?verbose`.

The names are kube-apiserver's, since probes ask for them. Its `poststarthook/...` are what it does
once it listens; here a cluster has done all of that when its parts have started.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from apiserver.endpoints.api import ClusterApi, Phase
from apiserver.endpoints.request import Answer, ApiRequest

_TEXT = "text/plain; charset=utf-8"
Check = Callable[[ClusterApi], str]

ROOTS = ("healthz", "livez", "readyz")
# Of kube-apiserver v1.36, in the order in which it shows them.
_HOOKS = (
    "start-apiserver-admission-initializer",
    "generic-apiserver-start-informers",
    "priority-and-fairness-config-consumer",
    "priority-and-fairness-filter",
    "storage-object-count-tracker-hook",
    "start-apiextensions-informers",
    "start-apiextensions-controllers",
    "crd-informer-synced",
    "start-system-namespaces-controller",
    "start-cluster-authentication-info-controller",
    "start-kube-apiserver-identity-lease-controller",
    "start-kube-apiserver-identity-lease-garbage-collector",
    "start-legacy-token-tracking-controller",
    "start-service-ip-repair-controllers",
    "rbac/bootstrap-roles",
    "scheduling/bootstrap-system-priority-classes",
    "priority-and-fairness-config-producer",
    "bootstrap-controller",
    "start-kubernetes-service-cidr-controller",
    "aggregator-reload-proxy-client-cert",
    "start-kube-aggregator-informers",
    "apiservice-status-local-available-controller",
    "apiservice-status-remote-available-controller",
    "apiservice-registration-controller",
    "apiservice-discovery-controller",
    "kube-apiserver-autoregistration",
)
_LAST_HOOKS = ("apiservice-openapi-controller", "apiservice-openapiv3-controller")


# A check returns what is wrong, "" for nothing.


def _ping(_api: ClusterApi) -> str:
    return ""


def _etcd(api: ClusterApi) -> str:
    return "" if api.store.revision else "nothing has been stored yet"


def _started(api: ClusterApi) -> str:
    return "not finished" if api.phase is Phase.STARTING else ""


def _shutdown(api: ClusterApi) -> str:
    return "process is shutting down" if api.phase is Phase.STOPPING else ""


def _hooks(names: tuple[str, ...]) -> dict[str, Check]:
    return {f"poststarthook/{name}": _started for name in names}


_BEFORE: dict[str, Check] = {"ping": _ping, "log": _ping, "etcd": _etcd}
_AFTER = _hooks(_HOOKS) | {"autoregister-completion": _started} | _hooks(_LAST_HOOKS)
_CHECKS: dict[str, dict[str, Check]] = {
    "healthz": _BEFORE | _AFTER,
    "livez": _BEFORE | _AFTER,
    "readyz": _BEFORE
    | {"etcd-readiness": _etcd, "informer-sync": _started}
    | _AFTER
    | {"shutdown": _shutdown},
}


def paths() -> list[str]:
    """Return every path of a check."""
    return [f"/{root}/{name}" for root in ROOTS for name in _CHECKS[root]]


async def page(request: ApiRequest) -> Answer:
    """Answer one check, or all of a root."""
    root, slash, name = request.info.path.lstrip("/").partition("/")
    if slash:
        check = _CHECKS[root].get(name)
        if check is None:
            return _text(404, "404 page not found\n")
        return _one(check(request.api))
    return _all(request, root)


def _one(wrong: str) -> Answer:
    if wrong:
        return _text(500, f"internal server error: {wrong}\n")
    return Answer(200, text=b"ok", content_type=_TEXT)


def _all(request: ApiRequest, root: str) -> Answer:
    # Any number of checks may be left out, so the parameter may come more than once.
    excluded = {value for key, value in parse_qsl(request.query) if key == "exclude"}
    lines, failed = [], False
    for name, check in _CHECKS[root].items():
        if name in excluded:
            excluded.remove(name)
            lines.append(f"[+]{name} excluded: ok")
            continue
        well = not check(request.api)
        request.api.metrics.checked(name, root, well=well)
        failed = failed or not well
        lines.append(f"[+]{name} ok" if well else f"[-]{name} failed: reason withheld")
    if excluded:
        shown = ",".join(f'"{name}"' for name in sorted(excluded))
        lines.append(f"warn: some health checks cannot be excluded: no matches for {shown}")
    if failed:
        return _text(500, "\n".join([*lines, f"{root} check failed\n"]))
    if "verbose" in request.params:
        return _text(200, "\n".join([*lines, f"{root} check passed\n"]))
    return _text(200, "ok")


def _text(code: int, text: str) -> Answer:
    headers = {"X-Content-Type-Options": "nosniff"}
    return Answer(code, text=text.encode(), content_type=_TEXT, headers=headers)
