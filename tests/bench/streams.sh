#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What many streams on one interface cost: afxdpsrc, and udpsrc beside it. Two
# network namespaces; the generator has processor 0, the receiver processor 1, so
# nothing else should run on the machine.
set -euo pipefail
export LC_ALL=C.UTF-8

usage() {
  cat <<END
usage: sudo $0 [--build-dir DIR] [--seconds N] [--rounds N] [--coalesce MS]
       [--receivers N] [--rate N] [--umem-frames N] [--only served]

Receives 520,000 packets/s of 1316 bytes as 1, 4 and 64 streams, then 64 streams
through afxdpsrc and through udpsrc at a rate that udpsrc can hold, into fakesink;
afxdpsrc with coalesce MS, with a thread for each stream ("afxdpsrc") and with N
threads for all of them ("served"); these receive 256 streams as well, and 512 of
1,000 packets/s each, as AES67 has them. For each: packets lost, and processor time of
the receiving process for each packet while they came, in the median of the rounds;
how long all streams took to start and to end, the process's start included.
A run in which the wire dropped packets, or the generator was slow, does not
count and is made again; after $attempts of them it is "not sent".

  --build-dir DIR  where the project is built (default: build)
  --seconds N      length of a run (default 10)
  --rounds N       runs of each kind, in turn (default 3)
  --coalesce MS    how long afxdpsrc may gather packets (default 2)
  --receivers N    threads of "served" (default 1)
  --rate N         packets/s of all streams together (default 520000)
  --umem-frames N  frames for 256 streams and more (default 131072: with the element's
                   32768 each of 512 streams has credit for 21 packets)
  --only served    one stream, and those that are served; no udpsrc
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$here/../../build
seconds=10
rounds=3
coalesce=2
receivers=1
rate=520000
umem_frames=131072
only=
aes67=512000 # packets/s of 512 streams
udp_rates=(450000 400000 350000 300000 250000 200000 150000 100000)
attempts=5

parse_options() {
  while (($# > 0)); do
    case $1 in
      --build-dir) build=$2 ;;
      --seconds) seconds=$2 ;;
      --rounds) rounds=$2 ;;
      --coalesce) coalesce=$2 ;;
      --receivers) receivers=$2 ;;
      --rate) rate=$2 ;;
      --umem-frames) umem_frames=$2 ;;
      --only)
        only=$2
        if [ "$only" != served ]; then
          usage >&2
          exit 2
        fi
        ;;
      --help)
        usage
        exit 0
        ;;
      *)
        usage >&2
        exit 2
        ;;
    esac
    shift 2
  done
}

