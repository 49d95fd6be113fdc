#!/usr/bin/env bash
# Makes the packages of a release: an archive with install.sh, a Debian package, and their SHA-256.
#   scripts/release.sh [--output DIR] [--no-build]
# DIR is dist/ if none is given. --no-build packs the programs that an earlier call built in .build-static.
# The programs hold the Swift runtime, so that they run where no Swift is (docs/packaging.md). Exit status: 0, 1, or 64 for wrong usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { printf 'error: %s\n' "$1" >&2; exit "${2:-1}"; }
say() { printf '%s\n' "$*" >&2; }

output=dist build=true
while [ $# -gt 0 ]; do
  case $1 in
    --output) [ $# -gt 1 ] || fail "--output needs a folder" 64; output=$2; shift ;;
    --output=*) output=${1#*=} ;;
    --no-build) build=false ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) fail "there is no '$1': see --help" 64 ;;
  esac
  shift
done

# warm-task is mock-gateway by another name: each program holds the Swift runtime.
programs=(infrabench mock-gateway session-stand-in)
# What a program may need at run time: glibc's parts, and zlib. libcurl is loaded where a tool speaks to AWS (CLibcurl).
allowed='^(libc|libm|libdl|libpthread|librt|libresolv|libutil|ld-linux.*|libz)\.so\.[0-9.]+$'
scratch=$PWD/.build-static
built=$scratch/release

version=$(sed -n 's/.*static let version = "\([0-9.]*\)".*/\1/p' Sources/Results/SuiteVersion.swift)
[ -n "$version" ] || fail "there is no version in Sources/Results/SuiteVersion.swift"
# The time in the packages: the same sources make the same bytes around the programs, whenever they are packed.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)
fi
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# How the programs become small: each function in a section of its own, so that the linker drops what nothing calls (--gc-sections, SwiftPM's
# own); no symbols for libraries that a program could load; relocations as a bit map, which glibc knows since 2.36; no debug information, which
# would be stripped anyhow. LLVM's linker, because GNU gold has no such bit map.
smaller=(-debug-info-format none -Xswiftc -Xfrontend -Xswiftc -function-sections -Xcc -ffunction-sections -Xcc -fdata-sections
  -Xswiftc -use-ld=lld -Xlinker --no-export-dynamic -Xlinker -O2)
if [ "$(printf '%s\n' 2.36 "$(getconf GNU_LIBC_VERSION | cut -d ' ' -f 2)" | sort -V | head -n 1)" = 2.36 ]; then
  smaller+=(-Xlinker -z -Xlinker pack-relative-relocs)
fi

build_programs() {
  local folder program
  # Swift's runtime is partly C++: that library and the unwinder (gcc_eh) are linked in, too. The linker takes a library from the first folder
  # that has it. SwiftPM's own folder is before those of the system, and here it has only the static one.
  folder=$scratch/$(uname -m)-unknown-linux-gnu/release
  mkdir -p "$folder"
  ln -sf "$(clang -print-file-name=libstdc++.a)" "$folder/"
  for program in "${programs[@]}"; do
    say "building $program"
    swift build -c release --static-swift-stdlib --scratch-path "$scratch" --product "$program" "${smaller[@]}" -Xlinker -lgcc_eh
  done
}

