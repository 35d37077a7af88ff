#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cross.sh SYSROOT OUT: builds thermostatd, bootstate and ht1-console for the board into OUT. SYSROOT is an unpacked arm64 root with the
# packages that "cross.sh --packages" lists. Objects stay in OUT/objects: after an edit only what depends on it is compiled.
set -euo pipefail
packages='libssl-dev libssl3 libmosquitto-dev libmosquitto1 libmicrohttpd-dev libmicrohttpd12 libcurl4-openssl-dev libcurl4 zlib1g-dev zlib1g'
if [ "${1-}" = --packages ]; then echo "$packages"; exit 0; fi
if [ $# -ne 2 ]; then echo "cross.sh: wants SYSROOT and OUT (or --packages)" >&2; exit 2; fi
here=$(cd "$(dirname "$0")" && pwd)
sysroot=$(cd "$1" && pwd)
mkdir -p "$2/objects/include"
out=$(cd "$2" && pwd)
for header in openssl/ssl.h mosquitto.h microhttpd.h zlib.h; do
  [ -e "$sysroot/usr/include/$header" ] || { echo "cross.sh: no $header in $sysroot/usr/include: unpack there: $packages" >&2; exit 1; }
done
# Headers of no architecture come from the host; only this one, so that the host's libc headers stay out.
ln -sfn /usr/include/nlohmann "$out/objects/include/nlohmann"

triplet=aarch64-linux-gnu
{
  cat <<NINJA
flags = -std=c++20 -O1 -Wall -Wextra -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -isystem include -isystem $sysroot/usr/include -isystem $sysroot/usr/include/$triplet
rule cxx
  command = $triplet-g++ \$flags -include common.h -MMD -MF \$out.d -c \$in -o \$out
  depfile = \$out.d
  deps = gcc
  description = \$in
rule header
  command = $triplet-g++ \$flags -MMD -MF \$out.d -x c++-header \$in -o \$out
  depfile = \$out.d
  deps = gcc
  description = \$in
rule link
  command = $triplet-g++ -pie -Wl,-z,relro,-z,now,--as-needed -s -L$sysroot/usr/lib/$triplet -L$sysroot/lib/$triplet -Wl,-rpath-link,$sysroot/usr/lib/$triplet:$sysroot/lib/$triplet -Wl,--allow-shlib-undefined \$in -o \$out -lmicrohttpd -lmosquitto -lcurl -lssl -lcrypto -lz -lpthread
  description = \$out
NINJA
  echo "build common.h.gch: header $here/common.h"
  shared=''
  for file in "$here"/*.cc; do
    name=$(basename "$file" .cc)
    echo "build $name.o: cxx $file | common.h.gch"
    case "$name" in main | *_main) ;; *) shared+=" $name.o" ;; esac
  done
  echo "build $out/thermostatd: link main.o$shared"
  echo "build $out/bootstate: link bootstate_main.o boot_state.o version.o"
  echo "build $out/ht1-console: link console_lock_main.o console_lock.o unit.o password.o crypto.o files.o"
} >"$out/objects/build.ninja"
ninja -C "$out/objects" -j "${JOBS:-2}" --quiet
