#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The distributor daemon as a program: what it says of itself, what it does with clients
# that are no good, how it reads its configuration again, and how it ends. DISTRIBUTOR is
# the program, DISTRIBUTOR_CLIENT the one that misbehaves, METRICS "no" in a build
# without libmicrohttpd.
set -euo pipefail
# shellcheck source=tests/netns/work.sh
. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# What its unit leaves it.
capabilities=+net_admin,+net_raw,+bpf,+perfmon,+ipc_lock

configure() {
  printf '%s\n' '[distributor]' 'interfaces=rx0' "socket=$socket" "$@" \
    '[user 4242]' 'max-streams=2' >"$work/conf"
}

start_daemon() {
  # What the one before said is not what this one says.
  : >"$work/errors"
  start setpriv --bounding-set="-all,$capabilities" --inh-caps=-all \
    "$DISTRIBUTOR" --config "$work/conf"
  wait_for "$receiver" is_ready
}

is_ready() {
  grep -q 'receives on rx0' "$work/errors"
}

# is_told N PATTERN: the daemon has said so N times.
is_told() {
  (($(grep -c -- "$2" "$work/errors") == $1))
}

# client TEST...
client() {
  "${IN_RECEIVER[@]}" "$DISTRIBUTOR_CLIENT" "$socket" "$@" ||
    fail "a client: $*"
}

# The process of the daemon itself is what setpriv became.
end_daemon() {
  end_receiver TERM
  expect_status 0
  [ ! -e "$socket" ] || fail 'its socket is still there'
  if ip -n "$VETH_RECEIVER_NETNS" link show rx0 | grep prog/xdp; then
    fail 'its program is still there'
  fi
}

status() {
  "$DISTRIBUTOR" --config "$work/conf" --status "$@"
}

test_status() {
  configure
  start_daemon
  status | grep -q '^Clients: none' || fail 'there are clients'
  client stream
  status --json >"$work/summary.json"
  check 's["interfaces"][0]["name"] == "rx0"' 's["interfaces"][0]["queues"] == 2' \
    's["interfaces"][0]["present"]' \
    's["version"]' 's["uptime-seconds"] > 0'
  end_daemon
  ! status 2>"$work/refusal" || fail 'somebody answers'
  grep -q 'no distributor daemon is there. Start it' "$work/refusal" ||
    fail "$(cat "$work/refusal")"
}

# scrape: asks for the daemon's metrics.
scrape() {
  "${IN_RECEIVER[@]}" python3 -c '
import sys, urllib.request
print(urllib.request.urlopen("http://127.0.0.1:9465/metrics").read().decode())
' >"$work/metrics"
}

# What --status has is there, of streams and of those who have them. A second daemon that
# would listen there as well takes nothing with it.
test_metrics() {
  if [ "$METRICS" = no ]; then
    configure metrics=127.0.0.1:9465
    expect_refusal 1 errors 'no libmicrohttpd' "$DISTRIBUTOR" --config "$work/conf"
    return 0
  fi
  configure metrics=127.0.0.1:9465
  start_daemon
  scrape
  expect_line metrics '^afxdp_distributor_interface_up{interface="rx0"} 1'
  expect_line metrics '^afxdp_distributor_interface_queues{interface="rx0"} 2'
  expect_no_line metrics '^afxdp_distributor_client'
  "${IN_RECEIVER[@]}" "$DISTRIBUTOR_CLIENT" "$socket" end >"$work/end" 2>&1 &
  local process=$!
  cleanup_push end_process $process
  wait_for $process grep -q 'has streams' "$work/end"
  scrape
  expect_line metrics '^afxdp_distributor_stream_clients{.*,interface="rx0"} [1-9]'
  expect_line metrics '^afxdp_distributor_client_slots{pid=".*",uid="0",'
  expect_refusal 1 errors 'Choose a port of its own' "$DISTRIBUTOR" \
    --interface rx0 --socket "$work/directory/other" --metrics 127.0.0.1:9465
  end_daemon
  wait $process || fail "its clients: $(cat "$work/end")"
}

