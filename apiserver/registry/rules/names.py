"""Names that carry a domain, as generators of field errors."""

from __future__ import annotations

import re

from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.validation.names import is_dns1123_subdomain, is_path_segment, regex_error
from apiserver.registry.podspec.checks import obey

_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_http_path_re = re.compile(_HTTP_PATH)
_LEAST_SEGMENTS = 3


def domain_prefixed_path_errors(value: str, path: Path) -> FieldErrors:
    """Yield what is wrong with `example.com/some/path`."""
    if not value:
        yield required(path)
        return
    host, _, rest = value.partition("/")
    if not host or not rest:
        yield invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')
        return
    yield from obey(is_dns1123_subdomain, host, path)
    if not _http_path_re.fullmatch(rest):
        yield invalid(path, rest, regex_error("Invalid path", _HTTP_PATH))


def fully_qualified_name_errors(value: str, path: Path) -> FieldErrors:
    """Yield what is wrong with a name of three or more segments: `a.example.com`."""
    if not value:
        yield required(path)
        return
    if wrong := is_dns1123_subdomain(value):
        yield invalid(path, value, ",".join(wrong))
    elif value.count(".") < _LEAST_SEGMENTS - 1:
        yield invalid(
            path, value, "should be a domain with at least three segments separated by dots"
        )


def path_segment_errors(value: str, path: Path, detail: str = "") -> FieldErrors:
    """Yield that a value is missing, or cannot be one segment of a URL's path."""
    if not value:
        yield required(path, detail)
    else:
        yield from obey(is_path_segment, value, path)
