#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Two network namespaces, a sender's and a receiver's, joined by a veth pair.
# Source it, then:
#
#   veth_up [--queues N] [--no-tx-checksum] [--lossless]
#   "${IN_SENDER[@]}" COMMAND...      runs COMMAND in the sender's namespace
#   "${IN_RECEIVER[@]}" COMMAND...    and in the receiver's; with & behind it,
#                                     $! is COMMAND itself
#   veth_add_wire                     a second pair, tx1 (10.0.1.1) and rx1 (10.0.1.2)
#   veth_down                         or nothing: the end of the script does it
#
# veth_up prints the reason and returns 1 when it cannot. The namespaces' names
# contain the process's id, so that many scripts can run at once; each may have
# one pair at a time. Root is needed.
#
# --queues N         so many queues at both ends (default 1)
# --no-tx-checksum   the sender writes real UDP checksums: on a veth pair the
#                    field else holds a partial sum, which no receiver outside
#                    the kernel's stack can verify
# --lossless         a queue at the sender: sockets then wait when the veth's
#                    ring of 256 packets is full, where they else lose packets

# shellcheck source=tests/netns/cleanup.sh
. "$(dirname "${BASH_SOURCE[0]}")/cleanup.sh"

PATH=$PATH:/usr/sbin:/sbin

VETH_SENDER_NETNS=afxdp-$$-tx
VETH_RECEIVER_NETNS=afxdp-$$-rx
# The rest is for the scripts that source this file.
# shellcheck disable=SC2034
{
  VETH_SENDER_DEVICE=tx0
  VETH_RECEIVER_DEVICE=rx0
  VETH_SENDER_IPV4=10.0.0.1
  VETH_RECEIVER_IPV4=10.0.0.2
  VETH_SENDER_IPV6=fd00::1
  VETH_RECEIVER_IPV6=fd00::2
  # "ip netns exec" mounts a new /sys and so hides bpffs; nsenter does not.
  IN_SENDER=(nsenter "--net=/run/netns/$VETH_SENDER_NETNS")
  IN_RECEIVER=(nsenter "--net=/run/netns/$VETH_RECEIVER_NETNS")
}

veth_fail() {
  echo "veth: $*" >&2
  return 1
}

veth_add_namespace() {
  # cleanup removes by name, so a namespace of that name may not be a stranger's.
  if [ -e "/run/netns/$1" ]; then
    veth_fail "a network namespace named $1 exists already"
    return 1
  fi
  cleanup_push veth_remove_namespace "$1"
  ip netns add "$1" &&
    ip -n "$1" link set lo up
}

veth_remove_namespace() {
  if [ -e "/run/netns/$1" ]; then
    ip netns del "$1"
  fi
}

# No automatic IPv6 addresses: the pair then carries nothing but what a test
# sends (and IGMP and MLD), and no address has to wait for duplicate detection.
veth_link_up() {
  ip -n "$1" link set "$2" addrgenmode none 2>/dev/null || true
  ip -n "$1" link set "$2" up
}

veth_add_addresses() {
  local netns=$1 device=$2 ipv4=$3 ipv6=$4 link_local=$5
  ip -n "$netns" addr add "$ipv4/24" dev "$device" &&
    ip -n "$netns" route add 224.0.0.0/4 dev "$device" || return 1
  # A kernel started with ipv6.disable=1 has no such directory. The route of
  # ff00::/8 is the kernel's own doing.
  [ -d /proc/sys/net/ipv6 ] || return 0
  ip -n "$netns" addr add "$ipv6/64" dev "$device" nodad &&
    ip -n "$netns" addr add "$link_local/64" dev "$device" nodad
}

veth_wait_carrier() {
  local netns=$1 device=$2 tries
  for ((tries = 100; tries > 0; tries--)); do
    case $(ip -n "$netns" -o link show dev "$device") in
      *LOWER_UP*) return 0 ;;
    esac
    sleep 0.05
  done
  veth_fail "$device has no carrier after 5 s"
}

veth_up() {
  local queues=1 tx_checksum=on lossless=no
  while (($# > 0)); do
    case $1 in
      --queues)
        queues=$2
        shift
        ;;
      --no-tx-checksum) tx_checksum=off ;;
      --lossless) lossless=yes ;;
      *)
        veth_fail "veth_up does not know $1"
        return 1
        ;;
    esac
    shift
  done

  veth_add_namespace "$VETH_SENDER_NETNS" &&
    veth_add_namespace "$VETH_RECEIVER_NETNS" || return 1
  # XDP cannot be attached to an end with fewer RX queues than the other end has
  # TX queues, so both get the same number of each.
  ip -n "$VETH_SENDER_NETNS" link add "$VETH_SENDER_DEVICE" \
    numtxqueues "$queues" numrxqueues "$queues" type veth \
    peer name "$VETH_RECEIVER_DEVICE" netns "$VETH_RECEIVER_NETNS" \
    numtxqueues "$queues" numrxqueues "$queues" || return 1
  # Before anything attaches: without GRO a detach throws the ring away, and
  # packets of a BPF generator find no receiver until a program is attached.
  "${IN_RECEIVER[@]}" ethtool -K "$VETH_RECEIVER_DEVICE" gro on || return 1
  if [ $tx_checksum = off ]; then
    "${IN_SENDER[@]}" ethtool -K "$VETH_SENDER_DEVICE" tx off >/dev/null ||
      return 1
  fi
  if [ $lossless = yes ]; then
    tc -n "$VETH_SENDER_NETNS" qdisc add dev "$VETH_SENDER_DEVICE" root \
      pfifo limit 10000 || return 1
  fi
  # Addresses last: what the kernel sends while the other end is still down
  # would count as dropped by the sender.
  veth_link_up "$VETH_SENDER_NETNS" "$VETH_SENDER_DEVICE" &&
    veth_link_up "$VETH_RECEIVER_NETNS" "$VETH_RECEIVER_DEVICE" &&
    veth_wait_carrier "$VETH_SENDER_NETNS" "$VETH_SENDER_DEVICE" &&
    veth_wait_carrier "$VETH_RECEIVER_NETNS" "$VETH_RECEIVER_DEVICE" &&
    veth_add_addresses "$VETH_SENDER_NETNS" "$VETH_SENDER_DEVICE" \
      "$VETH_SENDER_IPV4" "$VETH_SENDER_IPV6" fe80::1 &&
    veth_add_addresses "$VETH_RECEIVER_NETNS" "$VETH_RECEIVER_DEVICE" \
      "$VETH_RECEIVER_IPV4" "$VETH_RECEIVER_IPV6" fe80::2
}

veth_add_wire() {
  ip -n "$VETH_SENDER_NETNS" link add tx1 type veth \
    peer name rx1 netns "$VETH_RECEIVER_NETNS" &&
    "${IN_RECEIVER[@]}" ethtool -K rx1 gro on &&
    veth_link_up "$VETH_SENDER_NETNS" tx1 &&
    veth_link_up "$VETH_RECEIVER_NETNS" rx1 &&
    veth_wait_carrier "$VETH_SENDER_NETNS" tx1 &&
    veth_wait_carrier "$VETH_RECEIVER_NETNS" rx1 &&
    ip -n "$VETH_SENDER_NETNS" addr add 10.0.1.1/24 dev tx1 &&
    ip -n "$VETH_RECEIVER_NETNS" addr add 10.0.1.2/24 dev rx1
}

veth_down() {
  veth_remove_namespace "$VETH_RECEIVER_NETNS"
  veth_remove_namespace "$VETH_SENDER_NETNS"
}
