#!/usr/bin/env bash
# The linter and all tests. Installs what is missing first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/setup.sh tests
if [ -x .venv/bin/python ]; then export INFRABENCH_PYTHON="$PWD/.venv/bin/python"; fi

swift format lint --strict --recursive Package.swift Sources Tests
exec swift test "$@"
