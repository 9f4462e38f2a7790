#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Shows afxdpsrc at work on this machine alone: a programme from encoders to a
# file through RTP multicast, compared byte for byte; then 390,000 packets/s.
# Sender and receiver are two network namespaces. Leaves nothing behind.
set -euo pipefail
export LC_ALL=C.UTF-8

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
group=239.1.1.1
port=5000
seconds=10
fast_rate=390000

usage() {
  cat <<END
usage: sudo examples/quickstart.sh [--keep]

Installs what is missing, builds, sends a programme (H.264 and MPEG audio in an
MPEG transport stream in RTP) from one network namespace to $group:$port,
receives it in another one with afxdpsrc, and compares the two; then does
$fast_rate packets/s for $seconds seconds. Takes about a minute.

  --keep   leave the directory with build, logs, and the programme as sent and
           as received
  --help   this text
END
}

keep=no
for option; do
  case $option in
    --keep) keep=yes ;;
    --help)
      usage
      exit
      ;;
    *)
      echo "examples/quickstart.sh does not know $option; see --help" >&2
      exit 2
      ;;
  esac
done

if ((EUID != 0)); then
  echo "Root is needed to install packages, to make network namespaces and to" \
    "load the XDP program: sudo examples/quickstart.sh" >&2
  exit 1
fi

export PATH="$PATH:/usr/sbin:/sbin"
sender_netns=afxdp-quickstart-$$-tx
receiver_netns=afxdp-quickstart-$$-rx
work='' sender='' receiver=''

# However it ends. An impatient second Ctrl-C must not stop the removal half-way.
clean_up() {
  trap '' INT HUP TERM
  end_process "$sender"
  end_process "$receiver"
  ip netns del "$sender_netns" 2>/dev/null || true
  ip netns del "$receiver_netns" 2>/dev/null || true
  if [ $keep = yes ] && [ -d "$work" ]; then
    printf '\nBuild, logs and programme: %s\n' "$work"
  elif [ -n "$work" ]; then
    rm -rf "$work"
  fi
}

# Also keeps bash from announcing the death.
end_process() {
  [ -n "$1" ] || return 0
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# bash runs the trap of EXIT after "exit" in another one.
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- What is seen -----------------------------------------------------------

bold='' plain=''
if [ -t 1 ]; then
  bold=$'\e[1m' plain=$'\e[0m'
fi

heading() {
  printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

say() {
  printf '  %s\n' "$*"
}

# The end of a log without the bus messages, and the end of the script.
give_up() {
  local log=$1
  shift
  printf '\n%s\n' "$*" >&2
  if [ -s "$log" ]; then
    echo 'The end of its output:' >&2
    sed -n '/^Got message/!s/^/    /p' "$log" | tail -n 25 >&2
  fi
  exit 1
}

# 1234567 -> 1,234,567, in REPLY
group_digits() {
  REPLY=$1
  while [[ $REPLY =~ ^([0-9]+)([0-9]{3}.*)$ ]]; do
    REPLY=${BASH_REMATCH[1]},${BASH_REMATCH[2]}
  done
}

path_name() {
  case $1 in
    af-xdp) REPLY=AF_XDP ;;
    *) REPLY=$1 ;;
  esac
}

# --- Preparation ------------------------------------------------------------

make_work_directory() {
  # The name first, so that no signal finds a directory without a removal.
  work=$(mktemp -u /tmp/afxdp-quickstart.XXXXXX)
  mkdir -m 700 "$work"
}

build() {
  local begin=$SECONDS
  "$top/tests/install-packages.sh" | sed 's/^/  /'
  { meson setup "$work/build" "$top" && meson compile -C "$work/build"; } \
    >"$work/build.log" 2>&1 || give_up "$work/build.log" 'It does not build.'
  export GST_PLUGIN_PATH=$work/build/gst GST_REGISTRY=$work/registry.bin
  # Writes the registry too, before two pipelines would do it at once.
  gst-inspect-1.0 afxdpsrc >"$work/inspect.log" 2>&1 ||
    give_up "$work/inspect.log" 'GStreamer does not load the plugin.'
  say "build: done, $((SECONDS - begin)) s"
}

