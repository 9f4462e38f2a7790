#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The examples receive.c and receive.py: both count what was sent, to the packet,
# and end alike. RECEIVE and RECEIVE_PY are the programs, RTPGEN is the generator.
set -euo pipefail
# shellcheck source=tests/netns/work.sh
. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

stream=239.1.1.1:5000
packets=5000

start_by_uri() {
  start "$program" "afxdp://$stream" "$VETH_RECEIVER_DEVICE"
}

start_by_sdp() {
  start "$program" "$work/stream.sdp"
}

is_receiving() {
  grep -q '^GstAfxdpSrcMode, mode=(string)af-xdp,' "$work/lines"
}

# run START LOST OPTION...: receives while rtpgen sends with the options, by which
# so many packets are missing.
run() {
  local start=$1 lost=$2
  shift 2
  send_to "$start" is_receiving --destination $stream --rate 5000 \
    --packets $packets --ssrc 0xcafe0001 "$@"
  wait_for "$receiver" grep -q "^packets $packets lost $lost\$" "$work/lines"
  end_receiver INT
  expect_status 0
  [ "$(tail -n 2 "$work/lines" | sed 's/jitter [0-9]*$/jitter/')" = \
    "packets $packets lost $lost"$'\n''  SSRC cafe0001 jitter' ] ||
    fail 'it does not end with the statistics'
  expect_line lines \
    '^GstAfxdpSrcSource, ssrc=(uint)3405643777, state=(string)new,'
  expect_no_errors
}

test_nothing_lost() {
  run start_by_uri 0
  expect_no_line lines GstAfxdpSrcGap
}

test_gaps() {
  run start_by_sdp 10 --gap 1000:7 --gap 4000:3
  local gap
  for gap in '1000, missing=(guint64)7' '4000, missing=(guint64)3'; do
    expect_line lines "^GstAfxdpSrcGap, .* first-missing=(uint)$gap,"
  done
}

main() {
  make_work_directory
  printf '%s\n' v=0 'o=- 1 1 IN IP4 10.0.0.1' s=- "c=IN IP4 ${stream%:*}/16" \
    't=0 0' "m=video ${stream#*:} RTP/AVP 33" >"$work/stream.sdp"
  veth_up --lossless
  for program in "$RECEIVE" "$RECEIVE_PY"; do
    expect_refusal 1 errors '^usage: ' "$program"
    expect_refusal 1 lines nowhere0 "$program" "afxdp://$stream" nowhere0
    test_nothing_lost
    test_gaps
  done
}

main
