#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# One process for each RX queue: the daemon receives, and an unprivileged process for
# each queue gets the groups that arrive there. On an interface of this machine, or
# between two network namespaces. Leaves nothing behind.
set -euo pipefail
export LC_ALL=C.UTF-8

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
user=nobody

usage() {
  cat <<END
usage: sudo examples/per-queue.sh [OPTION...]
       sudo examples/per-queue.sh [OPTION...] --interface NAME GROUP:PORT...

Starts afxdp-distributor as root, sees on which RX queue each group arrives, and
starts a process for each of these queues (gst-launch-1.0 with afxdpsrc, as $user and
without a capability), which receives the queue's groups. At the end it tells what
each process got, what it lost and where, and the processor time for each packet.

Without --interface it makes two network namespaces, joined by a virtual cable with
several queues, and sends through it.

  --interface NAME   receive from this interface, until Ctrl-C
  --seconds N        for so long (10 between namespaces)
  --queues N         RX queues of the cable (4); there are twice as many groups
  --rate N           packets/s that are sent, of all groups together (50000)
  --build DIRECTORY  a build that is there; otherwise it installs what is missing,
                     and builds
  --without-daemon   to compare: the same processes with kernel sockets; the groups
                     are dealt out in turns
  --keep             leave the directory with build and logs
  --help             this text

The exit status is 0 when packets arrived and none was lost.
END
}

usage_error() {
  printf 'examples/per-queue.sh: %s; see --help\n' "$*" >&2
  exit 2
}