# Two of the processors that this script may use: one sends (and there the
# kernel also runs its side of a veth pair), one receives.
choose_cores() {
  local list range cores=()
  list=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
  for range in ${list//,/ }; do
    mapfile -t -O ${#cores[@]} cores < <(seq "${range%-*}" "${range#*-}")
  done
  sender_core=${cores[0]}
  receiver_core=${cores[1]:-${cores[0]}}
  if [ "$sender_core" = "$receiver_core" ]; then
    say 'Only one processor: sender and receiver share it and may lose packets.'
  else
    say "processors: $sender_core sends, $receiver_core receives"
  fi
  # This script is in the sender's way rather than in the receiver's.
  taskset -cp "$sender_core" $$ >/dev/null
}

has_carrier() {
  ip -n "$1" -o link show dev "$2" | grep -q LOWER_UP
}

make_network() {
  local tries
  ip netns add "$sender_netns"
  ip netns add "$receiver_netns"
  ip -n "$sender_netns" link add tx0 type veth \
    peer name rx0 netns "$receiver_netns"
  # Without GRO, a detached XDP program takes what waits in the cable with it.
  nsenter "--net=/run/netns/$receiver_netns" ethtool -K rx0 gro on
  # A queue at the sender: its sockets wait, where they would else lose packets when
  # the cable's ring of 256 is full.
  tc -n "$sender_netns" qdisc add dev tx0 root pfifo limit 10000
  # No IPv6: the cable carries nothing but the streams and IGMP.
  ip -n "$sender_netns" link set tx0 addrgenmode none 2>/dev/null || true
  ip -n "$receiver_netns" link set rx0 addrgenmode none 2>/dev/null || true
  ip -n "$sender_netns" link set tx0 up
  ip -n "$receiver_netns" link set rx0 up
  for ((tries = 100; tries > 0; tries--)); do
    has_carrier "$receiver_netns" rx0 && break
    sleep 0.05
  done
  ip -n "$sender_netns" addr add 10.0.0.1/24 dev tx0
  ip -n "$sender_netns" route add 224.0.0.0/4 dev tx0
  ip -n "$receiver_netns" addr add 10.0.0.2/24 dev rx0
  ip -n "$receiver_netns" route add 224.0.0.0/4 dev rx0
  # "ip netns exec" would hide bpffs behind a new /sys.
  in_sender=(nsenter "--net=/run/netns/$sender_netns")
  in_receiver=(nsenter "--net=/run/netns/$receiver_netns")
  say 'network: tx0 (10.0.0.1) to rx0 (10.0.0.2), two namespaces'
}

# --- The receiver and what it says on its bus ------------------------------

# The field NAME of the structure that gst-launch-1.0 -m printed as LINE, in
# REPLY; empty when there is none. Nested structures come behind the fields.
field() {
  local line=$1 name=$2
  local pattern="[ ,]$name=\\(([^)]*)\\)(\"([^\"\\\\]|\\\\.)*\"|[^,;]*)"
  REPLY=
  if [[ $line =~ $pattern ]]; then
    REPLY=${BASH_REMATCH[2]#\"}
    REPLY=${REPLY%\"}
    REPLY=${REPLY//\\/}
  fi
}

# An unsigned number instead.
number() {
  field "$1" "$2"
  [[ $REPLY =~ ^[0-9]+$ ]] || REPLY=0
}

on_mode() {
  local path
  field "$1" mode
  path_name "$REPLY"
  path=$REPLY
  field "$1" reason
  has_path=yes
  say "path: $bold$path$plain. $REPLY"
}

on_stats() {
  local line=$1 now=${EPOCHREALTIME/./} path rate bits total lost
  number "$line" packets
  received=$REPLY
  group_digits "$received"
  total=$REPLY
  number "$line" lost
  counted_lost=$REPLY
  group_digits "$REPLY"
  lost=$REPLY
  number "$line" pending
  pending=$REPLY
  number "$line" delivered-xdp
  by_xdp=$REPLY
  number "$line" delivered-socket
  by_socket=$REPLY
  field "$line" mode
  path_name "$REPLY"
  path=$REPLY
  field "$line" packets-per-second
  group_digits "$(printf '%.0f' "${REPLY:-0}")"
  rate=$REPLY
  field "$line" bitrate
  bits=$(printf '%.0f' "${REPLY:-0}")
  printf '  %3d s  %-6s %9s packets/s %6d.%d Mbit/s %11s received %9s lost\n' \
    $(((now - run_begin + 500000) / 1000000)) "$path" "$rate" \
    $((bits / 1000000)) $((bits / 100000 % 10)) "$total" "$lost"
}

on_line() {
  case $1 in
    *'(element): GstAfxdpSrcMode,'*) on_mode "$1" ;;
    *'(element): GstAfxdpSrcStats,'*) on_stats "$1" ;;
    *'"afxdpsrc0" (state-changed)'*'new-state=(GstState)playing'*)
      is_playing=yes
      ;;
    ERROR:* | WARNING:*) say "$1" ;;
  esac
}

# Everything that the receiver printed since the last call.
read_receiver() {
  local line
  while IFS= read -r line <&"$receiver_output"; do
    on_line "$unfinished_line$line"
    unfinished_line=
  done
  unfinished_line+=$line
}

# Waits SECONDS at most until COMMAND succeeds: wait_for SECONDS COMMAND...
wait_for() {
  local tries=$(($1 * 10))
  shift
  until "$@"; do
    read_receiver
    ((tries-- > 0)) && kill -0 "$receiver" 2>/dev/null || return 1
    sleep 0.1
  done
  read_receiver
}

is_ready() {
  [ $has_path$is_playing = yesyes ]
}

# start_receiver LOG ELEMENT...: the pipeline afxdpsrc ! ELEMENT...
start_receiver() {
  local log=$1
  shift
  local pipeline=(gst-launch-1.0 -m afxdpsrc "multicast-group=$group"
    "port=$port" '!' "$@")
  received=0 counted_lost=0 pending=0 by_xdp=0 by_socket=0
  has_path=no is_playing=no unfinished_line=
  run_begin=${EPOCHREALTIME/./}
  say "\$ ${pipeline[*]//$work\//}"
  : >"$log"
  exec {receiver_output}<"$log"
  "${in_receiver[@]}" taskset -c "$receiver_core" "${pipeline[@]}" \
    >"$log" 2>&1 &
  receiver=$!
  wait_for 10 is_ready || give_up "$log" 'The receiver did not start.'
}

# What Ctrl-C does, when the receiver has everything that it will get.
stop_receiver() {
  local tries
  kill -INT "$receiver" 2>/dev/null || true
  for ((tries = 100; tries > 0; tries--)); do
    kill -0 "$receiver" 2>/dev/null || break
    sleep 0.1
  done
  if ((tries == 0)); then
    say 'The receiver did not end within 10 s of SIGINT, and was killed.'
    all_well=no
  fi
  end_process "$receiver"
  exec {receiver_output}<&-
}

# --- The senders ------------------------------------------------------------

# start_sender LOG COMMAND...
start_sender() {
  local log=$1
  shift
  "${in_sender[@]}" "$@" >"$log" 2>"$log.errors" &
  sender=$!
}

# Shows the receiver's statistics until the sender ends.
await_sender() {
  local log=$1 limit=$((SECONDS + seconds + 30))
  while kill -0 "$sender" 2>/dev/null; do
    read_receiver
    ((SECONDS < limit)) || give_up "$log.errors" 'The sender does not end.'
    kill -0 "$receiver" 2>/dev/null ||
      give_up "${log/sender/receiver}" 'The receiver ended on its own.'
    sleep 0.1
  done
  wait "$sender" || sender_failed $? "$log.errors"
}

# rtpgen says by 1 that the veth pair dropped packets, by 3 that it was slower
# than asked; the run is worth showing then, but proves nothing.
sender_failed() {
  case $1 in
    1 | 3)
      say "$(cat "$2")"
      all_well=no
      ;;
    *) give_up "$2" 'The sender failed.' ;;
  esac
}

