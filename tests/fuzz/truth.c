/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sender that is known to the last packet. */
#include "truth.h"

#include "rtpstats.h"

#define MS G_GUINT64_CONSTANT (1000000)
#define SECOND (1000 * MS)

/* Delivered packets end a script, so that it takes some ms. */
#define MOST_PACKETS 100000
/* By time alone the numbers of a longer cut are not known, if the pace is only steady
 * within 10 %. */
#define LONGEST_BY_TIME 150000

/* What a sender's timestamps are: as in tests/check/rtpstats-pace.c. */
typedef enum
{
  FRAMES,
  AUDIO,
  CONSTANT,
  CLOCK,
  N_STAMPS,
} Stamps;

static const gdouble all_fps[] = { 24000 / 1001.0, 25, 30000 / 1001.0, 50,
  60000 / 1001.0 };
static const guint rates[] = { 50, 1000, 20000, 108000, 400000 };
static const gdouble parts[] = { 1, 0.96, 0.2 };
static const gdouble jitters[] = { 0, 0.02, 0.09, 0.5 };

/* The time of numbers that are measured before anything happens to them. */
#define HISTORY 5 /* frames */

typedef struct
{
  const guint8 *bytes;
  gsize size;
  AfxdpRtpStats *stats;
  guint64 random;

  /* The sender. */
  Stamps stamps;
  gdouble fps, part, jitter;
  guint rate, frame;     /* packets a second, and in a frame */
  guint64 number;        /* the next, with the cycles */
  guint64 sent;          /* since its beginning, or as if it had not paused */
  guint32 offset;        /* of timestamps */
  guint in_frame;        /* packets of the present one */
  gdouble begin, length; /* of that, ns */
  gboolean busy;         /* it is held up in the midst of each frame, */
  guint held_at;         /* before this packet of the present one, */
  gdouble held;          /* for so long, ns */
  guint one_in;          /* so many is lost; 0: none */

  /* What came of it. */
  guint64 highest;       /* number that was delivered in this run */
  guint64 last;          /* arrival */
  guint64 believed;      /* arrival of the last that was not held back */
  guint64 lost, waiting; /* waiting: behind the latest that came */
  guint64 restarts;
  guint64 delivered;
  guint in_row; /* since something was lost, or the run began */
  guint clean;  /* packets that nothing happens to */
  gboolean steady;
  AfxdpRtpCounts former;
} Truth;

static guint64
take (Truth *truth, guint n)
{
  guint64 value = 0;

  for (; n; n--) {
    value <<= 8;
    if (truth->size) {
      value |= *truth->bytes++;
      truth->size--;
    }
  }
  return value;
}

/* A linear congruential generator, with the constants of Knuth's MMIX. */
static guint
chance (Truth *truth, guint n)
{
  truth->random = truth->random * G_GUINT64_CONSTANT (6364136223846793005) +
      G_GUINT64_CONSTANT (1442695040888963407);
  return (truth->random >> 33) % n;
}

static gdouble
time_of (const Truth *truth, guint in_frame)
{
  return truth->length * truth->part * in_frame / truth->frame;
}

/* What was held up is sent at once. */
static guint64
arrival_of_next (const Truth *truth)
{
  gdouble due = time_of (truth, truth->in_frame);

  if (truth->busy && truth->in_frame >= truth->held_at)
    due = MAX (due, time_of (truth, truth->held_at) + truth->held);
  return truth->begin + due;
}

static guint32
stamp_of_next (const Truth *truth)
{
  switch (truth->stamps) {
    case FRAMES:
      return truth->offset +
          (guint64) (truth->sent / truth->frame * 90000 / truth->fps);
    case AUDIO:
      return truth->offset + truth->sent * 48;
    case CLOCK:
      return truth->offset + arrival_of_next (truth) * 9 / 100000;
    default:
      return truth->offset;
  }
}

static void
begin_frame (Truth *truth)
{
  gdouble off = (gint) chance (truth, 2001) - 1000;

  truth->begin += truth->length;
  truth->in_frame = 0;
  truth->length = SECOND / truth->fps * (1 + truth->jitter * off / 1000);
  truth->held_at = chance (truth, truth->frame);
  truth->held = (truth->length - time_of (truth, truth->held_at)) *
      chance (truth, 1000) / 1001;
}