check_programs() {
  local program needed foreign
  for program in "${programs[@]}"; do
    [ -x "$built/$program" ] || fail "there is no $built/$program: leave --no-build out"
    needed=$(readelf -d "$built/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    foreign=$(grep -vE "$allowed" <<<"$needed" || true)
    [ -z "$foreign" ] || fail "$program needs libraries that a system without Swift may not have: ${foreign//$'\n'/ }"
    [ "$program" = session-stand-in ] || [ "$("$built/$program" --version)" = "$version" ] ||
      fail "$program says another version than Sources/Results/SuiteVersion.swift: $("$built/$program" --version)"
  done
}

# licences FOLDER: the texts of what is linked in, one file for each package, with its version.
licences() {
  local package packages licence version
  mkdir -p "$1"
  packages=$(linked_packages)
  grep -qx swift-nio <<<"$packages" || fail "the linker's input names no swift-nio: where are the packages whose licences are packed?"
  cp "$(dirname "$(readlink -f "$(command -v swift)")")/../share/swift/LICENSE.txt" "$1/swift-runtime.txt"
  for package in $packages; do
    version=$(sed -n "s|.*/$package\", exact: \"\([0-9.]*\)\".*|\1|p" Package.swift)
    [ -n "$version" ] || fail "Package.swift does not say which exact version of $package, which is in the programs, is built"
    {
      printf '%s %s\n' "$package" "$version"
      find "$scratch/checkouts/$package" \( -name 'LICENSE*' -o -name 'NOTICE*' \) -type f | grep -E "$package/(Sources/.*|)[^/]*$" |
        LC_ALL=C sort | while IFS= read -r licence; do
          printf '\n==== %s\n\n' "${licence#"$scratch/checkouts/"}"
          cat "$licence"
        done
    } >"$1/$package.txt"
  done
}

# The packages whose modules' objects the linker was given.
linked_packages() {
  local module
  cat "$built"/{infrabench,mock-gateway}.product/Objects.LinkFileList | sed -n 's|.*/\([^/]*\)\.build/.*|\1|p' | sort -u |
    while read -r module; do
      ls -d "$scratch/checkouts"/*/Sources/"$module" "$scratch/checkouts"/*/Sources/*/"$module" 2>/dev/null || true
    done | sed "s|^$scratch/checkouts/||; s|/.*||" | sort -u
}

# stage FOLDER: the tree that both packages install, below /usr or another prefix. The programs find one another by /proc/self/exe, in the
# folder of the real file. So all are in one, and links on the PATH lead there. infrabench is each bench-* by the name it is called by, for
# which links do where a build has launchers.
stage() {
  local program tool
  mkdir -p "$1/bin" "$1/lib/infrabench" "$1/share/man/man1"
  for program in "${programs[@]}"; do
    strip --strip-all --remove-section=.comment -o "$1/lib/infrabench/$program" "$built/$program"
    chmod 755 "$1/lib/infrabench/$program"
  done
  ln -s mock-gateway "$1/lib/infrabench/warm-task"
  for program in infrabench mock-gateway warm-task; do ln -s "../lib/infrabench/$program" "$1/bin/$program"; done
  for tool in $(tools); do
    ln -s infrabench "$1/lib/infrabench/$tool"
    ln -s ../lib/infrabench/infrabench "$1/bin/$tool"
  done
  scripts/man-pages.sh "$1/share/man/man1" "$1/lib/infrabench"
  gzip -9n "$1"/share/man/man1/*
  licences "$1/share/doc/infrabench/third-party"
  cp packaging/deb/copyright "$1/share/doc/infrabench/"
  gzip -9nc CHANGELOG.md >"$1/share/doc/infrabench/CHANGELOG.md.gz"
  completions "$1" infrabench mock-gateway warm-task $(tools)
}

# What else infrabench is called: the names of the launchers.
tools() { sed -n 's/.*executableTarget(name: "\([a-z0-9-]*\)", dependencies: \["CLauncher"\]).*/\1/p' Package.swift; }

# completions PREFIX PROGRAM...: each file has the name by which the shell looks for it.
completions() {
  local prefix=$1 program
  shift
  mkdir -p "$prefix"/share/bash-completion/completions "$prefix"/share/zsh/vendor-completions "$prefix"/share/fish/vendor_completions.d
  for program; do
    # It is read by the user's shell, not run.
    "$prefix/bin/$program" --generate-completion-script bash | sed '1{/^#!/d}' >"$prefix/share/bash-completion/completions/$program"
    "$prefix/bin/$program" --generate-completion-script zsh >"$prefix/share/zsh/vendor-completions/_$program"
    "$prefix/bin/$program" --generate-completion-script fish >"$prefix/share/fish/vendor_completions.d/$program.fish"
  done
}

# same_time FOLDER: the dates of all files are the release's, so that they don't say when it was packed.
same_time() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }

archive() {
  local name=infrabench-$version-linux-$(uname -m)
  mkdir "$work/archive"
  cp -a "$work/tree" "$work/archive/$name"
  cp packaging/install.sh "$work/archive/$name/"
  # zsh looks here below /usr/local; its other folder belongs to the distribution.
  mv "$work/archive/$name/share/zsh/vendor-completions" "$work/archive/$name/share/zsh/site-functions"
  same_time "$work/archive"
  tar -C "$work/archive" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu -cf "$work/archive.tar" "$name"
  # The same format as gzip's, and 4 % smaller.
  libdeflate-gzip -12 -c "$work/archive.tar" >"$output/$name.tar.gz"
}

debian_package() {
  local architecture depends root=$work/debian-package
  architecture=$(dpkg --print-architecture)
  mkdir -p "$root/DEBIAN"
  cp -a "$work/tree" "$root/usr"
  # A package has a changelog in Debian's own form.
  printf 'infrabench (%s) stable; urgency=medium\n\n  * What changed is in CHANGELOG.md.gz.\n\n -- %s  %s\n' "$version" \
    "$(sed -n 's/^Maintainer: //p' packaging/deb/control)" "$(date -R -u -d "@$SOURCE_DATE_EPOCH")" |
    gzip -9n >"$root/usr/share/doc/infrabench/changelog.gz"
  # What glibc and zlib a program's symbols need: dpkg-shlibdeps reads it from this system's packages, and wants a source tree.
  mkdir -p "$work/source/debian"
  printf 'Source: infrabench\n\nPackage: infrabench\nArchitecture: any\n' >"$work/source/debian/control"
  depends=$(cd "$work/source" && dpkg-shlibdeps -O --warnings=0 $(printf -- '-e%s ' "${programs[@]/#/$root/usr/lib/infrabench/}") |
    sed -n 's/^shlibs:Depends=//p')
  [ -n "$depends" ] || fail "dpkg-shlibdeps found no dependency: not even glibc"
  sed "s|@VERSION@|$version|; s|@ARCHITECTURE@|$architecture|; s|@DEPENDS@|$depends|; s|@SIZE@|$(du -sk --apparent-size "$root/usr" | cut -f 1)|" \
    packaging/deb/control >"$root/DEBIAN/control"
  (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
  find "$root" -type d -exec chmod 755 {} +
  same_time "$root"
  dpkg-deb --root-owner-group -Zxz -z9 --build "$root" "$output/infrabench_${version}_$architecture.deb" >&2
}

scripts/setup.sh packages
if $build; then build_programs; fi
check_programs
umask 022
mkdir -p "$output"
output=$(cd "$output" && pwd)
stage "$work/tree"
archive
debian_package
cd "$output"
for package in infrabench-"$version"-*.tar.gz infrabench_"$version"_*.deb; do
  [ "$(stat -c %s "$package")" -lt $((30 * 1000 * 1000)) ] || fail "$package is larger than 30 MB"
done
sha256sum infrabench-"$version"-*.tar.gz infrabench_"$version"_*.deb >SHA256SUMS
ls -l >&2
