"""Settings: everything that differs between a laptop and a data centre comes from the environment.

KUBEGROUND_DATA_DIR       where SQLite and secrets live (".kubeground")
DATABASE_URL              postgres://user:password@host:port/name; SQLite in the data directory
KUBEGROUND_SITE_URL       where browsers reach the site ("http://127.0.0.1:8000")
KUBEGROUND_API_URL        where the cluster worker answers ("https://127.0.0.1:6443")
KUBEGROUND_BIND           the address that both listen on ("127.0.0.1")
KUBEGROUND_ALLOWED_HOSTS  further names of the site, separated by commas
KUBEGROUND_PROXIES        proxies before the site that add to X-Forwarded-For and set -Proto ("0")
KUBEGROUND_CLUSTER_LIMIT  clusters that a learner may have at once ("3")
KUBEGROUND_CLUSTER_HOURS  hours after which the cluster of a learner is paused ("0": never)
KUBEGROUND_WEBHOOK_HOSTS  hosts outside that admission webhooks may be at, separated by commas
KUBEGROUND_OIDC_...       sign-in by an OpenID provider: playground/accounts/oidc_settings.py
KUBEGROUND_SHELLS         the local socket of the terminals' shells (in the data directory)
KUBEGROUND_TERMINAL_PER_USER, _IN_ALL     terminals that may run at once ("8", "64")
KUBEGROUND_TERMINAL_DETACHED, _IDLE       seconds after which one ends that nobody looks at, or that
                          nothing happens in ("600", "14400")
KUBEGROUND_SECRET_KEY     Django's secret key, instead of the file in the data directory
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from playground.accounts.oidc_settings import read_oidc
from playground.databases import database_settings
from playground.instance import Instance

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("KUBEGROUND_DATA_DIR", ".kubeground")).resolve()

SITE_URL = os.environ.get("KUBEGROUND_SITE_URL", "http://127.0.0.1:8000")
API_URL = os.environ.get("KUBEGROUND_API_URL", "https://127.0.0.1:6443")
SHELLS_SOCKET = os.environ.get("KUBEGROUND_SHELLS", str(DATA_DIR / "shells.sock"))
BIND = os.environ.get("KUBEGROUND_BIND", "127.0.0.1")
PROXIES = int(os.environ.get("KUBEGROUND_PROXIES", "0"))
OIDC = read_oidc(os.environ)
CLUSTER_HOURS = float(os.environ.get("KUBEGROUND_CLUSTER_HOURS", "0"))
CLUSTERS_PER_LEARNER = int(os.environ.get("KUBEGROUND_CLUSTER_LIMIT", "3"))


def _secret_key() -> str:
    """Return the instance's key; before `prepare` only commands run that sign nothing."""
    file = Instance(DATA_DIR).django_key_file
    if named := os.environ.get("KUBEGROUND_SECRET_KEY"):
        return named
    return file.read_text().strip() if file.exists() else "development-only"


def _allowed_hosts() -> list[str]:
    """Return the names under which a browser may ask for the site."""
    named = os.environ.get("KUBEGROUND_ALLOWED_HOSTS", "").split(",")
    hosts = ["localhost", "127.0.0.1", "[::1]", BIND, urlsplit(SITE_URL).hostname or ""]
    wildcards = {"", "0.0.0.0", "::"}  # noqa: S104 - left out, not bound
    return [
        host for host in dict.fromkeys(map(str.strip, (*hosts, *named))) if host not in wildcards
    ]


SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = _allowed_hosts()
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL.startswith("https://") else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "apiserver",
    "playground",
    "playground.accounts",
    "playground.sandboxes",
    "playground.objects",
    "playground.topology",
    "playground.history",
    "playground.workspace",
    "playground.terminal",
    "playground.tracing",
    "playground.overview",
    "playground.editor",
]

MIDDLEWARE = [
    "playground.accounts.headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "playground.accounts.sessions.Lifetime",
    "playground.accounts.viewing.ViewAs",
    "playground.workspace.preferences.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "playground.sandboxes.middleware.UpstreamProblems",
]

if OIDC is not None:
    # django-allauth is loaded by an instance that has a provider, and by no other.
    INSTALLED_APPS += [
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.socialaccount.providers.openid_connect",
    ]
    MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
    SOCIALACCOUNT_ADAPTER = "playground.accounts.oidc.Adapter"
    SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [OIDC.app()]}}

ROOT_URLCONF = "playground.urls"
ASGI_APPLICATION = "playground.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "playground.sandboxes.context.frame",
                "playground.history.past.context",
                "playground.workspace.preferences.context",
            ],
        },
    },
]

DATABASES = {"default": database_settings(os.environ.get("DATABASE_URL", ""), DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Accounts
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# A port is no part of a cookie's scope: two instances on one machine need two names.
_PORT = urlsplit(SITE_URL).port or 443
SESSION_ENGINE = "playground.accounts.sessions"
SESSION_COOKIE_NAME = f"kubeground_session_{_PORT}"
SESSION_COOKIE_SECURE = SITE_URL.startswith("https://")
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_NAME = f"kubeground_csrf_{_PORT}"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "playground.accounts.views.csrf_failure"
# A proxy ends TLS for us: what it says of the scheme is believed only if there is one.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True

# One process holds the counters of sign-in attempts: a site per machine is enough for that.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "playground.accounts.authentication.AdminTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "playground.sandboxes.errors.answer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Kubeground",
    "DESCRIPTION": "Clusters of the playground. The Kubernetes API of each is at its `server`.",
    "VERSION": "v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    # Fields of one name with other choices.
    "ENUM_NAME_OVERRIDES": {
        "ClusterStateEnum": ["running", "paused"],
        "FailureStateEnum": ["began", "ended"],
        "HealthEnum": "playground.overview.health.LEVELS",
    },
}

# Static files: dist/ is built by `node build.mjs`, with a hash in each name.
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]

# Texts
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LANGUAGE_COOKIE_NAME = "kubeground_language"
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
