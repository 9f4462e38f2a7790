/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence statistics: senders of every kind, whose packets are cut off for a while,
 * or that rest. What is told to be lost is what was, to the packet.
 */
#include "rtpstats.h"

#include "rtpstats-fixture.h"
#include "suite.h"

#define SECOND (1000 * MS)

/* What a sender's timestamps are. */
typedef enum
{
  FRAMES,   /* of 90 kHz, one for each video frame */
  AUDIO,    /* a step for each packet */
  CONSTANT, /* always the same */
  CLOCK,    /* of 90 kHz, when the packet is sent: MPEG-TS */
} Stamps;

static const struct
{
  const gchar *name;
  Stamps stamps;
  gdouble fps;
} kinds[] = {
  { "23.976 fps", FRAMES, 24000 / 1001.0 },
  { "25 fps", FRAMES, 25 },
  { "29.97 fps", FRAMES, 30000 / 1001.0 },
  { "50 fps", FRAMES, 50 },
  { "59.94 fps", FRAMES, 60000 / 1001.0 },
  { "audio", AUDIO, 50 },
  { "constant", CONSTANT, 25 },
  { "clock-like", CLOCK, 25 },
};

/* The part of a frame's time in which it is sent: evenly, with the pause of a narrow
 * gapped sender of ST 2110-21, and at its start. */
static const gdouble parts[] = { 1, 0.96, 0.2 };

static const guint rates[] = { 20000, 40000, 108000, 216000, 400000 };

static const gdouble cuts[] = { 0.05, 0.123, 0.26, 0.5, 1, 2, 2.6, 5 };

typedef struct
{
  guint kind;
  gdouble part;
  guint frame;     /* packets in one */
  guint64 sent;    /* packets */
  guint64 skipped; /* numbers, and their time: the sender rested */
  guint64 lost;    /* not delivered */
  guint64 first;   /* number */
} Sender;

static gdouble
frame_time (const Sender *sender)
{
  return SECOND / kinds[sender->kind].fps;
}

static guint64
time_of (const Sender *sender, guint64 n)
{
  return 10 * SECOND + n / sender->frame * frame_time (sender) +
      n % sender->frame * frame_time (sender) / sender->frame * sender->part;
}

static guint32
stamp_of (const Sender *sender, guint64 n)
{
  switch (kinds[sender->kind].stamps) {
    case FRAMES:
      return n / sender->frame * 90000 / kinds[sender->kind].fps;
    case AUDIO:
      return n * 48;
    case CLOCK:
      return time_of (sender, n) * 9 / 100000;
    default:
      return 0;
  }
}

/* Sends what is due in so many seconds; delivers it or not. */
static void
go_on (Sender *sender, gdouble seconds, gboolean delivered)
{
  guint64 until = time_of (sender, sender->sent) + seconds * SECOND;

  for (; time_of (sender, sender->sent) < until; sender->sent++) {
    if (delivered)
      packet_full (RTP_SSRC, 96, sender->first + sender->sent - sender->skipped,
          stamp_of (sender, sender->sent), time_of (sender, sender->sent));
    else
      sender->lost++;
  }
}

/* As go_on(), but numbers stand still, and time does not. */
static void
rest (Sender *sender, gdouble seconds)
{
  guint64 until = time_of (sender, sender->sent) + seconds * SECOND;

  for (; time_of (sender, sender->sent) < until; sender->sent++)
    sender->skipped++;
}

static Sender
start_sender (guint kind, gdouble part, guint rate)
{
  rtp_tear_down ();
  rtp_set_up ();
  return (Sender){
    .kind = kind,
    .part = part,
    .frame = rate / kinds[kind].fps + 0.5,
    .first = 40000,
  };
}

