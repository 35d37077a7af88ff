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
  cmake --preset dev >build/configure-dev.log || failed=1
  mapfile -t checked < <(git ls-files 'harness/*.cc' 'fixtures/*.cc' 'bindings/*.cc')
  echo "clang-tidy: ${#checked[@]} files"
  printf '%s\0' "${checked[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy --quiet -p build/dev 2>build/clang-tidy.err || failed=1
fi
[ "$failed" = 0 ] && echo "lint: clean"
exit "$failed"
