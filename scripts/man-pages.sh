#!/usr/bin/env bash
# Writes the manual pages of the built programs, made of what their --help says.
#   scripts/man-pages.sh DIR              of the programs in .build/release
#   scripts/man-pages.sh DIR PROGRAMS     of those in the directory PROGRAMS
# The pages' date is that of SOURCE_DATE_EPOCH, else of the last commit, so that the same sources give the same pages.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ "$#" -lt 1 ] || [ "$#" -gt 2 ]; then sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 64; fi
directory=$1 programs=${2:-$root/.build/release}
if [ ! -x "$programs/infrabench" ]; then
  echo "error: there is no $programs/infrabench: build it with 'swift build -c release', or name its directory" >&2
  exit 1
fi
mkdir -p "$directory"
seconds=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
date=$(date -u -d "@$seconds" +%F)
version=$("$programs/infrabench" --version)

# infrabench names the tools; the two programs beside it have pages too.
tools=$("$programs/infrabench" --experimental-dump-help |
  python3 -c 'import json, sys; [print("bench-" + s["commandName"]) for s in json.load(sys.stdin)["command"]["subcommands"] if s["commandName"] != "help"]')
for name in infrabench $tools mock-gateway warm-task; do
  # The command's parts as data, and its usage, which is in the text alone. A wide terminal keeps each usage on its line.
  "$programs/$name" --experimental-dump-help |
    python3 -B "$root/scripts/man_page.py" --name "$name" --version "$version" --date "$date" \
      --usage "$(COLUMNS=1000 "$programs/$name" --help | sed -n '/^USAGE: /,/^$/p')" \
      --others "infrabench $(echo $tools) mock-gateway warm-task" >"$directory/$name.1"
done
