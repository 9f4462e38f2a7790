#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# threads.c between two hosts: every packet of the streams that stay arrives.
# THREADS and RTPGEN are the programs. First with a thread for each stream, then with
# one receiver for all, then by two networks each. The rate is one that a build with a thread
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

# send_both OPTION...: by both wires, of which each leaves out every tenth, and not the
# same.
send_both() {
  local result=0 start
  start=$(python3 -c 'import time; print(time.monotonic_ns() + 10 ** 9)')
  set -- "--start-at=$start" --script-every=10 "$@"
  "${IN_SENDER[@]}" "$RTPGEN" --interface tx1 --source 10.0.1.1 "$@" --gap=7 \
    >"$work/sent-by-second" 2>&1 &
  send "$@" --gap=3 || result=1
  wait $! || (($? == 3)) || result=1
  return $result
}

# run SEND RATE TENTHS RECEIVER...: each packet of all of them comes by one wire or two.
run() {
  local send=$1 rate=$2 sent=$((packets * 6 * $3 / 10)) status=0
  shift 3
  start setarch -R "$THREADS" "$VETH_RECEIVER_DEVICE" $packets "$@"
  wait_for "$receiver" grep -q ready "$work/lines"
  # What the wire dropped cannot arrive.
  "$send" --cpu=0 "${destinations[@]}" --rate="$rate" \
    --packets="$sent" || skip
  wait "$receiver" || status=$?
  cat "$work/lines" "$work/errors"
  expect_status 0
}

run send 12000 10
run send 12000 10 shared

veth_add_wire
run send_both 6000 9 shared rx1
