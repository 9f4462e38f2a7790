#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The launch lines of the element's documentation block, run as they stand while
# what they expect is sent. RTPGEN is the generator, SOURCE the file with the block,
# CAMERA an SDP file.
set -euo pipefail
# shellcheck source=tests/netns/work.sh
. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

launch_lines() {
  sed -n '/^ \* |\[$/,/^ \* \]|$/ s/^ \* \(gst-launch-1.0 .*\)/\1/p' "$SOURCE"
}

# What rtpgen is to send for the line, as options: as camera.sdp says, or an MPEG
# transport stream.
options() {
  if [[ $1 == *sdp-location=camera.sdp* ]]; then
    tr -d '\r' <"$work/camera.sdp" | awk '/^c=/ { split($3, group, "/") } /^m=/ { port = $2; type = $4 }
      /^a=source-filter/ { source = $NF }
      END { print "--destination=" group[1] ":" port, "--payload-type=" type,
        "--source=" source }'
  elif [[ $1 =~ multicast-group=([0-9.]+)\ port=([0-9]+) ]]; then
    echo "--destination=${BASH_REMATCH[1]}:${BASH_REMATCH[2]}"
  else
    fail "what does it receive? $1"
  fi
}

is_playing() {
  grep -q 'Setting pipeline to PLAYING' "$work/lines"
}

# The one interface there is, for eth1 and eth2.
# The program itself, in the directory where the files of its line are; stdbuf, for
# what it prints is waited for.
run_line() {
  local line=${1//eth[12]/$VETH_RECEIVER_DEVICE}
  # shellcheck disable=SC2086 # the line is a command
  (cd "$work" && exec "${IN_RECEIVER[@]}" stdbuf -oL ${line//\'/}) \
    >"$work/lines" 2>"$work/errors" &
  receiver=$!
  cleanup_push end_process $receiver
  wait_for "$receiver" is_playing
  # shellcheck disable=SC2046 # options
  send $(options "$line") --rate 2000 --packets 4000 || skip
  end_receiver INT
  ((status == 0)) || fail "exit status $status of: $line"
  ! grep -E 'ERROR|CRITICAL' "$work/lines" "$work/errors" ||
    fail "it complains: $line"
}

main() {
  local line n=0
  make_work_directory
  veth_up --queues 1
  cp "$CAMERA" "$work/camera.sdp"
  while read -r line; do
    echo "$line"
    run_line "$line"
    n=$((n + 1))
    case $line in
      *location=programme.ts*)
        # Half a second of latency may still be in the jitter buffer.
        (($(stat -c %s "$work/programme.ts") > 1000 * 1316)) ||
          fail 'hardly anything arrived'
        grep -q 'GstAfxdpSrcMode, mode=(string)af-xdp' "$work/lines" ||
          fail 'the messages are not printed'
        ;;
    esac
  done < <(launch_lines)
  ((n >= 2)) || fail "only $n launch lines in the documentation"
}

main
