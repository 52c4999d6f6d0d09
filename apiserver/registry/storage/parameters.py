"""Names of drivers, and the parameters that are handed to them."""

from __future__ import annotations

from apimachinery.validation.field import FieldErrors, Path, invalid, required, too_long
from apimachinery.validation.names import is_dns1123_subdomain, is_qualified_name
from apiserver.registry.podspec.checks import obey

_MOST = 512
_LARGEST = 256 * 1024
_LONGEST_DRIVER = 63


def driver_name_errors(name: str, path: Path) -> FieldErrors:
    """Yield what is wrong with the name of a CSI driver; its case does not matter."""
    if not name:
        yield required(path)
        return
    if len(name) > _LONGEST_DRIVER:
        yield too_long(path, name, _LONGEST_DRIVER)
    for message in is_dns1123_subdomain(name.lower()):
        yield invalid(path, name, message)


def provisioner_errors(name: str, path: Path) -> FieldErrors:
    """Yield what is wrong with the name of a provisioner."""
    if not name:
        yield required(path)
    else:
        yield from obey(is_qualified_name, name.lower(), path)


def parameter_errors(parameters: dict[str, str], path: Path, *, needed: bool) -> FieldErrors:
    """Yield that parameters are too many, too large, or missing where they are needed."""
    if len(parameters) > _MOST:
        yield too_long(path, "", _MOST)
        return
    if "" in parameters:
        yield invalid(path, "", "field can not be empty.")
    if sum(len(key) + len(value) for key, value in parameters.items()) > _LARGEST:
        yield too_long(path, "", _LARGEST)
    if needed and not parameters:
        yield required(path, "must contain at least one key/value pair")
