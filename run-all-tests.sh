#!/usr/bin/env bash
# Installs what is missing, builds the suite (release), and becomes bench-suite, with the same options: see --help.
set -euo pipefail
root=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
suite=$root/.build/release/bench-suite

build=true
for word in "$@"; do
  case $word in
    -h | --help) if [ -x "$suite" ]; then exec "$suite" --help; else exec cat "$root/docs/bench-suite.txt"; fi ;;
    --no-build) build=false ;;
    --) break ;;
  esac
done

# run COMMAND...: runs it to its end; a signal to this script alone ends the command too.
child='' signal=0
run() {
  local status=0
  "$@" <&0 &
  child=$!
  while wait "$child" || status=$?; kill -0 "$child" 2>/dev/null; do :; done
  if [ "$signal" != 0 ]; then exit $((128 + signal)); fi
  if [ "$status" != 0 ]; then echo "error: '$*' failed" >&2 && exit 1; fi
}
for number in 1 2 3 15; do trap "signal=$number; kill -TERM \$child 2>/dev/null || true" "$number"; done

if $build; then
  # Wrong options are found before a build where the program is as new as its sources.
  if [ -x "$suite" ] && [ -z "$(find "$root/Package.swift" "$root/Sources" -newer "$suite" -print -quit)" ]; then
    "$suite" --check "$@" || exit
  fi
  run "$root/scripts/setup.sh"
  run swift build --package-path "$root" -c release --quiet
fi
[ "$signal" = 0 ] || exit $((128 + signal))
trap - 1 2 3 15
exec "$suite" "$@"
