/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence statistics of the RTP packets of one stream, per SSRC and together
 * (RFC 3550 appendix A.1, A.3 and A.8).
 *
 * Not thread-safe: the owner locks. O(1) for each packet; memory, about 8 KiB,
 * is taken only when a new SSRC shows, for at most AFXDP_RTP_SOURCES of them.
 *
 * How a packet is judged, by its number against the highest of its SSRC:
 *
 *   1 to 2999 ahead   in order, or the end of a gap
 *   up to 99 behind   a late packet or a duplicate, and which of them is known
 *                     exactly
 *   to 16383 behind   likewise, if its timestamp is near
 *   anything else     a stray, until the next number follows it. Then, if
 *                     number and timestamp lie ahead, the sender was not heard
 *                     for long and what is between is a gap; otherwise the
 *                     sender restarted, and the numbers start anew.
 *
 * A new SSRC is believed, and listed, at its second packet in sequence; then
 * its first one counts too. Evicted is first the not believed, then the source
 * silent for longest: what it counted stays in the totals.
 *
 * A gap is a run of numbers that one packet skipped. It is pending until all
 * of them have come, and then was only reordering, or until it is final; what
 * is missing then is lost.
 */
#pragma once

#include <glib.h>

#include "rtp.h"

G_BEGIN_DECLS

/* Most SSRCs that are told apart in one stream. */
#define AFXDP_RTP_SOURCES 256

/* A gap is final once this many later packets (numbers higher than all before)
 * have come, the one that showed it included, or this many ns have passed
 * since that one, whichever is first. A packet that comes later still takes
 * its loss back. */
#define AFXDP_RTP_FINAL_PACKETS 100
#define AFXDP_RTP_FINAL_TIME (100 * G_GINT64_CONSTANT (1000000))

/* Of each source the latest gaps are remembered. */
#define AFXDP_RTP_LATEST_GAPS 10

/* A gap that has become final. */
typedef struct
{
  guint32 ssrc;
  guint8 payload_type;   /* of the packet that showed it */
  guint64 first;         /* number of the first packet missing, as
                              extended_highest_seq counts */
  guint64 end;           /* of the packet that showed it */
  guint64 missing;       /* packets; fewer than end - first when some came */
  guint64 before, shown; /* arrivals, ns: of the packet in front of it, and
                              of the one that showed it */
  guint previous_size;   /* bytes of these two, as AfxdpRtp counts */
  guint next_size;
  gboolean previous_marker;
} AfxdpRtpGap;

/* What is called in afxdp_rtp_stats_packet() and _advance(); neither may call
 * into the statistics. */
typedef struct
{
  void (*gap) (const AfxdpRtpGap *gap, gpointer user_data);
  /* A packet of a final gap has come after all. */
  void (*came) (guint32 ssrc, guint64 number, gpointer user_data);
} AfxdpRtpFuncs;

/*
 * What the counters of a source and of the whole stream have in common.
 *
 * Always: packets - duplicates - strays - unvalidated is the number of
 * different numbers that came, and that plus lost plus pending is the number of
 * those that were sent, from the first to the highest of each run of numbers
 * (early ones, from before the first of a run, come on top).
 */
typedef struct
{
  guint64 packets;     /* RTP packets, all of them */
  guint64 octets;      /* their bytes of RTP payload, RFC 3550 6.4.1 */
  guint64 gaps;        /* final ones; stays when its packets come after all */
  guint64 lost;        /* missing from final gaps, less those that came late */
  guint64 pending;     /* missing from gaps that are not yet final */
  guint64 reordered;   /* came out of order, duplicates not included */
  guint64 duplicates;  /* a number that had come before */
  guint64 restarts;    /* the numbers started anew: the sender did */
  guint64 strays;      /* a number far off, that nothing confirmed */
  guint64 unvalidated; /* of an SSRC that is not, or never was, believed */
} AfxdpRtpCounts;

typedef struct
{
  AfxdpRtpCounts counts;
  guint32 ssrc;
  guint8 payload_type;          /* of the latest packet */
  guint clock_rate;             /* that of payload_type, 0 when not known */
  guint16 seqnum_base;          /* first number since start or restart */
  guint32 extended_highest_seq; /* RFC 3550 6.4.1: wraps << 16 | number */
  guint64 max_gap;              /* packets missing when it became final */
  guint64 max_reorder;          /* packets: largest distance of a late one */
  guint32 jitter;               /* RTP timestamp units, 0 without clock rate */
  guint64 last_arrival;         /* ns, the clock of afxdp_rtp_stats_packet */
  guint n_latest_gaps;
  AfxdpRtpGap latest_gaps[AFXDP_RTP_LATEST_GAPS]; /* the oldest first */
} AfxdpRtpSource;

typedef struct _AfxdpRtpStats AfxdpRtpStats;

AfxdpRtpStats *afxdp_rtp_stats_new (void);
void afxdp_rtp_stats_free (AfxdpRtpStats *stats);

/* funcs must outlive stats. */
void afxdp_rtp_stats_set_funcs (
    AfxdpRtpStats *stats, const AfxdpRtpFuncs *funcs, gpointer user_data);

/* Units of the RTP timestamp per second for payload_type's jitter, or 0 when
 * it is not known. Jitter is measured anew when a source's rate changes. */
void afxdp_rtp_stats_set_clock_rate (
    AfxdpRtpStats *stats, guint8 payload_type, guint clock_rate);

/* Counts one packet of kind AFXDP_RTP_DATA. arrival is in ns of any monotonic
 * clock; a step back does no harm but to jitter. */
void afxdp_rtp_stats_packet (
    AfxdpRtpStats *stats, const AfxdpRtp *rtp, guint64 arrival);

/* Makes gaps final that are old at now; G_MAXUINT64 at the end of a stream
 * makes all of them final. Returns the time at which the oldest pending one
 * will be, or 0 when none is pending: wake up then. O(1) when none is, else
 * O(sources). */
guint64 afxdp_rtp_stats_advance (AfxdpRtpStats *stats, guint64 now);

/* Sums over all sources, the evicted and the not believed included. */
void afxdp_rtp_stats_totals (
    const AfxdpRtpStats *stats, AfxdpRtpCounts *totals);

/* The believed sources, in the order in which they became that; source numbers
 * run from 0 to the returned count. */
guint afxdp_rtp_stats_n_sources (const AfxdpRtpStats *stats);
/* How many believed ones had to make room for others. */
guint64 afxdp_rtp_stats_n_evicted (const AfxdpRtpStats *stats);
void afxdp_rtp_stats_source (
    const AfxdpRtpStats *stats, guint number, AfxdpRtpSource *source);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpRtpStats, afxdp_rtp_stats_free)

G_END_DECLS
