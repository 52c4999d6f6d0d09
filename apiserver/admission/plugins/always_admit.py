"""AlwaysAdmit: refuses nothing. It is there because old command lines name it."""

from __future__ import annotations

from apiserver.admission.interfaces import Rule


class AlwaysAdmit:
    """Handles nothing."""

    name = "AlwaysAdmit"
    handles = Rule((), ())
