#!/bin/bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Process 1 of a guest: the file systems and drivers that a system needs, then the
# agent, which does what the host asks.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
for driver in virtio_net igb e1000e vmxnet3; do
  modprobe "$driver"
done
ip link set lo up
export GST_REGISTRY=/tmp/registry.bin GST_REGISTRY_FORK=no
python3 /src/tests/vm/inside/agent.py
echo "the agent ended with $?"
echo o >/proc/sysrq-trigger
sleep 10
