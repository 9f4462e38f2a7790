/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence statistics of the RTP packets of one stream, per SSRC and together (RFC
 * 3550 appendix A.1, A.3 and A.8).
 *
 * Not thread-safe: the owner locks. O(1) for each packet; memory, about 16 KiB, is
 * taken only when a new SSRC shows, for at most AFXDP_RTP_SOURCES of them.
 *
 * How a packet is judged, by its number against the highest of its SSRC:
 *
 *   1 ahead           in order; after a silence, the sender has paused
 *   2 to 2999 ahead   the end of a gap, if the sender's pace and the time allow
 *   after a silence   of 5 ms or more, a gap of any length: pace and time, and pace
 *                     and RTP timestamps (pace.h) say how often the 16 bits have
 *                     wrapped; what they leave open is uncertain, and the least
 *   up to 99 behind   a late packet or a duplicate, and which of them is known
 *                     exactly
 *   to 16383 behind   likewise, if its timestamp is near
 *   anything else     a stray, until the next number follows it, or 16 of them are a
 *                     sequence with gaps. Then, if number and timestamp lie
 *                     ahead, and the time allows so much, what is between is a
 *                     gap; otherwise the sender restarted, and the numbers start
 *                     anew.
 *
 * After a silence of 100 ms two numbers that had come before, in a row, are a restart
 * too. A former run that goes on beside its successor is strays.
 *
 * A new SSRC is believed, and listed, at its second packet in sequence; then its
 * first one counts too; or when its latest 16 packets are a sequence with gaps, of at
 * most two out of three. What is less, or has other SSRCs' packets in its gaps, is
 * not: a counter that several streams share, a number that stands still, steps.
 * Evicted is first the not believed, then the source silent for longest: what it
 * counted stays in the totals.
 *
 * A gap is a run of numbers that one packet skipped. It is pending until all of them
 * have come, and then was only reordering, or until it is final; what is missing then
 * is lost.
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

/* A source is gone after a silence of so many ns. */
#define AFXDP_RTP_GONE (10 * G_GINT64_CONSTANT (1000000000))

/* Of each source the latest gaps are remembered. */
#define AFXDP_RTP_LATEST_GAPS 10

/* Of a number the packets carry the remainder by this. */
#define AFXDP_RTP_CYCLE 65536

/* A gap that has become final. */
typedef struct
{
  guint32 ssrc;
  guint8 payload_type; /* of the packet that showed it */
  /* number of the first packet missing, as extended_highest_seq counts */
  guint64 first;
  guint64 end; /* of the packet that showed it */
  /* packets; fewer than end - first when some came. 0: none seems to be, but it
   * is uncertain */
  guint64 missing;
  /* arrivals, ns: of the packet in front of it, and of the one that showed it */
  guint64 before, shown;
  guint previous_size; /* bytes of these two, as AfxdpRtp counts */
  guint next_size;
  gboolean previous_marker;
  /* The silence was so long that missing may be wrong by a multiple of
   * AFXDP_RTP_CYCLE: afxdp_rtp_stats_correct() when more becomes known. */
  gboolean uncertain;
  /* packets that the sender sends at most in that time, 0: not known */
  guint64 possible;
} AfxdpRtpGap;

typedef enum
{
  AFXDP_RTP_SOURCE_NEW,       /* is believed, and listed */
  AFXDP_RTP_SOURCE_RESTARTED, /* its numbers begin anew */
  /* nothing came for AFXDP_RTP_GONE; new when it comes again */
  AFXDP_RTP_SOURCE_GONE,
  AFXDP_RTP_SOURCE_UNVALIDATED, /* its numbers are no sequence; once */
} AfxdpRtpSourceState;

/* What became of a source. */
typedef struct
{
  AfxdpRtpSourceState state;
  guint32 ssrc;
  guint8 payload_type;
  guint16 first;  /* number that its run begins with, */
  guint64 shown;  /* and arrival of that packet, ns */
  guint16 last;   /* RESTARTED: highest number of the run before, */
  guint64 before; /* its arrival, */
  /* and packets that the sender sends at most in between, 0: not known */
  guint64 possible;
} AfxdpRtpEvent;

/* What is called in afxdp_rtp_stats_packet(), _advance(), _join() and
 * _look_for_gone(); none may call into the statistics. */
typedef struct
{
  void (*gap) (const AfxdpRtpGap *gap, gpointer user_data);
  /* A packet of a final gap has come after all. */
  void (*came) (guint32 ssrc, guint64 number, gpointer user_data);
  /* May be NULL. */
  void (*source) (const AfxdpRtpEvent *event, gpointer user_data);
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
  guint64 life;                 /* another one when it was evicted meanwhile */
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
/* Counts one that comes when nobody waits for it any more, and never came before: of
 * that source, about so many numbers behind the highest. It takes its loss back, and
 * however far it is behind it is no sign of anything else. */
void afxdp_rtp_stats_late (
    AfxdpRtpStats *stats, const AfxdpRtp *rtp, guint64 behind, guint64 arrival);

/* Makes gaps final that are old at now; G_MAXUINT64 at the end of a stream
 * makes all of them final. Returns the time at which the oldest pending one
 * will be, or 0 when none is pending: wake up then. O(1) when none is, else
 * O(sources). */
guint64 afxdp_rtp_stats_advance (AfxdpRtpStats *stats, guint64 now);

/* Tells of the sources that are gone at now. O(sources). */
void afxdp_rtp_stats_look_for_gone (AfxdpRtpStats *stats, guint64 now);

/* The gap of ssrc that ended with number end, and was told as uncertain, really had
 * cycles * AFXDP_RTP_CYCLE packets more (negative: fewer). All numbers from end on
 * are as many higher from now on: the caller moves those that it remembers. Returns
 * FALSE, and does nothing, if that gap is not known any more, since the source began
 * anew or was evicted, or had not so many. No function is called. */
gboolean afxdp_rtp_stats_correct (
    AfxdpRtpStats *stats, guint32 ssrc, guint64 end, gint64 cycles);

/* The latest restart of ssrc, with the packet that arrived at shown, was none: as
 * many packets as missing were lost in between, which must be what the numbers on
 * both sides say but for a multiple of AFXDP_RTP_CYCLE. Calls the function for
 * gaps. The numbers of the run that began then continue those of the former one: the
 * caller moves those that it remembers, by what the gap's end is more than the
 * event's first. Returns FALSE, and does nothing, if that is not so or not known any
 * more. */
gboolean afxdp_rtp_stats_join (
    AfxdpRtpStats *stats, guint32 ssrc, guint64 shown, guint64 missing);

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
