#!/usr/bin/env bash
# Make a virtual environment. Debian keeps `ensurepip` in a package of its own: fetch it if it is
# missing and we may, say how otherwise.
set -euo pipefail
python=$1 venv=$2
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if ! "$(dirname "$0")/system-packages.sh" "python$version-venv"; then
        echo "Python's venv module is missing. Install it with: apt-get install python$version-venv" >&2
        exit 1
    fi
fi
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip
