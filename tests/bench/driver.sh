#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For benchmarks that Python measures in network namespaces that bash makes: to be
# sourced.
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

# find_build SCRIPT [OPTION...]: of the command line the option --build-dir, into
# "build". Where nothing is measured (--help, --from-json), SCRIPT takes over.
find_build() {
  local script=$1 i next
  shift
  build=$(dirname "${BASH_SOURCE[0]}")/../../build
  for ((i = 1; i <= $#; i++)); do
    case ${!i} in
      --build-dir)
        next=$((i + 1))
        build=${!next-}
        ;;
      --build-dir=*) build=${!i#*=} ;;
      --help | -h | --from-json | --from-json=*) exec python3 "$script" "$@" ;;
    esac
  done
  if ((EUID != 0)); then
    echo 'root is needed to make network namespaces'
    exit 77
  fi
  if [ ! -x "$build/tests/bench/receiver" ]; then
    echo "$build is no build of the project; give one with --build-dir" >&2
    exit 2
  fi
  build=$(cd "$build" && pwd)
}

# It ends its receiver and its generators.
end_driver() {
  kill "$driver" 2>/dev/null || true
  wait "$driver" || true
}

# drive SCRIPT [OPTION...]: the namespaces and the work directory are there. In the background, since bash heeds
# a signal only when what is in front has ended.
drive() {
  export BENCH_BUILD=$build
  export BENCH_SENDER_NETNS=$VETH_SENDER_NETNS
  export BENCH_RECEIVER_NETNS=$VETH_RECEIVER_NETNS
  # shellcheck disable=SC2154 # make_work_directory sets it
  export BENCH_WORK=$work
  python3 "$@" &
  driver=$!
  cleanup_push end_driver
  wait "$driver"
}
