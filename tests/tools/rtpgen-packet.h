/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of packets: headers, checksums and payload. Knows no interface, no
 * socket and no time; what changes from packet to packet is left zero, for
 * rtpgen_rtp_number() to fill in.
 *
 * No state, any thread.
 */
#pragma once

#include "rtpgen-flow.h"
#include "rtpgen-options.h"

G_BEGIN_DECLS

#define RTPGEN_TS_PACKET 188

/* Where a flow's packets come from and go to. */
typedef struct
{
  RtpgenAddress source;
  RtpgenAddress destination;
  guint8 source_mac[6];
  guint8 destination_mac[6];
  guint32 ssrc;
  guint32 number; /* of the flow, from 0 */
} RtpgenRoute;

/* One of the two forms of a flow's packets. */
typedef struct
{
  gsize payload_size; /* of RTP; its first size of rtpgen_rtp's are the head */
  guint8 payload_type;
  guint8 ttl;
  gboolean marker;
  gboolean ip_option; /* IPv4 only */
  gboolean video;     /* what is otherwise sign and flow is a number */
} RtpgenShape;

/* NOP, NOP, NOP, end of list (RFC 791 3.1). */
extern const guint8 rtpgen_ip_option[4];

/* The MAC address of a multicast group: RFC 1112 6.4, RFC 2464 7. */
void rtpgen_packet_group_mac (const RtpgenAddress *group, guint8 mac[6]);

/* Bytes in front of the RTP header. */
gsize rtpgen_packet_headers (gint family, gboolean ip_option);

/* Fills in size bytes of RTP payload, of MPEG TS null packets (ISO/IEC 13818-1
 * 2.4.3.2) or of none. */
void rtpgen_packet_fill_payload (
    guint8 *payload, gsize size, gboolean transport_stream);

/*
 * Fills in all of layout but what moves in the live frames' template. payload
 * is what rtpgen_packet_fill_payload() made, of this shape's size or longer.
 */
void rtpgen_packet_fill_layout (struct rtpgen_layout *layout,
    const RtpgenRoute *route, const RtpgenShape *shape, const guint8 *payload);

G_END_DECLS
