#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Benchmarks print a table and leave JSON in build/bench.
set -euo pipefail
name=${1:-console}
program=build/release/tests/benchmarks/${name}_bench
[ -x "$program" ] || { echo "bench: no benchmark '$name'; there are: $(ls build/release/tests/benchmarks | sed -n 's/_bench$//p' | paste -sd' ')" >&2; exit 2; }
mkdir -p build/bench
exec "$program" --json "build/bench/$name.json" "${@:2}"