static guint
check_lost (
    const Sender *sender, guint rate, gdouble seconds, const gchar *what)
{
  AfxdpRtpCounts totals;
  gboolean good;

  afxdp_rtp_stats_advance (stats, END);
  afxdp_rtp_stats_totals (stats, &totals);
  good = totals.lost == sender->lost && !totals.restarts &&
      !totals.duplicates && !totals.strays;
  if (!good)
    GST_ERROR ("%s, %u/s, %g of the time, %s of %g s: lost %" G_GUINT64_FORMAT
               " and not %" G_GUINT64_FORMAT ", restarts %" G_GUINT64_FORMAT
               ", duplicates %" G_GUINT64_FORMAT,
        kinds[sender->kind].name, rate, sender->part, what, seconds,
        totals.lost, sender->lost, totals.restarts, totals.duplicates);
  return !good;
}

/* The numbers tell nothing when just as many as they can tell apart are missing. */
static guint64
missing_in (Sender *sender, gdouble seconds)
{
  guint64 before = sender->lost;

  go_on (sender, seconds, FALSE);
  return sender->lost - before;
}

TABLE_TEST (test_cuts, kinds)
{
  guint n_wrong = 0, n_tried = 0;

  for (guint rate = 0; rate < G_N_ELEMENTS (rates); rate++)
    for (guint part = 0; part < G_N_ELEMENTS (parts); part++) {
      Sender sender = start_sender (__i__, parts[part], rates[rate]);

      for (guint i = 0; i < 3 * G_N_ELEMENTS (cuts); i++) {
        gdouble cut = cuts[i % G_N_ELEMENTS (cuts)];

        /* Any phase of a frame. */
        go_on (&sender, 0.5 + i * 0.0037, TRUE);
        if (missing_in (&sender, cut) % AFXDP_RTP_CYCLE == 0)
          missing_in (&sender, 0.001);
        go_on (&sender, 0.05, TRUE);
        n_tried++;
        if (check_lost (&sender, rates[rate], cut, "cut")) {
          n_wrong++;
          sender = start_sender (__i__, parts[part], rates[rate]);
        }
      }
    }
  fail_if (n_wrong, "%u of %u were wrong", n_wrong, n_tried);
}

TABLE_TEST (test_pauses, kinds)
{
  guint n_wrong = 0, n_tried = 0;

  for (guint rate = 0; rate < G_N_ELEMENTS (rates); rate++)
    for (guint part = 0; part < G_N_ELEMENTS (parts); part++) {
      Sender sender = start_sender (__i__, parts[part], rates[rate]);

      for (guint i = 0; i < G_N_ELEMENTS (cuts); i++) {
        go_on (&sender, 0.3 + i * 0.0037, TRUE);
        rest (&sender, cuts[i]);
        go_on (&sender, 0.05, TRUE);
        n_tried++;
        n_wrong += check_lost (&sender, rates[rate], cuts[i], "pause");
      }
    }
  fail_if (n_wrong, "%u of %u were wrong", n_wrong, n_tried);
}

/* As soon as three frames have come; what takes millions of packets is not known so
 * early. */
TABLE_TEST (test_early_cuts, kinds)
{
  guint n_wrong = 0, n_tried = 0;

  for (guint rate = 0; rate < G_N_ELEMENTS (rates); rate++)
    for (guint part = 0; part < G_N_ELEMENTS (parts); part++)
      for (guint i = 0; cuts[i] < 2; i++) {
        Sender sender = start_sender (__i__, parts[part], rates[rate]);

        sender.sent = 12345;
        go_on (&sender, 3.2 / kinds[__i__].fps, TRUE);
        if (missing_in (&sender, cuts[i]) % AFXDP_RTP_CYCLE == 0)
          missing_in (&sender, 0.001);
        go_on (&sender, 0.05, TRUE);
        n_tried++;
        n_wrong += check_lost (&sender, rates[rate], cuts[i], "early cut");
      }
  fail_if (n_wrong, "%u of %u were wrong", n_wrong, n_tried);
}

/* Frames of any size, each sent at once, of which runs are lost: as a rule of the
 * large ones. */
