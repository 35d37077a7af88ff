#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# initramfs.sh SYSROOT PROGRAMS KEYRING OUT: the root file system of slots and recovery, but for what makes the one another. PROGRAMS: what
# cross.sh made; KEYRING: by whom bundles are signed.
set -euo pipefail
sysroot=$1 programs=$2 keyring=$3 out=$4
here=$(dirname "$(readlink -f "$0")")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"  # others than root live here
mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc/rauc,proc,sys,dev,tmp,run,factory,data,root,lib/modules,lib/aarch64-linux-gnu,usr/share/udhcpc,var}
cp "$sysroot/bin/busybox" "$root/bin/busybox"
for applet in sh mount umount insmod mkdir ls cat echo init sync dd sleep reboot poweroff dmesg ln hostname date ps kill pidof sha256sum uname grep \
  head tail cut tr seq hexdump sed rm mv cp printf true false stty test expr wc sort touch chmod chown df ip udhcpc stat id env usleep mkfifo; do
  ln -s busybox "$root/bin/$applet"
done
ln -s ../bin/busybox "$root/sbin/init"
ln -s bin/busybox "$root/init"
number=10
for name in virtio_ring virtio virtio_mmio virtio_blk failover net_failover virtio_net crc16 crc32c_generic libcrc32c mbcache jbd2 ext4 af_packet rng-core virtio-rng loop squashfs; do
  module=$(find "$sysroot"/lib/modules -name "$name.ko*" | head -1)
  [ -n "$module" ] || continue
  cp "$module" "$root/lib/modules/$((number++))-$name.ko"
done
for name in watchdog softdog; do cp "$(find "$sysroot"/lib/modules -name "$name.ko*")" "$root/lib/modules/$((number++))-$name.ko"; done
installed=("$programs"/{ht1-console,bootstate,thermostatd} "$sysroot"/sbin/{mke2fs,e2fsck} "$sysroot"/usr/bin/{setpriv,rauc,dbus-daemon})
cp "${installed[@]}" "$root/usr/bin/"
"$here/libraries.sh" "$sysroot" "${installed[@]}" | sort -u | while read -r library; do cp -L "$library" "$root/lib/aarch64-linux-gnu/"; done
cp -L "$sysroot/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1" "$root/lib/"
cp -r "$here"/rootfs/. "$root/"
cp "$keyring" "$root/etc/rauc/keyring.pem"
ln -s ../run "$root/var/run"
chmod 755 "$root"/etc/rc "$root"/etc/services/* "$root"/usr/lib/ht1/* "$root/usr/bin/factory-reset" "$root/usr/share/udhcpc/default.script"
(cd "$root" && find . | sort | cpio -o -H newc -R 0:0 --quiet | gzip -9n) >"$out"
