#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# apt_root.sh DIR ARCH PACKAGE... [--closure PACKAGE...]: downloads Debian packages of another architecture and unpacks them in DIR/root;
# those after --closure with all they depend on. An apt root of its own: the host's dpkg never hears of the architecture.
# Prints package=version lines.
set -euo pipefail
mkdir -p "$1"
dir=$(readlink -f "$1") arch=$2
shift 2
packages=()
while [ $# -gt 0 ] && [ "$1" != --closure ]; do packages+=("$1"); shift; done
[ $# -eq 0 ] || shift
mkdir -p "$dir"/{state/lists/partial,cache/archives/partial,etc,debs}
touch "$dir/state/status"

# The host's own Debian archive, for the other architecture. Both forms of source list; other vendors' entries are left out.
{
  cat /etc/apt/sources.list 2>/dev/null || true
  cat /etc/apt/sources.list.d/*.list 2>/dev/null || true
} | sed -nE "s#^deb( \[[^]]*\])? +([^ ]+/debian(-security)?/? .*)#deb [arch=$arch] \2#p" >"$dir/etc/debian.list"
rm -f "$dir"/etc/*.sources
for file in /etc/apt/sources.list.d/*.sources; do
  [ -e "$file" ] || continue
  grep -qE '^URIs:.*/debian(-security)?/?( |$)' "$file" || continue
  sed -e '/^#/d' -e '/^Architectures:/d' -e "/^Types:/a Architectures: $arch" "$file" >"$dir/etc/$(basename "$file")"
done
cat >"$dir/apt.conf" <<CONF
APT::Architecture "$arch"; APT::Architectures { "$arch"; };
Dir::State "$dir/state"; Dir::State::status "$dir/state/status"; Dir::Cache "$dir/cache";
Dir::Etc::sourcelist "$dir/etc/debian.list"; Dir::Etc::sourceparts "$dir/etc"; Dir::Etc::parts "/dev/null"; Dir::Etc::main "/dev/null";
APT::Install-Recommends "false"; APT::Sandbox::User "root"; Acquire::Languages "none";
CONF
export APT_CONFIG="$dir/apt.conf"
apt-get update -qq >&2
if [ $# -gt 0 ]; then
  # Nothing is installed in this root, so what apt would install is the closure.
  mapfile -t closure < <(apt-get install -s -qq "$@" | sed -nE 's/^Inst ([^ :]+).*/\1/p' | sort)
  [ ${#closure[@]} -gt 0 ] || { echo "apt_root.sh: apt finds no way to install $* for $arch: see its message above" >&2; exit 1; }
  packages+=("${closure[@]}")
fi
for package in "${packages[@]}"; do
  # A meta-package stands for what it depends on.
  name=$package
  case "$package" in linux-image-cloud-*) name=$(apt-cache depends "$package" | sed -nE 's/^ *Depends: (linux-image-[0-9].*)/\1/p' | head -1) ;; esac
  version=$(apt-cache policy "$name" | sed -nE 's/^ *Candidate: //p')
  echo "$name=$version"
  [ -e "$dir/debs/$name=$version" ] && continue
  (cd "$dir/debs" && apt-get download -qq "$name=$version" >&2 && dpkg-deb -x "$name"_*.deb "$dir/root" && rm -f "$name"_*.deb && touch "$name=$version")
done
