#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target for so many seconds under libFuzzer with ASan; a crash ends with its status and leaves the input in build/fuzz.
set -euo pipefail
cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DHILCOP_FUZZ=ON -DHILCOP_SANITIZE=address,fuzzer-no-link \
  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS="-O1 -g1" -DPYTHON_EXECUTABLE=/usr/bin/python3 >build/configure-fuzz.log
for file in tests/fuzz/*_fuzz.cc tests/reference/fuzz/*_fuzz.cc; do
  folder=$(dirname "$file") name=$(basename "$file" .cc)
  cmake --build build/fuzz --target "$name"
  mkdir -p "build/fuzz/found/$name"
  echo "fuzz: $name for $1 s"
  (cd build/fuzz && "$folder/$name" -max_total_time="$1" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 "found/$name" "$OLDPWD/$folder/corpus/$name" 2>&1 | tail -8)
done
