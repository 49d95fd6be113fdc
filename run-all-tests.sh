#!/usr/bin/env bash
# Installs what is missing, builds the suite (release), and becomes bench-suite, with the same options: see --help.
set -euo pipefail
root=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
suite=$root/.build/release/bench-suite program=$root/.build/release/infrabench
build=true output=results last=''
for word in "$@"; do
  case $word in
    -h | --help) if [ -x "$suite" ]; then exec "$suite" --help; else exec cat "$root/docs/bench-suite.txt"; fi ;;
    --version) [ ! -x "$suite" ] || exec "$suite" --version ;;
    --no-build) build=false ;;
    --output-dir=*) output=${word#*=} ;;
    --) break ;;
  esac
  if [ "$last" = --output-dir ]; then output=$word; fi
  last=$word
done
# An earlier run's verdict could be taken for this one's, and is removed before anything can fail. If not even that works: wrong usage.
forget() { rm -f -- "$output/summary.md" "$output/summary.json" "$output/junit.xml" || return 64; }
# run COMMAND...: in the background, because a signal ends only such a wait. A script's background commands ignore SIGINT unless reset.
run() { env --default-signal=INT,QUIT "$@" <&0 & wait $! || { echo "error: '$*' failed" >&2 && exit 1; }; }
# tree PID...: these processes and all below them, in whatever process groups, as compilers have their own.
tree() { for pid; do echo "$pid" && tree $(cat "/proc/$pid/task/"*/children 2>/dev/null); done; }
# stop SIGNAL: ends what runs, first by SIGINT, the only one on which swift build ends its compilers, then harder every 3 s.
stop() {
  trap '' 1 2 3 15
  for name in INT TERM KILL; do
    processes="${processes:-} $(tree $(jobs -pr))" && kill -s "$name" $processes 2>/dev/null || true
    for _ in {1..30}; do [ -z "$(jobs -pr)" ] || sleep 0.1; done
  done
  forget || true; exit $((128 + $1))
}
for number in 1 2 3 15; do trap "stop $number" "$number"; done
# The suite's own file is a launcher, as old as ever; the program that it becomes is as new as the last build, or not there.
old() { $build && [ -n "$(find "$root/Package.swift" "$root/Sources" -newer "$program" -print -quit 2>&1)" ]; }
# Wrong options are found first, where the program is as new as its sources or is not to be built: they leave all as it is.
[ ! -x "$suite" ] || old || "$suite" --check "$@" || exit; forget
if $build; then run "$root/scripts/setup.sh"; run swift build --package-path "$root" -c release --quiet; fi
[ -x "$suite" ] || { echo "error: there is no $suite: leave --no-build out" >&2 && exit 1; }
trap - 1 2 3 15 && exec "$suite" "$@"
