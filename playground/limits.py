"""Limits that the site tells and the worker keeps."""

from __future__ import annotations

# Of the file of a recording, as it is sent.
LARGEST_RECORDING = 16 * 1024 * 1024
