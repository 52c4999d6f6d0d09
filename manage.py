#!/usr/bin/env python
"""Django's command line: `python manage.py playground` serves everything."""

import os
import sys
from pathlib import Path


def data_dir(arguments: list[str]) -> str | None:
    """Return the value of --data-dir: settings need it before Django parses arguments."""
    for position, argument in enumerate(arguments):
        if argument == "--data-dir" and position + 1 < len(arguments):
            return arguments[position + 1]
        if argument.startswith("--data-dir="):
            return argument.partition("=")[2]
    return None


def main() -> None:
    """Run a command of Django's or of ours."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
    if named := data_dir(sys.argv):
        os.environ["KUBEGROUND_DATA_DIR"] = str(Path(named).resolve())
    if sys.argv[1:2] == ["playground"]:
        from playground.instance import Instance  # noqa: PLC0415

        Instance(Path(os.environ.get("KUBEGROUND_DATA_DIR", ".kubeground")).resolve()).prepare()
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
