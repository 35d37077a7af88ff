#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bundles.sh WORK KEYS VERSION...: makes RAUC bundles in WORK/bundles of WORK/ht1-VERSION.itb, and of the newest four that a
# device must refuse: signed by somebody else, one bit changed, without a signature, and with the signature of another version.
set -euo pipefail
work=$1 keys=$2
shift 2
newest=${*: -1} older=$1
mkdir -p "$work/bundles"
cd "$work/bundles"
# bundle VERSION SIGNER FILE
bundle() {
  rm -rf content
  mkdir content
  ln "$work/ht1-$1.itb" content/system.img
  printf '[update]\ncompatible=HT-1\nversion=%s\n\n[image.system]\nfilename=system.img\n' "$1" >content/manifest.raucm
  rauc bundle --cert="$keys/$2.crt" --key="$keys/$2.key" --keyring="$keys/$2.crt" --mksquashfs-args='-comp gzip -Xcompression-level 1 -no-progress' content "$3" >bundle.log 2>&1 ||
    { cat bundle.log >&2; exit 1; }
}
for version in "$@"; do bundle "$version" bundle "ht1-$version.raucb"; done
bundle "$newest" rogue-bundle "rogue-$newest.raucb"
rm -rf content bundle.log

# A bundle is a squashfs, a CMS signature of it and the signature's size in 8 bytes.
signature_size() { printf '%d' "0x$(tail -c 8 "$1" | od -An -v -tx1 | tr -d ' \n')"; }
payload() { head -c -$(($(signature_size "$1") + 8)) "$1"; }
signature() { tail -c $(($(signature_size "$1") + 8)) "$1"; }
genuine=ht1-$newest.raucb
payload "$genuine" >"unsigned-$newest.raucb"
{ payload "$genuine"; signature "ht1-$older.raucb"; } >"mixed-$newest.raucb"
cp "$genuine" "flipped-$newest.raucb"
place=$(($(stat -c %s "$genuine") / 2))
byte=$(od -An -tu1 -j $place -N 1 "$genuine" | tr -d ' ')
printf "\\$(printf %03o $((byte ^ 1)))" | dd of="flipped-$newest.raucb" bs=1 seek=$place conv=notrunc status=none
