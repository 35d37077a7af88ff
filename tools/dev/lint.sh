#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Formats, tidy, layers and house rules, ruff. --fix repairs what can be repaired; --quick leaves clang-tidy out.
set -uo pipefail
fix='' quick=''
for word in "$@"; do
  case "$word" in --fix) fix=1 ;; --quick) quick=1 ;; *) echo "lint: no option '$word'" >&2; exit 2 ;; esac
done
failed=0
mapfile -t cxx < <(git ls-files '*.cc' '*.h')

echo "clang-format: ${#cxx[@]} files"
if [ -n "$fix" ]; then clang-format -i "${cxx[@]}"; else clang-format --dry-run -Werror "${cxx[@]}" || failed=1; fi

(cd tools/ruff && npm ci --silent --no-fund --no-audit) || failed=1
node tools/ruff/check.mjs ${fix:+--fix} || failed=1

PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q -p no:cacheprovider -c pyproject.toml tests/lint || failed=1

if [ -z "$quick" ]; then
  # Of most folders ten files together: what they include is read once for all of them. Nothing is compiled.
  cmake --preset tidy >build/configure-tidy.log || failed=1
  mapfile -t checked < <(/usr/bin/python3 tools/dev/compiled.py build/tidy harness fixtures bindings)
  echo "clang-tidy: ${#checked[@]} translation units"
  [ "${#checked[@]}" -gt 0 ] || failed=1
  printf '%s\0' "${checked[@]}" | xargs -0 -n 2 -P "$(nproc)" clang-tidy --quiet -p build/tidy 2>build/clang-tidy.err || failed=1
fi
[ "$failed" = 0 ] && echo "lint: clean"
exit "$failed"