test_bad_clients() {
  configure 'allow=239.0.0.0/8;10.0.0.2:6000'
  start_daemon
  client versions wrong_words refusals unicast stream misuse crowd silence stream
  cp "$DISTRIBUTOR_CLIENT" "$work/client.py"
  chmod 755 "$work"
  chmod 666 "$socket"
  "${IN_RECEIVER[@]}" setpriv --reuid 4242 --regid 4242 --clear-groups \
    "$work/client.py" "$socket" user || fail 'a client of another user'
  end_daemon
}

test_reload() {
  configure
  start_daemon
  client stream
  configure allow=239.9.0.0/16 max-clients=2
  kill -HUP "$receiver"
  wait_for "$receiver" is_told 1 'Read the configuration again'
  expect_line errors 'max-clients has changed .* ignored'
  ! "${IN_RECEIVER[@]}" "$DISTRIBUTOR_CLIENT" "$socket" stream 2>/dev/null ||
    fail 'what is not allowed any more is given'
  configure allow=nonsense
  kill -HUP "$receiver"
  wait_for "$receiver" is_told 1 'go on as before: .*allow=nonsense is no rule'
  configure
  kill -HUP "$receiver"
  wait_for "$receiver" is_told 2 'Read the configuration again'
  client stream
  end_daemon
}

# The asking process names the users of clients: the daemon looks for no names.
test_end_with_clients() {
  configure
  start_daemon
  "${IN_RECEIVER[@]}" "$DISTRIBUTOR_CLIENT" "$socket" end >"$work/end" 2>&1 &
  local process=$!
  cleanup_push end_process $process
  wait_for $process grep -q 'has streams' "$work/end"
  [ "$(status --json | grep -c '"user" : "root"')" = 2 ] || fail 'without names'
  [ "$(status | grep -c '^  process .* of root, ')" = 2 ] || fail 'without names'
  end_daemon
  wait $process || fail "its clients: $(cat "$work/end")"
}

# A file that a killed daemon left is not in the way; another daemon is.
test_socket_file() {
  configure
  start_daemon
  end_process "$receiver"
  [ -e "$socket" ] || fail 'it took its socket with it'
  start_daemon
  local first=$receiver
  expect_refusal 1 errors "Another daemon has $socket" \
    "$DISTRIBUTOR" --config "$work/conf"
  receiver=$first
  status >/dev/null || fail 'the first one does not answer any more'
  kill -TERM "$first"
  wait "$first" || fail "the first one ended with $?"
  [ ! -e "$socket.lock" ] || fail 'it left its lock'
}

# Of two that start at once one ends, and takes nothing away from the other, which has
# not made its socket yet.
test_lock() {
  configure
  mkdir -p "$(dirname "$socket")"
  local lock
  exec {lock}>"$socket.lock"
  flock "$lock"
  expect_refusal 1 errors "Another daemon has $socket" \
    "$DISTRIBUTOR" --config "$work/conf"
  exec {lock}>&-
  start_daemon
  end_daemon
}

# systemd's protocol, by a small tool of its.
test_activation() {
  if ! command -v systemd-socket-activate >/dev/null; then
    echo 'without socket activation: there is no systemd-socket-activate'
    return 0
  fi
  configure
  start systemd-socket-activate --seqpacket --listen="$socket" \
    "$DISTRIBUTOR" --config "$work/conf"
  wait_for "$receiver" test -S "$socket"
  client stream
  end_receiver TERM
  expect_status 0
  [ -e "$socket" ] || fail 'it took away a socket that is not its own'
  rm "$socket"
}

test_refused_settings() {
  configure
  expect_refusal 2 errors 'There is no interface' "$DISTRIBUTOR"
  expect_refusal 1 errors 'no group nope' "$DISTRIBUTOR" --interface rx0 \
    --socket "$socket" --group nope
  expect_refusal 1 errors 'processor 1023' "$DISTRIBUTOR" --interface rx0 \
    --socket "$socket" --cpus 1023
  [ ! -e "$socket" ] || fail 'it left its socket'
}

main() {
  make_work_directory
  socket=$work/directory/socket
  veth_up --queues 2
  local name
  for name in status metrics bad_clients reload end_with_clients socket_file lock \
    activation refused_settings; do
    echo "$name"
    "test_$name"
  done
}

main
