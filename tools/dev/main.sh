#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

setup() {
  local wanted missing
  wanted=$(sed -e 's/#.*//' tools/packages.txt)
  missing=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null | awk '$1 == "ii" {print $2}' | sort | comm -13 - <(printf '%s\n' $wanted | sort -u))
  [ -z "$missing" ] && return
  echo "dev: installing from Debian:" $missing >&2
  as_root apt-get update -q >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2
}

build() {
  setup
  local preset=${1:-dev}
  cmake --preset "$preset" >build/.configure.log 2>&1 || { cat build/.configure.log >&2; exit 1; }
  cmake --build --preset "$preset" -- "${@:2}"
}

mkdir -p build
case "${1:-help}" in
  setup) setup ;;
  build) build "${@:2}" ;;
  test) build dev && ctest --preset dev "${@:2}" ;;
  hilcop) build dev >/dev/null && exec build/dev/bin/hilcop "${@:2}" ;;
  *) sed -n 's/^# The one/The one/p' dev; exit 2 ;;
esac
