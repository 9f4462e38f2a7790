/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One Ethernet frame, from its first byte to the payload of its UDP datagram,
 * or the reason why it holds none.
 *
 * Pure: no allocation, no state, any thread. Agrees with the XDP program
 * (bpf/afxdp.bpf.c) on every input: what the program redirects parses as
 * AFXDP_PACKET_UDP, and what does not parse as that, the program passes. The
 * one thing that only the program checks is the destination MAC address.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AFXDP_PACKET_UDP = 0,
  AFXDP_PACKET_TRUNCATED,   /* shorter than its headers, or than they say */
  AFXDP_PACKET_VLAN,        /* tagged: other than VLAN 0, twice, or 802.1ad */
  AFXDP_PACKET_NOT_IP,      /* ARP and the like, or a wrong IP version */
  AFXDP_PACKET_OPTIONS,     /* IPv4 options: header length other than 20 */
  AFXDP_PACKET_FRAGMENT,    /* IPv4 fragment, the first one included */
  AFXDP_PACKET_NOT_UDP,     /* IPv6 extension headers included */
  AFXDP_PACKET_NO_CHECKSUM, /* IPv6 with UDP checksum 0, RFC 8200 8.1 */
} AfxdpPacketKind;

typedef struct
{
  guint version;             /* 4 or 6 */
  const guint8 *source;      /* network order, 4 or 16 bytes, in the frame */
  const guint8 *destination; /* likewise */
  guint16 source_port;       /* host order */
  guint16 destination_port;  /* host order */
  const guint8 *payload;     /* in the frame */
  guint payload_size;        /* bytes, by the UDP header's length: 0 is legal */
} AfxdpDatagram;

/* Parses size bytes at frame, which may lie at any address. The fields of
 * datagram are valid only for AFXDP_PACKET_UDP. */
AfxdpPacketKind afxdp_packet_parse (
    const guint8 *frame, gsize size, AfxdpDatagram *datagram);

/* Whether the UDP checksum of a datagram that was parsed is right, as the kernel
 * checks it for sockets (RFC 768, RFC 8200 section 8.1). With IPv4 a checksum of 0
 * says that there is none, and is right. Of a sender on this host, over a veth, the
 * checksum is not yet made, and so wrong, unless "ethtool -K DEV tx off". */
gboolean afxdp_packet_has_right_checksum (const AfxdpDatagram *datagram);

G_END_DECLS
