#!/usr/bin/env bash
# Run the tests: `unit` (no processes), `e2e` (real clients, servers and browsers), or `all`, with
# lint and the front end's own. Playwright leaves a running event loop behind, so the browser's
# tests have a process to themselves. The last line sums everything up.
set -uo pipefail
cd "$(dirname "$0")/.." && export PATH="$PWD/.venv/bin:$PATH"
what=${1:-all}
failed=0
results=.build/test-results
rm -rf "$results" && mkdir -p "$results"

run() {
    local name=$1
    shift
    python -m pytest --junit-xml="$results/$name.xml" "$@" ${PYTEST_ARGS:-} || failed=1
}

if [ "$what" = all ]; then
    echo "Lint"
    scripts/lint.sh || failed=1
    echo "Front end"
    npm run --silent test || failed=1
fi
if [ "$what" != e2e ]; then
    # Side by side, file by file: these start no servers, and wait for nothing that others take.
    run unit -m "not e2e" --ignore=tests/e2e --ignore=tests/browser \
        --numprocesses auto --maxprocesses 4 --dist loadfile
fi
if [ "$what" != unit ]; then
    # Two at a time, each file with servers of its own: these wait for their programs most of the time.
    run clients tests/e2e --numprocesses auto --maxprocesses 2 --dist loadfile
    run browser tests/browser
fi
python scripts/sum_results.py "$results" || failed=1
exit $failed
