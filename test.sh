#!/usr/bin/env bash
# The linter and the tests. Installs what is missing first.
#   ./test.sh            the fast suite: some minutes
#   ./test.sh --all      everything, as CI runs it: also the tests that take longest, as do those that --filter names
#   ./test.sh --peers    installs first the foreign programs (nginx, haproxy, Node …) without which some tests are skipped
# Other arguments go to `swift test`, such as --filter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

setup=tests others=()
for word; do
  case $word in
    --all) export INFRABENCH_TESTS=all ;;
    --peers) setup=peers ;;
    -h | --help) exec sed -n '2,6s/^# \{0,1\}//p' test.sh ;;
    # Who names tests wants them, however long they take.
    --filter*) export INFRABENCH_TESTS=all; others+=("$word") ;;
    *) others+=("$word") ;;
  esac
done
scripts/setup.sh "$setup"
if [ -x .venv/bin/python ]; then export INFRABENCH_PYTHON="$PWD/.venv/bin/python"; fi

# Many tests run real processes against one another: all at once they would starve each other on a small machine.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-3}

swift format lint --strict --recursive Package.swift Sources Tests
scripts/build.sh --build-tests

output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0
swift test --skip-build "${others[@]}" 2>&1 | tee "$output" || status=$?
# What failed stands thousands of lines above the end: once more, where it is looked for.
if [ "$status" != 0 ]; then
  echo "what failed:"
  awk '/^✘/ { failed = 1 } /^(◇|✔|➜)/ { failed = 0 } failed || /✘ (Test|Suite) / || /(^|: )error: |Fatal error: /' "$output"
fi
exit "$status"
