/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fixed header of an RTP packet (RFC 3550 section 5.1), and whether a
 * datagram is one. Pure: no allocation, no state, any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AFXDP_RTP_NONE = 0, /* not RTP: another version, or no room for a header */
  AFXDP_RTP_DATA,
  AFXDP_RTP_CONTROL, /* RTCP beside it: second byte 192 to 223, RFC 5761 4 */
  /* RTP by its fixed header; CSRCs, extension or padding are longer than the
   * packet */
  AFXDP_RTP_MALFORMED,
} AfxdpRtpKind;

typedef struct
{
  AfxdpRtpKind kind;
  guint32 ssrc;
  guint32 timestamp;
  guint16 seqnum;
  guint8 payload_type;
  gboolean marker;
  guint size;         /* bytes of the whole packet */
  guint payload_size; /* bytes without header, CSRCs, extension and padding */
} AfxdpRtp;

/* Whether it has a sequence number, by which it is known not to be missing. */
static inline gboolean
afxdp_rtp_is_numbered (const AfxdpRtp *rtp)
{
  return rtp->kind == AFXDP_RTP_DATA || rtp->kind == AFXDP_RTP_MALFORMED;
}

/* Whether caps of application/x-rtp allow it: RTP, or RTCP. */
static inline gboolean
afxdp_rtp_is_sound (const AfxdpRtp *rtp)
{
  return rtp->kind == AFXDP_RTP_DATA || rtp->kind == AFXDP_RTP_CONTROL;
}

/* Reads size bytes at payload into rtp. The fields besides kind are valid only
 * for AFXDP_RTP_DATA, and for AFXDP_RTP_MALFORMED, which has no payload. Returns
 * the kind. */
AfxdpRtpKind afxdp_rtp_parse (const guint8 *payload, gsize size, AfxdpRtp *rtp);

G_END_DECLS