/* The next packet is sent, or only its time passes. */
static void
pass (Truth *truth, gboolean counts)
{
  truth->number += counts;
  truth->sent++;
  if (++truth->in_frame == truth->frame)
    begin_frame (truth);
}

/* What one packet may change. */
static void
check_packet (Truth *truth, guint64 arrival)
{
  AfxdpRtpCounts now, *former = &truth->former;
  guint64 time = arrival - MIN (truth->believed, arrival) + 20 * MS;
  guint64 possible =
      64 + 8.0 * truth->frame + 2.0 * truth->rate * time / SECOND;

  afxdp_rtp_stats_totals (truth->stats, &now);
  g_assert_cmpuint (now.packets, ==, former->packets + 1);
  g_assert_cmpuint (now.duplicates, <=, former->duplicates + 1);
  g_assert_cmpuint (now.strays, <=, former->strays + 1);
  g_assert_cmpuint (now.restarts, <=, former->restarts + 1);
  g_assert_cmpuint (now.unvalidated, <=, former->unvalidated + 1);
  g_assert_cmpuint (
      now.lost + now.pending, <=, former->lost + former->pending + possible);
  /* One that is doubted may be the end of a gap, as the next one shows. */
  if (now.strays <= former->strays && now.duplicates <= former->duplicates &&
      now.unvalidated <= former->unvalidated)
    truth->believed = MAX (truth->believed, arrival);
  *former = now;
}

static void
deliver (Truth *truth, guint16 seqnum, guint32 timestamp, guint64 arrival)
{
  const AfxdpRtp rtp = {
    .kind = AFXDP_RTP_DATA,
    .ssrc = 1,
    .timestamp = timestamp,
    .seqnum = seqnum,
    .payload_type = 96,
    .size = 100,
    .payload_size = 88,
  };

  afxdp_rtp_stats_packet (truth->stats, &rtp, arrival);
  check_packet (truth, arrival);
  truth->delivered++;
}

/* The next packet comes, and what was lost in front of it was. */
static void
come (Truth *truth)
{
  guint64 arrival = arrival_of_next (truth);

  deliver (truth, truth->number, stamp_of_next (truth), arrival);
  truth->lost += truth->waiting;
  truth->waiting = 0;
  truth->highest = truth->number;
  truth->last = arrival;
  truth->in_row++;
  pass (truth, TRUE);
}

static void
lose (Truth *truth)
{
  truth->waiting++;
  truth->in_row = 0;
  pass (truth, TRUE);
}

static void
go_on (Truth *truth, guint64 n)
{
  for (; n && truth->delivered < MOST_PACKETS; n--) {
    if (!truth->clean && truth->one_in && !chance (truth, truth->one_in)) {
      lose (truth);
      continue;
    }
    come (truth);
    truth->clean -= truth->clean > 0;
  }
}

/* So long that its pace is known. */
static void
become_known (Truth *truth)
{
  guint64 shortest = truth->rate / 10;

  truth->clean = MAX (truth->clean, 3);
  go_on (truth, MAX ((guint64) HISTORY * truth->frame, shortest));
}

/* Deeds. */

static void
send_some (Truth *truth)
{
  go_on (truth, take (truth, 1) + 1);
}

static void
send_many (Truth *truth)
{
  go_on (truth, take (truth, 2));
}

static void
cut (Truth *truth)
{
  guint64 until, n = 0;
  guint ms = take (truth, 2) % 5000;

  become_known (truth);
  until = arrival_of_next (truth) + ms * MS;
  while (arrival_of_next (truth) < until &&
      (truth->stamps < CONSTANT || n < LONGEST_BY_TIME)) {
    lose (truth);
    n++;
  }
  /* As many as numbers tell apart look like a pause. */
  if (n && truth->waiting % AFXDP_RTP_CYCLE == 0)
    lose (truth);
  truth->clean = 3;
  become_known (truth);
}

/* The clock goes on, and the numbers do not; a sender speaks again with a frame. */
static void
rest (Truth *truth)
{
  guint64 until = take (truth, 2) % 5000 * MS;

  become_known (truth);
  while (truth->waiting)
    come (truth);
  until += arrival_of_next (truth);
  while (arrival_of_next (truth) < until || truth->in_frame)
    pass (truth, FALSE);
  truth->clean = 3;
  go_on (truth, 3);
}

