#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first program of the guest: loads what USB needs, mounts the host's root, read-only, and runs in it the script that the kernel
# command line names (HILCOP_RUN=/path); says its status on a line of its own and powers off.
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /host
mount -t devpts pts /dev/pts
while read -r module; do modprobe "$module" || echo "init: no module $module"; done </modules.txt
# One of its eight controllers is enough; the others are many ports to look at.
for number in 1 2 3 4 5 6 7; do echo vhci_hcd.$number >/sys/bus/platform/drivers/vhci_hcd/unbind; done
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose host /host || echo "init: no root of the host"
for folder in proc sys dev dev/pts; do mount --bind /$folder /host/$folder; done
mount -t configfs config /host/sys/kernel/config
mount -t tmpfs run /host/run
mkdir -p /host/run/tmp
ip link set lo up
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TMPDIR=/run/tmp XDG_RUNTIME_DIR=/run HILCOP_RUNTIME_DIR=/run/hilcop HILCOP_STATE_DIR=/run/state
chroot /host /lib/systemd/systemd-udevd --daemon 2>/dev/null
export SYSTEMD_IGNORE_CHROOT=1
chroot /host udevadm trigger --subsystem-match=tty --subsystem-match=usb  # what was there before it: names by serial number
chroot /host udevadm settle
chroot /host /bin/sh "$HILCOP_RUN"
echo "RESULT $?"
/bin/busybox poweroff -f
