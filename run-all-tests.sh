#!/usr/bin/env bash
# Builds the suite if needed, runs every benchmark, and writes one summary.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'TEXT'
usage: run-all-tests.sh [--quick] [--skip-efs] [--repeat N] [--output-dir DIR]

Runs bench-allocation, bench-dirinit, bench-e2e, bench-concurrent, bench-exhaustion and bench-api one after another, against an
embedded gateway, or against a real one where the environment names it:
  GATEWAY_URL               the gateway (draining it needs CONFIRM_DRAIN with its host name)
  CLUSTER, SERVICE, REGION  the ECS service behind it (a gateway without one: bench-api is skipped); bench-exhaustion drains
                            through the gateway, so that it needs GATEWAY_URL beside CLUSTER or AWS_ENDPOINT_URL, else it
                            is skipped, and bench-api alone measures that ECS

  --quick           fewer iterations: under 90 seconds after the build
  --skip-efs        leave bench-dirinit out
  --repeat N        N runs apart of each tool, 1 to 1000: with 5 a day or more, days can be told apart (default: 1)
  --output-dir DIR  where results go (default: results)

Writes DIR/<date>/... for each tool, and DIR/summary.md, DIR/summary.json, DIR/junit.xml. Goes on after a failed tool.
If DIR has results of a day before this run's first result, this run's results are compared with all of the latest such day: on
standard output and in summary.md. Where GITHUB_STEP_SUMMARY is set summary.md is appended to that file.
Neither has a say in the exit status.
Exit status: the worst of the tools': 129/130/131/143 interrupted, 64 wrong usage, 1 failed, 99 a threshold crossed, 0.
TEXT
}

quick=false skip_efs=false output=results repeat=() problems=()

# count TEXT: takes the number of runs.
count() {
  if [[ $1 =~ ^([1-9][0-9]{0,2}|1000)$ ]]; then repeat=(--repeat "$1")
  else problems+=("--repeat: '$1' is wrong: write a whole number from 1 to 1000"); fi
}

while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=true ;;
    --skip-efs) skip_efs=true ;;
    --output-dir)
      if [ $# -lt 2 ] || [ -z "$2" ]; then problems+=("--output-dir: write a directory's path after it"); else output=$2; shift; fi ;;
    --output-dir=?*) output=${1#*=} ;;
    --repeat)
      if [ $# -lt 2 ]; then problems+=("--repeat: write a whole number after it"); else count "$2"; shift; fi ;;
    --repeat=*) count "${1#*=}" ;;
    -h | --help) usage; exit 0 ;;
    *) problems+=("'$1' is unknown: see run-all-tests.sh --help") ;;
  esac
  shift
done
if [ -e "$output" ] && [ ! -d "$output" ]; then problems+=("--output-dir: '$output' is no directory"); fi
if [ "${#problems[@]}" -gt 0 ]; then
  printf 'error: %s\n' "${problems[@]}" >&2
  exit 64
fi

signal=0
trap 'signal=130' INT
trap 'signal=131' QUIT
# One that was ignored at the start, as under nohup, stays ignored.
trap 'signal=129; if [ -n "${tool_pid:-}" ]; then kill -HUP "$tool_pid" 2>/dev/null || true; fi' HUP
trap 'signal=143; if [ -n "${tool_pid:-}" ]; then kill -TERM "$tool_pid" 2>/dev/null || true; fi' TERM

(cd "$root" && scripts/setup.sh)
(cd "$root" && swift build -c release --quiet) || {
  if [ "$signal" = 0 ]; then echo "error: the build failed" >&2; signal=1; fi
}
if [ "$signal" != 0 ]; then exit "$signal"; fi
bin=$(cd "$root" && swift build -c release --show-bin-path)

mkdir -p "$output"
outcomes=()
# What the tools wrote, and the day of the first of it, as its folder is called.
written=() today=

# results TOOL: the names of all that it has written so far, as far as folders can be read.
results() { { find "$output" -name "*Z-$1*.json" 2>/dev/null || true; } | sort; }

# run TOOL OPTION...: runs one tool, whatever comes of it, and notes its status and its result files.
run() {
  local tool=$1 status=0 before files file
  shift
  if [ "$signal" != 0 ]; then outcomes+=("$tool=not run"); return; fi
  printf '\n==> %s\n' "$tool $*" >&2
  before=$(results "$tool")
  "$bin/$tool" --output-dir "$output" "${repeat[@]}" "$@" &
  tool_pid=$!
  # A signal ends the waiting early: the tool itself writes what it has, and is waited for again.
  wait "$tool_pid" || status=$?
  while kill -0 "$tool_pid" 2>/dev/null; do status=0; wait "$tool_pid" || status=$?; done
  tool_pid=
  mapfile -t files < <(comm -13 <(printf '%s\n' "$before") <(results "$tool"))
  if [ "${#files[@]}" = 0 ]; then files=(''); fi
  # Several runs are several files; without --repeat the latest is the run's.
  if [ "${#repeat[@]}" = 0 ]; then files=("${files[-1]}"); fi
  for file in "${files[@]}"; do
    outcomes+=("$tool=$status=$file")
    if [ -n "$file" ]; then written+=("$file"); fi
  done
  if [ -z "$today" ] && [ -n "${files[0]}" ]; then today=$(basename "$(dirname "${files[0]}")"); fi
  case $status in 129 | 130 | 131 | 143) signal=$status ;; esac
}

