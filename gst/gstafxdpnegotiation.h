/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The caps of a stream: those that were set, what downstream takes, and what the
 * packets tell. As GstBaseSrc does it, as far as that goes without packets; what is
 * still open then, RTP decides, and nothing else does: no RTCP, no STUN, no text,
 * nothing empty. For the streaming thread:
 *
 *   gst_afxdp_negotiation_follow ();
 *   receive a batch; while gst_afxdp_negotiation_is_waiting(), of one packet
 *   if (!negotiation->decided)
 *     gst_afxdp_negotiation_decide ();
 *   push, unless gst_afxdp_negotiation_is_waiting()
 *
 * Each GstFlowReturn is what create() shall return if it is not GST_FLOW_OK:
 * GST_FLOW_FLUSHING, and it will begin anew; or GST_FLOW_NOT_NEGOTIATED.
 */
#pragma once

#include <gst/base/gstbasesrc.h>

#include "gstafxdpreport.h"

G_BEGIN_DECLS

/* What caps that were set, and downstream, leave open. */
typedef enum
{
  GST_AFXDP_WISH_UNKNOWN, /* not asked yet */
  GST_AFXDP_WISH_NONE,    /* it takes anything, at once; RTP gets caps */
  GST_AFXDP_WISH_EITHER,  /* RTP, or something else */
  GST_AFXDP_WISH_RTP,     /* RTP, but nobody said which */
} GstAfxdpWish;

typedef struct
{
  GstBaseSrc *src;        /* which owns us, */
  GstAfxdpReport *report; /* and that */

  gboolean decided;
  GstCaps *current; /* NULL: none */
  gboolean are_rtp; /* application/x-rtp */

  /* Until it is decided. */
  GstAfxdpWish wish;
  /* of those that were set, what downstream takes; NULL: none were set, or ANY */
  GstCaps *choices;
  gboolean settled;    /* no packet is needed */
  guint n_strangers;   /* packets that are neither RTP nor RTCP */
  gboolean has_last;   /* an RTP packet has come among them: */
  guint32 last_ssrc;   /* its source, */
  guint16 last_seqnum; /* and number */
  guint n_waiting;     /* packets that came while it was waited for RTP, */
  guint64 since;       /* the first of them: ns of CLOCK_MONOTONIC */
  gboolean told;       /* the user knows that */
} GstAfxdpNegotiation;

void gst_afxdp_negotiation_init (
    GstAfxdpNegotiation *negotiation, GstBaseSrc *src, GstAfxdpReport *report);
/* Begins anew. */
void gst_afxdp_negotiation_clear (GstAfxdpNegotiation *negotiation);
/* Downstream has changed: begins anew if it does not take what was decided. */
void gst_afxdp_negotiation_reconsider (GstAfxdpNegotiation *negotiation);

/* RTP is wanted, and nothing may go downstream before it has decided. */
gboolean gst_afxdp_negotiation_is_waiting (
    const GstAfxdpNegotiation *negotiation);
/* Asks downstream, once, what it takes of the caps that were set. NULL: none were; ANY
 * asks for none. Tells the user when RTP does not come for long; if something else is
 * taken, too, it is that then. due: when to call it again. */
GstFlowReturn gst_afxdp_negotiation_follow (
    GstAfxdpNegotiation *negotiation, GstCaps *set, guint64 *due);

/* A batch has come.
 *
 * Of caps that were set, what downstream takes of them decides
 * alone when it is fixed, or has nothing to do with RTP. Otherwise an RTP packet does:
 * the first ones that fit its payload type, or the first ones of all; what is open in
 * them is as RFC 3551's table has it, or as GstBaseSrc fixates it.
 *
 * Where none were set they are, of a static payload type, those of the table; of a
 * dynamic one what downstream accepts, if that fixes the clock rate. A clock rate is
 * never invented without a word. Where downstream takes anything and something else
 * came as well, one packet is not believed: it takes two that follow each other. */
GstFlowReturn gst_afxdp_negotiation_decide (
    GstAfxdpNegotiation *negotiation, GstCaps *set, const AfxdpBatch *batch);

G_END_DECLS
