#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The first program of a guest: mounts its disk, the sources and the kernel's modules,
# and hands over.
busybox=/bin/busybox
$busybox mount -t proc proc /proc
$busybox mount -t devtmpfs dev /dev
while read -r module; do
  $busybox insmod "/modules/$module"
done </modules/order
$busybox mount -t ext4 /dev/vda /root
for share in src modules lab; do
  case $share in
    src) at=/root/src options=ro,cache=loose ;;
    modules) at=/root/lib/modules options=ro,cache=loose ;;
    lab) at=/root/mnt options=rw,cache=none ;;
  esac
  $busybox mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,$options" \
    "$share" "$at"
done
$busybox mount --move /dev /root/dev
$busybox umount /proc
exec $busybox switch_root /root /src/tests/vm/inside/init.sh
