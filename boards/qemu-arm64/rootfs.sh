#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# rootfs.sh DEBIAN_ROOT FILES STORE OUT: the initramfs: busybox, the kernel modules that the board needs, our data service.
set -euo pipefail
debian=$1 files=$2 store=$3 out=$4
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,sbin,etc,proc,sys,dev,tmp,run,data,root,lib/modules}
cp "$debian/bin/busybox" "$root/bin/busybox"
for applet in sh mount umount insmod mkdir ls cat echo getty login init sync dd sleep reboot poweroff dmesg ln hostname date ps kill \
  sha256sum cksum uname grep head tail cut tr seq hexdump sed rm mv cp printf true false stty fsync test expr wc sort touch chmod df od; do
  ln -s busybox "$root/bin/$applet"
done
ln -s ../bin/busybox "$root/sbin/init"
ln -s bin/busybox "$root/init"
cp "$store" "$root/bin/store"
number=10
for name in virtio_ring virtio virtio_mmio virtio_blk crc16 crc32c_generic libcrc32c mbcache jbd2 ext4; do
  module=$(find "$debian"/lib/modules -name "$name.ko*" | head -1)
  [ -n "$module" ] || continue
  cp "$module" "$root/lib/modules/$((number++))-$name.ko"
done
echo "root:$(openssl passwd -1 -salt hilcop board):0:0:root:/root:/bin/sh" >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
echo 'export PATH=/bin:/sbin' >"$root/etc/profile"
cp "$files/inittab" "$files/rcS" "$root/etc/"
chmod +x "$root/etc/rcS"
(cd "$root" && find . | sort | cpio -o -H newc -R 0:0 --quiet | gzip -9n) >"$out"
