#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Benchmarks print a table and leave JSON in build/bench. One is NAME_bench.py (with what it needs as the target bench_NAME) or NAME_bench.cc.
set -euo pipefail
name=${1:-console}
names=$(cd tests/benchmarks && ls | sed -n 's/_bench\.\(cc\|py\)$//p' | paste -sd' ')
[[ " $names " == *" $name "* ]] || { echo "bench: no benchmark '$name'; there are: $names" >&2; exit 2; }
cmake --build --preset release --target "bench_$name" >build/build-bench.log || { cat build/build-bench.log >&2; exit 1; }
mkdir -p build/bench
program=("build/release/tests/benchmarks/bench_$name")
[ -f "tests/benchmarks/${name}_bench.py" ] && program=(/usr/bin/python3 -B "tests/benchmarks/${name}_bench.py")
exec "${program[@]}" --json "build/bench/$name.json" "${@:2}"
