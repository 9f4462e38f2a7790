/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Builds the head of a flow's packets byte by byte, from the RFCs' diagrams.
 */
#include "rtpgen-packet.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#define RTP_HEADER 12

const guint8 rtpgen_ip_option[4] = { 1, 1, 1, 0 };

/* PID 0x1fff, payload only. */
static const guint8 ts_null_header[4] = { 0x47, 0x1f, 0xff, 0x10 };
static const guint8 plain_sign[4] = { 'R', 'T', 'P', 'G' };

void
rtpgen_packet_group_mac (const RtpgenAddress *group, guint8 mac[6])
{
  if (group->family == AF_INET6) {
    mac[0] = mac[1] = 0x33;
    memcpy (mac + 2, group->address + 12, 4);
  } else {
    mac[0] = 0x01;
    mac[1] = 0x00;
    mac[2] = 0x5e;
    mac[3] = group->address[1] & 0x7f;
    memcpy (mac + 4, group->address + 2, 2);
  }
}

gsize
rtpgen_packet_headers (gint family, gboolean ip_option)
{
  if (family == AF_INET6)
    return RTPGEN_IPV6;
  return ip_option ? RTPGEN_IPV4_OPTION : RTPGEN_IPV4;
}

void
rtpgen_packet_fill_payload (
    guint8 *payload, gsize size, gboolean transport_stream)
{
  const gsize step = transport_stream ? RTPGEN_TS_PACKET : size;
  const guint8 *sign = transport_stream ? ts_null_header : plain_sign;

  for (gsize i = 0; i < size; i++)
    payload[i] = i % 251;
  for (gsize i = 0; i < size; i += step)
    memcpy (payload + i, sign, MIN (sizeof plain_sign, size - i));
}

static guint8 *
put16 (guint8 *to, guint16 value)
{
  to[0] = value >> 8;
  to[1] = value & 0xff;
  return to + 2;
}

static guint8 *
put_bytes (guint8 *to, const guint8 *from, gsize size)
{
  memcpy (to, from, size);
  return to + size;
}

/* The one's complement sum of RFC 1071, in 16 bits, not yet complemented. */
static guint32
add_bytes (guint32 sum, const guint8 *bytes, gsize size)
{
  for (gsize i = 0; i < size; i++)
    sum += i % 2 ? bytes[i] : bytes[i] << 8;
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

static guint8 *
put_ipv4 (guint8 *to, const RtpgenRoute *route, const RtpgenShape *shape,
    gsize udp_size)
{
  const gsize size = shape->ip_option ? 24 : 20;
  guint8 *const start = to;

  *to++ = 0x40 | size / 4;
  *to++ = 0; /* DSCP, ECN */
  to = put16 (to, size + udp_size);
  to = put16 (to, 0); /* atomic, so without identification (RFC 6864 4.1) */
  to = put16 (to, 0x4000); /* don't fragment */
  *to++ = shape->ttl;
  *to++ = IPPROTO_UDP;
  to = put16 (to, 0);
  to = put_bytes (to, route->source.address, 4);
  to = put_bytes (to, route->destination.address, 4);
  if (shape->ip_option)
    to = put_bytes (to, rtpgen_ip_option, sizeof rtpgen_ip_option);
  put16 (start + 10, ~add_bytes (0, start, size));
  return to;
}

static guint8 *
put_ipv6 (guint8 *to, const RtpgenRoute *route, const RtpgenShape *shape,
    gsize udp_size)
{
  to = put16 (to, 0x6000);
  to = put16 (to, 0);
  to = put16 (to, udp_size);
  *to++ = IPPROTO_UDP;
  *to++ = shape->ttl;
  to = put_bytes (to, route->source.address, 16);
  return put_bytes (to, route->destination.address, 16);
}

/* Addresses, protocol and length: RFC 768, RFC 8200 8.1. */
static guint32
sum_pseudo_header (const RtpgenRoute *route, gsize udp_size)
{
  const gsize size = route->destination.family == AF_INET6 ? 16 : 4;
  guint32 sum = IPPROTO_UDP + udp_size;

  sum = add_bytes (sum, route->source.address, size);
  return add_bytes (sum, route->destination.address, size);
}

static guint8 *
put_rtp (guint8 *to, const RtpgenRoute *route, const RtpgenShape *shape,
    const guint8 *payload)
{
  struct rtpgen_rtp rtp = {
    .version = 2 << 6,
    .type = shape->payload_type | (shape->marker ? 0x80 : 0),
    .ssrc = bpf_htonl (route->ssrc),
    .flow = shape->video ? 0 : bpf_htonl (route->number),
  };

  if (!shape->video)
    memcpy (rtp.sign, payload, sizeof rtp.sign);
  memcpy (to, &rtp, sizeof rtp);
  return to + sizeof rtp;
}

void
rtpgen_packet_fill_layout (struct rtpgen_layout *layout,
    const RtpgenRoute *route, const RtpgenShape *shape, const guint8 *payload)
{
  const gint family = route->destination.family;
  const gsize udp_size = 8 + RTP_HEADER + shape->payload_size;
  const gsize numbered = sizeof (struct rtpgen_rtp) - RTP_HEADER;
  guint8 *to = (guint8 *) layout->head;
  guint8 *udp;

  memset (layout, 0, sizeof *layout);
  to = put_bytes (to, route->destination_mac, 6);
  to = put_bytes (to, route->source_mac, 6);
  to = put16 (to, family == AF_INET6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
  to = family == AF_INET6 ? put_ipv6 (to, route, shape, udp_size)
                          : put_ipv4 (to, route, shape, udp_size);
  udp = to;
  to = put16 (to, route->source.port);
  to = put16 (to, route->destination.port);
  to = put16 (to, udp_size);
  to = put16 (to, 0);
  layout->headers = to - (guint8 *) layout->head;
  to = put_rtp (to, route, shape, payload);

  layout->frame = layout->headers + RTP_HEADER + shape->payload_size;
  layout->checksum = sum_pseudo_header (route, udp_size);
  layout->checksum = add_bytes (layout->checksum, udp, to - udp);
  layout->checksum = add_bytes (
      layout->checksum, payload + numbered, shape->payload_size - numbered);
}
