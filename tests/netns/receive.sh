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

expect_line() {
  grep -q -- "$1" "$work/lines" || fail "$program does not say $1"
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
    fail "$program does not end with the statistics"
  expect_line '^GstAfxdpSrcSource, ssrc=(uint)3405643777, state=(string)new,'
  [ ! -s "$work/errors" ] || fail "$program complains"
}

test_nothing_lost() {
  run start_by_uri 0
  ! grep GstAfxdpSrcGap "$work/lines" || fail "$program tells of a gap"
}

test_gaps() {
  run start_by_sdp 10 --gap 1000:7 --gap 4000:3
  expect_line '^GstAfxdpSrcGap, .* first-missing=(uint)1000, missing=(guint64)7,'
  expect_line '^GstAfxdpSrcGap, .* first-missing=(uint)4000, missing=(guint64)3,'
}

# expect_refusal FILE PATTERN ARGUMENT...: it ends with 1, with such a line in that
# file.
expect_refusal() {
  local file=$work/$1 pattern=$2
  shift 2
  status=0
  "${IN_RECEIVER[@]}" "$program" "$@" >"$work/lines" 2>"$work/errors" ||
    status=$?
  expect_status 1
  grep -q -- "$pattern" "$file" || fail "$program does not say $pattern"
}

main() {
  make_work_directory
  printf '%s\n' v=0 'o=- 1 1 IN IP4 10.0.0.1' s=- "c=IN IP4 ${stream%:*}/16" \
    't=0 0' "m=video ${stream#*:} RTP/AVP 33" >"$work/stream.sdp"
  veth_up --lossless
  for program in "$RECEIVE" "$RECEIVE_PY"; do
    expect_refusal errors '^usage: '
    expect_refusal lines nowhere0 "afxdp://$stream" nowhere0
    test_nothing_lost
    test_gaps
  done
}

main