has_received_all() {
  ((received >= sent && pending == 0))
}

# A row of the table at the end, from what the receiver said last.
add_row() {
  local name=$1 lost=$((sent > received ? sent - received : 0)) path
  local columns=("$name")
  for REPLY in "$sent" "$received" "$lost"; do
    group_digits "$REPLY"
    columns+=("$REPLY")
  done
  if ((by_xdp > 0 && by_socket > 0)); then
    group_digits "$by_socket"
    path="AF_XDP, $REPLY by socket"
  elif ((by_xdp > 0)); then
    path=AF_XDP
  else
    path=socket
  fi
  rows+=("$(printf '  %-20s %11s %11s %9s  %s' "${columns[@]}" "$path")")
  if ((lost > 0)); then
    all_well=no
    # RTP numbers have 16 bits, so a very long loss looks shorter than it is.
    say "afxdpsrc itself counted $counted_lost lost. Load of this machine:" \
      "$(cut -d ' ' -f 1-3 /proc/loadavg)"
  fi
}

# What this namespace's sockets have sent, as its kernel counts.
datagrams_sent() {
  "${in_sender[@]}" cat /proc/net/snmp |
    awk '$1 == "Udp:" && $2 ~ /^[0-9]+$/ { print $5 }'
}

# alignment=7 makes one RTP packet of each buffer of the multiplexer, and fills
# the last one. The sources are live and the sink waits for the clock: nothing
# is sent in a burst that is larger than a picture.
start_programme() {
  start_sender "$1" gst-launch-1.0 -q \
    mpegtsmux name=mux alignment=7 ! tee name=ts \
    ts. ! queue ! rtpmp2tpay ! udpsink host=$group port=$port \
    multicast-iface=tx0 loop=false \
    ts. ! queue ! filesink location="$work/sent.ts" \
    videotestsrc is-live=true num-buffers=$((25 * seconds)) ! \
    video/x-raw,width=1280,height=720,framerate=25/1 ! \
    x264enc tune=zerolatency speed-preset=superfast bitrate=4000 \
    key-int-max=25 ! queue ! mux. \
    audiotestsrc is-live=true samplesperbuffer=1920 \
    num-buffers=$((25 * seconds)) ! audio/x-raw,rate=48000,channels=2 ! \
    twolamemp2enc bitrate=192 ! mpegaudioparse ! queue ! mux.
}

