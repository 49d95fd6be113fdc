#!/bin/sh
# Plays each preset of faults against the embedded gateway, while users come and go, and checks what must hold.
#
#   scripts/verify-presets.sh [DURATION] [DIRECTORY]
#
# DURATION is that of each preset (2m); results go to DIRECTORY (results). The programs are those of `swift build -c
# release`, or of the directory BIN. Ends with 99 where something was violated, with 1 where a preset could not be played.
set -u
cd "$(dirname "$0")/.." || exit 1
duration=${1:-2m}
directory=${2:-results}
bin=${BIN:-.build/release}
worst=0
for preset in task-death ready-race gateway-stall start-storm aws-throttle reconnect-storm all; do
  echo "== $preset"
  "$bin/bench-verify" --check churn --faults "$preset" --duration "$duration" --rate 8/s --label "$preset" \
    --output-dir "$directory" --format json,md,html,junit
  status=$?
  # An interrupted run ends the script: the next preset was not asked for.
  case $status in
    0) ;;
    129 | 130 | 131 | 143) exit $status ;;
    99) [ $worst -eq 1 ] || worst=99 ;;
    *) worst=1 ;;
  esac
done
exit $worst
