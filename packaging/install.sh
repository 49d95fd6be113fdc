#!/bin/sh
# Installs InfraBench from the unpacked archive that this file is in, or removes what it installed.
#   ./install.sh [--prefix DIR]                into DIR/bin, DIR/lib and DIR/share; DIR is /usr/local if none is given
#   ./install.sh --uninstall [--prefix DIR]    also as DIR/lib/infrabench/install.sh --uninstall, without the archive
# Exit status: 0 done · 1 nothing was changed, for the reason given · 64 wrong usage
set -eu
umask 022

fail() { printf 'error: %s\n' "$1" >&2; exit "${2:-1}"; }

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# The installed copy is in PREFIX/lib/infrabench.
installed=false
if [ -e "$here/installed-files" ]; then installed=true; fi

prefix='' action=install
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ -n "${2:-}" ] || fail '--prefix needs a folder' 64; prefix=$2; shift ;;
    --prefix=*) prefix=${1#*=}; [ -n "$prefix" ] || fail '--prefix needs a folder' 64 ;;
    --uninstall) action=uninstall ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "there is no '$1': see --help" 64 ;;
  esac
  shift
done
if [ -z "$prefix" ]; then
  if $installed; then prefix=${here%/lib/infrabench}; else prefix=/usr/local; fi
fi
case $prefix in /*) ;; *) prefix=$(pwd -P)/$prefix ;; esac
prefix=${prefix%/}
[ -d "$(dirname -- "$prefix")" ] || fail "there is no folder $(dirname -- "$prefix"): make it first"
list=$prefix/lib/infrabench/installed-files

# The nearest folder that exists: that is where the first new folder would be made.
existing() { folder=$1; while [ ! -d "$folder" ]; do folder=$(dirname -- "$folder"); done; printf '%s\n' "$folder"; }
may_write() {
  for folder in "$prefix" "$prefix/bin" "$prefix/lib" "$prefix/share"; do
    folder=$(existing "$folder")
    [ -w "$folder" ] || fail "you may not write to $folder. Become root for this ('sudo $0'), or choose a folder of yours: --prefix \"\$HOME/.local\""
  done
}

# The list has a letter and a path on each line: f, a file or link; d, a folder that did not exist before, parents first.
uninstall() {
  sed -n 's/^f //p' "$list" | while IFS= read -r path; do rm -f -- "$prefix/$path"; done
  # A folder in which something else lies by now stays. The paths begin with a slash; the prefix itself is a dot.
  sed -n 's/^d //p' "$list" >"$list.folders"
  folders=$(sed '1!G;h;$!d' "$list.folders")
  rm -f -- "$list" "$list.folders"
  printf '%s\n' "$folders" | while IFS= read -r path; do
    if [ -n "$path" ]; then rmdir -- "$prefix${path#.}" 2>/dev/null || true; fi
  done
}

if [ "$action" = uninstall ]; then
  [ -e "$list" ] || fail "this did not install anything in $prefix: there is no $list"
  may_write
  uninstall
  printf 'removed from %s\n' "$prefix"
  exit 0
fi

if $installed; then fail "this copy only removes: --uninstall. To install, use the one in the archive"; fi
cd -- "$here"
[ -x lib/infrabench/infrabench ] || fail "there is no lib/infrabench/infrabench beside this file: unpack the whole archive"
# Here the loader says which library or which version of glibc is missing.
lib/infrabench/infrabench --version >/dev/null || fail 'the program does not run on this system. It needs glibc and zlib, and libcurl for AWS'
may_write

files=$(find bin lib share ! -type d | LC_ALL=C sort)
for path in $files; do
  if [ -d "$prefix/$path" ] && [ ! -h "$prefix/$path" ]; then fail "$prefix/$path is a folder: remove it, or choose another --prefix"; fi
  if { [ -e "$prefix/$path" ] || [ -h "$prefix/$path" ]; } && ! grep -qxF "f $path" "$list" 2>/dev/null; then
    fail "$prefix/$path is there already, and this did not install it: remove it, or choose another --prefix"
  fi
done
# An older version stays until all of this one is there. The list names the files of both until then, so that a failure on the way, such as
# a full disk, leaves nothing that --uninstall does not know.
folders=$(
  sed -n '/^d /p' "$list" 2>/dev/null || true
  for folder in . $(find bin lib share -type d | sed 's|^|/|' | LC_ALL=C sort); do
    [ -d "$prefix/$folder" ] || printf 'd %s\n' "$folder"
  done
)
older=$(sed -n 's/^f //p' "$list" 2>/dev/null || true)
for folder in $(find bin lib share -type d); do mkdir -p -- "$prefix/$folder"; done
# write_list FILE...: the folders and these files.
write_list() {
  {
    if [ -n "$folders" ]; then printf '%s\n' "$folders" | awk '!seen[$0]++'; fi
    printf 'f %s\n' "$@" | awk '!seen[$0]++'
  } >"$list.new"
  mv -f -- "$list.new" "$list"
}
write_list $files lib/infrabench/install.sh $older
for path in $files install.sh; do
  to=$prefix/$path
  if [ "$path" = install.sh ]; then to=$prefix/lib/infrabench/install.sh; fi
  cp -P -- "$path" "$to.new" || { rm -f -- "$to.new"; fail "$to could not be written"; }
  # The modes of the unpacked archive are those that its owner's umask left.
  [ -h "$to.new" ] || chmod u=rwX,go=rX -- "$to.new"
  mv -f -- "$to.new" "$to"
done
for path in $older; do
  case " $(printf '%s ' $files) lib/infrabench/install.sh " in *" $path "*) ;; *) rm -f -- "$prefix/$path" ;; esac
done
write_list $files lib/infrabench/install.sh

printf 'installed in %s; to remove it: %s/lib/infrabench/install.sh --uninstall\n' "$prefix" "$prefix"
case :$PATH: in
  *":$prefix/bin:"*) ;;
  *) printf "note: %s/bin is not on your PATH\n" "$prefix" ;;
esac
