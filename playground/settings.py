"""Settings: everything that differs between a laptop and a data centre comes from the environment.

KUBEGROUND_DATA_DIR   where SQLite and secrets live (".kubeground")
DATABASE_URL          postgres://user:password@host:port/name; SQLite in the data directory if unset
"""

from __future__ import annotations

import os
from pathlib import Path

from playground.databases import database_settings

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("KUBEGROUND_DATA_DIR", ".kubeground")).resolve()

SECRET_KEY = os.environ.get("KUBEGROUND_SECRET_KEY", "development-only")
DEBUG = False
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = ["apiserver"]
DATABASES = {"default": database_settings(os.environ.get("DATABASE_URL", ""), DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = "UTC"
