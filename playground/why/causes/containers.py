"""Containers that cannot start, or end again and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from playground.why.causes.facts import name, namespace, roll_back, status
from playground.why.model import Cause, Fix, Object, World

_PULL = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_CONFIG = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")


def _statuses(pod: Object) -> Iterator[Mapping[str, Any]]:
    for part in ("initContainerStatuses", "containerStatuses"):
        yield from status(pod).get(part) or ()


def _waiting(pod: Object, *reasons: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for one in _statuses(pod):
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in reasons:
            yield one, waiting


def image_cannot_be_had(pod: Object, world: World) -> Iterator[Cause]:
    for one, waiting in _waiting(pod, *_PULL):
        yield Cause(
            _("The image %(image)s of container %(name)s cannot be pulled.")
            % {"image": one.get("image"), "name": one.get("name")},
            condition=f"{one.get('name')}: {waiting['reason']}",
            verbatim=str(waiting.get("message") or ""),
            rule=_(
                "A container starts when its node has its image; tries come up to 5 minutes apart."
            ),
            fixes=(
                *roll_back(world, pod),
                Fix(_("Look at the name and tag of the image, and at its registry.")),
            ),
        )


def configuration_is_missing(pod: Object, world: World) -> Iterator[Cause]:
    for one, waiting in _waiting(pod, *_CONFIG):
        yield Cause(
            _("Container %(name)s cannot be made as its spec says.") % {"name": one.get("name")},
            condition=f"{one.get('name')}: {waiting['reason']}",
            verbatim=str(waiting.get("message") or ""),
            rule=_("What a container refers to has to be there, unless it is optional."),
            fixes=(
                Fix(_("Create what is named, or mark the reference as optional.")),
                *roll_back(world, pod),
            ),
        )


def ends_again_and_again(pod: Object, world: World) -> Iterator[Cause]:
    for one, waiting in _waiting(pod, "CrashLoopBackOff"):
        last = (one.get("lastState") or {}).get("terminated") or {}
        killed = last.get("reason") == "OOMKilled"
        text = (
            _("Container %(name)s is killed because it takes more memory than its limit.")
            if killed
            else _("Container %(name)s ends soon after each start, with exit code %(code)s.")
        )
        logs = f"kubectl logs {name(pod)} -n {namespace(pod)} -c {one.get('name')} --previous"
        yield Cause(
            text % {"name": one.get("name"), "code": last.get("exitCode", "?")},
            condition=f"{one.get('name')}: CrashLoopBackOff",
            verbatim=str(waiting.get("message") or ""),
            rule=_("It is started again after 10 s, then after twice as long, up to 5 minutes."),
            fixes=(
                Fix(
                    _("Raise its memory limit.") if killed else _("Read what it said last."),
                    "" if killed else logs,
                ),
                *roll_back(world, pod),
            ),
        )
