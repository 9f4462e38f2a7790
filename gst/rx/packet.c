/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ethernet, IPv4, IPv6 and UDP headers to addresses, ports and payload.
 *
 * A copy in user space of parse() in bpf/afxdp.bpf.c: a change of one is a
 * change of both. tests/check/program.c and tests/fuzz/program.c hold them against
 * each other.
 */
#include "packet.h"

#include <string.h>

#define ETHERNET_SIZE 14
#define ETHERNET_TYPE 12 /* offset */
#define TYPE_IPV4 0x0800
#define TYPE_IPV6 0x86dd
#define TYPE_VLAN 0x8100
#define TYPE_SERVICE_VLAN 0x88a8 /* 802.1ad */

#define VLAN_SIZE 4
#define VLAN_TYPE 2 /* offset */
#define VLAN_ID_MASK 0x0fff

#define IPV4_SIZE 20
#define IPV4_FIRST_BYTE 0x45 /* version 4, header of 5 words */
#define IPV4_FRAGMENT 0x3fff /* more-fragments bit, or an offset */
#define IPV4_TOTAL_LENGTH 2  /* offsets */
#define IPV4_FRAGMENT_FIELD 6
#define IPV4_PROTOCOL 9
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16

#define IPV6_SIZE 40
#define IPV6_PAYLOAD_LENGTH 4 /* offsets */
#define IPV6_NEXT_HEADER 6
#define IPV6_SOURCE 8
#define IPV6_DESTINATION 24

#define UDP_SIZE 8
#define UDP_SOURCE 0 /* offsets */
#define UDP_DESTINATION 2
#define UDP_LENGTH 4
#define UDP_CHECKSUM 6

#define PROTOCOL_UDP 17

/* Frames lie at any address: headers are read without alignment. */
static inline guint16
read_16 (const guint8 *bytes)
{
  guint16 value;

  memcpy (&value, bytes, sizeof value);
  return GUINT16_FROM_BE (value);
}

/* Both network layers: size is the rest of the frame at ip, and rest becomes
 * what the header says of it, without the header. */
static inline AfxdpPacketKind
parse_ipv4 (const guint8 *ip, gsize size, AfxdpDatagram *datagram, gsize *rest)
{
  gsize total;

  if (size < IPV4_SIZE)
    return AFXDP_PACKET_TRUNCATED;
  if (G_UNLIKELY (ip[0] != IPV4_FIRST_BYTE))
    return ip[0] >> 4 == 4 ? AFXDP_PACKET_OPTIONS : AFXDP_PACKET_NOT_IP;
  if (read_16 (ip + IPV4_FRAGMENT_FIELD) & IPV4_FRAGMENT)
    return AFXDP_PACKET_FRAGMENT;
  if (ip[IPV4_PROTOCOL] != PROTOCOL_UDP)
    return AFXDP_PACKET_NOT_UDP;
  total = read_16 (ip + IPV4_TOTAL_LENGTH);
  if (total < IPV4_SIZE || total > size)
    return AFXDP_PACKET_TRUNCATED;
  datagram->version = 4;
  datagram->source = ip + IPV4_SOURCE;
  datagram->destination = ip + IPV4_DESTINATION;
  *rest = total - IPV4_SIZE;
  return AFXDP_PACKET_UDP;
}

static inline AfxdpPacketKind
parse_ipv6 (const guint8 *ip, gsize size, AfxdpDatagram *datagram, gsize *rest)
{
  if (size < IPV6_SIZE)
    return AFXDP_PACKET_TRUNCATED;
  if (ip[0] >> 4 != 6)
    return AFXDP_PACKET_NOT_IP;
  if (ip[IPV6_NEXT_HEADER] != PROTOCOL_UDP)
    return AFXDP_PACKET_NOT_UDP;
  *rest = read_16 (ip + IPV6_PAYLOAD_LENGTH);
  if (*rest > size - IPV6_SIZE)
    return AFXDP_PACKET_TRUNCATED;
  datagram->version = 6;
  datagram->source = ip + IPV6_SOURCE;
  datagram->destination = ip + IPV6_DESTINATION;
  return AFXDP_PACKET_UDP;
}

