#!/usr/bin/env bash
# Installs the packages of dist/ on bare Debian systems, runs the suite there, removes it, and looks whether anything is left.
#   scripts/test-packages.sh [--packages DIR] [RELEASE...]
# DIR is dist/ if none is given: scripts/release.sh fills it. RELEASE is a release of Debian, such as trixie; without one it is this system's.
# Needs root, debootstrap (installed if it is missing) and Debian's archive in apt's sources.
# Exit status: 0 passed; 77 skipped, with a line that says why; 1 failed; 64 wrong usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'test-packages: %s\n' "$*" >&2; }
fail() { say "error: $1"; exit "${2:-1}"; }
skip() { say "skipped: $1"; exit 77; }

packages=dist releases=()
while [ $# -gt 0 ]; do
  case $1 in
    --packages) [ $# -gt 1 ] || fail "--packages needs a folder" 64; packages=$2; shift ;;
    --packages=*) packages=${1#*=} ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) fail "there is no '$1': see --help" 64 ;;
    *) releases+=("$1") ;;
  esac
  shift
done
packages=$(cd "$packages" 2>/dev/null && pwd) || fail "there is no such folder: run scripts/release.sh first"
deb=$(find "$packages" -name 'infrabench_*.deb' -printf '%f\n') archive=$(find "$packages" -name 'infrabench-*-linux-*.tar.gz' -printf '%f\n')
[ -n "$deb" ] && [ -n "$archive" ] || fail "there are no packages in $packages: run scripts/release.sh first"
[[ $deb$archive != *$'\n'* ]] || fail "there are packages of several versions in $packages: leave only one there"

[ "$(id -u)" = 0 ] || skip "only root can make a bare system"
command -v apt-get >/dev/null || skip "this is no Debian system"
command -v debootstrap >/dev/null || scripts/setup.sh bare-systems || skip "debootstrap is missing and could not be installed"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' | head -n 1)
[ -n "$mirror" ] || skip "Debian's archive is not in apt's sources, or 'apt-get update' has not run"
if [ "${#releases[@]}" = 0 ]; then releases=("$(. /etc/os-release && echo "$VERSION_CODENAME")"); fi

# In namespaces of its own, and in memory: what is mounted, written and started there ends with them, however this ends. Out here the folder
# stays empty.
if [ -z "${INFRABENCH_BARE_SYSTEMS:-}" ]; then
  unshare --mount --pid --fork true 2>/dev/null || skip "this system allows no namespaces of mounts and processes"
  work=$(mktemp -d)
  trap 'rmdir "$work"' EXIT
  INFRABENCH_BARE_SYSTEMS=$work unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
    scripts/test-packages.sh --packages "$packages" "${releases[@]}" &
  trap 'kill -KILL "$!"; exit 1' HUP INT TERM
  wait "$!"
  exit
fi
work=$INFRABENCH_BARE_SYSTEMS
mount -t tmpfs -o mode=755 tmpfs "$work"

