/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One SSRC of the sequence statistics, from inside: for rtpstats.c, which has all of
 * them, rtprun.c, which judges packets, and rtpgaps.c, which keeps what is missing.
 *
 * Numbers are extended to 64 bits and begin at 1 << 16, so that those before
 * the first one are positive too. The window has a bit for each of the last
 * AFXDP_RTP_WINDOW numbers: that it came. Each missing number from the first of the
 * oldest pending gap on belongs to a pending gap; one before is lost.
 */
#pragma once

#include "outage.h"
#include "rtpstats.h"

G_BEGIN_DECLS

/* Numbers whose coming is remembered: what the default RX ring holds, which is
 * what a packet of the slow path can be late by. A power of two below 32768. */
#define AFXDP_RTP_WINDOW 16384
#define AFXDP_RTP_WORD_BITS 64

/* One packet opens a gap, and AFXDP_RTP_FINAL_PACKETS make it final, hence
 * there are never more. A power of two. */
#define AFXDP_RTP_PENDING 128

/* Strays that may turn out to have been early. */
#define AFXDP_RTP_EARLY 64

/* Packets of one kind that nobody believes, and that may prove to be a run. */
#define AFXDP_RTP_SUSPECTS 16

/* Uncertain gaps that are remembered. A source has few: each takes a silence. */
#define AFXDP_RTP_UNCERTAIN_GAPS 32

/* Half of the 16 bits of number take longer, at any rate; ns. */
#define AFXDP_RTP_SHORTEST_OUTAGE G_GUINT64_CONSTANT (5000000)

#define AFXDP_RTP_FIRST_CYCLE ((guint64) AFXDP_RTP_CYCLE)

/* A gap after a silence: its length may be wrong by a multiple of 65,536, and may be
 * corrected. */
typedef struct
{
  guint64 end;       /* 0: none */
  gint64 most_fewer; /* cycles by which it may be shorter */
  gboolean counted;  /* as a gap: something was missing */
} AfxdpRtpUncertainGap;

/* The run of numbers before the latest restart. */
typedef struct
{
  gboolean known;
  guint64 base;
  guint64 first;   /* of the run that began then */
  AfxdpRtpGap gap; /* what was between them, if it was one: but for its end */
} AfxdpRtpFormer;

/* What a packet that nobody believes is counted as. */
typedef enum
{
  AFXDP_RTP_AS_UNVALIDATED,
  AFXDP_RTP_AS_STRAY,
  AFXDP_RTP_AS_DUPLICATE,
} AfxdpRtpCountedAs;

typedef struct
{
  AfxdpRtp rtp;
  guint64 arrival;
  AfxdpRtpCountedAs as;
  gboolean shares; /* its number follows that of another SSRC's packet */
} AfxdpRtpSuspect;

typedef struct
{
  guint16 seqnum;
  guint64 until; /* arrival at which it is forgotten */
} AfxdpRtpEarly;

typedef struct
{
  /* Hot: the path of a packet in order. */
  guint32 ssrc;
  gboolean believed;
  guint64 highest;      /* extended number */
  guint64 advances;     /* packets with a number higher than all before */
  guint64 last_advance; /* arrival of the latest of them, */
  guint32 timestamp;    /* its timestamp, */
  guint size;           /* bytes */
  gboolean marker;
  guint n_gaps;
  guint n_suspects; /* since the latest of them */
  guint64 last_arrival;
  guint clock_rate;
  guint8 payload_type;
  gboolean transit_known;
  guint32 transit; /* RFC 3550 A.8 */
  guint64 jitter;  /* RFC 3550 A.8: times 16 */
  AfxdpRtpCounts counts;
  AfxdpPace pace;

  /* Cold. */
  guint64 life;            /* tells those of one SSRC apart, in time */
  guint64 base;            /* extended number, the first of the run */
  guint64 early_until;     /* the last one of early is forgotten then */
  gboolean gone;           /* it was told so */
  gboolean not_believable; /* likewise */
  guint next_early;
  guint first_gap;
  guint64 max_gap;
  guint64 max_reorder;
  GList recent; /* link in stats->suspects, or in stats->recent if believed */
  GList listed; /* link in stats->listed, if believed */
  guint64 n_final;
  guint64 n_former; /* of these, before the latest restart */
  AfxdpRtpGap latest_gaps[AFXDP_RTP_LATEST_GAPS]; /* a ring, overwritten */
  AfxdpRtpFormer former;
  guint16 rival; /* number of the former run, if it still goes on */
  AfxdpRtpUncertainGap
      uncertain_gaps[AFXDP_RTP_UNCERTAIN_GAPS]; /* a ring, overwritten */
  guint n_uncertain_gaps;
  AfxdpRtpSuspect suspects[AFXDP_RTP_SUSPECTS]; /* a ring, overwritten */

  AfxdpRtpEarly early[AFXDP_RTP_EARLY]; /* a ring, overwritten */
  /* A ring of n_gaps at first_gap. Their numbers are extended, and first is the first
   * that is still missing: the window knows which. */
  AfxdpRtpGap gaps[AFXDP_RTP_PENDING];
  guint64 gap_advances[AFXDP_RTP_PENDING]; /* advances before each was shown */
  guint64 window[AFXDP_RTP_WINDOW / AFXDP_RTP_WORD_BITS]; /* bits, modulo */
} AfxdpRtpRun;