static void
restart (Truth *truth)
{
  guint64 until = (150 + take (truth, 2) % 5000) * MS;
  guint16 number = take (truth, 2);
  guint32 far = (1u << 29) + take (truth, 4) % (3u << 30);

  become_known (truth);
  until += arrival_of_next (truth);
  while (arrival_of_next (truth) < until)
    pass (truth, FALSE);
  /* What nobody has seen the end of nobody misses. */
  truth->waiting = 0;
  /* So many may be missing, as far as time tells. */
  if ((guint16) (number - truth->highest) < 300)
    number += 300;
  truth->number = AFXDP_RTP_CYCLE + number;
  truth->offset += far;
  truth->restarts++;
  truth->in_row = 0;
  for (guint i = 0; i < 3; i++)
    come (truth);
  become_known (truth);
}

/* A packet from nowhere. */
static void
stray (Truth *truth)
{
  guint16 number = truth->number + 300 + take (truth, 2) % 64000;
  guint32 stamp =
      stamp_of_next (truth) + (1u << 29) + take (truth, 4) % (3u << 30);

  become_known (truth);
  number += truth->number;
  if ((guint16) (number - truth->highest + 300) < 600)
    number += 600;
  deliver (truth, number, stamp,
      truth->last + chance (truth, arrival_of_next (truth) - truth->last + 1));
  go_on (truth, 2);
}

/* One comes behind some that were sent later. */
static void
come_late (Truth *truth)
{
  guint n = take (truth, 1) % 90 + 1;
  guint64 number = truth->number;
  guint32 stamp = stamp_of_next (truth);

  if (truth->waiting)
    return;
  pass (truth, TRUE);
  while (n--)
    come (truth);
  deliver (truth, number, stamp, truth->last);
}

static void
come_twice (Truth *truth)
{
  guint n = take (truth, 1) % 90;

  become_known (truth);
  if (n < truth->in_row)
    deliver (truth, truth->highest - n, stamp_of_next (truth), truth->last);
}

static void
scatter (Truth *truth)
{
  static const guint often[] = { 0, 2, 3, 10, 100 };

  truth->one_in = often[take (truth, 1) % G_N_ELEMENTS (often)];
}

static void (*const deeds[]) (Truth *truth) = {
  send_some,
  send_many,
  cut,
  rest,
  restart,
  stray,
  come_late,
  come_twice,
  scatter,
};

static void
begin (Truth *truth)
{
  truth->random = take (truth, 4);
  truth->stamps = take (truth, 1) % N_STAMPS;
  truth->fps = all_fps[take (truth, 1) % G_N_ELEMENTS (all_fps)];
  truth->rate = rates[take (truth, 1) % G_N_ELEMENTS (rates)];
  truth->part = parts[take (truth, 1) % G_N_ELEMENTS (parts)];
  truth->jitter = jitters[take (truth, 1) % G_N_ELEMENTS (jitters)];
  truth->steady = truth->jitter <= 0.1;
  truth->frame = MAX (truth->rate / truth->fps + 0.5, 1);
  if (truth->rate < truth->fps)
    truth->fps = truth->rate;
  truth->number = AFXDP_RTP_CYCLE + take (truth, 2);
  truth->offset = take (truth, 4);
  /* Of frames of some packets that is the whole pace. */
  truth->busy = take (truth, 1) % 3 == 0 && truth->stamps < CONSTANT &&
      truth->frame >= 20;
  truth->begin = 1000 * SECOND;
  begin_frame (truth);
  truth->in_frame = take (truth, 2) % truth->frame;
  truth->sent = truth->frame * 1000 + truth->in_frame;
  truth->clean = 3;
}

static void
check_end (Truth *truth)
{
  AfxdpRtpCounts now;

  afxdp_rtp_stats_advance (truth->stats, G_MAXUINT64);
  afxdp_rtp_stats_totals (truth->stats, &now);
  g_assert_cmpuint (now.pending, ==, 0);
  if (!truth->steady)
    return;
  g_assert_cmpuint (now.restarts, ==, truth->restarts);
  g_assert_cmpuint (now.lost, ==, truth->lost);
}

void
truth_run (const guint8 *bytes, gsize size)
{
  Truth truth = { .bytes = bytes, .size = size };

  truth.stats = afxdp_rtp_stats_new ();
  begin (&truth);
  become_known (&truth);
  while (truth.size && truth.delivered < MOST_PACKETS)
    deeds[take (&truth, 1) % G_N_ELEMENTS (deeds)](&truth);
  check_end (&truth);
  afxdp_rtp_stats_free (truth.stats);
}
