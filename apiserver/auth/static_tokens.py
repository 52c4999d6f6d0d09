"""The file of --token-auth-file: lines of token, user, uid, and groups in quotes."""

from __future__ import annotations

import csv
import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

from apiserver.auth.user import User

log = logging.getLogger(__name__)


def digest(token: str) -> bytes:
    """Return what a token is kept by, so that a guess that is nearly right takes no longer."""
    return hashlib.sha256(token.encode()).digest()


def read_static_tokens(path: str) -> Mapping[bytes, User]:
    """Return the users by the digests of their tokens. Raises ValueError in Kubernetes' words."""
    try:
        with Path(path).open(newline="") as file:
            records = [record for record in csv.reader(file, strict=True) if record]
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    found: dict[bytes, User] = {}
    for number, record in enumerate(records, 1):
        if len(record) < 3:
            raise ValueError(
                f"token file '{path}' must have at least 3 columns (token, user name, user uid), "
                f"found {len(record)}"
            )
        token, name, uid, *rest = record
        if not token:
            log.warning(
                "empty token has been found in token file '%s', record number %d", path, number
            )
            continue
        key = digest(token)
        if key in found:
            log.warning(
                "duplicate token has been found in token file '%s', record number %d", path, number
            )
        groups = tuple(rest[0].split(",")) if rest and rest[0] else ()
        found[key] = User(name, groups, uid)
    return found
