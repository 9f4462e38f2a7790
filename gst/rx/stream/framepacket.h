/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A packet of a stream out of a frame that came from an AF_XDP socket, whoever put it
 * there; or that it is none of the stream's.
 *
 * For the streaming thread alone.
 */
#pragma once

#include <string.h>

#include "input.h"
#include "packet.h"
#include "sources.h"
#include "xsk.h"

G_BEGIN_DECLS

/* Where a stream's packets go, and where they come from. */
typedef struct
{
  gboolean any;  /* whatever address the program lets through; otherwise: */
  guint version; /* 4 or 6 */
  guint8 address[16]; /* network order, 4 or 16 bytes */
  guint16 port;
  const AfxdpSources *sources; /* that they come from; NULL: any */
  guint32 scope;               /* the interface that they arrive on */
  gboolean verifies; /* their UDP checksums, which the socket does by itself */
} AfxdpDestination;

/* What follows is done for each packet, and so inline. */

static inline gboolean
afxdp_destination_matches (
    const AfxdpDestination *destination, const AfxdpDatagram *datagram)
{
  if (datagram->destination_port != destination->port)
    return FALSE;
  if (!destination->any &&
      (datagram->version != destination->version ||
          memcmp (datagram->destination, destination->address,
              datagram->version == 4 ? 4 : 16)))
    return FALSE;
  return G_LIKELY (!destination->sources) ||
      afxdp_sources_match (destination->sources, datagram->source);
}

/* fe80::/10, RFC 4291 section 2.5.6. */
static inline gboolean
afxdp_frame_packet_is_link_local (const AfxdpDatagram *datagram)
{
  return datagram->version == 6 && datagram->source[0] == 0xfe &&
      (datagram->source[1] & 0xc0) == 0x80;
}

/* Fills in packet, but for its arrival. skip: bytes of each datagram that lie in front
 * of RTP. FALSE: it is not the stream's, is damaged, or shorter than skip; the caller
 * still owns its frame, which packet names. */
static inline gboolean
afxdp_frame_packet_take (const AfxdpDestination *destination,
    const AfxdpXskPacket *raw, guint skip, AfxdpPacket *packet)
{
  AfxdpDatagram datagram;

  packet->frame = raw->frame;
  if (afxdp_packet_parse (raw->data, raw->length, &datagram) !=
          AFXDP_PACKET_UDP ||
      !afxdp_destination_matches (destination, &datagram) ||
      (G_UNLIKELY (destination->verifies) &&
          !afxdp_packet_has_right_checksum (&datagram)) ||
      !afxdp_input_take_payload (
          packet, datagram.payload, datagram.payload_size, skip))
    return FALSE;
  packet->sender = (AfxdpSender){
    .address = datagram.source,
    .scope =
        afxdp_frame_packet_is_link_local (&datagram) ? destination->scope : 0,
    .port = datagram.source_port,
    .version = datagram.version,
  };
  return TRUE;
}

G_END_DECLS