LOOP_TEST (test_variable_frames, 2)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (11 + __i__);
  guint64 number = 40000, lost = 0, waiting = 0;
  AfxdpRtpCounts totals;
  guint losing = 0;

  for (guint frame = 0; frame < 5000; frame++) {
    guint size = frame % 25 ? g_rand_int_range (random, 1, 40)
                            : g_rand_int_range (random, 200, 500);
    /* In the order in which they are sent, not shown. */
    guint32 stamp = (frame + (__i__ ? 2 - frame % 3 * 2 : 0)) * 3600;

    for (guint i = 0; i < size; i++, number++) {
      if (!losing && frame > 30 && g_rand_int_range (random, 0, 1000) == 0)
        losing = g_rand_int_range (random, 1, 300);
      if (losing) {
        losing--;
        waiting++;
        continue;
      }
      packet_full (RTP_SSRC, 96, number, stamp,
          10 * SECOND + frame * 40 * MS + i * 10000);
      lost += waiting;
      waiting = 0;
    }
  }
  afxdp_rtp_stats_advance (stats, END);
  afxdp_rtp_stats_totals (stats, &totals);
  fail_unless_equals_uint64 (totals.restarts + totals.strays, 0);
  fail_unless_equals_uint64 (totals.lost, lost);
}

/* Runs are lost right after the sender has become ten times as fast. */
TEST (test_another_rate)
{
  guint64 number = 0, arrival = 10 * SECOND;
  guint64 lost = 0;

  for (guint round = 0; round < 20; round++)
    for (guint i = 0; i < 2000; i++, number++) {
      arrival += round % 2 ? MS / 10 : MS;
      if (i >= 1000 && i % 100 >= 50 && round % 2)
        lost++;
      else if (i >= 100 && i < 150)
        lost++;
      else
        packet_at (number, arrival);
    }
  packet_at (number, arrival + MS);
  finally (.packets = number + 1 - lost, .lost = lost, .gaps = 20 + 10 * 10);
}

/* A sender on a busy machine: it is held up in the midst of each frame, which is a
 * silence too, but no end of a frame. */
static void
send_held_up (guint64 n)
{
  guint64 frame = n / 4320;
  guint64 due = n % 4320 * 40 * MS / 4320, held = 25 * MS + n % 4320 * 100;

  if (n % 4320 > 1400)
    due = MAX (due, held);
  packet_full (
      RTP_SSRC, 96, n, frame * 3600, 10 * SECOND + frame * 40 * MS + due);
}

TEST (test_held_up)
{
  guint64 n = 40000;

  for (; n < 130000; n++)
    send_held_up (n);
  for (n += 540000; n < 700000; n++)
    send_held_up (n);
  finally (.packets = 120000, .lost = 540000, .gaps = 1);
}

/* Recorded: what a busy machine's sender of 300,000 packets/s sends, whose timestamps
 * are when each should have been sent. rate: packets in a ms. */
static void
send_by_clock (guint64 first, guint64 n, guint64 begin, gdouble rate)
{
  for (guint64 i = 0; i < n; i++)
    packet_full (RTP_SSRC, 33, first + i, (first + i) * 3 / 10,
        SECOND + begin + (guint64) (i * 1000 / rate) * MS / 1000);
}

/* It was held up, and has caught up in a silence, for more than its pace would have:
 * its timestamps tell. */
TEST (test_caught_up)
{
  send_by_clock (0, 60000, 0, 300);
  send_by_clock (60000 + 125362, 2000, 200 * MS + 272 * MS, 300);
  finally (.packets = 62000, .gaps = 1, .lost = 125362);
}

/* It was so from its beginning on: no restart, when the rate of its clock is known. */
TEST (test_caught_up_at_the_beginning)
{
  afxdp_rtp_stats_set_clock_rate (stats, 33, 90000);
  send_by_clock (0, 8862, 0, 132);
  send_by_clock (8862 + 173853, 2000, 67 * MS + 544 * MS, 300);
  finally (.packets = 10862, .gaps = 1, .lost = 173853);
}

SUITE ("rtpstats_pace", 0, rtp_set_up, rtp_tear_down)
