"""What a cluster may be called: a DNS-1123 label, as it becomes part of an address."""

from __future__ import annotations

import re

LONGEST = 63
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)


def problem(name: str) -> str | None:
    """Return what is wrong with a name, or None."""
    if not name:
        return "a name is required"
    if len(name) > LONGEST:
        return f"must be no more than {LONGEST} characters"
    return None if LABEL.fullmatch(name) else MESSAGE