static inline AfxdpPacketKind
parse_udp (const guint8 *udp, gsize rest, AfxdpDatagram *datagram)
{
  gsize length;

  if (rest < UDP_SIZE)
    return AFXDP_PACKET_TRUNCATED;
  length = read_16 (udp + UDP_LENGTH);
  if (length < UDP_SIZE || length > rest)
    return AFXDP_PACKET_TRUNCATED;
  if (datagram->version == 6 && !read_16 (udp + UDP_CHECKSUM))
    return AFXDP_PACKET_NO_CHECKSUM;
  datagram->source_port = read_16 (udp + UDP_SOURCE);
  datagram->destination_port = read_16 (udp + UDP_DESTINATION);
  datagram->payload = udp + UDP_SIZE;
  datagram->payload_size = length - UDP_SIZE;
  return AFXDP_PACKET_UDP;
}

AfxdpPacketKind
afxdp_packet_parse (const guint8 *frame, gsize size, AfxdpDatagram *datagram)
{
  const guint8 *network;
  AfxdpPacketKind kind;
  guint16 type;
  gsize rest;

  if (size < ETHERNET_SIZE)
    return AFXDP_PACKET_TRUNCATED;
  type = read_16 (frame + ETHERNET_TYPE);
  network = frame + ETHERNET_SIZE;
  size -= ETHERNET_SIZE;

  if (G_UNLIKELY (type == TYPE_VLAN)) {
    if (size < VLAN_SIZE)
      return AFXDP_PACKET_TRUNCATED;
    if (read_16 (network) & VLAN_ID_MASK)
      return AFXDP_PACKET_VLAN;
    type = read_16 (network + VLAN_TYPE);
    network += VLAN_SIZE;
    size -= VLAN_SIZE;
  }

  if (G_LIKELY (type == TYPE_IPV4)) {
    kind = parse_ipv4 (network, size, datagram, &rest);
    network += IPV4_SIZE;
  } else if (type == TYPE_IPV6) {
    kind = parse_ipv6 (network, size, datagram, &rest);
    network += IPV6_SIZE;
  } else if (type == TYPE_VLAN || type == TYPE_SERVICE_VLAN) {
    return AFXDP_PACKET_VLAN;
  } else {
    return AFXDP_PACKET_NOT_IP;
  }
  if (G_UNLIKELY (kind != AFXDP_PACKET_UDP))
    return kind;
  return parse_udp (network, rest, datagram);
}

/* The sum of 16-bit words, in the order of bytes of this host: RFC 1071 sections
 * 1 and 2 say why that does. Words of 32 bits are summed, which is the same when
 * it is folded. A last byte has a 0 behind it. */
static guint64
sum_words (const guint8 *bytes, gsize size)
{
  guint64 sum = 0;
  guint32 word;

  for (; size >= sizeof word; size -= sizeof word, bytes += sizeof word) {
    memcpy (&word, bytes, sizeof word);
    sum += word;
  }
  word = 0;
  memcpy (&word, bytes, size);
  return sum + word;
}

gboolean
afxdp_packet_has_right_checksum (const AfxdpDatagram *datagram)
{
  const guint8 *udp = datagram->payload - UDP_SIZE;
  gsize length = UDP_SIZE + datagram->payload_size;
  gsize address_size = datagram->version == 4 ? 4 : 16;
  guint64 sum;

  if (!read_16 (udp + UDP_CHECKSUM))
    return datagram->version == 4;
  /* The pseudo header: addresses, protocol, length. */
  sum = sum_words (datagram->source, address_size) +
      sum_words (datagram->destination, address_size) + g_htons (PROTOCOL_UDP) +
      g_htons (length) + sum_words (udp, length);
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff;
}
