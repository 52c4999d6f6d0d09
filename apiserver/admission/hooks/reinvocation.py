"""Who has to be asked once more, after somebody later has changed the object."""

from __future__ import annotations

from collections.abc import Hashable

import orjson

from apiserver.admission.interfaces import AdmissionRequest


class Reinvocation:
    """One plugin's memory of one request: who was called, and who has to be called again.

    Only those with reinvocationPolicy IfNeeded are called again, only once, and only where
    something has changed since.
    """

    def __init__(self) -> None:
        self._called: set[Hashable] = set()
        self._required: set[Hashable] = set()
        self._last = b""

    @staticmethod
    def of(request: AdmissionRequest, plugin: str) -> Reinvocation:
        """Return a plugin's memory of a request; the second run finds that of the first."""
        found: Reinvocation = request.memory.setdefault(plugin, Reinvocation())
        if request.reinvoked and found._last != _snapshot(request):
            found._require()
        return found

    def skips(self, request: AdmissionRequest, key: Hashable) -> bool:
        """Tell whether this is the second run, and nothing has to be said again."""
        return request.reinvoked and key not in self._required

    def changed(self, request: AdmissionRequest) -> None:
        """Note that the object has changed: those before have to look again."""
        self._require()
        request.reinvoke = True

    def called(self, key: Hashable, *, if_needed: bool) -> None:
        """Note who was called."""
        if if_needed:
            self._called.add(key)

    def end(self, request: AdmissionRequest) -> None:
        """Remember how the object was left."""
        self._last = _snapshot(request)

    def _require(self) -> None:
        self._required |= self._called
        self._called.clear()


def _snapshot(request: AdmissionRequest) -> bytes:
    return orjson.dumps(request.object, option=orjson.OPT_SORT_KEYS)