bare=''
in_bare() {
  chroot "$bare" /usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
# As a user who may write nowhere but in /tmp/home.
as_user() { in_bare HOME=/tmp/home setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs env -C /tmp/home "$@"; }

# make_bare RELEASE: Debian's smallest system. Its /tmp is not in listings. Packages are fetched once, into .build-bare.
make_bare() {
  local cache=$PWD/.build-bare/$1
  bare=$work/$1
  mkdir -p "$cache"
  say "making a bare $1"
  debootstrap --variant=minbase --cache-dir="$cache" "$1" "$bare" "$mirror" >"$work/debootstrap.log" 2>&1 || {
    tail -n 20 "$work/debootstrap.log" >&2
    fail "debootstrap made no $1 from $mirror"
  }
  mount -t proc proc "$bare/proc"
  mount -t tmpfs tmpfs "$bare/tmp"
  mount --bind "$cache" "$bare/var/cache/apt/archives"
  install -d -m 755 -o 1000 -g 1000 "$bare/tmp/home"
  cp "$packages/$deb" "$packages/$archive" "$bare/tmp/"
  ! in_bare sh -c 'command -v swift' || fail "the bare $1 has Swift"
  in_bare apt-get update -qq
}

# Left out of a listing, because each installing and each removing writes it, whatever the package: logs, the copies of the state before the
# last change, caches, and the list of what was installed for another package's sake, which is empty in the end.
left_out='\./var/(log/(apt/.*|dpkg\.log)|cache/(apt/pkgcache\.bin|debconf/(.*-old|tmp\.ci)|ldconfig/aux-cache)|lib/(dpkg/status-old|apt/extended_states))'

# Each file, link and folder of the bare system: type, mode, owner, path, where a link leads, and the contents' checksum.
listing() {
  (
    cd "$bare"
    find . -xdev -regextype posix-extended ! -regex "$left_out" -printf '%y %m %U:%G %p %l\n'
    find . -xdev -regextype posix-extended ! -regex "$left_out" -type f -exec sha256sum {} +
  ) | LC_ALL=C sort
}

nothing_is_left() {
  listing >"$work/after"
  diff "$work/before" "$work/after" >&2 || fail "$1: this is what was there before (<) and is there now (>)"
}

# runs PROGRAM...: each says its version.
runs() {
  local program
  for program; do as_user "$program" --version >/dev/null || fail "$program does not run"; done
}

test_debian_package() {
  local files program
  say "$deb by apt"
  listing >"$work/before"
  in_bare apt-get install -y "/tmp/$deb" >"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log" >&2; fail "apt did not install $deb"; }
  files=$(in_bare dpkg -L infrabench)
  while read -r program; do
    runs "$program"
    grep -qx "/usr/share/man/man1/$program\.1\.gz" <<<"$files" || fail "$program has no man page"
    in_bare bash -c "source /usr/share/bash-completion/completions/$program && complete -p $program" >/dev/null ||
      fail "bash does not complete $program"
  done < <(sed -n 's|^/usr/bin/||p' <<<"$files")
  as_user bench-allocation --count 10
  as_user bench-suite --quick --output-dir results || [ $? = 99 ] || fail "the quick suite failed"
  as_user test -s results/summary.md || fail "the quick suite wrote no summary"
  # What came with this package goes too. Otherwise apt keeps what another one recommends or suggests, as apt does ca-certificates.
  in_bare apt-get purge -y --autoremove -o APT::AutoRemove::RecommendsImportant=false -o APT::AutoRemove::SuggestsImportant=false infrabench >"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log" >&2; fail "apt did not remove infrabench"; }
  nothing_is_left "apt purge infrabench"
}

test_archive() {
  local folder=/tmp/${archive%.tar.gz} prefix
  say "$archive by install.sh"
  listing >"$work/before"
  in_bare tar -C /tmp -xzf "/tmp/$archive"
  if as_user "$folder/install.sh"; then fail "install.sh installed in /usr/local without rights"; fi
  nothing_is_left "install.sh without rights"
  as_user "$folder/install.sh" --prefix /tmp/home/.local
  as_user .local/bin/bench-allocation --count 10
  # There is no libcurl yet: a tool that needs it says so.
  if as_user .local/bin/bench-api --iterations 1 2>"$work/error"; then fail "bench-api ran without libcurl"; fi
  grep -q 'apt-get install libcurl4' "$work/error" || fail "bench-api without libcurl: $(cat "$work/error")"
  as_user .local/lib/infrabench/install.sh --uninstall
  as_user test ! -e .local || fail "install.sh --uninstall left $(as_user find .local)"
  in_bare "$folder/install.sh"
  in_bare "$folder/install.sh"
  runs bench-suite mock-gateway warm-task
  in_bare "$folder/install.sh" --uninstall
  nothing_is_left "install.sh --uninstall"
}

for release in "${releases[@]}"; do
  make_bare "$release"
  test_archive
  test_debian_package
  say "$release: passed"
done
