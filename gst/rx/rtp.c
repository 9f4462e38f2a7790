/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fixed header of an RTP packet, and whether a datagram is one.
 */
#include "rtp.h"

#include <string.h>

#define HEADER_SIZE 12
#define VERSION 2
#define FLAG_PADDING 0x20
#define FLAG_EXTENSION 0x10
#define CSRC_COUNT_MASK 0x0f
#define CSRC_SIZE 4
#define EXTENSION_SIZE 4   /* profile and length, before its words */
#define EXTENSION_LENGTH 2 /* offset, in 32-bit words */
#define FLAG_MARKER 0x80
#define PAYLOAD_TYPE_MASK 0x7f

/* The packet types that RFC 5761 section 4 leaves to RTCP, and the smallest
 * RTCP packet: a receiver report without blocks. */
#define CONTROL_FIRST 192
#define CONTROL_LAST 223
#define CONTROL_SIZE 8

static inline guint16
read_16 (const guint8 *bytes)
{
  guint16 value;

  memcpy (&value, bytes, sizeof value);
  return GUINT16_FROM_BE (value);
}

static inline guint32
read_32 (const guint8 *bytes)
{
  guint32 value;

  memcpy (&value, bytes, sizeof value);
  return GUINT32_FROM_BE (value);
}

/* Subtracts from rest, the bytes after the fixed header, what is not payload.
 * Returns FALSE if that is more than there is. */
static gboolean
strip (const guint8 *payload, gsize size, gsize *rest)
{
  gsize extra = (payload[0] & CSRC_COUNT_MASK) * CSRC_SIZE;

  if (payload[0] & FLAG_EXTENSION) {
    if (extra + EXTENSION_SIZE > *rest)
      return FALSE;
    extra += EXTENSION_SIZE +
        4 * (gsize) read_16 (payload + HEADER_SIZE + extra + EXTENSION_LENGTH);
  }
  if (extra > *rest)
    return FALSE;
  *rest -= extra;
  if (payload[0] & FLAG_PADDING) {
    guint8 padding = payload[size - 1];

    /* RFC 3550 section 5.1 counts the byte that says so, and 0 cannot be. GStreamer
     * takes that for no padding, and so do we: nobody else would miss it. */
    if (padding > *rest)
      return FALSE;
    *rest -= padding;
  }
  return TRUE;
}

AfxdpRtpKind
afxdp_rtp_parse (const guint8 *payload, gsize size, AfxdpRtp *rtp)
{
  gsize rest = size - HEADER_SIZE;

  rtp->kind = AFXDP_RTP_NONE;
  if (size < CONTROL_SIZE || payload[0] >> 6 != VERSION)
    return AFXDP_RTP_NONE;
  if (payload[1] >= CONTROL_FIRST && payload[1] <= CONTROL_LAST)
    return rtp->kind = AFXDP_RTP_CONTROL;
  if (size < HEADER_SIZE)
    return AFXDP_RTP_NONE;

  rtp->marker = (payload[1] & FLAG_MARKER) != 0;
  rtp->payload_type = payload[1] & PAYLOAD_TYPE_MASK;
  rtp->seqnum = read_16 (payload + 2);
  rtp->timestamp = read_32 (payload + 4);
  rtp->ssrc = read_32 (payload + 8);
  rtp->size = size;
  if (G_UNLIKELY (payload[0] != VERSION << 6) &&
      !strip (payload, size, &rest)) {
    rtp->payload_size = 0;
    return rtp->kind = AFXDP_RTP_MALFORMED;
  }
  rtp->payload_size = rest;
  return rtp->kind = AFXDP_RTP_DATA;
}