struct _AfxdpRtpStats
{
  AfxdpRtpRun *latest; /* the source of the latest packet, or NULL */
  guint n_gaps;        /* pending ones, of all sources */
  guint clock_rates[128];

  GHashTable *sources; /* owned, by SSRC */
  GQueue suspects;     /* not believed, the one silent for longest first */
  GQueue recent;       /* believed, likewise */
  GQueue listed;       /* believed, in the order in which they became that */
  AfxdpRtpCounts evicted;
  guint64 n_evicted;
  guint64 n_lives;
  const AfxdpRtpFuncs *funcs; /* or NULL */
  gpointer user_data;
};

/* rtpstats.c */

void afxdp_rtp_tell (const AfxdpRtpStats *stats, const AfxdpRtpEvent *event);

/* rtpgaps.c */

static inline guint64 *
afxdp_rtp_window_word (AfxdpRtpRun *run, guint64 number)
{
  return &run->window[number % AFXDP_RTP_WINDOW / AFXDP_RTP_WORD_BITS];
}

static inline gboolean
afxdp_rtp_window_has (AfxdpRtpRun *run, guint64 number)
{
  return *afxdp_rtp_window_word (run, number) >> number % AFXDP_RTP_WORD_BITS &
      1;
}

static inline void
afxdp_rtp_window_add (AfxdpRtpRun *run, guint64 number)
{
  *afxdp_rtp_window_word (run, number) |= G_GUINT64_CONSTANT (1)
      << number % AFXDP_RTP_WORD_BITS;
}

static inline AfxdpPacePoint
afxdp_rtp_latest (const AfxdpRtpRun *run)
{
  return (AfxdpPacePoint){ run->highest, run->last_advance, run->timestamp };
}

/* What is missing after the highest number when end is in a packet of size bytes that was
 * shown at an arrival, as long as it is pending. outage: see below. */
AfxdpRtpGap afxdp_rtp_gap_until (const AfxdpRtpRun *run, guint64 end,
    guint size, guint64 shown, const AfxdpOutage *outage);
/* The numbers after the highest were skipped, up to end, which came in a packet of
 * size bytes that was shown at an arrival. outage: what a silence was, or NULL. */
void afxdp_rtp_open_gap (AfxdpRtpStats *stats, AfxdpRtpRun *run, guint64 end,
    guint size, guint64 shown, const AfxdpOutage *outage);
/* A packet with a missing number has come, which is not before the oldest pending
 * gap. */
void afxdp_rtp_fill_gap (AfxdpRtpRun *run, guint64 number);
/* The very next number has come, and a multiple of 65,536 may be missing. */
void afxdp_rtp_open_pause (AfxdpRtpStats *stats, AfxdpRtpRun *run, guint size,
    guint64 shown, const AfxdpOutage *outage);
/* Does away with the gaps that are filled or final at now, oldest first. */
void afxdp_rtp_settle_gaps (
    AfxdpRtpStats *stats, AfxdpRtpRun *run, guint64 now);
/* The number from which on all that is missing is in pending ones; there is one. */
guint64 afxdp_rtp_first_pending (const AfxdpRtpRun *run);
/* When the oldest pending one becomes final; there is one. */
guint64 afxdp_rtp_gaps_due (const AfxdpRtpRun *run);

/* rtprun.c */

/* The next packet of a source that is believed, without a silence. */
void afxdp_rtp_run_go_on (AfxdpRtpStats *stats, AfxdpRtpRun *run,
    const AfxdpRtp *rtp, guint64 arrival);
/* One that came late, and not before; behind the highest number. */
void afxdp_rtp_run_late (AfxdpRtpStats *stats, AfxdpRtpRun *run,
    const AfxdpRtp *rtp, guint64 behind, guint64 arrival);
/* Any packet; shares: see AfxdpRtpSuspect. */
void afxdp_rtp_run_take (AfxdpRtpStats *stats, AfxdpRtpRun *run,
    const AfxdpRtp *rtp, guint64 arrival, gboolean shares);

G_END_DECLS
