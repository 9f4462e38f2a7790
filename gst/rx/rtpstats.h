/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence statistics of the RTP packets of one stream, per SSRC and together
 * (RFC 3550 appendix A.1, A.3 and A.8).
 *
 * Not thread-safe: the owner locks. O(1) for each packet; memory is allocated
 * only when a new SSRC shows, at most AFXDP_RTP_SOURCES of them; a new one
 * beyond that takes the place of the one silent for longest.
 */
#pragma once

#include <glib.h>

#include "rtp.h"

G_BEGIN_DECLS

/* Most SSRCs that are told apart in one stream. */
#define AFXDP_RTP_SOURCES 256

/* A missing packet counts as lost once this many later ones have come, or this
 * many ns have passed, whichever is first; until then it is pending. A packet
 * that comes later still takes its loss back. */
#define AFXDP_RTP_FINAL_PACKETS 100
#define AFXDP_RTP_FINAL_TIME (100 * G_GINT64_CONSTANT (1000000))

/* What the counters of a source and of the whole stream have in common. */
typedef struct
{
  guint64 packets;    /* RTP packets, duplicates included */
  guint64 octets;     /* bytes of RTP payload, RFC 3550 6.4.1 */
  guint64 gaps;       /* runs of missing numbers, counted when first seen */
  guint64 lost;       /* missing for good, less those that came late */
  guint64 pending;    /* missing, not yet final */
  guint64 reordered;  /* came after a later number, duplicates not included */
  guint64 duplicates; /* a number that had come before */
  guint64 restarts;   /* the numbers started anew: the sender did */
} AfxdpRtpCounts;

typedef struct
{
  AfxdpRtpCounts counts;
  guint32 ssrc;
  guint8 payload_type;          /* of the latest packet */
  guint16 seqnum_base;          /* first number since start or restart */
  guint32 extended_highest_seq; /* RFC 3550 6.4.1: wraps << 16 | number */
  guint64 max_gap;              /* packets */
  guint64 max_reorder;          /* packets: largest distance of a late one */
  guint32 jitter;               /* RTP timestamp units, 0 without clock rate */
  guint64 last_arrival;         /* ns, the clock of afxdp_rtp_stats_packet */
} AfxdpRtpSource;

typedef struct _AfxdpRtpStats AfxdpRtpStats;

AfxdpRtpStats *afxdp_rtp_stats_new (void);
void afxdp_rtp_stats_free (AfxdpRtpStats *stats);

/* Units of the RTP timestamp per second for payload_type's jitter, or 0 when
 * it is not known. */
void afxdp_rtp_stats_set_clock_rate (
    AfxdpRtpStats *stats, guint8 payload_type, guint clock_rate);

/* Counts one packet of kind AFXDP_RTP_DATA. arrival is in ns of any monotonic
 * clock, never decreasing. */
void afxdp_rtp_stats_packet (
    AfxdpRtpStats *stats, const AfxdpRtp *rtp, guint64 arrival);

/* Makes gaps final that are old at now. Returns the time at which the oldest
 * pending one will be, or 0 when none is pending: wake up then. */
guint64 afxdp_rtp_stats_advance (AfxdpRtpStats *stats, guint64 now);

/* Sums over all sources, the forgotten ones included. */
void afxdp_rtp_stats_totals (
    const AfxdpRtpStats *stats, AfxdpRtpCounts *totals);

/* The sources, in the order of their first packet; source numbers run from 0
 * to the returned count. */
guint afxdp_rtp_stats_n_sources (const AfxdpRtpStats *stats);
void afxdp_rtp_stats_source (
    const AfxdpRtpStats *stats, guint number, AfxdpRtpSource *source);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpRtpStats, afxdp_rtp_stats_free)

G_END_DECLS
