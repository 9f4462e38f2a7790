/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where missing RTP packets were lost. rtpstats.h tells of gaps: packets that are
 * missing. drops.h tells of drops: packets that a counter of this host says were
 * dropped. Here each gap is judged: each missing packet is charged to a column of the
 * ledger. Pure; not thread-safe: the owner locks.
 *
 * Which drops explain a gap. A gap began after the arrival of one packet and was
 * shown by the arrival of another. A drop happened between two moments, too, at which
 * its counter was read. A dropped packet explains one missing packet. Drops are tried
 * in this order:
 *
 *   1. drops of nearly as many packets as are missing, at the time of the gap;
 *   2. drops that ended with the very packet that showed the gap;
 *   3. other drops at the time of the gap;
 *   4. what the interface dropped at that time: it may have been anybody's packets.
 *
 * What no drop explains was lost where drops of that time could not be counted, if there
 * is such a place; otherwise before this host: in the network. This can be said
 * only when all counters have been read that may know of the gap; so gaps wait for
 * that. If it takes too long, or if drops of that time were forgotten, the place is
 * unknown.
 *
 * How long a gap is. A sequence number has 16 bits. After a long silence it tells how
 * many packets are missing but for a multiple of 65,536. rtpstats.h finds the
 * multiple by the sender's pace, and says if that is uncertain. Drops were counted,
 * and so they decide: if they are as many as another length with the same 16 bits,
 * the gap gets that length. If a sender seemed to begin anew, but as many packets were
 * dropped as the numbers on both sides ask for, this was a gap, and no restart. Drops
 * that reach over the edges of that time may belong to others: then a length between
 * those within it and all will do.
 *
 * The sum over the columns of lost is at any time the number of packets that are
 * missing from judged gaps, less those that came late (charges.h). At the end of the
 * stream, what was dropped behind the last packet is added.
 */
#pragma once

#include "verdict.h"

G_BEGIN_DECLS

/* Most gaps that wait to be judged. When there are so many, gaps of one SSRC that lie
 * in 10 ms become one. If that is not enough, the oldest are charged to unknown. */
#define AFXDP_ATTRIBUTION_WAITING 1024
/* A gap waits so long (ns) since it was first tried to judge it. Then what no drop
 * explains is charged to unknown. */
#define AFXDP_ATTRIBUTION_PATIENCE (2 * G_GUINT64_CONSTANT (1000000000))

typedef struct _AfxdpAttribution AfxdpAttribution;

/* What afxdp_attribution_judge() calls when drops show that a gap is longer or
 * shorter than it was told, or that a restart was a gap: afxdp_rtp_stats_correct()
 * and afxdp_rtp_stats_join(), of which the latter leads to
 * afxdp_attribution_add_gap(). */
typedef struct
{
  gboolean (*correct) (
      guint32 ssrc, guint64 end, gint64 cycles, gpointer user_data);
  gboolean (*join) (
      guint32 ssrc, guint64 shown, guint64 missing, gpointer user_data);
} AfxdpAttributionFuncs;

/* lost: an array with an element for each column, in which losses are counted. It and
 * funcs must outlive the attribution. Without funcs (NULL) no length is corrected. */
AfxdpAttribution *afxdp_attribution_new (
    guint64 *lost, const AfxdpAttributionFuncs *funcs, gpointer user_data);
void afxdp_attribution_free (AfxdpAttribution *attribution);

void afxdp_attribution_add_drop (
    AfxdpAttribution *attribution, const AfxdpDrop *drop);
/* A gap is final: it waits to be judged. */
void afxdp_attribution_add_gap (
    AfxdpAttribution *attribution, const AfxdpRtpGap *gap);
/* A source began anew, or so it seems. */
void afxdp_attribution_add_restart (
    AfxdpAttribution *attribution, const AfxdpRtpEvent *event);
/* A packet of such a gap came after all, and takes its loss back: see charges.h. */
void afxdp_attribution_came (
    AfxdpAttribution *attribution, guint32 ssrc, guint64 number);

/* Packets that are missing from gaps that wait. */
guint64 afxdp_attribution_n_waiting (const AfxdpAttribution *attribution);
/* How many packets, at most, are missing of which it is known that they were dropped:
 * those that drops explain in gaps that wait, and those dropped from since until last
 * that explain no gap yet. */
guint64 afxdp_attribution_n_known (
    const AfxdpAttribution *attribution, guint64 since, guint64 last);
/* The moment until which drops must be known to judge all gaps that wait: the latest
 * at which one was shown. 0: none waits. */
guint64 afxdp_attribution_wants (const AfxdpAttribution *attribution);

/* Judges the gaps that were shown until known, the moment until which all drops are
 * known; those that are explained without that; and those that have waited for too
 * long at now, with what is not explained as unknown. If now is G_MAXUINT64, no gap
 * waits any longer. Calls judged for each. */
void afxdp_attribution_judge (AfxdpAttribution *attribution, guint64 known,
    guint64 now, void (*judged) (const AfxdpVerdict *verdict, gpointer data),
    gpointer data);

/* Adds to n, an array with an element for each column, what this host dropped after
 * the last packet, which arrived at last: no gap shows that yet. What was dropped in
 * a pause is not added, since nobody wanted it then, nor what the interface dropped,
 * which may be anybody's. */
void afxdp_attribution_add_after (
    const AfxdpAttribution *attribution, guint64 last, guint64 *n);
/* The stream has ended, and its last packet arrived at last. What
 * afxdp_attribution_add_after() tells is lost, although no gap will ever show it. */
void afxdp_attribution_end (AfxdpAttribution *attribution, guint64 last);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpAttribution, afxdp_attribution_free)

G_END_DECLS
