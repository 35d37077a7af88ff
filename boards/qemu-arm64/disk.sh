#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# disk.sh FIT OUT: a GPT disk: the FIT from sector 8192 (48 MiB), an empty ext4 data partition (64 MiB) behind it.
set -euo pipefail
fit=$1 out=$2
truncate -s 118M "$out"
sfdisk -q "$out" <<'TABLE'
label: gpt
start=8192, size=98304, name=boot
start=106496, size=131072, name=data
TABLE
dd if="$fit" of="$out" bs=512 seek=8192 conv=notrunc,sparse status=none
truncate -s 64M "$out.data"
mke2fs -q -t ext4 -L data "$out.data"
dd if="$out.data" of="$out" bs=1M seek=52 conv=notrunc,sparse status=none
rm "$out.data"
