"""What is broken in one cluster now: begun, listed and undone here, one change at a time."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from apimachinery.errors import AlreadyExists, ApiError, Invalid, NotFound
from apimachinery.gvk import GroupKind, GroupResource
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required
from playground.failures.journal import Failure, Journal, Moment
from playground.failures.kinds import KINDS, Kind

if TYPE_CHECKING:
    from playground.cluster import RunningCluster

log = logging.getLogger(__name__)

FAILURES = GroupResource("kubeground.io", "failures")
_KIND = GroupKind("kubeground.io", "Failure")
_MOST, _LONGEST = 100, 500


class Failures:
    """The failure kit of a cluster."""

    def __init__(self, cluster: RunningCluster, journal: Journal) -> None:
        self._cluster = cluster
        self.journal = journal
        self._active: dict[str, Kind] = {}
        self._lock = asyncio.Lock()

    async def resume(self) -> None:
        """Break again what was broken when the worker ended; before the nodes start."""
        await self.journal.read()
        for failure in list(self.journal.failures.values()):
            try:
                kind = KINDS[failure.kind](self._cluster, failure.target)
                await kind.resume()
            except Exception:
                # A node or a kind that is no more: nothing is left to mend either.
                log.exception("cannot take up failure %s again", failure.id)
                del self.journal.failures[failure.id]
            else:
                self._active[failure.id] = kind

    async def close(self) -> None:
        """Let go of the cluster; what is broken stays so for the next start."""
        for kind in self._active.values():
            await kind.release()
        self._active.clear()

    async def begin(self, wanted: dict[str, Any], by: str = "") -> Failure:
        """Break something. Raises Invalid, AlreadyExists."""
        async with self._lock:
            kind = self._read(wanted)
            self._refuse_twice(kind)
            await self._break(kind)
            self.journal.count += 1
            failure = Failure(
                id=f"{kind.name}-{self.journal.count}",
                kind=kind.name,
                target=dict(wanted["target"]),
                what=kind.says(),
                began=self._cluster.clock.timestamp(),
                revision=self._cluster.store.revision,
                by=by,
                prediction=str(wanted.get("prediction") or ""),
            )
            if not kind.instant:
                self._active[failure.id] = kind
                self.journal.failures[failure.id] = failure
            self._note(failure, "began", lasts=not kind.instant)
            await self.journal.write()
            return failure

    def _refuse_twice(self, kind: Kind) -> None:
        for one in self._active.values():
            if one.name == kind.name and one.breaks() == kind.breaks():
                raise AlreadyExists(FAILURES, one.says())

    async def _break(self, kind: Kind) -> None:
        """Begin, or leave nothing broken: what is not in the journal nobody could mend."""
        try:
            await kind.begin()
        except Exception:
            try:
                await kind.end()
            except Exception:
                log.exception("cannot undo what was begun of a failure: %s", kind.says())
            raise

    async def end(self, failure_id: str) -> Failure:
        """Mend something. Raises NotFound."""
        async with self._lock:
            failure = self.journal.failures.get(failure_id)
            if failure is None:
                raise NotFound(FAILURES, failure_id)
            await self._active[failure_id].end()
            del self.journal.failures[failure_id], self._active[failure_id]
            self._note(failure, "ended")
            await self.journal.write()
            return failure

    async def end_all(self) -> list[Failure]:
        """Mend everything, the last first."""
        return [await self.end(one) for one in reversed(list(self.journal.failures))]

    async def take_along(self, moments: list[Moment]) -> None:
        """Begin with what a copy has of the other's moments; see `carrying`."""
        self.journal.moments.extend(moments)
        await self.journal.write()

    def _note(self, failure: Failure, state: str, *, lasts: bool = True) -> None:
        cluster = self._cluster
        self.journal.moments.append(
            Moment(
                revision=cluster.store.revision,
                time=cluster.clock.timestamp(),
                what=failure.what,
                kind=failure.kind,
                failure=failure.id,
                state=state,
                lasts=lasts,
            )
        )

    def _read(self, wanted: dict[str, Any]) -> Kind:
        if errors := list(_errors(wanted)):
            raise Invalid(_KIND, "", errors)
        kind = KINDS[wanted["kind"]](self._cluster, wanted.setdefault("target", {}))
        unknown = [
            invalid(Path("target") / key, wanted["target"][key], f"{kind.name} has no such field")
            for key in wanted["target"]
            if key not in kind.fields
        ]
        if errors := [*unknown, *kind.errors()]:
            raise Invalid(_KIND, kind.name, errors)
        if len(self._active) >= _MOST:
            raise ApiError(f"{_MOST} things are broken already", code=429, reason="TooManyRequests")
        return kind


def _errors(wanted: dict[str, Any]) -> FieldErrors:
    kind, target = wanted.get("kind"), wanted.get("target", {})
    if not kind:
        yield required(Path("kind"))
    elif not isinstance(kind, str) or kind not in KINDS:
        yield not_supported(Path("kind"), str(kind), list(KINDS))
    if not isinstance(target, dict):
        yield invalid(Path("target"), str(target)[:100], "must be an object")
    prediction = wanted.get("prediction") or ""
    if not isinstance(prediction, str) or len(prediction) > _LONGEST:
        yield invalid(Path("prediction"), "", f"must be a text of at most {_LONGEST} characters")
