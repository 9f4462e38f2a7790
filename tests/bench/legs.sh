#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What two networks cost, and putting packets in order: legs.sh --help. In network
# namespaces of its own, with two wires; legs.py measures.
set -euo pipefail
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$here/../../build
measures=yes
for ((i = 1; i <= $#; i++)); do
  case ${!i} in
    --build-dir)
      next=$((i + 1))
      build=${!next-}
      ;;
    --build-dir=*) build=${!i#*=} ;;
    --help | -h) measures=no ;;
  esac
done
export PYTHONDONTWRITEBYTECODE=1
if [ $measures = no ]; then exec python3 "$here/legs.py" "$@"; fi

if ((EUID != 0)); then
  echo 'root is needed to make network namespaces'
  exit 77
fi
if [ ! -x "$build/tests/bench/receiver" ]; then
  echo "$build is no build of the project; give one with --build-dir" >&2
  exit 2
fi

# shellcheck source=tests/netns/work.sh
. "$here/../netns/work.sh"

veth_up --queues 1
veth_add_wire
make_work_directory
# Each build's plugin has a registry of its own.
export LEGS_WORK=$work
BENCH_BUILD=$(cd "$build" && pwd)
export BENCH_BUILD
export BENCH_SENDER_NETNS=$VETH_SENDER_NETNS
export BENCH_RECEIVER_NETNS=$VETH_RECEIVER_NETNS

# It ends its receiver and its generators.
end_driver() {
  kill "$driver" 2>/dev/null || true
  wait "$driver" || true
}

# In the background, since bash heeds a signal only when what is in front has ended.
python3 "$here/legs.py" "$@" &
driver=$!
cleanup_push end_driver
wait "$driver"
