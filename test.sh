#!/usr/bin/env bash
# The linter and all tests. Installs what is missing first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/setup.sh tests
if [ -x .venv/bin/python ]; then export INFRABENCH_PYTHON="$PWD/.venv/bin/python"; fi

# Many tests run real processes against one another: all at once they would starve each other on a small machine.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-3}

swift format lint --strict --recursive Package.swift Sources Tests
exec swift test "$@"
