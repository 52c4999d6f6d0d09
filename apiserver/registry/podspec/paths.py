"""Paths of files inside volumes and containers: never out of where they belong."""

from __future__ import annotations

from apimachinery.validation.field import FieldErrors, Path, invalid


def no_backsteps(target: str, path: Path) -> FieldErrors:
    if ".." in target and ".." in target.split("/"):
        yield invalid(path, target, "must not contain '..'")


def local_descending_path(target: str, path: Path) -> FieldErrors:
    """Check that a path is relative and stays below where it starts."""
    if target.startswith("/"):
        yield invalid(path, target, "must be a relative path")
    yield from no_backsteps(target, path)


def local_path(target: str, path: Path) -> FieldErrors:
    """Check a file's path in a volume: `..data` and the like are the kubelet's own names."""
    yield from local_descending_path(target, path)
    if target.startswith("..") and not target.startswith("../"):
        yield invalid(path, target, "must not start with '..'")
