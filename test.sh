#!/usr/bin/env bash
# The linter and all tests. Installs what is missing first. With --peers first also nginx, haproxy and Node's express and ws,
# without which the tests behind proxies and against gateways in Node are skipped. Other arguments go to `swift test`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ "${1:-}" = --peers ]; then
  shift
  scripts/setup.sh peers
else
  scripts/setup.sh tests
fi
if [ -x .venv/bin/python ]; then export INFRABENCH_PYTHON="$PWD/.venv/bin/python"; fi

# Many tests run real processes against one another: all at once they would starve each other on a small machine.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-3}

swift format lint --strict --recursive Package.swift Sources Tests

output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0
swift test "$@" 2>&1 | tee "$output" || status=$?
# What failed stands thousands of lines above the end: once more, where it is looked for.
if [ "$status" != 0 ]; then
  echo "what failed:"
  awk '/^✘/ { failed = 1 } /^(◇|✔|➜)/ { failed = 0 } failed || /✘ (Test|Suite) / || /(^|: )error: |Fatal error: /' "$output"
fi
exit "$status"
