"""Refusals that are no news: what a controller may meet and need not report."""

from __future__ import annotations

from apimachinery.errors import ApiError


def is_terminating(error: ApiError) -> bool:
    """Tell whether the cause is a namespace that is being deleted: any creation fails there."""
    return error.has_cause("NamespaceTerminating")
