#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The virtual lab: real drivers on several kernels, in guests under QEMU's emulation.
# Makes what the guests boot, once, then runs the matrix.
set -euo pipefail
export LC_ALL=C.UTF-8 PATH="$PATH:/usr/sbin:/sbin"

usage() {
  cat <<'END'
usage: sudo tests/vm/run.sh [OPTION...]

Runs streams through emulated NICs (virtio-net, igb, e1000e, vmxnet3) on the kernels
of tests/vm/versions, and asks whether every packet is accounted for. Prints a table
and writes all that was seen as JSON. The exit status is 1 when anything failed.

  --quick            newest kernel, zero-copy of igb and virtio-net, a stream each
  --only KERNEL/NIC  such as 7.3/igb, 6.1/ or /igb
  --run NAME         only runs of that name; may be given several times
  --guests N         how many at the same time (default 3)
  --json FILE        default: build-vm/lab.json
  --prepare          only make what the guests boot
  --available        the versions that Debian's archive has now
  --help             this text

NICs: virtio, virtio-mq (several queues), igb, e1000e, vmxnet3. What is made stays in
AFXDP_VM_CACHE (/var/cache/afxdp-vm), and the consoles of the guests in build-vm/lab.
END
}

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
versions=$top/tests/vm/versions
cache=${AFXDP_VM_CACHE:-/var/cache/afxdp-vm}
work=$top/build-vm/lab
json=$top/build-vm/lab.json

say() {
  printf '%s\n' "$*" >&2
}

fail() {
  say "virtual lab: $*"
  exit 2
}

# shellcheck source=tests/vm/archive.sh
. "$top/tests/vm/archive.sh"
# shellcheck source=tests/vm/image.sh
. "$top/tests/vm/image.sh"
# shellcheck source=tests/vm/build.sh
. "$top/tests/vm/build.sh"

parse_options() {
  only=
  runs=()
  guests=3
  quick=no
  prepare=no
  while (($# > 0)); do
    case $1 in
      --only | --run | --guests | --json)
        (($# > 1)) || fail "$1 needs a value"
        case $1 in
          --only) only=$2 ;;
          --run) runs+=(--run "$2") ;;
          --guests) guests=$2 ;;
          --json) json=$2 ;;
        esac
        shift
        ;;
      --quick) quick=yes ;;
      --prepare) prepare=yes ;;
      --available) available=yes ;;
      --help)
        usage
        exit 0
        ;;
      *) fail "there is no $1; --help lists what there is" ;;
    esac
    shift
  done
}

chosen_kernels() {
  local names
  read -ra names <<<"$(version matrix)"
  if [ -n "${only%%/*}" ]; then
    echo "${only%%/*}"
  elif [ $quick = yes ]; then
    echo "${names[-1]}"
  else
    echo "${names[@]}"
  fi
}

# Of runs that were killed.
remove_stale_namespaces() {
  local name
  for name in $(ip netns list | sed -n 's/^\(afxdp-vm-[^ ]*\).*/\1/p'); do
    [ -d "/proc/${name##*-}" ] || ip netns del "$name"
  done
}

main() {
  local name kernels=()
  available=no
  parse_options "$@"
  ((EUID == 0)) || fail 'root is needed, for taps and for the guest'"'"'s system'
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock -n 9 || fail "another run of the lab has $cache"
  if [ $available = yes ]; then
    archive_list_available
    return
  fi
  tree_up
  image_up
  qemu_up
  for name in $(chosen_kernels); do
    kernel_up "$name"
    kernels+=(--kernel "$name=$kernel")
  done
  ((${#kernels[@]})) || fail "no kernel for --only $only"
  build_up build-vm
  [ $quick = yes ] || build_cutting_up
  [ $prepare = no ] || return 0
  remove_stale_namespaces
  rm -rf "$work"
  mkdir -p "$work"
  [ $quick = no ] || runs+=(--quick)
  PYTHONDONTWRITEBYTECODE=1 python3 "$top/tests/vm/run.py" --top "$top" \
    --qemu "$qemu" --image "$image" "${kernels[@]}" --work "$work" --guests "$guests" \
    --json "$json" ${only:+--only "$only"} "${runs[@]}"
}

main "$@"