interface='' seconds='' queues=4 rate=50000 build='' daemon=yes keep=no
streams=()
read_options() {
  while (($# > 0)); do
    case $1 in
      --interface | --seconds | --queues | --rate | --build)
        (($# > 1)) || usage_error "$1 lacks its value"
        case $1 in
          --interface | --build) ;;
          *) [[ $2 =~ ^[1-9][0-9]*$ ]] || usage_error "$1 $2 is no number" ;;
        esac
        printf -v "${1#--}" %s "$2"
        shift
        ;;
      --without-daemon) daemon=no ;;
      --keep) keep=yes ;;
      --help)
        usage
        exit
        ;;
      -*) usage_error "it does not know $1" ;;
      *:*) streams+=("$1") ;;
      *) usage_error "$1 is no GROUP:PORT" ;;
    esac
    shift
  done
  if [ -n "$interface" ]; then
    ((${#streams[@]} > 0)) || usage_error "--interface $interface, and no group"
  else
    ((${#streams[@]} == 0)) || usage_error 'groups, and no --interface'
  fi
}

read_options "$@"
if ((EUID != 0)); then
  echo "Root is needed to start the daemon, and to become $user:" \
    "sudo examples/per-queue.sh" >&2
  exit 1
fi

# shellcheck source=tests/netns/veth.sh
. "$top/tests/netns/veth.sh"

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

# --- Preparation ------------------------------------------------------------

# The processes of $user have to get through it.
make_work_directory() {
  work=$(mktemp -u /tmp/afxdp-per-queue.XXXXXX)
  cleanup_push remove_work_directory
  mkdir -m 711 "$work"
  mkdir -m 755 "$work/socket"
}

remove_work_directory() {
  if [ $keep = yes ] && [ -d "$work" ]; then
    printf '\nBuild and logs: %s\n' "$work"
  else
    rm -rf "$work"
  fi
}

find_build() {
  if [ -z "$build" ]; then
    build=$work/build
    "$top/tests/install-packages.sh" | sed 's/^/  /'
    { meson setup "$build" "$top" && meson compile -C "$build"; } \
      >"$work/build.log" 2>&1 || give_up "$work/build.log" 'It does not build.'
  fi
  build=$(realpath "$build")
  distributor=$build/gst/distributor/afxdp-distributor
  if [ $daemon = yes ] && [ ! -x "$distributor" ]; then
    give_up /dev/null "There is no daemon in $build: $distributor is missing"
  fi
  export GST_PLUGIN_PATH=$build/gst GST_REGISTRY=$work/registry.bin
  # Writes the registry too, which $user could not.
  gst-inspect-1.0 afxdpsrc >"$work/inspect.log" 2>&1 ||
    give_up "$work/inspect.log" 'GStreamer does not load the plugin.'
  chmod 644 "$work/registry.bin"
  export GST_REGISTRY_UPDATE=no
  as_user=(setpriv "--reuid=$(id -u $user)" "--regid=$(id -g $user)" --clear-groups
    --inh-caps=-all --bounding-set=-all --no-new-privs)
  "${as_user[@]}" gst-inspect-1.0 afxdpsrc >"$work/inspect.log" 2>&1 ||
    give_up "$work/inspect.log" "$user cannot read the plugin in $build."
}

# The interface of this machine, or one of our own.
find_network() {
  local names i
  in_receiver=()
  if [ -n "$interface" ]; then
    [ -d "/sys/class/net/$interface" ] ||
      give_up /dev/null "There is no interface $interface."
    names=("/sys/class/net/$interface/queues"/rx-*)
    queues=${#names[@]}
    say "interface: $interface, $queues RX queues"
    return
  fi
  veth_up --queues "$queues" --lossless || exit 1
  in_receiver=("${IN_RECEIVER[@]}")
  interface=$VETH_RECEIVER_DEVICE
  seconds=${seconds:-10}
  for ((i = 1; i <= 2 * queues; i++)); do
    streams+=("239.1.$((i / 256)).$((i % 256)):5000")
  done
  generated=yes
  say "interface: $interface, $queues RX queues, in a network namespace"
}

# start_process LOG COMMAND...: in the receiver's namespace; its process is $!. Ctrl-C
# is for this script alone, so the process has a session of its own.
start_process() {
  local log=$1
  shift
  "${in_receiver[@]}" setsid "$@" >"$log" 2>&1 &
  cleanup_push end_process $! TERM
}

# end_process PROCESS SIGNAL: by KILL when the signal does not end it within 5 s. What
# bash would say of its death is not for the user.
end_process() {
  local tries
  {
    kill -"$2" "$1" || true
    for ((tries = 50; tries > 0; tries--)); do
      kill -0 "$1" || break
      sleep 0.1
    done
    kill -KILL "$1" || true
    wait "$1" || true
  } 2>/dev/null
}

start_daemon() {
  local socket=$work/socket/distributor.sock tries command
  command=("$distributor" --interface "$interface" --socket "$socket"
    --group "$(id -gn $user)")
  # More than by default; those of the look may not be gone when the others come.
  if ((${#streams[@]} > 32)); then
    command+=(--max-clients $((2 * ${#streams[@]}))
      --max-streams $((2 * ${#streams[@]})))
  fi
  say "# ${command[*]//"$build/gst/distributor/"/}"
  start_process "$work/daemon.log" "${command[@]}"
  daemon_process=$!
  for ((tries = 100; tries > 0; tries--)); do
    "$distributor" --status --socket "$socket" >/dev/null 2>&1 && break
    kill -0 "$daemon_process" 2>/dev/null ||
      give_up "$work/daemon.log" 'The daemon ended on its own.'
    sleep 0.1
  done
  ((tries > 0)) || give_up "$work/daemon.log" 'The daemon does not answer.'
  export AFXDP_DISTRIBUTOR=$socket
}

# --- The processes, and what they say ---------------------------------------

# The field NAME of the structure that gst-launch-1.0 -m printed as LINE, in
# REPLY; empty when there is none. Nested structures come behind the fields.
field() {
  local line=$1 name=$2
  local pattern="[ ,]$name=\\(([^)]*)\\)(\"([^\"\\\\]|\\\\.)*\"|<[^>]*>|[^,;]*)"
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

# start_receiver LOG STREAM...: one process, in which each stream has a source; that of
# the first one is s0. One thread serves them all, so no sink may wait for the others'
# first packets (async).
start_receiver() {
  local log=$1 pipeline=() stream i=0
  shift
  for stream; do
    pipeline+=(afxdpsrc "name=s$i" "multicast-group=${stream%:*}"
      "port=${stream##*:}" "multicast-iface=$interface" receiver=all)
    [ $daemon = yes ] || pipeline+=(mode=socket)
    pipeline+=('!' fakesink sync=false async=false)
    i=$((i + 1))
  done
  start_process "$log" "${as_user[@]}" gst-launch-1.0 -m "${pipeline[@]}"
}

# is_playing LOG COUNT: whether so many sources of a process are.
is_playing() {
  (($(grep -c '"s[0-9]*" (state-changed).*new-state=(GstState)playing' "$1") >= $2))
}

# await_playing LOG PROCESS COUNT
await_playing() {
  local log=$1 process=$2 tries
  for ((tries = 300; tries > 0; tries--)); do
    is_playing "$log" "$3" && return
    kill -0 "$process" 2>/dev/null ||
      give_up "$log" 'A receiving process ended on its own.'
    sleep 0.1
  done
  give_up "$log" 'A receiving process does not start.'
}

# The last message of a kind from a source, in REPLY, or nothing: LOG SOURCE KIND.
last_message() {
  REPLY=$(grep -F "from element \"$2\" (element): $3," "$1" | tail -n 1) || REPLY=
}

# start_sender LOG OPTION...: rtpgen's result is in the log.
start_sender() {
  local log=$1
  shift
  "${IN_SENDER[@]}" setsid "$build/tests/tools/rtpgen" --method socket \
    --interface "$VETH_SENDER_DEVICE" --destination "${streams[0]}" \
    --flows ${#streams[@]} --rate "$rate" --json "$@" >"$log" 2>"$log.errors" &
  sender=$!
  cleanup_push end_process "$sender" KILL
}

# --- Which queue each group arrives on --------------------------------------

# Fills in queue_of, and returns whether every stream has a queue.
find_queues() {
  local i missing=0
  for ((i = 0; i < ${#streams[@]}; i++)); do
    last_message "$work/look.log" "s$i" GstAfxdpSrcMode
    field "$REPLY" queues
    if [[ $REPLY =~ [0-9]+ ]]; then
      queue_of[i]=${BASH_REMATCH[0]}
    else
      missing=$((missing + 1))
    fi
  done
  ((missing == 0))
}

# One process receives all of them for a moment. What is silent meanwhile has no queue.
look_for_queues() {
  local tries looking
  queue_of=()
  start_receiver "$work/look.log" "${streams[@]}"
  looking=$!
  await_playing "$work/look.log" "$looking" ${#streams[@]}
  [ $generated = no ] || start_sender "$work/look-sent.log" --duration 3
  for ((tries = 30; tries > 0; tries--)); do
    find_queues && break
    sleep 0.1
  done
  end_process "$looking" INT
  [ $generated = no ] || end_process "$sender" INT
}

# Fills in groups: the streams of each queue in use, or of "none".
deal_out() {
  local i queue
  declare -gA groups=()
  for ((i = 0; i < ${#streams[@]}; i++)); do
    if [ $daemon = no ]; then
      queue=$((i % queues))
    else
      queue=${queue_of[i]:-none}
    fi
    groups[$queue]+="${groups[$queue]:+ }${streams[i]}"
  done
  mapfile -t used < <(printf '%s\n' "${!groups[@]}" | sort -n)
  for queue in "${used[@]}"; do
    say "queue $queue: ${groups[$queue]}"
  done
}

# --- The run ----------------------------------------------------------------

# Processor time of a process so far, in ticks, in REPLY; 0 when it is gone.
ticks() {
  local stat
  REPLY=0
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # Behind the name, which may contain anything.
  read -r -a stat <<<"${stat##*) }"
  REPLY=$((stat[11] + stat[12]))
}

run() {
  local queue list
  declare -gA process=() begin=() end=()
  for queue in "${used[@]}"; do
    read -r -a list <<<"${groups[$queue]}"
    start_receiver "$work/queue-$queue.log" "${list[@]}"
    process[$queue]=$!
  done
  for queue in "${used[@]}"; do
    read -r -a list <<<"${groups[$queue]}"
    await_playing "$work/queue-$queue.log" "${process[$queue]}" ${#list[@]}
    say "process ${process[$queue]}, queue $queue: user" \
      "$(stat -c %U "/proc/${process[$queue]}"), capabilities" \
      "$(sed -n 's/^CapEff:\t0*//p' "/proc/${process[$queue]}/status" |
        sed 's/^$/none/')"
  done
  [ $daemon = no ] || process[daemon]=$daemon_process
  for queue in "${!process[@]}"; do
    ticks "${process[$queue]}"
    begin[$queue]=$REPLY
  done
  receive
  for queue in "${!process[@]}"; do
    ticks "${process[$queue]}"
    end[$queue]=$REPLY
  done
  for queue in "${used[@]}"; do
    end_process "${process[$queue]}" INT
  done
}

# For so many seconds, or until Ctrl-C; both end well.
receive() {
  local until=$((SECONDS + ${seconds:-1000000000})) stopped=no queue
  trap 'stopped=yes' INT
  [ $generated = no ] || start_sender "$work/sent.log" --duration "$seconds"
  if [ -n "$seconds" ]; then
    say "receiving for $seconds s"
  else
    say 'receiving until Ctrl-C'
  fi
  while [ $stopped = no ] && ((SECONDS < until)); do
    for queue in "${!process[@]}"; do
      kill -0 "${process[$queue]}" 2>/dev/null ||
        give_up "$work/queue-$queue.log" "The process of $queue ended on its own."
    done
    sleep 0.2 || true
  done
  trap 'exit 130' INT
  if [ $generated = yes ]; then
    [ $stopped = no ] || kill -INT "$sender" 2>/dev/null || true
    sent_status=0
    wait "$sender" || sent_status=$?
  fi
  # The statistics of the last packets: there are new ones every second.
  sleep 1.5
}

# --- The result -------------------------------------------------------------

# Where a stream lost packets, as " place count", in REPLY.
places() {
  local line=$1 found='' name
  for name in network nic rx-ring fill-ring redirect socket-buffer overload paused \
    client-ring distributor unknown; do
    number "$line" "lost-$name"
    ((REPLY == 0)) || found+=" $name $REPLY"
  done
  REPLY=$found
}

# time_per_packet TICKS PACKETS: in REPLY
time_per_packet() {
  REPLY=-
  (($2 == 0)) || REPLY="$(($1 * 1000000000 / $(getconf CLK_TCK) / $2)) ns"
}

# Adds what the field says to ways, once.
add_way() {
  field "$1" "$2"
  [ -z "$REPLY" ] || [[ " $ways " == *" $REPLY "* ]] || ways+="${ways:+ }$REPLY"
}

# A row of a process: sums over its sources, of the last message of each.
report_queue() {
  local queue=$1 log=$work/queue-$1.log
  local list i packets=0 lost=0 where=() ways='' line cells
  read -r -a list <<<"${groups[$queue]}"
  for ((i = 0; i < ${#list[@]}; i++)); do
    last_message "$log" "s$i" GstAfxdpSrcStats
    line=$REPLY
    number "$line" packets
    packets=$((packets + REPLY))
    number "$line" lost
    if ((REPLY > 0)); then
      lost=$((lost + REPLY))
      places "$line"
      where+=("${list[i]} lost:$REPLY")
    fi
    last_message "$log" "s$i" GstAfxdpSrcMode
    line=$REPLY
    add_way "$line" mode
    add_way "$line" provider
  done
  all_packets=$((all_packets + packets))
  all_lost=$((all_lost + lost))
  cells=("$queue" ${#list[@]})
  for REPLY in "$packets" "$lost"; do
    group_digits "$REPLY"
    cells+=("$REPLY")
  done
  time_per_packet $((end[$queue] - begin[$queue])) "$packets"
  printf '  %-6s %7s %13s %10s %11s  %s\n' "${cells[@]}" "$REPLY" "$ways"
  for line in "${where[@]}"; do
    say "       $line"
  done
}

report() {
  local queue
  all_packets=0 all_lost=0
  heading 'Result'
  printf '  %-6s %7s %13s %10s %11s  %s\n' \
    queue groups received lost CPU/packet by
  for queue in "${used[@]}"; do
    report_queue "$queue"
  done
  echo
  if [ $daemon = yes ]; then
    time_per_packet $((end[daemon] - begin[daemon])) "$all_packets"
    say "The daemon took $REPLY of processor time for each packet."
  fi
  if ((all_packets == 0)); then
    say 'Nothing has arrived: docs/troubleshooting.md says where to look.'
    return 1
  fi
  [ $generated = no ] || report_sent || return
  ((all_lost == 0))
}

# What left the sender, and whether that is what came. rtpgen says by 1 that the cable
# dropped packets, by 3 that it was slower than asked: worth showing all the same.
report_sent() {
  local sent
  if ((sent_status != 0)); then
    sed 's/^/  /' "$work/sent.log.errors"
    ((sent_status == 1 || sent_status == 3)) || return 1
  fi
  sent=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["packets"])' \
    <"$work/sent.log")
  group_digits "$sent"
  if ((sent != all_packets)); then
    say "Sent were $REPLY packets, and received $((sent - all_packets)) fewer."
    return 1
  fi
  say "All $REPLY packets that were sent have been received."
}

generated=no
heading 'Preparation'
make_work_directory
find_build
find_network
if [ $daemon = yes ]; then
  start_daemon
  heading 'On which RX queue each group arrives'
  look_for_queues
else
  heading 'Groups, dealt out in turns'
fi
deal_out
heading 'A process for each'
run
report