# skip TOOL REASON: notes a tool that is not run.
skip() {
  printf '\n==> %s is skipped: %s\n' "$1" "$2" >&2
  outcomes+=("$1=skipped=$2")
}

# compare: this run's results with the latest earlier day's, to standard output and summary.md. Never fails.
compare() {
  local day earlier='' links=''
  if [ -z "$today" ] || [ "$signal" != 0 ] || [ ! -f "$output/summary.md" ]; then return 0; fi
  for day in "$output"/[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]/; do
    day=$(basename "$day")
    if [[ $day < $today && -n $(find "$output/$day" -maxdepth 1 -name '*.json' 2>/dev/null) ]]; then earlier=$day; fi
  done
  if [ -z "$earlier" ]; then return 0; fi
  printf '\n==> comparison with %s\n' "$earlier" >&2
  # bench-compare takes a folder: one of links, as the day's own may have other runs, or not all of one past midnight.
  local new="this run of $today"
  if links=$(mktemp -d) && link "$links" "$earlier" "$new"; then compare_folders "$links" "$earlier" "$new"
  else printf 'note: without a temporary folder nothing is compared\n' >&2; fi
  if [ -n "$links" ]; then rm -rf "$links"; fi
}

# compare_folders DIR OLD NEW: what bench-compare says of two folders of DIR.
compare_folders() {
  local table
  if (cd "$1" && "$bin/bench-compare" --print text "$2" "$3") &&
    table=$(cd "$1" && "$bin/bench-compare" --print md "$2" "$3" 2>/dev/null); then
    append "$table"
  else
    printf 'note: %s and %s could not be compared\n' "$2" "$3" >&2
    append "## Compared with $2" "The results could not be compared; standard error of the run says why."
  fi
}

# link DIR EARLIER NEW: makes DIR/NEW/<date>/..., links to this run's results, and DIR/EARLIER, a link to that day's folder.
link() {
  local file day
  ln -s "$(realpath "$output/$2")" "$1/$2" || return 1
  for file in "${written[@]}"; do
    day="$1/$3/$(basename "$(dirname "$file")")"
    mkdir -p "$day" && ln -s "$(realpath "$file")" "$day/" || return 1
  done
}

# append TEXT...: paragraphs at the end of summary.md, which a reader sees before or after and never in between.
append() {
  local text
  { cat "$output/summary.md" && for text in "$@"; do printf '\n%s\n' "$text"; done; } >"$output/summary.md.tmp" &&
    mv "$output/summary.md.tmp" "$output/summary.md" ||
    printf 'note: the comparison could not be added to %s\n' "$output/summary.md" >&2
}

# publish: the summary on the page of a GitHub job. Never fails.
publish() {
  if [ -z "${GITHUB_STEP_SUMMARY:-}" ] || [ ! -f "$output/summary.md" ]; then return 0; fi
  { cat "$output/summary.md" >>"$GITHUB_STEP_SUMMARY"; } 2>/dev/null ||
    printf 'note: GITHUB_STEP_SUMMARY: %s cannot be written\n' "$GITHUB_STEP_SUMMARY" >&2
}

$quick && allocations=20 directories=20 sessions=10 bursts=1 calls=10 || { allocations=100 directories=100 sessions=50 bursts=5 calls=50; }
drain=(); if [ -n "${CONFIRM_DRAIN:-}" ]; then drain=(--confirm-drain "$CONFIRM_DRAIN"); fi

run bench-allocation --count "$allocations"
if $skip_efs; then skip bench-dirinit "--skip-efs"; else run bench-dirinit --count "$directories"; fi
run bench-e2e --count "$sessions"
run bench-concurrent --beyond 3 --bursts "$bursts"
# The variables that name a real ECS, as the tools see it.
ecs=(); for name in CLUSTER AWS_ENDPOINT_URL_ECS AWS_ENDPOINT_URL; do if [ -n "${!name:-}" ]; then ecs+=("$name"); fi; done
if [ -z "${GATEWAY_URL:-}" ] && [ "${#ecs[@]}" -gt 0 ]; then
  skip bench-exhaustion "${ecs[*]} set without GATEWAY_URL: a pool is drained through its gateway"
else
  run bench-exhaustion "${drain[@]}"
fi
# Beside a real gateway the embedded one's ECS would say nothing about it.
if [ -n "${GATEWAY_URL:-}" ] && [ "${#ecs[@]}" = 0 ] && [ -z "${SERVICE:-}" ]; then
  skip bench-api "GATEWAY_URL set without CLUSTER or SERVICE: which ECS is behind it is not known"
else
  run bench-api --iterations "$calls"
fi

printf '\n==> summary\n' >&2
status=0
"$bin/suite-summary" --output-dir "$output" "${outcomes[@]}" || status=$?
compare
publish
printf 'wrote %s, %s and %s\n' "$output/summary.md" "$output/summary.json" "$output/junit.xml" >&2
if [ "$signal" != 0 ]; then exit "$signal"; fi
exit "$status"
