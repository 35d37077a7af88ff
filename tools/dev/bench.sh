#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Benchmarks print a table and leave JSON in build/bench.
set -euo pipefail
name=${1:-console}
[ -f "tests/benchmarks/${name}_bench.cc" ] || { echo "bench: no benchmark '$name'; there are: $(cd tests/benchmarks && ls | sed -n 's/_bench\.cc$//p' | paste -sd' ')" >&2; exit 2; }
cmake --build --preset release --target "${name}_bench" >build/build-bench.log || { cat build/build-bench.log >&2; exit 1; }
mkdir -p build/bench
exec "build/release/tests/benchmarks/${name}_bench" --json "build/bench/$name.json" "${@:2}"
