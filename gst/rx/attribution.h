/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where missing RTP packets were lost: brings together the gaps of rtpstats.h
 * and the drops of drops.h. Pure; not thread-safe: the owner locks.
 *
 * A gap lies between the arrivals of two packets, and so does a drop. A drop that
 * ended with the very packet that showed a gap belongs to it; then any that lies
 * in the same time may; each dropped packet explains one missing one. What the
 * interface dropped counts for little, for it may have been anybody's, and is
 * looked at last. What no drop explains was lost before this host: in the network.
 *
 * The sum over the columns of lost is at any time the number of packets that are
 * missing from the gaps judged, less those that came after all, and what the end
 * of the stream cost.
 */
#pragma once

#include "drops.h"
#include "rtpstats.h"

G_BEGIN_DECLS

/* Drops that are remembered until a gap is found for them, the oldest being
 * forgotten first. Those of packets that are not RTP never find one. */
#define AFXDP_ATTRIBUTION_DROPS 512
/* Judged gaps that are remembered, in case their packets come after all. */
#define AFXDP_ATTRIBUTION_GAPS 1024
/* A gap that could not be judged in this time (ns) is not judged. */
#define AFXDP_ATTRIBUTION_PATIENCE (2 * G_GUINT64_CONSTANT (1000000000))

typedef struct _AfxdpAttribution AfxdpAttribution;

/* A gap, and how many of its packets were lost where. */
typedef struct
{
  AfxdpRtpGap gap;
  guint64 lost[AFXDP_N_COLUMNS];
} AfxdpVerdict;

/* Counts in lost, an array with an element for each column. */
AfxdpAttribution *afxdp_attribution_new (guint64 *lost);
void afxdp_attribution_free (AfxdpAttribution *attribution);

void afxdp_attribution_add_drop (
    AfxdpAttribution *attribution, const AfxdpDrop *drop);
/* The gap waits to be judged. */
void afxdp_attribution_add_gap (
    AfxdpAttribution *attribution, const AfxdpRtpGap *gap);
/* A packet of a gap came after all: its column gets its loss back. */
void afxdp_attribution_came (
    AfxdpAttribution *attribution, guint32 ssrc, guint64 number);

/* Packets that are missing from gaps that wait. */
guint64 afxdp_attribution_n_waiting (const AfxdpAttribution *attribution);
/* The latest moment at which one of them showed; 0: none waits. The drops of
 * until then must be known to judge it. */
guint64 afxdp_attribution_wants (const AfxdpAttribution *attribution);

/* Judges the gaps that showed before known, until when what the interface dropped
 * is known (and all else), and, as unknown, those that wait for too long at now.
 * Calls judged for each. */
void afxdp_attribution_judge (AfxdpAttribution *attribution, guint64 known,
    guint64 now, void (*judged) (const AfxdpVerdict *verdict, gpointer data),
    gpointer data);

/* The stream has ended, and its last packet arrived at last: what was dropped on
 * this host after that is lost, although no gap will ever show it. */
void afxdp_attribution_end (AfxdpAttribution *attribution, guint64 last);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpAttribution, afxdp_attribution_free)

G_END_DECLS
