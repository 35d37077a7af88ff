#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# libraries.sh SYSROOT PROGRAM...: prints the shared libraries of SYSROOT that these programs need, and those need, and so on.
set -euo pipefail
sysroot=$1
shift
declare -A seen
queue=("$@")
while [ ${#queue[@]} -gt 0 ]; do
  file=${queue[0]}
  queue=("${queue[@]:1}")
  while read -r name; do
    [ -z "${seen[$name]-}" ] || continue
    path=''
    for folder in lib/aarch64-linux-gnu usr/lib/aarch64-linux-gnu lib usr/lib; do
      if [ -e "$sysroot/$folder/$name" ]; then path=$sysroot/$folder/$name; break; fi
    done
    [ -n "$path" ] || { echo "libraries.sh: $(basename "$file") needs $name, which is not in $sysroot: add its package to build.sh" >&2; exit 1; }
    seen[$name]=$path
    queue+=("$path")
    echo "$path"
  done < <(readelf -d "$file" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')
done
