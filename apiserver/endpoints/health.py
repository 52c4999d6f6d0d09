"""/healthz, /livez and /readyz: each check by itself, or all of them with `?verbose`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.request import Answer, ApiRequest

_TEXT = "text/plain; charset=utf-8"
Check = Callable[[ClusterApi], str]


def _ping(_api: ClusterApi) -> str:
    return ""


def _etcd(api: ClusterApi) -> str:
    return "" if api.store.revision else "nothing has been stored yet"


# A check returns what is wrong, "" for nothing. The names are those that probes ask for.
_CHECKS: dict[str, Check] = {"ping": _ping, "log": _ping, "etcd": _etcd}
_MORE: dict[str, dict[str, Check]] = {
    "readyz": {"etcd-readiness": _etcd, "informer-sync": _ping},
}
_ROOTS = ("healthz", "livez", "readyz")


def paths() -> list[str]:
    """Return every path of a check."""
    return [f"/{root}/{name}" for root in _ROOTS for name in _checks(root)]


def _checks(root: str) -> dict[str, Check]:
    return _CHECKS | _MORE.get(root, {})


async def page(request: ApiRequest) -> Answer:
    """Answer one check, or all of a root."""
    root, _, name = request.info.path.strip("/").partition("/")
    checks = _checks(root)
    if name:
        check = checks.get(name)
        if check is None:
            return _text(404, "404 page not found\n")
        return _one(root, name, check(request.api))
    excluded = set(filter(None, [request.params.get("exclude", "")]))
    return _all(request, root, checks, excluded)


def _one(root: str, name: str, wrong: str) -> Answer:
    if wrong:
        return _text(500, f"internal server error: {root}/{name}: {wrong}\n")
    return _text(200, "ok")


def _all(
    request: ApiRequest, root: str, checks: dict[str, Check], excluded: Iterable[str]
) -> Answer:
    lines, failed = [], False
    for name, check in checks.items():
        if name in excluded:
            lines.append(f"[+]{name} excluded: ok")
        elif check(request.api):
            failed = True
            lines.append(f"[-]{name} failed: reason withheld")
        else:
            lines.append(f"[+]{name} ok")
    if failed:
        return _text(500, "\n".join([*lines, f"{root} check failed\n"]))
    if "verbose" in request.params:
        return _text(200, "\n".join([*lines, f"{root} check passed\n"]))
    return _text(200, "ok")


def _text(code: int, text: str) -> Answer:
    headers = {"X-Content-Type-Options": "nosniff"}
    return Answer(code, text=text.encode(), content_type=_TEXT, headers=headers)
