#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What tests that are scripts need: a directory for their files ($work, with the
# files lines and errors of the program under test), processes, what is expected of
# them, traffic, and a look into its JSON summary. Source it first: it ends the test
# where there is no root, and brings veth.sh.

export LC_ALL=C.UTF-8

if ((EUID != 0)); then
  echo 'root is needed to make network namespaces'
  exit 77
fi

# shellcheck source=tests/netns/veth.sh
. "$(dirname "${BASH_SOURCE[0]}")/veth.sh"

patience=30 # seconds; nothing takes so long
ran=        # the program under test, with its arguments

fail() {
  printf 'FAILED: %s\n' "$*"
  [ -z "$ran" ] || printf 'with: %s\n' "$ran"
  tail -n 20 "$work"/lines "$work"/errors 2>/dev/null || true
  exit 1
}

# Proves nothing, since the wire lost packets: with rtpgen's figures.
skip() {
  echo "skipped: the wire lost packets$*: $(tail -n 1 "$work/sent")"
  exit 77
}

make_work_directory() {
  work=$(mktemp -u /tmp/afxdp-test.XXXXXX)
  cleanup_push rm -rf "$work"
  mkdir -m 700 "$work"
}

# Also keeps bash from announcing the death.
end_process() {
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# Waits until COMMAND succeeds, while the process runs: PROCESS COMMAND...
wait_for() {
  local process=$1 limit=$((SECONDS + patience))
  shift
  until "$@"; do
    kill -0 "$process" 2>/dev/null || fail "a process ended before: $*"
    ((SECONDS < limit)) || fail "it never became so: $*"
    sleep 0.05
  done
}

# start COMMAND...: the program under test; its process is $receiver.
start() {
  ran=$*
  : >"$work/lines"
  "${IN_RECEIVER[@]}" "$@" >"$work/lines" 2>"$work/errors" &
  receiver=$!
  cleanup_push end_process "$receiver"
}

# end_receiver SIGNAL: leaves its exit status in status.
end_receiver() {
  kill -"$1" "$receiver"
  status=0
  wait "$receiver" || status=$?
}

# run_to_end COMMAND...: the program under test, which ends by itself; leaves its exit
# status in status.
run_to_end() {
  ran=$*
  status=0
  "${IN_RECEIVER[@]}" "$@" >"$work/lines" 2>"$work/errors" || status=$?
}

expect_status() {
  ((status == $1)) || fail "exit status $status and not $1"
}

# expect_line FILE PATTERN: there is such a line in the file, lines or errors.
expect_line() {
  grep -q -- "$2" "$work/$1" || fail "nothing like $2 in $1"
}

expect_no_line() {
  ! grep -- "$2" "$work/$1" || fail "that is like $2 in $1"
}

expect_no_errors() {
  [ ! -s "$work/errors" ] || fail 'it complains'
}

# expect_refusal STATUS FILE PATTERN COMMAND...: it ends so, with such a line in the
# file.
expect_refusal() {
  local expected=$1 file=$2 pattern=$3
  shift 3
  run_to_end "$@"
  expect_status "$expected"
  expect_line "$file" "$pattern"
}

# send OPTION...: rtpgen proves by 0, and by 3 when it was late, that every packet
# left the wire.
send() {
  local result=0
  "${IN_SENDER[@]}" "$RTPGEN" --interface "$VETH_SENDER_DEVICE" "$@" \
    >"$work/sent" 2>&1 || result=$?
  case $result in
    0 | 3) return 0 ;;
    1) return 1 ;;
    *) fail "rtpgen: $(cat "$work/sent")" ;;
  esac
}

# send_to START READY OPTION...: starts a receiver by START, sends with the options
# when READY is true; again when the wire lost packets, as it does when the machine
# has taken the processor away from the kernel for long: that proves nothing.
send_to() {
  local start=$1 ready=$2 try
  shift 2
  for try in 1 2 3 4 5; do
    "$start"
    wait_for "$receiver" "$ready"
    ! send "$@" || return 0
    echo "The wire lost packets in run $try: again."
    end_receiver KILL
  done
  skip ' in each of 5 runs'
}

# check EXPRESSION...: in Python, of the summary s, its streams and their stats.
check() {
  python3 - "$work/summary.json" "$@" <<'END' || fail "$(cat "$work/summary.json")"
import json, sys

s = json.load(open(sys.argv[1]))
streams = s["streams"]
stats = [stream["stats"] for stream in streams]
wrong = [text for text in sys.argv[2:] if not eval(text)]
for text in wrong:
    print("not so:", text)
sys.exit(bool(wrong))
END
}

