#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build.sh OUT: makes the images of the reference device in OUT: U-Boot with its environment flash, control device tree with the
# public key, signed FITs, the disk that make-unit makes units of, and the maker's keys. Cached by sources and package versions.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
mkdir -p "$1"
out=$(readlink -f "$1")
versions=(1.0.0 1.1.0 1.2.0) current=1.1.0

stamp() {
  (cd "$here" && find build.sh make-unit factory.py flaws.yaml image thermostatd ../tools cloud/make-ca cloud/authority.py -type f | sort | xargs sha256sum)
  dpkg-query -W -f '${Package} ${Version}\n' qemu-system-arm u-boot-qemu u-boot-tools g++-aarch64-linux-gnu e2fsprogs rauc squashfs-tools device-tree-compiler cpio nlohmann-json3-dev
}
exec 9>"$out/lock"
flock 9  # one at a time; whoever waited finds it built
stamped=$(stamp)
if [ -e "$out/stamp" ] && [ "$stamped" = "$(cat "$out/stamp")" ]; then exit 0; fi
echo "reference: building the device's images" >&2
rm -f "$out/stamp"
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
part() { awk -v name="$1" -v field="$2" '$1 == name {print $field}' "$here/image/layout"; }
hex() { printf '0x%x' "$1"; }

# Headers and what is linked by themselves; what runs with all that it needs. No libc6-dev: the cross-compiler brings its own.
read -ra libraries <<<"$("$here/thermostatd/cross.sh" --packages)"
runs=(util-linux e2fsprogs libstdc++6 libcurl3-gnutls libfdisk1 libjson-glib-1.0-0 libdbus-1-3 libapparmor1 libaudit1 libexpat1 libsystemd0)
for library in "${libraries[@]}"; do [[ $library == *-dev ]] || runs+=("$library"); done
"$here/../tools/apt_root.sh" "$out/apt" arm64 linux-image-cloud-arm64 busybox-static rauc dbus-daemon "${libraries[@]}" --closure "${runs[@]}" >"$out/packages"
root=$out/apt/root
"$here/thermostatd/cross.sh" "$root" "$out/programs"

# The device tree that QEMU makes; its random seeds would be the same at every boot.
qemu-system-aarch64 -M virt,acpi=off,dumpdtb="$work/raw.dtb" -cpu cortex-a53 -m 256 -smp 1 -display none -net none 2>"$work/dump.log" || { cat "$work/dump.log" >&2; exit 1; }
dtc -q -I dtb -O dts "$work/raw.dtb" | sed -e '/kaslr-seed/d' -e '/rng-seed/d' >"$work/board.dts"
dtc -q -I dts -O dtb "$work/board.dts" -o "$work/board.dtb"
# U-Boot's own: nobody gets its prompt. The key comes with the first signature.
{ cat "$work/board.dts"; echo '/ { config { bootsecure = <1>; bootcmd = "boot"; }; };'; } | dtc -q -I dts -O dtb -p 4096 - -o "$work/control.dtb"

mkdir -p "$out/keys"
[ -e "$out/keys/boot.key" ] || openssl genpkey -quiet -algorithm RSA -out "$out/keys/boot.key" -pkeyopt rsa_keygen_bits:2048
[ -e "$out/keys/boot.crt" ] || openssl req -batch -new -x509 -key "$out/keys/boot.key" -out "$out/keys/boot.crt" -subj "/CN=HT-1 boot" -days 10950
# Who signs bundles, and somebody who would like to.
for who in bundle rogue-bundle; do
  [ -e "$out/keys/$who.crt" ] || openssl req -batch -new -x509 -newkey rsa:2048 -nodes -keyout "$out/keys/$who.key" -out "$out/keys/$who.crt" -subj "/CN=HT-1 ${who//-/ }" -days 10950 2>/dev/null
done
/usr/bin/python3 "$here/cloud/make-ca" "$out/lab-ca"

