#!/usr/bin/env bash
# Installs what is missing, builds the suite (release), and becomes bench-suite, with the same options: see --help.
set -euo pipefail
root=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
suite=$root/.build/release/bench-suite

build=true output=results last='' child='' signal=0
for word in "$@"; do
  case $word in
    -h | --help) if [ -x "$suite" ]; then exec "$suite" --help; else exec cat "$root/docs/bench-suite.txt"; fi ;;
    --no-build) build=false ;;
    --output-dir=*) output=${word#*=} ;;
    --) break ;;
  esac
  if [ "$last" = --output-dir ]; then output=$word; fi
  last=$word
done

# run COMMAND...: runs it to its end, a signal's too. Where it fails no verdict of an earlier run is left to be taken for this one's.
run() {
  local status=0
  "$@" <&0 &
  child=$!
  while wait "$child" || status=$?; kill -0 "$child" 2>/dev/null; do :; done
  [ "$status$signal" != 00 ] || return 0
  rm -f -- "$output/summary.md" "$output/summary.json" "$output/junit.xml"
  if [ "$signal" = 0 ]; then echo "error: '$*' failed" >&2 && exit 1; else exit $((128 + signal)); fi
}
for number in 1 2 3 15; do trap "signal=$number; kill -TERM \$child 2>/dev/null || true" "$number"; done

if $build; then
  # Wrong options are found before a build where the program is as new as its sources.
  if [ -x "$suite" ] && [ -z "$(find "$root/Package.swift" "$root/Sources" -newer "$suite" -print -quit)" ]; then
    "$suite" --check "$@" || exit
  fi
  run "$root/scripts/setup.sh" && run swift build --package-path "$root" -c release --quiet
fi
[ -x "$suite" ] || { echo "error: there is no $suite: leave --no-build out" >&2 && exit 1; }
trap - 1 2 3 15 && exec "$suite" "$@"
