#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The example receive-many: what it says of four streams, and of one with two legs, to
# people and to programs, and with which status it ends. RECEIVE_MANY and RTPGEN are the
# programs.
set -euo pipefail
# shellcheck source=tests/netns/work.sh
. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

streams=(239.1.1.1:5000 239.1.1.2:5000 239.1.1.3:5000 239.1.1.4:5000)
rate=40000
packets=80000 # of all streams together

# Every stream has told by which way it receives, which it does when it plays.
is_receiving() {
  (($(grep -c ': path af-xdp,' "$work/lines") == ${#streams[@]}))
}

# Every stream has counted so many packets.
has_packets() {
  local stream
  for stream in "${streams[@]}"; do
    grep -q " stream $stream .* packets $1 " "$work/lines" || return 1
  done
}

# The processors are this test's: one sends, one receives.
start_receiver() {
  start taskset -c 1 "$RECEIVE_MANY" --interface "$VETH_RECEIVER_DEVICE" \
    --interval 0.1 --json "$work/summary.json" "${streams[@]}"
}

# run SIGNAL OPTION...: a run of it while rtpgen sends with the options.
run() {
  local signal=$1
  shift
  send_to start_receiver is_receiving --cpu 0 --destination "${streams[0]}" \
    --flows ${#streams[@]} --rate $rate --packets $packets "$@"
  wait_for "$receiver" has_packets $((packets / ${#streams[@]}))
  end_receiver "$signal"
}

test_nothing_lost() {
  run INT
  expect_status 0
  expect_no_line lines $'[\e\r]' # escape codes, and no terminal
  expect_no_errors
  check 's["exit-status"] == 0' 'len(streams) == 4' \
    'all(x["packets"] == 20000 for x in stats)' \
    'all(x["lost"] == x["pending"] == x["gaps"] == 0 for x in stats)' \
    'all(x["reordered"] == x["duplicates"] == 0 for x in stats)' \
    'all(x["delivered-xdp"] > 10000 for x in stats)' \
    'all(x["sources"][0]["packets-received"] == 20000 for x in stats)' \
    'all(x["queues"] == [0] and x["path"] == "af-xdp" for x in streams)' \
    'all(x["failure"] is None for x in streams)' \
    's["total"]["packets"] == 80000 and s["total"]["lost"] == 0' \
    's["cpu-ns-per-packet"] > 0'
  # While the machine was busy some may have taken the socket.
  expect_line lines '^total *80000 *[0-9]* *[0-9]* *0 *0 *0 *0 *0$'
}

test_gaps() {
  run TERM --gap 1000:7 --gap 5000:3
  expect_status 1
  check 's["exit-status"] == 1' \
    'all(x["packets"] == 20000 for x in stats)' \
    'all(x["lost"] == 10 and x["gaps"] == 2 for x in stats)' \
    'all(x["pending"] == x["reordered"] == 0 for x in stats)' \
    's["total"]["lost"] == 40 and s["total"]["gaps"] == 8'
}

# A second wire, for the second leg.
second_wire_up() {
  ip -n "$VETH_SENDER_NETNS" link add tx1 type veth \
    peer name rx1 netns "$VETH_RECEIVER_NETNS"
  "${IN_RECEIVER[@]}" ethtool -K rx1 gro on
  tc -n "$VETH_SENDER_NETNS" qdisc add dev tx1 root pfifo limit 10000
  ip -n "$VETH_SENDER_NETNS" addr add 10.0.1.1/24 dev tx1
  ip -n "$VETH_RECEIVER_NETNS" addr add 10.0.1.2/24 dev rx1
  veth_link_up "$VETH_SENDER_NETNS" tx1
  veth_link_up "$VETH_RECEIVER_NETNS" rx1
  veth_wait_carrier "$VETH_SENDER_NETNS" tx1
  veth_wait_carrier "$VETH_RECEIVER_NETNS" rx1
}

# The two generators do not begin at the same moment: so the window.
start_two_legs() {
  start "$RECEIVE_MANY" --interface "$VETH_RECEIVER_DEVICE" \
    --redundant-interface rx1 --reorder-window 1000 --interval 0.1 \
    --json "$work/summary.json" 239.1.1.1:5000+239.2.1.1:5002
}

has_two_paths() {
  grep -q ': path af-xdp,' "$work/lines" &&
    grep -q ': leg 1: path af-xdp\.' "$work/lines"
}

# has_leg NUMBER PACKETS LOST RECOVERED: as its line says.
has_leg() {
  grep -q " leg $1 interface rx$1 mode af-xdp .* packets $2 lost $3 recovered $4 " \
    "$work/lines"
}

# What the second network carries, beside send().
send_second_leg() {
  "${IN_SENDER[@]}" "$RTPGEN" --interface tx1 --source 10.0.1.1 \
    --destination 239.2.1.1:5002 "$@" >"$work/sent-second" 2>&1 &
  second=$!
  cleanup_push end_process $second
}

# Each network loses every tenth packet, and never the same.
test_two_legs() {
  local try result options=(--rate 5000 --packets 9000 --script-every 10)
  for try in 1 2 3 4 5; do
    start_two_legs
    wait_for "$receiver" has_two_paths
    send_second_leg "${options[@]}" --gap 7:1
    result=0
    send --source "$VETH_SENDER_IPV4" --destination 239.1.1.1:5000 \
      "${options[@]}" --gap 3:1 || result=1
    wait $second || result=$((result | $? == 1))
    ((result)) || break
    echo "A wire lost packets in run $try: again."
    end_receiver KILL
  done
  ((result == 0)) || skip ' in each of 5 runs'
  wait_for "$receiver" has_leg 0 9000 1000 1000
  wait_for "$receiver" has_leg 1 9000 1000 1000
  end_receiver INT
  expect_status 0
  expect_no_errors
  check 'stats[0]["packets"] == 10000 and stats[0]["lost"] == 0' \
    '[leg["lost-network"] for leg in stats[0]["legs"]] == [1000, 1000]' \
    's["redundant-interface"] == "rx1"' \
    '"239.2.1.1:5002" in streams[0]["redundant-uri"]' \
    'streams[0]["path"] == "af-xdp"'
  expect_line lines '^  leg 1 interface rx1 .* lost 1000 recovered 1000 skew-p99/ms '
}

# The second network stops: it is told, and shown from then on.
test_silent_leg() {
  start_two_legs
  wait_for "$receiver" has_two_paths
  send_second_leg --rate 5000 --packets 1000
  send --source "$VETH_SENDER_IPV4" --destination 239.1.1.1:5000 \
    --rate 5000 --packets 5000 || true
  wait_for "$receiver" grep -q ': leg 1 is silent\. ' "$work/lines"
  wait_for "$receiver" grep -q ' leg 1 interface rx1 mode af-xdp state silent ' \
    "$work/lines"
  end_receiver INT
}

# expect_usage_error PATTERN ARGUMENT...
expect_usage_error() {
  expect_refusal 2 errors "$1" "$RECEIVE_MANY" "${@:2}"
}

test_usage() {
  local interface=(--interface "$VETH_RECEIVER_DEVICE")
  expect_usage_error --interface 239.1.1.1:5000
  expect_usage_error 'no stream' "${interface[@]}"
  expect_usage_error 'no port' "${interface[@]}" 239.1.1.1
  expect_usage_error 'no port' "${interface[@]}" 239.1.1.1:65536
  expect_usage_error brackets "${interface[@]}" ff15::1:5000
  expect_usage_error 'no multicast' "${interface[@]}" 10.0.0.1:5000
  expect_usage_error source "${interface[@]}" 239.1.1.1:5000@
  expect_usage_error IPv6 "${interface[@]}" 239.1.1.1:5000@fd00::1
  expect_usage_error twice "${interface[@]}" '[ff15::1]:50' '[ff15:0::1]:50'
  expect_usage_error 'no port' "${interface[@]}" 239.1.1.1:5000+239.2.1.1
  expect_usage_error 'no port' "${interface[@]}" 239.1.1.1:5000+
  expect_usage_error --redundant-interface "${interface[@]}" \
    --redundant-interface= 239.1.1.1:5000
  expect_usage_error --mode "${interface[@]}" --mode=fast 239.1.1.1:5000
  expect_usage_error --interval "${interface[@]}" --interval=0 239.1.1.1:5000
  expect_usage_error --nonsense "${interface[@]}" --nonsense 239.1.1.1:5000
  expect_usage_error --pipeline "${interface[@]}" --pipeline='fakesink !' \
    239.1.1.1:5000
  expect_usage_error --json "${interface[@]}" --json=/nowhere/x 239.1.1.1:5000
}

# The soft limit is raised to the hard one, and that is enough or not.
test_limit() {
  local many=() i
  for ((i = 1; i <= 20; i++)); do
    many+=("239.1.2.$i:5000")
  done
  # A subshell, since a hard limit only goes down.
  (
    trap - EXIT
    ulimit -n 100
    expect_usage_error '20 streams need .* file descriptors' \
      --interface "$VETH_RECEIVER_DEVICE" "${many[@]}"
  ) || exit 1
  (
    trap - EXIT
    ulimit -Sn 40
    run_to_end "$RECEIVE_MANY" --interface "$VETH_RECEIVER_DEVICE" \
      --duration 0.1 "${many[@]}"
    expect_status 0
  ) || exit 1
}

# JSON alone on stdout; a DESCRIPTION; nothing to receive is nothing lost.
test_socket() {
  run_to_end "$RECEIVE_MANY" --interface "$VETH_RECEIVER_DEVICE" \
    --mode socket --duration 2 --json - --pipeline 'queue ! fakesink' \
    '[ff15::1]:5000' 239.1.1.1:5000
  expect_status 0
  cp "$work/lines" "$work/summary.json"
  check 'len(streams) == 2' 'all(x["path"] == "socket" for x in streams)' \
    'streams[0]["stream"] == "[ff15::1]:5000"' \
    's["pipeline"] == "queue ! fakesink"'
}

# One stream fails, since another program has its port; the other goes on until
# the end.
test_failure() {
  : >"$work/holder"
  "${IN_RECEIVER[@]}" python3 -u -c 'if True:
    import signal, socket
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", 5001))
    print("bound")
    signal.pause()' >"$work/holder" &
  local holder=$!
  cleanup_push end_process $holder
  wait_for $holder grep -q bound "$work/holder"
  run_to_end "$RECEIVE_MANY" --interface "$VETH_RECEIVER_DEVICE" \
    --duration 0.1 --json "$work/summary.json" 239.1.1.1:5001 239.1.1.1:5000
  end_process $holder
  expect_status 2
  check 's["exit-status"] == 2' \
    '[x["state"] for x in streams] == ["failed", "running"]' \
    '"5001" in streams[0]["failure"]' 'streams[1]["failure"] is None'
  expect_line lines '^239.1.1.1:5001 failed: .*5001'
}

main() {
  make_work_directory
  veth_up --lossless
  # Writes the registry, so that no run has to.
  gst-inspect-1.0 afxdpsrc >"$work/lines" 2>&1 ||
    fail 'GStreamer does not load the plugin'
  test_usage
  test_limit
  test_socket
  test_failure
  test_nothing_lost
  test_gaps
  second_wire_up
  test_two_legs
  test_silent_leg
}

main
