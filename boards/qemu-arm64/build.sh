#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build.sh OUT: makes the board's images in OUT from Debian packages: U-Boot and its environment flash (one for each planted
# fault), control device tree with the public key, disk with a signed FIT and an ext4 data partition.
# Cached by this folder's content and the versions of the packages on the host: a second call does nothing.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
mkdir -p "$1"
out=$(readlink -f "$1")
flaws=(none no-fsync no-flush no-return)

stamp() {
  (cd "$here" && find . ../tools -type f ! -name '*.md' | sort | xargs sha256sum)
  dpkg-query -W -f '${Package} ${Version}\n' qemu-system-arm u-boot-qemu u-boot-tools gcc-aarch64-linux-gnu e2fsprogs
}
if [ -e "$out/stamp" ] && stamp | cmp -s - "$out/stamp"; then exit 0; fi
echo "qemu-arm64: building the board's images" >&2
rm -f "$out/stamp"
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

"$here/../tools/apt_root.sh" "$out/apt" arm64 linux-image-cloud-arm64 busybox-static >"$out/packages"
root=$out/apt/root
aarch64-linux-gnu-gcc -O2 -Wall -Wextra -Werror -static -o "$work/store" "$here/store.c"
"$here/rootfs.sh" "$root" "$here/rootfs" "$work/store" "$work/rootfs.cpio.gz"

# The device tree that QEMU makes; its random seeds would be the same at every boot.
qemu-system-aarch64 -M virt,acpi=off,dumpdtb="$work/raw.dtb" -cpu cortex-a53 -m 256 -smp 1 -display none -net none 2>"$work/dump.log" || { cat "$work/dump.log" >&2; exit 1; }
dtc -q -I dtb -O dts "$work/raw.dtb" | sed -e '/kaslr-seed/d' -e '/rng-seed/d' >"$work/board.dts"
dtc -q -I dts -O dtb "$work/board.dts" -o "$work/board.dtb"
dtc -q -I dts -O dtb -p 4096 "$work/board.dts" -o "$work/control.dtb"

# The key that signs: the board's own, made once and kept.
mkdir -p "$out/keys"
[ -e "$out/keys/dev.key" ] || openssl genpkey -quiet -algorithm RSA -out "$out/keys/dev.key" -pkeyopt rsa_keygen_bits:2048
openssl req -batch -new -x509 -key "$out/keys/dev.key" -out "$out/keys/dev.crt" -subj /CN=qemu-arm64 -days 3650
cp "$(ls "$root"/boot/vmlinuz-* | tail -1)" "$work/Image"
cp "$here/fit.its" "$work/"
(cd "$work" && mkimage -f fit.its -k "$out/keys" -K control.dtb -r fit.itb) >"$out/mkimage.log"

"$here/disk.sh" "$work/fit.itb" "$work/disk.raw"
blocks=$(printf '0x%x' $((($(stat -c %s "$work/fit.itb") + 511) / 512)))
for flaw in "${flaws[@]}"; do
  sed -e "s/@blocks@/$blocks/" -e "s/@flaw@/$flaw/" "$here/uboot.env" | mkenvimage -s 0x40000 -o "$work/env-$flaw.img" -
  truncate -s 64M "$work/env-$flaw.img"
done
cp /usr/lib/u-boot/qemu_arm64/u-boot.bin "$work/u-boot.img"
truncate -s 64M "$work/u-boot.img"
mv "$work"/{u-boot.img,control.dtb,disk.raw,env-*.img} "$out/"
stamp >"$out/stamp"
echo "qemu-arm64: $(paste -sd' ' "$out/packages")" >&2