cp "$(ls "$root"/boot/vmlinuz-* | tail -1)" "$work/Image"
"$here/image/initramfs.sh" "$root" "$out/programs" "$out/keys/bundle.crt" "$work/common.gz"
mkdir -p "$work/own/etc"
# fit VARIANT VERSION NAME [KEY]
fit() {
  rm -f "$work/own/etc/tls.key"
  echo "$1" >"$work/own/etc/variant"
  echo "$2" >"$work/own/etc/version"
  [ -z "${4-}" ] || install -m 644 "$4" "$work/own/etc/tls.key"
  # The kernel unpacks one archive after the other.
  { cat "$work/common.gz"; (cd "$work/own" && find . | sort | cpio -o -H newc -R 0:0 --quiet | gzip -9n); } >"$work/initramfs.gz"
  sed -e "s/@version@/$2/" -e "s/@variant@/$1/" "$here/image/fit.its" >"$work/fit.its"
  (cd "$work" && mkimage -f fit.its -k "$out/keys" -K control.dtb -r "$3") >>"$out/mkimage.log"
  local size most=$((48 << 20))
  size=$(stat -c %s "$work/$3")
  [ "$size" -le "$most" ] || { echo "build.sh: $3 has $size bytes, and a slot has $most" >&2; exit 1; }
}
: >"$out/mkimage.log"
cp "$work/control.dtb" "$work/control-boot-unverified.dtb"  # before any key is in it: a signature is not asked for
for version in "${versions[@]}"; do fit system "$version" "ht1-$version.itb"; done
fit recovery "$current" recovery.itb
"$here/image/bundles.sh" "$work" "$out/keys" "${versions[@]}"
# The slots of units with the flaw of that name: signed, and with one TLS key for all of them.
[ -e "$out/keys/common.key" ] || openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$out/keys/common.key"
fit system "$current" slot-key-in-image.itb "$out/keys/common.key"

dtc -q -I dtb -O dts "$work/control.dtb" | sed -e '/bootsecure/d' -e '/bootcmd = /d' | dtc -q -I dts -O dtb - -o "$work/control-uboot-prompt-open.dtb"

disk=$work/base.raw
truncate -s 220M "$disk"
{ echo 'label: gpt'; awk '!/^#/ {print "start=" $2 ", size=" $3 ", name=" $1}' "$here/image/layout"; } | sfdisk -q "$disk"
put() { dd if="$1" of="$disk" bs=512 seek="$(part "$2" 2)" conv=notrunc,sparse status=none; }
put "$work/ht1-$current.itb" slot-a
put "$work/ht1-$current.itb" slot-b
put "$work/recovery.itb" recovery
truncate -s $(($(part data 3) * 512)) "$work/data.ext4"
mke2fs -q -t ext4 -L data "$work/data.ext4"
put "$work/data.ext4" data

sed -e "s/@slot_a@/$(hex "$(part slot-a 2)")/" -e "s/@slot_b@/$(hex "$(part slot-b 2)")/" -e "s/@recovery@/$(hex "$(part recovery 2)")/" \
  -e "/^#/d" "$here/image/boot.env" | mkenvimage -s 0x40000 -o "$work/env.img" -
truncate -s 64M "$work/env.img"
cp /usr/lib/u-boot/qemu_arm64/u-boot.bin "$work/u-boot.img"
truncate -s 64M "$work/u-boot.img"
mv "$work"/{u-boot.img,env.img,control.dtb,control-boot-unverified.dtb,control-uboot-prompt-open.dtb,base.raw,recovery.itb,slot-key-in-image.itb} "$work"/ht1-*.itb "$out/"
rm -rf "$out/bundles"
mv "$work/bundles" "$out/"
cp "$here/image/layout" "$out/layout"
# Two units of the same image, for the bench lab-config/examples/reference.yaml.
for number in 1 2; do "$here/make-unit" --image "$out" --out "$out/units/$number" --serial "HT1-00000$number" >&2; done
echo "$stamped" >"$out/stamp"
