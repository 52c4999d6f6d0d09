"""Windows' own security options of pods and containers: service accounts of domains, users."""

from __future__ import annotations

import re

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid
from apimachinery.validation.names import is_dns1123_subdomain
from apiserver.registry.podspec.checks import obey

_MAX_CREDENTIALS_KIB = 64
_MAX_DOMAIN = 256  # exclusive
_MAX_USER = 104
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NETBIOS = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ONLY_DOTS = re.compile(r"[. ]+")
_NOT_IN_USERS = '"/\\:;|=,+*?<>@[]'


def windows_errors(options: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a securityContext's windowsOptions."""
    name = options.get("gmsaCredentialSpecName")
    if name is not None:
        yield from obey(is_dns1123_subdomain, name, path / "gmsaCredentialSpecName")
    spec, where = options.get("gmsaCredentialSpec"), path / "gmsaCredentialSpec"
    if spec is not None and not spec:
        yield invalid(where, spec, "gmsaCredentialSpec cannot be an empty string")
    elif spec and len(spec.encode()) > _MAX_CREDENTIALS_KIB * 1024:
        why = f"gmsaCredentialSpec size must be under {_MAX_CREDENTIALS_KIB} KiB"
        yield invalid(where, spec, why)
    user = options.get("runAsUserName")
    if user is not None:
        for why in _user_errors(user):
            yield invalid(path / "runAsUserName", user, f"runAsUserName{why}")


def _user_errors(name: str) -> list[str]:
    """Return what is wrong with USER or DOMAIN\\USER."""
    if not name:
        return [" cannot be an empty string"]
    if _CONTROL.search(name):
        return [" cannot contain control characters"]
    if name.count("\\") > 1:
        return [" cannot contain more than one backslash"]
    domain, backslash, user = name.rpartition("\\")
    found = []
    if len(domain.encode()) >= _MAX_DOMAIN:
        found.append(f"'s Domain length must be under {_MAX_DOMAIN} characters")
    if backslash and not (_NETBIOS.fullmatch(domain) or _DOMAIN.fullmatch(domain)):
        found.append("'s Domain doesn't match the NetBios nor the DNS format")
    if not user:
        found.append("'s User cannot be empty")
    elif len(user.encode()) > _MAX_USER:
        found.append(f"'s User length must not be longer than {_MAX_USER} characters")
    if _ONLY_DOTS.fullmatch(user):
        found.append("'s User cannot contain only periods or spaces")
    if any(char in _NOT_IN_USERS for char in user):
        found.append(f"'s User cannot contain the following characters: {_NOT_IN_USERS}")
    return found
