"""Probes and lifecycle hooks: exactly one action, numbers that make sense."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, required
from apimachinery.validation.names import is_http_header_name, is_port_name, is_port_number
from apiserver.registry.podspec.checks import nonnegative_fields, one_of

_NUMBERS = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
_PROBE_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_ACTIONS = ("exec", "httpGet", "tcpSocket", "sleep")
_MORE = "may not specify more than 1 handler type"


def probes_errors(container: Obj, grace: int | None, path: Path) -> FieldErrors:
    """Yield what is wrong with the lifecycle and the three probes of a container."""
    if (lifecycle := container.get("lifecycle")) is not None:
        yield from lifecycle_errors(lifecycle, grace, path / "lifecycle")
    if (probe := container.get("livenessProbe")) is not None:
        yield from _probe_errors(probe, grace, path / "livenessProbe", once=True)
    if (probe := container.get("readinessProbe")) is not None:
        yield from _probe_errors(probe, grace, path / "readinessProbe", once=False)
        if probe.get("terminationGracePeriodSeconds") is not None:
            yield invalid(
                path / "readinessProbe" / "terminationGracePeriodSeconds",
                probe["terminationGracePeriodSeconds"],
                "must not be set for readinessProbes",
            )
    if (probe := container.get("startupProbe")) is not None:
        yield from _probe_errors(probe, grace, path / "startupProbe", once=True)


def _probe_errors(probe: Obj, grace: int | None, path: Path, *, once: bool) -> FieldErrors:
    yield from _handler_errors(probe, _PROBE_ACTIONS, grace, path)
    yield from nonnegative_fields(probe, _NUMBERS, path)
    own_grace = probe.get("terminationGracePeriodSeconds")
    if own_grace is not None and own_grace <= 0:
        yield invalid(path / "terminationGracePeriodSeconds", own_grace, "must be greater than 0")
    if once and probe.get("successThreshold") != 1:
        yield invalid(path / "successThreshold", probe.get("successThreshold"), "must be 1")


def lifecycle_errors(lifecycle: Obj, grace: int | None, path: Path) -> FieldErrors:
    for name in ("postStart", "preStop"):
        handler = lifecycle.get(name)
        if handler is not None:
            yield from _handler_errors(handler, _HOOK_ACTIONS, grace, path / name)


def _handler_errors(
    handler: Obj, actions: tuple[str, ...], grace: int | None, path: Path
) -> FieldErrors:
    found = False
    for name in actions:
        action = handler.get(name)
        if action is None:
            continue
        if found:
            yield forbidden(path / name, _MORE)
            continue
        found = True
        if name == "sleep":
            yield from _sleep_errors(action, grace, path / name)
        else:
            yield from _ACTIONS[name](action, path / name)
    if not found:
        yield required(path, "must specify a handler type")


def _exec_errors(action: Obj, path: Path) -> FieldErrors:
    if not action.get("command"):
        yield required(path / "command")


def _http_errors(action: Obj, path: Path) -> FieldErrors:
    if not action.get("path"):
        yield required(path / "path")
    yield from port_errors(action.get("port"), path / "port")
    yield from one_of(action.get("scheme"), ("HTTP", "HTTPS"), path / "scheme")
    for header in action.get("httpHeaders") or ():
        for message in is_http_header_name(header.get("name") or ""):
            yield invalid(path / "httpHeaders", header.get("name") or "", message)


def _tcp_errors(action: Obj, path: Path) -> FieldErrors:
    yield from port_errors(action.get("port"), path / "port")


def port_errors(port: Any, path: Path) -> FieldErrors:
    """Yield what is wrong with a port by number or by name."""
    if isinstance(port, str):
        for message in is_port_name(port):
            yield invalid(path, port, message)
    else:
        for message in is_port_number(port or 0):
            yield invalid(path, port or 0, message)


def _sleep_errors(action: Obj, grace: int | None, path: Path) -> FieldErrors:
    seconds = action.get("seconds") or 0
    if grace is not None and not 0 <= seconds <= grace:
        yield invalid(
            path,
            seconds,
            f"must be non-negative and less than terminationGracePeriodSeconds ({grace})",
        )


_ACTIONS = {
    "exec": _exec_errors,
    "httpGet": _http_errors,
    "tcpSocket": _tcp_errors,
    "grpc": _tcp_errors,
}
