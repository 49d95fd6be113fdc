#!/usr/bin/env bash
# Installs what a build needs and is missing. Debian packages only; says the exact command where it cannot.
#   scripts/setup.sh               what building and running needs
#   scripts/setup.sh packages      also what scripts/release.sh needs
#   scripts/setup.sh bare-systems  only what scripts/test-packages.sh needs (debootstrap)
#   scripts/setup.sh tests         also what the tests use where it is there (Python packages in .venv)
#   scripts/setup.sh peers         also what some tests drive that nobody here wrote: proxies (nginx, haproxy), and a gateway's
#                                  server (Node with express and ws), the shells whose completions there are (zsh, fish), and
#                                  mandoc for the manual pages, and what starts fleets (Slurm, OpenSSH); starts none of them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }

require_swift() {
  command -v swift >/dev/null || {
    say "error: no 'swift' on the PATH: install a Swift 6.3 toolchain (https://www.swift.org/install/linux/) and run this again."
    exit 1
  }
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  if [ "$(printf '%s\n6.2\n' "$version" | sort -V | head -n 1)" != 6.2 ]; then
    say "error: Swift ${version:-?} is too old: 6.2 or later is needed, 6.3 is what this is tested with."
    exit 1
  fi
}

# Whether the C compiler of the toolchain finds a header.
has_header() { printf '#include <%s>\n' "$1" | clang -E -x c - >/dev/null 2>&1; }

install_packages() {
  local apt=(apt-get install -y --no-install-recommends "$@")
  if ! command -v apt-get >/dev/null; then
    say "error: these are missing, and this is no Debian system: $* (or what they are called here)."
    return 1
  fi
  if [ "$(id -u)" = 0 ]; then
    apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive "${apt[@]}" >&2
  elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    say "installing $*: sudo may ask for your password"
    sudo apt-get update -qq >&2 && sudo DEBIAN_FRONTEND=noninteractive "${apt[@]}" >&2
  else
    say "error: these packages are missing, and only root can install them. Run:"
    say "  sudo apt-get update && sudo ${apt[*]}"
    return 1
  fi
}

if [ "${1:-}" = bare-systems ]; then
  [ -x /usr/sbin/debootstrap ] || install_packages debootstrap
  exit
fi

require_swift
missing=()
has_header curl/curl.h || missing+=(libcurl4-openssl-dev)
has_header zlib.h || missing+=(zlib1g-dev)
if [ "${1:-}" = packages ]; then
  command -v dpkg-shlibdeps >/dev/null || missing+=(dpkg-dev)
  command -v libdeflate-gzip >/dev/null || missing+=(libdeflate-tools)
  command -v python3 >/dev/null || missing+=(python3-minimal)
fi
if [ "${#missing[@]}" -gt 0 ]; then install_packages "${missing[@]}"; fi

# install_without_starting PACKAGE...: Debian's packages of daemons start them, unless a policy forbids it (invoke-rc.d).
install_without_starting() {
  local policy=/usr/sbin/policy-rc.d status=0 as=()
  if [ "$(id -u)" != 0 ]; then as=(sudo); fi
  if [ -e "$policy" ] || ! command -v apt-get >/dev/null; then install_packages "$@"; return; fi
  printf '#!/bin/sh\nexit 101\n' | "${as[@]}" tee "$policy" >/dev/null && "${as[@]}" chmod 755 "$policy" || return 1
  install_packages "$@" || status=$?
  "${as[@]}" rm -f "$policy"
  return "$status"
}

[ "${1:-}" = tests ] || [ "${1:-}" = peers ] || exit 0

# The tests' other implementations are welcome, not needed: without them some tests are skipped, and say so.
python_packages=(hdrhistogram jsonschema prometheus-client websockets boto3 'moto[server]' lxml junitparser markdown-it-py pyyaml simpy)
stamp=".venv/installed-$(printf '%s\n' "${python_packages[@]}" | cksum | cut -d ' ' -f 1)"
if [ ! -e "$stamp" ]; then
  if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    install_packages python3 python3-venv || say "note: without python3-venv some tests are skipped"
  fi
  if python3 -m venv .venv >&2 && .venv/bin/pip install --quiet --disable-pip-version-check "${python_packages[@]}" >&2; then
    touch "$stamp"
  else
    say "note: the Python packages could not be installed: some tests are skipped"
  fi
fi
command -v openssl >/dev/null || install_packages openssl || say "note: without openssl some tests are skipped"
command -v chromium >/dev/null || install_packages chromium || say "note: without chromium HTML reports are not looked at in a browser"

[ "$1" = peers ] || exit 0
missing=()
[ -x /usr/sbin/nginx ] || missing+=(nginx-light)
[ -x /usr/sbin/haproxy ] || missing+=(haproxy)
if [ "${#missing[@]}" -gt 0 ]; then
  install_without_starting "${missing[@]}" || say "note: without ${missing[*]} tests behind proxies are skipped"
fi
missing=()
command -v node >/dev/null || missing+=(nodejs)
# Debian's modules lie where its own node looks for them; the tests show the way to another one.
for module in express ws; do [ -e "/usr/share/nodejs/$module/package.json" ] || missing+=("node-$module"); done
if [ "${#missing[@]}" -gt 0 ]; then
  install_without_starting "${missing[@]}" || say "note: without ${missing[*]} tests against gateways in Node are skipped"
fi
missing=()
for program in zsh fish curl; do command -v "$program" >/dev/null || missing+=("$program"); done
command -v mandoc >/dev/null || missing+=(mandoc)
command -v man >/dev/null || missing+=(man-db)
if [ "${#missing[@]}" -gt 0 ]; then
  install_packages "${missing[@]}" || say "note: without ${missing[*]} tests of completions or manual pages are skipped"
fi
missing=()
[ -x /usr/sbin/sshd ] || missing+=(openssh-server)
command -v ssh >/dev/null || missing+=(openssh-client)
for program in slurmctld slurmd; do [ -x "/usr/sbin/$program" ] || missing+=("$program"); done
command -v sbatch >/dev/null || missing+=(slurm-client)
[ -x /usr/sbin/munged ] || missing+=(munge)
if [ "${#missing[@]}" -gt 0 ]; then
  install_without_starting "${missing[@]}" || say "note: without ${missing[*]} tests of fleets by Slurm or ssh are skipped"
fi
