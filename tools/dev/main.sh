#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() {
  cat <<'TXT'
./dev COMMAND: each does the set-up that it needs (Debian packages of tools/packages.txt; root, or sudo)

  setup                install the packages
  build [PRESET]       compile (dev, release, asan, tsan, system: dev without unit tests) and make the board images
  demo                 power a real board, cut its power again and again, print a verdict that can be traced
  test [PATTERN]       all tests, the real board included; with --unit: the fast ones; --sanitize: the unit tests under asan and tsan; --all: hours
  bench [NAME]         benchmarks against named peers: console (default), instruments, network, soak
  lint [--fix]         formats, clang-tidy, layers, ruff
  fuzz [SECONDS]       every fuzz target under libFuzzer
  hilcop ...           the program itself: ./dev hilcop --help
TXT
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
install_packages() {
  [ $# -eq 0 ] && return
  echo "dev: installing from Debian: $*" >&2
  as_root apt-get update -q >&2
  # Tests start daemons of their own (snmpd, ser2net, pdudaemon, mosquitto, sshd, lighttpd): those of the packages must not run, now or after a reboot.
  local policy=/usr/sbin/policy-rc.d made='' name
  if [ ! -e "$policy" ]; then made=1; printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null; as_root chmod 755 "$policy"; fi
  local status=0
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2 || status=$?
  [ -z "$made" ] || as_root rm -f "$policy"
  for name in snmpd ser2net pdudaemon mosquitto openssh-server lighttpd nftables; do
    if [[ " $* " == *" $name "* ]] && command -v systemctl >/dev/null; then as_root systemctl disable -q "${name/openssh-server/ssh}" 2>/dev/null || true; fi
  done
  return "$status"
}

# What of a list is not installed.
missing_of() {
  printf '%s\n' "$@" | sort -u | comm -23 - <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | awk '$1 == "ii" {print $2}' | sort -u)
}

setup() {
  local wanted
  mapfile -t wanted < <(sed -e 's/#.*//' -e '/^ *$/d' tools/packages.txt)
  # shellcheck disable=SC2046
  install_packages $(missing_of "${wanted[@]}")
}

configure() {
  local log=build/configure-$1.log
  cmake --preset "$1" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}

# A checkout beside another one, or a fresh clone, finds in the compiler's cache what the other has compiled.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

boards='*'
# build [PRESET [TARGET...]]: all of it, or what these targets need; and the images of $boards.
build() {
  local preset=${1:-dev}
  setup
  configure "$preset"
  cmake --build --preset "$preset" ${2:+--target "${@:2}"}
  for script in boards/$boards/build.sh; do "$script" "build/boards/$(basename "$(dirname "$script")")"; done
}

# The program and its Python package, without the tests: a third of the time.
program=(hilcop _hilcop hilcop_package)

demo() {
  boards=qemu-arm64
  build dev "${program[@]}"
  exec build/dev/bin/hilcop run G09-POWER-CYCLE --bench lab-config/virtual.yaml --dut board1 --effort demo --seed "${HILCOP_SEED:-1}" "$@"
}

test_all() {
  local presets=(dev) filter=() left_out=all preset
  while [ $# -gt 0 ]; do
    case "$1" in
      --unit) left_out='all|board|realusb' ;;
      --all) left_out=everyday ;;  # its twin has all of it
      --sanitize)  # each C++ unit test under the sanitizers instead of plain, everything else as ever
        presets=(system asan tsan)
        # shellcheck disable=SC2046
        install_packages $(missing_of clang libclang-rt-14-dev llvm)
        ;;
      *) filter+=(-R "$1") ;;
    esac
    shift
  done
  filter+=(-LE "^($left_out)$")
  for preset in "${presets[@]}"; do
    case "$preset" in
      dev | system) build "$preset" ;;
      *) configure "$preset"; cmake --build --preset "$preset" ;;
    esac
    ctest --preset "$preset" -j2 "${filter[@]}"
  done
}

bench() {
  setup
  # The peers, from Debian: only who measures needs them.
  # shellcheck disable=SC2046
  install_packages $(missing_of python3-pexpect labgrid expect tio tcpdump)
  configure release
  exec tools/dev/bench.sh "$@"
}

lint() {
  setup
  # shellcheck disable=SC2046
  install_packages $(missing_of clang-format clang-tidy clang)
  command -v npm >/dev/null || install_packages nodejs npm
  exec tools/dev/lint.sh "$@"
}

fuzz() {
  # shellcheck disable=SC2046
  install_packages $(missing_of clang libclang-rt-14-dev)
  setup
  exec tools/dev/fuzz.sh "${1:-30}"
}

mkdir -p build
case "${1:-help}" in
  setup) setup ;;
  build) build "${@:2}" ;;
  demo) demo "${@:2}" ;;
  test) test_all "${@:2}" ;;
  bench) bench "${@:2}" ;;
  lint) lint "${@:2}" ;;
  fuzz) fuzz "${@:2}" ;;
  hilcop) build dev "${program[@]}" >&2 && exec build/dev/bin/hilcop "${@:2}" ;;
  -h | --help | help) usage ;;
  *) echo "dev: no command '$1'" >&2; usage >&2; exit 2 ;;
esac
