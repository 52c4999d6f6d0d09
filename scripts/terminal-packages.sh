#!/usr/bin/env bash
# Have what terminals in the browser need. It never fails: without it only the terminals are missing,
# and their page says so.
set -uo pipefail
there() { command -v bwrap >/dev/null && command -v busybox >/dev/null; }
if ! command -v dpkg-query >/dev/null; then
    there || echo "Terminals in the browser need bubblewrap and busybox: install them with your package manager." >&2
elif ! "$(dirname "$0")/system-packages.sh" "$@" && ! there; then
    echo "Without these packages the browser offers no terminal. Everything else works." >&2
fi
exit 0
