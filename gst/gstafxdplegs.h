/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The legs of a stream that is sent over two networks (ST 2022-7): each is a stream of
 * its own, and has statistics of its own. What leaves the element is that of both, in
 * order and once (gstafxdpordered.h), and the element's report tells of that.
 *
 * The streaming thread's own, but for add_stats(), which is for any thread.
 */
#pragma once

#include "gstafxdpgaps.h"
#include "gstafxdpmode.h"
#include "gstafxdpordered.h"
#include "gstafxdpreport.h"
#include "receiver.h"

G_BEGIN_DECLS

typedef struct
{
  gpointer src; /* the element; borrowed */
  guint number;
  AfxdpStream *stream; /* NULL -> READY to READY -> NULL; NULL: there is none */
  /* NULL: by the element's own thread. Element's stream_lock, and its turn. */
  AfxdpServed *served;

  /* With two legs: what came by it. Nothing of it is posted. */
  GstAfxdpReport *report;
  /* Of the second one; those of the first are the element's. */
  GstAfxdpGaps gaps;
  AfxdpPlaces *places; /* where it has lost packets lately */
  GstAfxdpCurrentMode mode;
  gboolean shares;           /* the first leg's stream; its own is NULL */
  AfxdpLegState state, told; /* and what was told of it last */
  GstAfxdpOutbox outbox;     /* of that */
  gchar *uri;                /* element's stream_lock, as the pointer stream */
  gchar *interface;
} GstAfxdpLeg;

/* What is not told by streams any more, since they are closed: as AfxdpStreamCounts has
 * it. */
typedef struct
{
  guint64 malformed;
  guint32 socket_dropped;
} GstAfxdpGone;

/* The stream is open. uri and interface are for the statistics. */
void gst_afxdp_leg_begin (
    GstAfxdpLeg *leg, const gchar *uri, const gchar *interface, guint64 now);
/* It is closed. Statistics stay. */
void gst_afxdp_leg_clear (GstAfxdpLeg *leg);

/* Once both have begun: gaps, the element's, tells of both, and report has the sum of
 * their drops. Once the second is cleared: of the first alone, which is still counted by
 * itself; and once both are cleared, of the element. */
void gst_afxdp_legs_have_told (
    GstAfxdpLeg *legs, GstAfxdpGaps *gaps, GstAfxdpReport *report);

/* What all streams that the legs have now have counted: the queues are the first one's.
 * Clear counts. */
void gst_afxdp_legs_count (const GstAfxdpLeg *legs, AfxdpStreamCounts *counts);
/* Adds what another leg counted, and clears it. */
void gst_afxdp_legs_add_counts (
    AfxdpStreamCounts *counts, AfxdpStreamCounts *other);
/* Appends the field legs. report: the element's. */
void gst_afxdp_legs_add_stats (GstStructure *structure, GstAfxdpLeg *legs,
    const GstAfxdpSkew *skews, GstAfxdpReport *report);

G_END_DECLS
