#!/usr/bin/env bash
# Every linter, all of them even when one fails, so that one run tells everything.
set -uo pipefail
cd "$(dirname "$0")/.." && export PATH="$PWD/.venv/bin:$PATH"
failed=0
check() {
    local name=$1
    shift
    if output=$("$@" 2>&1); then
        printf '  %-28s ok\n' "$name"
    else
        printf '  %-28s FAILED\n%s\n' "$name" "$output"
        failed=1
    fi
}
check "ruff" ruff check .
check "ruff format" ruff format --check --quiet .
check "mypy" mypy
check "import contracts" lint-imports
check "templates" djlint templates --lint --quiet
check "JavaScript" npm run --silent lint
check "spelling" codespell apimachinery apiserver nodes playground ui scripts benchmarks docs templates README.md ARCHITECTURE.md CONTRIBUTING.md CHANGELOG.md SECURITY.md
check "manage.py check" python manage.py check
check "migrations" python manage.py makemigrations --check --dry-run
exit $failed
