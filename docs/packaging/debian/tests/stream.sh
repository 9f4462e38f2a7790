#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Plays a stream through what the packages have installed: as an ordinary user by a
# socket, as root by AF_XDP, and as an ordinary user again by the daemon, which takes a
# line of configuration and two commands. What is received has to be what was sent, byte
# for byte. The sender is in a network namespace; systemd has to run.
set -euo pipefail
export LC_ALL=C.UTF-8 GST_REGISTRY_FORK=no

group=239.1.1.1
port=5000
user=afxdp-tester
sender=afxdp-sender
configuration=/etc/afxdp/distributor.conf
patience=300 # tenths of a second; nothing takes so long

work=$(mktemp -d)
receiver=

say() {
  printf '%s\n' "$*"
}

fail() {
  printf 'FAILED: %s\n' "$*"
  grep -h -v GstAfxdpSrcStats "$work"/*.log | tail -n 30 || true
  journalctl --no-pager --lines 20 --unit afxdp-distributor 2>/dev/null || true
  exit 1
}

# The trap of EXIT.
clean_up() {
  [ -z "$receiver" ] || kill -KILL "$receiver" 2>/dev/null || true
  systemctl disable --quiet --now afxdp-distributor 2>/dev/null || true
  [ ! -e "$work/distributor.conf" ] || cp "$work/distributor.conf" "$configuration"
  ip netns delete $sender 2>/dev/null || true
  userdel --remove $user 2>/dev/null || true
  rm -rf "$work"
}

# wait_for COMMAND...
wait_for() {
  local tries
  for ((tries = patience; tries > 0; tries--)); do
    ! "$@" || return 0
    [ -z "$receiver" ] || kill -0 "$receiver" 2>/dev/null ||
      fail "the receiver ended before: $*"
    sleep 0.1
  done
  fail "it never became so: $*"
}

make_network() {
  ip netns add $sender
  ip link add rx0 type veth peer name tx0 netns $sender
  ip address add 10.0.0.2/24 dev rx0
  ip link set rx0 up
  ip link set lo up
  ip -n $sender address add 10.0.0.1/24 dev tx0
  ip -n $sender link set tx0 up
  ip -n $sender route add 224.0.0.0/4 dev tx0
}

# Three seconds of sound, 400 packets/s; what was sent is in $work/sent.
send() {
  ip netns exec $sender gst-launch-1.0 -q \
    audiotestsrc is-live=true samplesperbuffer=120 num-buffers=1200 ! \
    audio/x-raw,format=S16BE,rate=48000,channels=2 ! tee name=sound \
    sound. ! queue ! filesink location="$work/sent" \
    sound. ! queue ! rtpL16pay min-ptime=2500000 max-ptime=2500000 ! \
    udpsink host=$group port=$port multicast-iface=tx0 sync=false \
    >"$work/sender.log" 2>&1 || fail 'the sender'
}

# start_receiver USER
start_receiver() {
  : >"$work/received"
  chmod 666 "$work/received"
  setpriv --reuid "$1" --regid "$1" --init-groups env HOME="$work/$1" \
    gst-launch-1.0 -m afxdpsrc multicast-group=$group port=$port multicast-iface=rx0 ! \
    'application/x-rtp,media=audio,encoding-name=L16,clock-rate=48000,channels=2' ! \
    rtpjitterbuffer ! rtpL16depay ! filesink location="$work/received" \
    buffer-mode=unbuffered async=false >"$work/receiver.log" 2>&1 &
  receiver=$!
  wait_for grep -q '"afxdpsrc0" (state-changed).*new-state=(GstState)playing' \
    "$work/receiver.log"
}

has_received_all() {
  [ "$(stat -c %s "$work/received")" -ge "$(stat -c %s "$work/sent")" ]
}

end_receiver() {
  local process=$receiver
  receiver=
  kill -INT "$process"
  wait "$process" || fail "the receiver's exit status is $?"
}

# is_told FIELD...: the last GstAfxdpSrcMode has all of these.
is_told() {
  local message field
  message=$(grep -F ': GstAfxdpSrcMode,' "$work/receiver.log" | tail -n 1)
  for field; do
    [[ $message == *" $field,"* || $message == *" $field;"* ]] || return 1
  done
}

# play USER FIELD...: as USER, by the path that the fields of GstAfxdpSrcMode tell.
play() {
  local as=$1
  shift
  start_receiver "$as"
  wait_for is_told "$@"
  send
  wait_for has_received_all
  is_told "$@" || fail "the path has changed from $*"
  end_receiver
  cmp "$work/sent" "$work/received" || fail 'what was received is not what was sent'
  say "ok: $as, $*: $(stat -c %s "$work/received") bytes"
}

await_daemon_gone() {
  [ ! -e /run/afxdp/distributor.sock ]
}

# The two commands, and that the daemon has no more than its unit says.
start_daemon() {
  local process capabilities
  cp "$configuration" "$work/distributor.conf"
  sed -i 's/^#interfaces=.*/interfaces=rx0/' "$configuration"
  systemctl enable --quiet --now afxdp-distributor || fail 'the unit does not start'
  afxdp-distributor --status >"$work/status.log" 2>&1 || fail 'the daemon does not answer'
  process=$(systemctl show --property MainPID --value afxdp-distributor)
  [ "$(stat -c %U "/proc/$process")" = afxdp ] || fail 'the daemon is another user'
  capabilities=$(sed -n 's/^CapEff:\t//p' "/proc/$process/status")
  # net_admin, net_raw, ipc_lock, perfmon, bpf
  [ "$capabilities" = 000000c000007000 ] || fail "its capabilities: $capabilities"
}

end_daemon() {
  systemctl disable --quiet --now afxdp-distributor
  wait_for await_daemon_gone
  if ip link show dev rx0 | grep 'prog/xdp'; then
    fail 'its program is still there'
  fi
  cp "$work/distributor.conf" "$configuration"
}

# By the socket unit instead: its first client starts the daemon.
play_by_socket_unit() {
  sed -i 's/^#interfaces=.*/interfaces=rx0/' "$configuration"
  systemctl start afxdp-distributor.socket
  [ "$(systemctl is-active afxdp-distributor)" = inactive ] || fail 'there is a daemon'
  afxdp-distributor --status >"$work/status.log" 2>&1 || fail 'nobody answers'
  play $user 'mode=(string)af-xdp' 'provider=(string)distributor'
  systemctl stop afxdp-distributor.socket afxdp-distributor
  cp "$work/distributor.conf" "$configuration"
}

trap clean_up EXIT
chmod 755 "$work"
useradd --system --user-group --home-dir "$work/$user" $user
mkdir -m 700 "$work/root"
install -d -o $user -g $user "$work/$user"
make_network

say "$(dpkg-query --show gstreamer1.0-afxdp afxdp-distributor)"
gst-inspect-1.0 afxdpsrc >"$work/inspect.log" 2>&1 || fail 'there is no afxdpsrc'
play $user 'mode=(string)socket' 'provider=(string)own'
play root 'mode=(string)af-xdp' 'provider=(string)own'
start_daemon
play $user 'mode=(string)socket' 'provider=(string)own'
usermod --append --groups afxdp $user
play $user 'mode=(string)af-xdp' 'provider=(string)distributor'
systemctl reload afxdp-distributor || fail 'it does not read its configuration again'
end_daemon
play_by_socket_unit
