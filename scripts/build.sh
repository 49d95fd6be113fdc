#!/usr/bin/env bash
# swift build with these arguments. A first build takes minutes, so standard error says what happens: on a terminal SwiftPM's
# own moving line, elsewhere one of its steps every 10 s, and at once all that is no step (warnings, errors, what is fetched).
set -euo pipefail

printf 'building: minutes the first time, less than one after a small change\n' >&2
if [ -t 2 ]; then exec swift build "$@" >&2; fi

swift build "$@" 2>&1 | {
  # A signal is the build's, which says how it ends; these lines have to be read until then.
  trap '' INT
  next=0
  while IFS= read -r line; do
    case $line in
      \[*)
        if [ "$SECONDS" -lt "$next" ]; then continue; fi
        next=$((SECONDS + 10))
        ;;
    esac
    printf '%s\n' "$line"
  done
} >&2
