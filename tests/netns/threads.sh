#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# threads.c between two hosts: every packet of the streams that stay arrives.
# THREADS and RTPGEN are the programs. The rate is one that a build with a thread
# sanitizer can hold.
set -euo pipefail
export LC_ALL=C.UTF-8

if ((EUID != 0)); then
  echo 'root is needed to make network namespaces'
  exit 77
fi

here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/netns/veth.sh
. "$here/veth.sh"
# shellcheck source=tests/netns/work.sh
. "$here/work.sh"

packets=10000 # of each stream

end_receiver() {
  kill "$receiver" 2>/dev/null || true
}

veth_up --queues 1
make_work_directory
# The sanitizer of Debian 12 does not know as many random address bits as newer
# kernels use, nor GLib's slices, which pass memory from thread to thread.
export G_SLICE=always-malloc
"${IN_RECEIVER[@]}" setarch -R "$THREADS" "$VETH_RECEIVER_DEVICE" $packets \
  >"$work/lines" &
receiver=$!
cleanup_push end_receiver

wait_for "$receiver" grep -q ready "$work/lines"
destinations=()
for i in 1 2 3 4 5 6; do destinations+=("--destination=239.1.1.$i:5000"); done
status=0
"${IN_SENDER[@]}" "$RTPGEN" --interface="$VETH_SENDER_DEVICE" --cpu=0 \
  "${destinations[@]}" --rate=12000 --packets=$((packets * 6)) || status=$?
if ((status == 1)); then
  # What the wire dropped cannot arrive.
  echo 'the wire dropped packets: this run proves nothing'
  exit 1
fi
wait $receiver
cat "$work/lines"
