#!/usr/bin/env bash
# Run the tests: `unit` (no processes), `e2e` (real clients, browsers, servers), or `all` with lint.
# The last line is pytest's own, over everything that ran.
set -uo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
failed=0
if [ "$what" = all ]; then
    echo "Lint"
    scripts/lint.sh || failed=1
    echo "Front end"
    npm run --silent test || failed=1
fi
case $what in
    unit) select=(-m "not e2e") ;;
    e2e) select=(-m e2e) ;;
    *) select=() ;;
esac
python -m pytest "${select[@]}" ${PYTEST_ARGS:-} || failed=1
exit $failed