received_size_is_sent_size() {
  [ "$(stat -c %s "$work/received.ts")" = "$(stat -c %s "$work/sent.ts")" ]
}

run_programme() {
  local log=$work/programme-sender.log
  heading "A programme of $seconds seconds: 720p25 H.264 and MPEG audio"
  # unbuffered: the size of the file then tells what has arrived
  start_receiver "$work/programme-receiver.log" \
    rtpjitterbuffer ! rtpmp2tdepay ! \
    filesink location="$work/received.ts" buffer-mode=unbuffered
  sent=$(datagrams_sent)
  start_programme "$log"
  await_sender "$log"
  sent=$(($(datagrams_sent) - sent))
  # A difference is for the verdict to tell.
  wait_for 5 received_size_is_sent_size || true
  wait_for 5 has_received_all || true
  stop_receiver
  add_row programme
}

generator_sent() {
  python3 -c 'import json, sys; print(json.load(sys.stdin)["packets"])' <"$1"
}

run_fast() {
  group_digits $fast_rate
  local name="$REPLY packets/s" log=$work/fast-sender.log
  heading "$name of 1316-byte payload for $seconds seconds"
  # max-dropout-time=0: after a large gap it would wait for itself otherwise
  start_receiver "$work/fast-receiver.log" \
    rtpjitterbuffer latency=50 max-dropout-time=0 ! fakesink
  start_sender "$log" "$work/build/tests/tools/rtpgen" \
    --interface tx0 --destination $group:$port \
    --rate $fast_rate --duration $seconds --payload-size 1316 \
    --cpu "$sender_core" --json
  await_sender "$log"
  sent=$(generator_sent "$log")
  wait_for 5 has_received_all || true
  stop_receiver
  add_row "$name"
}

# --- The result -------------------------------------------------------------

verdict() {
  local size sum
  heading 'Result'
  printf '  %-20s %11s %11s %9s  %s\n' run sent received lost through
  printf '%s\n' "${rows[@]}"
  echo
  group_digits "$(stat -c %s "$work/sent.ts")"
  size=$REPLY
  sum=$(sha256sum "$work/sent.ts")
  if ! [ -s "$work/sent.ts" ]; then
    say 'The sender made no programme.'
    all_well=no
  elif cmp -s "$work/sent.ts" "$work/received.ts"; then
    say "The received programme equals the sent one byte for byte: $size bytes,"
    say "SHA-256 ${sum%% *}"
  else
    group_digits "$(stat -c %s "$work/received.ts")"
    say "The received programme DIFFERS: $REPLY bytes of $size sent"
    say "$(cmp "$work/sent.ts" "$work/received.ts" 2>&1 || true)"
    all_well=no
  fi
}

main() {
  all_well=yes
  rows=()
  heading 'Preparation'
  make_work_directory
  build
  choose_cores
  make_network
  run_programme
  run_fast
  verdict
  [ $all_well = yes ]
}

main
