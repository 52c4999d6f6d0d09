"""What an instance keeps in its data directory, made once and read by every process.

    admin.token        bearer token: system:masters in every cluster, operator at /api
    admin.kubeconfig   client certificate for the default cluster, CA embedded
    ca.crt ca.key      the CA that signs the serving certificate
    serving.crt .key   what the secure port presents
    django.key         Django's secret key
    kubeground.sqlite3 the database, unless DATABASE_URL names another

Secrets are readable by their owner alone. Writes are atomic: a file is there whole or not.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instance:
    """The files of one instance."""

    data_dir: Path

    @property
    def admin_token_file(self) -> Path:
        return self.data_dir / "admin.token"

    @property
    def kubeconfig_file(self) -> Path:
        return self.data_dir / "admin.kubeconfig"

    @property
    def ca_certificate_file(self) -> Path:
        return self.data_dir / "ca.crt"

    @property
    def ca_key_file(self) -> Path:
        return self.data_dir / "ca.key"

    @property
    def serving_certificate_file(self) -> Path:
        return self.data_dir / "serving.crt"

    @property
    def serving_key_file(self) -> Path:
        return self.data_dir / "serving.key"

    @property
    def django_key_file(self) -> Path:
        return self.data_dir / "django.key"

    def admin_token(self) -> str:
        """Return the operator's token; raises FileNotFoundError before `prepare`."""
        return self.admin_token_file.read_text().strip()

    def prepare(self) -> None:
        """Make the directory and the secrets that are not there yet."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in (self.admin_token_file, self.django_key_file):
            if not file.exists():
                write_private(file, secrets.token_urlsafe(32) + "\n")


def write_private(file: Path, text: str, mode: int = 0o600) -> None:
    """Write a file whole or not at all, readable by its owner alone unless `mode` says more."""
    scratch = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    scratch.replace(file)