if (($# > 0)) && [ "$1" = --help ]; then
  usage
  exit 0
fi
parse_options "$@"
if ((EUID != 0)); then
  echo 'root is needed to make network namespaces' >&2
  exit 2
fi
build=$(cd "$build" && pwd)

# shellcheck source=tests/netns/work.sh
. "$here/../netns/work.sh"

export GST_PLUGIN_PATH_1_0=$build/gst
veth_up --queues 1
make_work_directory
export GST_REGISTRY=$work/registry.bin

# Also when it is in the midst of a run.
receiver=
end_receiver() {
  if [ -n "$receiver" ]; then
    kill -KILL "$receiver" 2>/dev/null || true
    wait "$receiver" 2>/dev/null || true
  fi
}
cleanup_push end_receiver

groups() {
  local i
  for ((i = 1; i <= $1; i++)); do echo "239.1.$((i / 250)).$((i % 250))"; done
}

# Processor time of all threads of the receiver, in ns.
cpu_time() {
  awk '{ sum += $1 } END { printf "%.0f\n", sum }' \
    "/proc/$receiver/task/"*/schedstat
}

# start_afxdpsrc STREAMS [OPTION-OF-RECEIVE-MANY...]
start_afxdpsrc() {
  local streams=()
  mapfile -t streams < <(groups "$1" | sed 's/$/:5000/')
  "${IN_RECEIVER[@]}" taskset -c 1 "$build/examples/receive-many" \
    --interface "$VETH_RECEIVER_DEVICE" --interval 1000 --coalesce "$coalesce" \
    --json "$work/summary" "${@:2}" "${streams[@]}" >"$work/lines" 2>&1 &
  receiver=$!
  while (($(grep -c 'through AF_XDP on' "$work/lines") < $1)); do
    kill -0 "$receiver"
    sleep 0.1
  done
}

start_served() {
  local more=()
  if (($1 >= 256)); then more=(--umem-frames "$umem_frames"); fi
  start_afxdpsrc "$1" --receivers "$receivers" "${more[@]}"
}

lost_by_served() {
  lost_by_afxdpsrc "$1"
}

lost_by_afxdpsrc() {
  python3 -c 'import json, sys
total = json.load(open(sys.argv[1]))["total"]
print(int(sys.argv[2]) - total["packets"])' "$work/summary" "$1"
}

start_udpsrc() {
  local group pipeline=()
  while read -r group; do
    pipeline+=(udpsrc "address=$group" port=5000 "buffer-size=67108864"
      "multicast-iface=$VETH_RECEIVER_DEVICE" '!' fakesink 'sync=false')
  done < <(groups "$1")
  "${IN_RECEIVER[@]}" taskset -c 1 gst-launch-1.0 "${pipeline[@]}" \
    >"$work/lines" 2>&1 &
  receiver=$!
  until grep -q 'New clock' "$work/lines"; do
    kill -0 "$receiver"
    sleep 0.1
  done
}

# What the sockets of the receiving host had no room for.
socket_drops() {
  # shellcheck disable=SC2016 # the fields are awk's
  "${IN_RECEIVER[@]}" awk '/^Udp:/ && !n++ { next } /^Udp:/ { print $6; exit }' \
    /proc/thread-self/net/snmp
}

lost_by_udpsrc() {
  echo $(($(socket_drops) - drops))
}

milliseconds() {
  date +%s%3N
}

# measure RECEIVER STREAMS RATE: leaves lost, cost (ns a packet), joined and left (ms
# that it took to start and to end the process with all its streams) and status.
measure() {
  local destinations=() before after packets status began
  mapfile -t destinations < <(groups "$2" |
    sed 's/.*/--destination=&:5000/')
  drops=$(socket_drops)
  began=$(milliseconds)
  "start_$1" "$2"
  joined=$(($(milliseconds) - began))
  before=$(cpu_time)
  status=0
  "${IN_SENDER[@]}" "$build/tests/tools/rtpgen" \
    --interface="$VETH_SENDER_DEVICE" --cpu=0 --json --rate="$3" \
    --duration="$seconds" "${destinations[@]}" >"$work/sent" \
    2>/dev/null || status=$?
  sleep 0.2 # the last packets are on their way
  after=$(cpu_time)
  began=$(milliseconds)
  kill -INT "$receiver"
  wait "$receiver" || true # the number of lost packets says what happened
  left=$(($(milliseconds) - began))
  receiver=
  packets=$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["packets"])' "$work/sent")
  lost=$("lost_by_$1" "$packets")
  cost=$(((after - before) / packets))
  return $status
}

# try ATTEMPTS ...: the same until the generator did what it was asked to.
try() {
  local attempt
  for ((attempt = 1; attempt <= $1; attempt++)); do
    if measure "${@:2}"; then return 0; fi
    echo "  the wire or the generator did not keep up; again" >&2
  done
  return 1
}

median() {
  sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

# core_part NS-A-PACKET PACKETS/S
core_part() {
  [ "$1" != - ] || { echo - && return; }
  awk -v ns="$1" -v rate="$2" 'BEGIN { print ns * rate / 1e9 }'
}

declare -A costs losses not_sent
row() {
  local key="$1 $2 $3"
  [ -z "${not_sent[$key]:-}" ] || return 0
  if ! try $attempts "$1" "$2" "$3"; then
    printf '%-8s %3d streams  %7d packets/s  not sent\n' "$1" "$2" "$3"
    not_sent[$key]=yes
    return 0
  fi
  costs[$key]+="$cost "
  losses[$key]=$((${losses[$key]:-0} + lost))
  printf '%-8s %3d streams  %7d packets/s  lost %d  %d ns  (%.2f of a processor; started in %d ms, ended in %d ms)\n' \
    "$1" "$2" "$3" "$lost" "$cost" "$(core_part "$cost" "$3")" "$joined" "$left"
}

# "-" for what was never sent, as its ratios are.
cost_of() {
  if [ -z "${costs[$1]:-}" ]; then
    echo -
    return
  fi
  # shellcheck disable=SC2086 # a list
  printf '%s\n' ${costs[$1]} | median
}

ratio() {
  if [ "$1" = - ] || [ "$2" = - ]; then
    echo -
  else
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
  fi
}

print_losses() {
  echo "lost in all runs:  $(for key in "${!losses[@]}"; do
    echo "$key: ${losses[$key]}"
  done | sort | paste -sd ';')"
}

rows_served() {
  row served 64 "$rate"
  row served 256 "$rate"
  row served 512 "$aes67"
}

print_served() {
  local one aes67_cost
  one=$(cost_of "afxdpsrc 1 $rate")
  aes67_cost=$(cost_of "served 512 $aes67")
  cat <<END
served by $receivers threads:  64 streams $(ratio "$(cost_of "served 64 $rate")" "$one") times one stream, 256 $(ratio "$(cost_of "served 256 $rate")" "$one"); 512 streams of 1,000 packets/s $aes67_cost ns a packet, $(core_part "$aes67_cost" "$aes67") of a processor
END
}

if [ "$only" = served ]; then
  for ((round = 0; round < rounds; round++)); do
    row afxdpsrc 1 "$rate"
    rows_served
  done
  echo
  echo "medians of $rounds runs of $seconds s"
  print_served
  print_losses
  exit
fi

# On veth the sending processor does the receiving stack's work: what it cannot
# send, sockets cannot receive.
for udp_rate in "${udp_rates[@]}"; do
  if ! try 2 udpsrc 64 "$udp_rate"; then
    echo "$udp_rate packets/s do not get through the stack"
    continue
  fi
  if ((lost == 0)); then break; fi
  echo "udpsrc lost $lost at $udp_rate packets/s as 64 streams"
done
for ((round = 0; round < rounds; round++)); do
  row afxdpsrc 1 "$rate"
  row afxdpsrc 4 "$rate"
  row afxdpsrc 64 "$rate"
  rows_served
  row afxdpsrc 64 "$udp_rate"
  row served 64 "$udp_rate"
  row udpsrc 64 "$udp_rate"
done

wakeup=$(taskset -c 1 "$build/tests/bench/wakeups" 64 "${coalesce}000" "$seconds")
wakeup=$((wakeup * 64 * 1000 / coalesce))
one=$(cost_of "afxdpsrc 1 $rate")
many=$(cost_of "afxdpsrc 64 $rate")
ours=$(cost_of "afxdpsrc 64 $udp_rate")
theirs=$(cost_of "udpsrc 64 $udp_rate")
cat <<END

medians of $rounds runs of $seconds s
$rate packets/s:  1 stream $one ns, 4 streams $(cost_of "afxdpsrc 4 $rate") ns, 64 streams $many ns: $(ratio "$many" "$one") times one stream
$udp_rate packets/s as 64 streams:  udpsrc $theirs ns; afxdpsrc $(ratio "$many" "$theirs") of that at $rate packets/s, and $(ratio "$ours" "$theirs") ($ours ns) at the same rate
$(print_served); 64 streams at $udp_rate packets/s $(ratio "$(cost_of "served 64 $udp_rate")" "$theirs") of udpsrc
64 threads that only sleep for $coalesce ms at a time would cost $((wakeup / rate)) and $((wakeup / udp_rate)) ns for each of these packets
$(print_losses)
END
