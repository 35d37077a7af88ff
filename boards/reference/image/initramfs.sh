#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# initramfs.sh SYSROOT PROGRAMS VARIANT VERSION OUT [KEY]: the root file system of a slot, or of the recovery. PROGRAMS: what cross.sh made.
# KEY: a private key that every unit then has (the flaw key-in-image).
set -euo pipefail
sysroot=$1 programs=$2 variant=$3 version=$4 out=$5
here=$(dirname "$(readlink -f "$0")")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"  # others than root live here
mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc,proc,sys,dev,tmp,run,factory,data,root,lib/modules,lib/aarch64-linux-gnu,usr/share/udhcpc}
cp "$sysroot/bin/busybox" "$root/bin/busybox"
for applet in sh mount umount insmod mkdir ls cat echo init sync dd sleep reboot poweroff dmesg ln hostname date ps kill pidof sha256sum uname grep \
  head tail cut tr seq hexdump sed rm mv cp printf true false stty test expr wc sort touch chmod chown df ip udhcpc stat id env usleep; do
  ln -s busybox "$root/bin/$applet"
done
ln -s ../bin/busybox "$root/sbin/init"
ln -s bin/busybox "$root/init"
number=10
for name in virtio_ring virtio virtio_mmio virtio_blk failover net_failover virtio_net crc16 crc32c_generic libcrc32c mbcache jbd2 ext4 af_packet rng-core virtio-rng; do
  module=$(find "$sysroot"/lib/modules -name "$name.ko*" | head -1)
  [ -n "$module" ] || continue
  cp "$module" "$root/lib/modules/$((number++))-$name.ko"
done
for name in watchdog softdog; do cp "$(find "$sysroot"/lib/modules -name "$name.ko*")" "$root/lib/modules/$((number++))-$name.ko"; done
installed=("$programs/ht1-console" "$programs/bootstate" "$sysroot/sbin/mke2fs" "$sysroot/usr/bin/setpriv")
[ "$variant" = recovery ] || installed+=("$programs/thermostatd")
cp "${installed[@]}" "$root/usr/bin/"
"$here/libraries.sh" "$sysroot" "${installed[@]}" | sort -u | while read -r library; do cp -L "$library" "$root/lib/aarch64-linux-gnu/"; done
cp -L "$sysroot/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1" "$root/lib/"
cp -r "$here"/rootfs/. "$root/"
chmod 755 "$root"/etc/rc "$root"/etc/services/* "$root/usr/share/udhcpc/default.script"
[ -z "${6-}" ] || install -m 644 "$6" "$root/etc/tls.key"
echo "$version" >"$root/etc/version"
echo "$variant" >"$root/etc/variant"
(cd "$root" && find . | sort | cpio -o -H newc -R 0:0 --quiet | gzip -9n) >"$out"
