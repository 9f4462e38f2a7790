#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The statistics of one SSRC beside those of tshark, which captures on the sending
# side what a socket sends (no capture sees live frames). RECEIVE_MANY and RTPGEN are
# the programs.
set -euo pipefail
# shellcheck source=tests/netns/work.sh
. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

stream=239.1.1.1:5000
packets=5000

start_receiver() {
  start "$RECEIVE_MANY" --interface "$VETH_RECEIVER_DEVICE" --interval 0.1 \
    --json "$work/summary.json" $stream
  wait_for "$receiver" grep -q ': path af-xdp,' "$work/lines"
}

is_capturing() {
  [ -s "$work/capture" ] && grep -q Capturing "$work/tshark"
}

start_capture() {
  : >"$work/tshark"
  "${IN_SENDER[@]}" tshark -i "$VETH_SENDER_DEVICE" -f 'udp port 5000' \
    -c $packets -a duration:$patience -w "$work/capture" >"$work/tshark" 2>&1 &
  capture=$!
  cleanup_push end_process $capture
  wait_for $capture is_capturing
}

# Packets in bursts, so that there is jitter: 1500 a second, of which 8 come back
# to back. The wrap of the numbers, gaps, duplicates and late packets are in it.
send_bursts() {
  send --method socket --destination $stream --rate 1500 --burst 8 \
    --packets $packets --first-seq 63000 --gap 500:7 --gap 901:1 --gap 3000:40 \
    --duplicate 1500 --reorder 2000:3 || skip
}

# tshark's own analysis of the stream: packets and lost ones.
analyse() {
  tshark -r "$work/capture" -d udp.port==5000,rtp -q -z rtp,streams 2>/dev/null |
    awk '/0x52545047/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ /%/) print $(i - 1), $i }'
}

# The jitter of RFC 3550 A.8 over what tshark captured, in timestamp units.
jitter() {
  tshark -r "$work/capture" -d udp.port==5000,rtp -T fields \
    -e frame.time_epoch -e rtp.timestamp 2>/dev/null |
    awk '{
      transit = $1 * 90000 - $2
      if (NR > 1) {
        d = transit - last
        j += ((d < 0 ? -d : d) - j) / 16
      }
      last = transit
    } END { printf "%.1f\n", j }'
}

main() {
  local captured lost
  make_work_directory
  veth_up --lossless
  start_receiver
  start_capture
  send_bursts
  wait_for "$receiver" grep -q " stream $stream .* packets $packets " \
    "$work/lines"
  wait $capture || fail "$(cat "$work/tshark")"
  end_receiver INT
  expect_status 1 # packets were lost
  read -r captured lost < <(analyse)
  echo "tshark: $captured packets, $lost lost, jitter $(jitter)"
  check "streams[0]['stats']['sources'][0]['packets-received'] == $captured" \
    "streams[0]['stats']['sources'][0]['packets-lost'] == $lost" \
    "streams[0]['stats']['sources'][0]['lost'] == 48" \
    "abs(streams[0]['stats']['sources'][0]['jitter'] / $(jitter) - 1) < 0.05"
}

main
