"""Warning headers (RFC 7234), as kube-apiserver records them: each text once, and not too much."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Beyond this many characters in all, every text is cut to the other; what is too much is left out.
_TOTAL, _EACH = 4096, 256
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def headers(texts: Iterable[str]) -> list[tuple[bytes, bytes]]:
    """Return the Warning headers: one for each text."""
    found = list[str]()
    size = 0
    for text in dict.fromkeys(texts):
        if text and not _CONTROL.search(text):
            found.append(text)
            size += min(len(text), _EACH)
            if size > _TOTAL:
                break  # no more of them would be shown, however short
    if sum(map(len, found)) > _TOTAL:
        found = _shortened(found)
    return [(b"warning", f"299 - {_quoted(text)}".encode()) for text in found]


def _shortened(texts: Iterable[str]) -> list[str]:
    kept, size = list[str](), 0
    for text in texts:
        short = text[:_EACH]
        size += len(short)
        if size > _TOTAL:
            break
        kept.append(short)
    return kept


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
