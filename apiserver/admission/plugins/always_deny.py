"""AlwaysDeny: refuses every change, for tests of clients."""

from __future__ import annotations

from apiserver.admission.interfaces import (
    ANY,
    CONNECT,
    CREATE,
    DELETE,
    UPDATE,
    AdmissionRequest,
    Rule,
)


class AlwaysDeny:
    """Refuses whatever comes."""

    name = "AlwaysDeny"
    handles = Rule((ANY,), (CREATE, UPDATE, DELETE, CONNECT), (ANY,))

    def admit(self, request: AdmissionRequest) -> None:
        self.validate(request)

    def validate(self, request: AdmissionRequest) -> None:
        raise request.refusal("admission control is denying all modifications")
