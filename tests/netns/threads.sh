#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# threads.c between two hosts: every packet of the streams that stay arrives.
# THREADS and RTPGEN are the programs. First with a thread for each stream, then with
# one receiver for all. The rate is one that a build with a thread
# sanitizer can hold.
set -euo pipefail
# shellcheck source=tests/netns/work.sh
. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

packets=10000 # of each stream

veth_up --queues 1
make_work_directory
# The sanitizer of Debian 12 does not know as many random address bits as newer
# kernels use, nor GLib's slices, which pass memory from thread to thread.
export G_SLICE=always-malloc
destinations=()
for i in 1 2 3 4 5 6; do destinations+=("--destination=239.1.1.$i:5000"); done

run() {
  local status=0
  start setarch -R "$THREADS" "$VETH_RECEIVER_DEVICE" $packets "$@"
  wait_for "$receiver" grep -q ready "$work/lines"
  # What the wire dropped cannot arrive.
  send --cpu=0 "${destinations[@]}" --rate=12000 --packets=$((packets * 6)) ||
    skip
  wait "$receiver" || status=$?
  cat "$work/lines" "$work/errors"
  expect_status 0
}

run
run shared
