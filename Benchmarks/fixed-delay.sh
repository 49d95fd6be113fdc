#!/usr/bin/env bash
# How true the tools' figures are: each of them against a gateway that answers every acquire after exactly 5 ms.
# Prints P50 (which should be 5 ms and the loopback's own time) and the peak memory of each tool. Needs a release build and a
# quiet machine; the gateway's tasks live in its memory, so that starting their processes doesn't disturb what is measured.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=$(cd "$root" && swift build -c release --show-bin-path)
work=$(mktemp -d)

# The gateway serves until the descriptor that is its standard input is closed.
coproc gateway { exec "$bin/mock-gateway" --port 0 --pool-size 8 --max-tasks 64 --task-start-delay 50ms --virtual-tasks --acquire-delay 5ms --lifeline; }
trap 'eval "exec ${gateway[1]}>&-"; wait "$gateway_PID" 2>/dev/null || true; rm -rf "$work"' EXIT
read -r ready <&"${gateway[0]}"
url=$(printf '%s' "$ready" | sed -n 's/.*"gatewayUrl" *: *"\([^"]*\)".*/\1/p')

field() { # FILE METRIC FIELD: one figure of a result
  python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(d["metrics"][sys.argv[2]][sys.argv[3]])' "$1" "$2" "$3"
}

printf '%-18s %-12s %6s %10s %10s %12s\n' tool metric count 'P50 ms' 'P99 ms' 'peak RSS MB'
row() { # TOOL METRIC OPTION...
  local tool=$1 metric=$2 status=0 memory
  shift 2
  GATEWAY_URL=$url python3 - "$bin/$tool" "$@" --no-default-thresholds --print json --quiet --output-dir "$work" \
    > "$work/out.json" 2> "$work/memory" <<'PY' || status=$?
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
sys.exit(status)
PY
  memory=$(tail -n 1 "$work/memory")
  printf '%-18s %-12s %6s %10.3f %10.3f %12s%s\n' "$tool" "$metric" "$(field "$work/out.json" "$metric" count)" \
    "$(field "$work/out.json" "$metric" p50)" "$(field "$work/out.json" "$metric" p99)" "$memory" \
    "$([ "$status" = 0 ] || echo "  (exit $status)")"
}

row bench-allocation allocation --count 200
row bench-e2e acquire --count 50
row bench-concurrent warm --concurrency 1 --bursts 25
# Four at once: the gateway reads requests one after the other, so that the last one's 5 ms begin later.
row bench-concurrent warm --concurrency 4 --bursts 25
row bench-exhaustion drain --poll-interval 100ms --drain-count 1 --no-cold-fallback
